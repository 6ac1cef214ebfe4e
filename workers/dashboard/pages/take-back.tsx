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
      <strong>This report was taken back: no figure counts it.</strong>{" "}
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
        <h2>Let it count again</h2>
        <form class="inline" method="post" action={action}>
          <button type="submit" name="action" value="undo">
            Let it count again
          </button>
        </form>
      </section>
    );
  }
  return (
    <section class="card">
      <h2>Take the report back</h2>
      <p class="lead">
        For a report that nobody should have counted, such as a forged one. Its figures go; the raw file stays, and the
        report is not accepted again when it comes again or is read again. It can be undone here.
      </p>
      <form class="inline" method="post" action={action}>
        <Field id="take-back-reason" label="Reason">
          <input id="take-back-reason" name="reason" type="text" required maxlength={1000} />
        </Field>
        <label>
          <input type="checkbox" name="confirmed" value="yes" required /> its figures are to go
        </label>
        <button class="danger" type="submit" name="action" value="take-back">
          Take back
        </button>
      </form>
    </section>
  );
}
