/** What a form has just done, or why it was not done, on the page that it leads back to. */
import { ForeignText } from "./foreign-text.tsx";
import { Note } from "./marks.tsx";

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
    <Note kind={kind}>
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
