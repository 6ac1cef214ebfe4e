/** What a form has just done, or why it was not done, on the page that it leads back to. */
import { ForeignText } from "./foreign-text.tsx";
import { Note } from "./marks.tsx";

/** What a form did, by the code in the link that it leads to: no text of a link is shown. */
const DONE = {
  saved: "Saved.",
  decided: "Saved. The verdict follows your decision.",
  undone: "The last decision was undone.",
  sent: "It is being sent: see Deliveries.",
  removed: "Removed.",
  checked: "Checked.",
  takenBack: "Taken back.",
  restored: "It counts again.",
} as const;

export type Done = keyof typeof DONE;

const PARAMETER = "said";

/** A link to the page that says what a form did. */
export function saying(done: Done, path: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${PARAMETER}=${done}`;
}

/** What the link says was done. It is removed from the URL, so that it is shown once and no link of the page repeats it. */
export function takeDone({ searchParams }: URL): string | undefined {
  const code = searchParams.get(PARAMETER);
  searchParams.delete(PARAMETER);
  return Object.entries(DONE).find(([one]) => one === code)?.[1];
}

export interface Said {
  kind: "done" | "fault";
  sentence: string;
  /** The secret of what was made: shown this once. */
  secret?: string;
  /** What was typed into the form that could not be done, to be corrected there. */
  typed?: URLSearchParams;
}

/** @returns what was typed, where it was the form of this action: others on the page stay empty */
export function typedFor(said: Said | undefined, action: string): URLSearchParams | undefined {
  return said?.typed?.get("action") === action ? said.typed : undefined;
}

/** @param secretIs what the secret is, as a sentence begins: "Its key" */
export function SaidNote({ said: { kind, sentence, secret }, secretIs }: { said: Said; secretIs?: string }) {
  return (
    <Note kind={kind} isOutcome>
      <ForeignText text={sentence} />
      {secret !== undefined && (
        <>
          {" "}
          {secretIs}, which is not shown again: <code>{secret}</code>
        </>
      )}
    </Note>
  );
}
