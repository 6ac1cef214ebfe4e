/** What a form has just done, or why it was not done, said on the page that it leads back to. */
import { ForeignText } from "./foreign-text.tsx";
import { Note } from "./marks.tsx";

export interface Said {
  kind: "done" | "fault";
  sentence: string;
  /** The secret of what was made: shown this once. */
  secret?: string;
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
