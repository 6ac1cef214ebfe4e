/** The owner's decision about a source: the present one, the form to change it, and earlier ones. */

import type { Suggestion } from "../../../shared/guidance/suggest.ts";
import { suggestionText } from "../../../shared/guidance/verdict-words.ts";
import { SENDER_DECISIONS, type SenderDecision } from "../../../shared/ledger/sender-decisions.ts";
import { isoMinute } from "../data/days.ts";
import type { Decisions } from "../data/decisions.ts";
import { ApiError } from "../errors.ts";
import { Field } from "../parts/field.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { accountOfForm, type PageRequest } from "../parts/page-request.ts";
import type { Done } from "../parts/said-note.tsx";

/** Words of decisions, and what each of them means for the verdict. */
export const DECISION_WORDS: Record<SenderDecision, { label: string; meaning: string }> = {
  mine: { label: "Mine", meaning: "sends for this domain; its failing mail stands in the way of p=reject" },
  notMine: { label: "Not mine", meaning: "sends in your name without permission; p=reject stops it" },
  forwarder: { label: "Forwarder", meaning: "forwards other people's mail, or is a mailing list; you can't fix it" },
  undecided: { label: "Undecided", meaning: "not decided yet" },
};

/** "all of Twilio SendGrid", or the subject itself. */
export function subjectWords(subject: string): string {
  return subject.startsWith("service:") ? `all of ${subject.slice("service:".length)}` : subject;
}

/** A decision as a mark; nothing where there is none. */
export function DecisionMark({ decision }: { decision: SenderDecision | undefined }) {
  if (decision === undefined || decision === "undecided") return null;
  return <span class="tag">{DECISION_WORDS[decision].label}</span>;
}

interface CardProps {
  decisions: Decisions;
  suggestion: Suggestion | undefined;
  domain: string;
  /** Path the forms are sent to. */
  action: string;
}

/** What holds, what is suggested, the form, and the history. */
export function SenderDecisionCard({ decisions, suggestion, domain, action }: CardProps) {
  const { account, mayDecide, history, wider, subjects } = decisions;
  if (account === undefined) return null;
  const [last] = history;
  const current = last?.decision ?? "undecided";
  return (
    <section class="card" aria-labelledby="decision">
      <h2 id="decision">Is it yours?</h2>
      <p class="lead">
        {wider !== undefined ? (
          <>
            <strong>{DECISION_WORDS[wider.decision].label}</strong>, by the decision about{" "}
            <ForeignText text={subjectWords(wider.subject)} />.
          </>
        ) : current === "undecided" ? (
          `Not decided yet. The verdict follows what ${mayDecide ? "you say" : "an administrator of the account says"} here.`
        ) : (
          <>
            <strong>{DECISION_WORDS[current].label}</strong>: {DECISION_WORDS[current].meaning}.
          </>
        )}
      </p>
      {suggestion !== undefined && (
        <p>
          <ForeignText text={suggestionText(suggestion, domain)} />
        </p>
      )}
      {suggestion !== undefined && mayDecide && (
        <AcceptForm account={account} suggestion={suggestion} action={action} />
      )}
      {mayDecide && <DecisionForm account={account} current={current} subjects={subjects} action={action} />}
      {last !== undefined && <History decisions={{ ...decisions, account }} action={action} />}
    </section>
  );
}

interface AcceptProps {
  account: string;
  suggestion: Suggestion;
  action: string;
}

function AcceptForm({ account, suggestion: { decision, subject }, action }: AcceptProps) {
  return (
    <form class="inline" method="post" action={action}>
      <input type="hidden" name="account" value={account} />
      <input type="hidden" name="decision" value={decision} />
      <input type="hidden" name="subject" value={subject} />
      <button type="submit" name="action" value="decide">
        {DECISION_WORDS[decision].label}: <ForeignText text={subjectWords(subject)} />
      </button>
    </form>
  );
}

interface DecisionFormProps {
  account: string;
  current: SenderDecision;
  subjects: readonly string[];
  action: string;
}

function DecisionForm({ account, current, subjects, action }: DecisionFormProps) {
  return (
    <form class="inline" method="post" action={action}>
      <input type="hidden" name="account" value={account} />
      {SENDER_DECISIONS.filter((one) => one !== "undecided").map((one) => (
        <label title={DECISION_WORDS[one].meaning}>
          <input type="radio" name="decision" value={one} required checked={one === current} />{" "}
          {DECISION_WORDS[one].label}
        </label>
      ))}
      {subjects.length > 1 && (
        <Field id="decision-subject" label="About">
          <select id="decision-subject" name="subject">
            {subjects.map((subject) => (
              <option value={subject}>{subjectWords(subject)}</option>
            ))}
          </select>
        </Field>
      )}
      <Field id="decision-note" label="Note">
        <input id="decision-note" name="note" type="text" maxlength={1000} />
      </Field>
      <button type="submit" name="action" value="decide">
        Save
      </button>
    </form>
  );
}

interface HistoryProps {
  decisions: Pick<Decisions, "history" | "mayDecide"> & { account: string };
  action: string;
}

function History({ decisions: { history, account, mayDecide }, action }: HistoryProps) {
  return (
    <>
      <ul class="findings small">
        {history.slice(0, 10).map(({ decision, note, decidedBy, decidedSeconds }) => (
          <li>
            {isoMinute(decidedSeconds)}: {DECISION_WORDS[decision].label}, by <ForeignText text={decidedBy} />
            {note !== "" && (
              <>
                : <ForeignText text={note} />
              </>
            )}
          </li>
        ))}
      </ul>
      {mayDecide && (
        <form class="inline" method="post" action={action}>
          <input type="hidden" name="account" value={account} />
          <button type="submit" name="action" value="undo">
            Undo the last decision
          </button>
        </form>
      )}
    </>
  );
}

/**
 * Does what the form says.
 *
 * @returns what was done
 * @throws ApiError when the account is not the person's, or the form makes no sense
 */
export async function changeSenderDecision(
  request: PageRequest,
  form: URLSearchParams,
  { domain, source }: { domain: string; source: string },
): Promise<Done> {
  const account = await accountOfForm(request, form);
  const name = { account, domain, source };
  if (form.get("action") === "undo") {
    await request.operate("undoSenderDecision", name);
    return "undone";
  }
  const decision = SENDER_DECISIONS.find((one) => one === form.get("decision"));
  if (decision === undefined) throw new ApiError("bad_request", "Choose mine, not mine or forwarder.");
  const subject = form.get("subject") ?? source;
  await request.operate("decideSender", {
    account,
    domain,
    source: subject,
    decision,
    note: form.get("note")?.trim() ?? "",
  });
  return "decided";
}
