/** Taking a report back, such as a forged one, and letting it count again: what an operator sees of it on its page. */
import type { DecisionRow } from "../../../shared/ledger/conflicts.ts";
import { isoMinute } from "../data/days.ts";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { Note } from "../parts/marks.tsx";

/** Says that a report counts nowhere, who decided so, and why. */
export function TakenBackNote({ decision }: { decision: DecisionRow | undefined }) {
  return (
    <Note kind="fault">
      <strong>This report was taken back: it counts in no figure.</strong>{" "}
      {decision !== undefined && (
        <>
          Decided by <ForeignText text={decision.decidedBy} /> on {isoMinute(decision.decidedSeconds)}:{" "}
          <ForeignText text={decision.reason} />
        </>
      )}
    </Note>
  );
}

/** Takes it back, with a reason and a confirmation, or lets it count again. @param form.action path it is sent to */
export function TakeBackForm({ isTakenBack, action }: { isTakenBack: boolean; action: string }) {
  if (isTakenBack) {
    return (
      <section class="card">
        <h2>Count it again</h2>
        <form class="inline" method="post" action={action}>
          <button type="submit" name="action" value="undo">
            Count it again
          </button>
        </form>
      </section>
    );
  }
  return (
    <section class="card">
      <h2>Take the report back</h2>
      <p class="lead">
        For a report that should not count, such as a forged one. Its figures are removed; the raw file is kept, and the
        report is not accepted again. You can undo this here.
      </p>
      <form class="inline" method="post" action={action}>
        <Field id="take-back-reason" label="Reason">
          <input id="take-back-reason" name="reason" type="text" required maxlength={1000} />
        </Field>
        <label>
          <input type="checkbox" name="confirmed" value="yes" required /> remove its figures
        </label>
        <button class="danger" type="submit" name="action" value="take-back">
          Take back
        </button>
      </form>
    </section>
  );
}
