/**
 * Senders to decide about: those that stand in the way, each with a suggestion that is accepted by one press; and what
 * was decided.
 */

import { readDomainName } from "../../../shared/domain-name.ts";
import { readSubject } from "../../../shared/guidance/subject.ts";
import { roleReasonText, sourceName, suggestionText } from "../../../shared/guidance/verdict-words.ts";
import { type DecidedSender, SENDER_DECISIONS, type SenderDecision } from "../../../shared/ledger/sender-decisions.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { mayAdminister } from "../access.ts";
import { askNames, namePhrases } from "../data/address-names.ts";
import { isoMinute } from "../data/days.ts";
import { domainScope } from "../data/ledger-request.ts";
import { formatCount } from "../data/numbers.ts";
import { askSenders, type Sender, type Senders } from "../data/senders.ts";
import { ApiError, isWrongInput } from "../errors.ts";
import { dayColumn } from "../parts/columns.tsx";
import { domainPage } from "../parts/domain-frame.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { accountOfForm, type PageRequest, periodOf } from "../parts/page-request.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { type Said, SaidNote } from "../parts/said-note.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { addressPath, domainPath, sourcePath } from "../paths.ts";
import { DECISION_WORDS, subjectWords } from "./sender-decision.tsx";

/** Senders that one press decides about; each is a call to process. */
const MAX_AT_ONCE = DASHBOARD_LIMITS.callsPerForm;
const FORM = "decide";
/** Apart from it, so that Enter in its fields presses none of the buttons in the tables. */
const ONE_PRESS_FORM = "one-press";

/** Parameter of the page that a form leads back to: what the form did. The page takes its words from the ledger. */
const DONE = "done";

export async function sendersPage(asked: PageRequest, domain: string, said?: Said): Promise<PageResult> {
  // What was done is shown once: no link of the page repeats it.
  const url = new URL(asked.url);
  const done = url.searchParams.get(DONE);
  url.searchParams.delete(DONE);
  const request = { ...asked, url };
  const period = periodOf(request);
  const scope = await domainScope(request, domain, period);
  const found = await askSenders(
    { ask: (query) => request.ask(query), names: (all) => askNames(request, all), nowSeconds: request.nowSeconds },
    scope,
  );
  const tables = {
    undecided: undecidedTable(request, { domain, found, chosen: said?.typed?.getAll("subject") ?? [] }),
    decisions: decisionsTable(request, found),
  };
  return domainPage(request, {
    domain,
    period,
    tab: "sources",
    title: `Senders of ${domain} to decide about`,
    heading: "Which senders are yours?",
    lead: (
      <>
        Senders with <ForeignText text={domain} /> in the From header whose mail fails DMARC,{" "}
        <PeriodText period={period} />. The reports can't tell whether they are yours. The verdict follows what you say.
      </>
    ),
    isBelowSources: true,
    tables: Object.values(tables),
    body: (
      <>
        {said !== undefined && <SaidNote said={said} />}
        {said === undefined && <DoneNote request={request} domain={domain} done={done} found={found} />}
        <div class="choosing">
          {tables.undecided.view(request.url)}
          {found.account !== undefined && mayAdminister(request.access, found.account) && (
            <DecideForm account={found.account} hasRows={hasUndecided(found)} typed={said?.typed} />
          )}
        </div>
        {tables.decisions.view(request.url)}
      </>
    ),
  });
}

interface DoneProps {
  request: PageRequest;
  domain: string;
  done: string | null;
  found: Senders;
}

/** What was just decided, and what is next: the newest decisions, made by one press. */
function DoneNote({ request, domain, done, found: { decisions } }: DoneProps) {
  const verdict = <a href={linkTo(request, domainPath(domain))}>See the verdict</a>;
  if (done === "undone")
    return (
      <Note kind="done" isOutcome>
        The decision was undone. {verdict}
      </Note>
    );
  if (done !== "decided") return null;
  const newest = Math.max(...decisions.map(({ decidedSeconds }) => decidedSeconds));
  const [first, ...others] = decisions.filter(({ decidedSeconds }) => decidedSeconds === newest);
  if (first === undefined) return null;
  return (
    <Note kind="done" isOutcome>
      Saved: <ForeignText text={subjectWords(first.source)} />
      {others.length > 0 && ` and ${formatCount(others.length)} more`} – {DECISION_WORDS[first.decision].label}.{" "}
      {verdict}
    </Note>
  );
}

function hasUndecided({ senders }: Senders): boolean {
  return senders.some(isUndecided);
}

function isUndecided({ source }: Sender): boolean {
  return source.role === "undecided" && source.name !== "";
}

interface UndecidedInput {
  domain: string;
  found: Senders;
  /** Names of those whose boxes are ticked already. */
  chosen: readonly string[];
}

function undecidedTable(request: PageRequest, { domain, found, chosen }: UndecidedInput): BoundTable {
  const mayDecide = found.account !== undefined && mayAdminister(request.access, found.account);
  return bindTable<Sender>({
    id: "undecided",
    caption: "Undecided senders",
    rows: found.senders.filter(isUndecided),
    sort: "-messages",
    size: MAX_AT_ONCE,
    empty: "No sender is waiting for your decision in this period.",
    columns: [
      {
        key: "source",
        label: "Sender",
        value: ({ source }) => source.name,
        cell: (sender) => (
          <SenderCell request={request} domain={domain} sender={sender} mayDecide={mayDecide} chosen={chosen} />
        ),
      },
      {
        key: "suggestion",
        label: "Suggestion",
        value: ({ suggestion }) => suggestion?.decision ?? "",
        cell: ({ suggestion }) =>
          suggestion === undefined ? (
            <span class="muted">None</span>
          ) : (
            <span class="stack">
              <ForeignText text={suggestionText(suggestion, domain)} />
              {mayDecide && (
                <button
                  type="submit"
                  form={ONE_PRESS_FORM}
                  name="accept"
                  value={`${suggestion.decision} ${suggestion.subject}`}
                >
                  {DECISION_WORDS[suggestion.decision].label}
                  {suggestion.subject !== "" && (
                    <>
                      : <ForeignText text={subjectWords(suggestion.subject)} />
                    </>
                  )}
                </button>
              )}
            </span>
          ),
      },
      { key: "messages", label: "Messages", align: "end", value: ({ source }) => source.messages },
      { key: "hit", label: "Fail", align: "end", value: ({ source }) => source.hit },
      dayColumn<Sender>("since", "Since", ({ source }) => source.firstDay),
      dayColumn<Sender>("last", "Last seen", ({ source }) => source.lastDay),
    ],
  });
}

interface CellProps {
  request: PageRequest;
  domain: string;
  sender: Sender;
  mayDecide: boolean;
  chosen: readonly string[];
}

function SenderCell({ request, domain, sender: { source, named }, mayDecide, chosen }: CellProps) {
  const { name, kind, service, reason } = source;
  const path = kind === "none" ? addressPath(domain, name) : sourcePath(domain, name);
  return (
    <span class="stack">
      <span>
        {mayDecide && (
          <label>
            <input
              type="checkbox"
              form={FORM}
              name="subject"
              value={name}
              checked={chosen.includes(name)}
              aria-label={`Choose ${sourceName(source)}`}
            />{" "}
          </label>
        )}
        <a href={linkTo(request, path)}>
          <Name text={name} />
        </a>{" "}
        {service !== "" && <span class="tag">{service}</span>}
      </span>
      {namePhrases(named).map((phrase) => (
        <span class="small">
          <ForeignText text={phrase} />
        </span>
      ))}
      <span class="small muted">{roleReasonText(reason)}</span>
    </span>
  );
}

interface DecideProps {
  account: string;
  hasRows: boolean;
  typed: URLSearchParams | undefined;
}

function DecideForm({ account, hasRows, typed }: DecideProps) {
  return (
    <section class="card decide" aria-labelledby="decide-chosen">
      <h2 id="decide-chosen">Decide</h2>
      <form id={ONE_PRESS_FORM} method="post">
        <input type="hidden" name="account" value={account} />
      </form>
      <form id={FORM} class="stacked" method="post">
        <input type="hidden" name="account" value={account} />
        {hasRows && <p class="hint">Choose senders in the table above, or name one, a network or a service:</p>}
        <Field id="other" label="Sender">
          <input
            id="other"
            name="other"
            type="text"
            maxlength={253}
            placeholder="192.0.2.0/24"
            value={typed?.get("other") ?? ""}
          />
        </Field>
        <Field id="decide-note" label="Note">
          <input id="decide-note" name="note" type="text" maxlength={1000} value={typed?.get("note") ?? ""} />
        </Field>
        <p class="buttons">
          {SENDER_DECISIONS.filter((one) => one !== "undecided").map((one) => (
            <button type="submit" name="decision" value={one} title={DECISION_WORDS[one].meaning}>
              {DECISION_WORDS[one].label}
            </button>
          ))}
        </p>
      </form>
    </section>
  );
}

function decisionsTable({ access }: PageRequest, { decisions, senders, account }: Senders): BoundTable {
  const messages = new Map<string, number>();
  for (const { source, decision } of senders) {
    if (decision === undefined) continue;
    messages.set(decision.subject, (messages.get(decision.subject) ?? 0) + source.messages);
  }
  return bindTable<DecidedSender>({
    id: "decisions",
    caption: "What you decided",
    rows: decisions.filter(({ decision }) => decision !== "undecided"),
    sort: "-decided",
    empty: "No decisions yet.",
    columns: [
      {
        key: "subject",
        label: "Sender",
        value: ({ source }) => source,
        cell: ({ source }) => <Name text={subjectWords(source)} />,
      },
      { key: "decision", label: "Decision", value: ({ decision }) => DECISION_WORDS[decision].label },
      {
        key: "messages",
        label: "Messages",
        align: "end",
        value: ({ source }) => messages.get(source) ?? 0,
        cell: ({ source }) => formatCount(messages.get(source) ?? 0),
      },
      { key: "decided", label: "Decided", value: ({ decidedSeconds }) => isoMinute(decidedSeconds) },
      { key: "by", label: "By", value: ({ decidedBy }) => decidedBy },
      { key: "note", label: "Note", value: ({ note }) => note },
      {
        key: "undo",
        label: "Undo",
        value: () => "",
        cell: ({ source, account: decidedFor }) =>
          decidedFor === account &&
          mayAdminister(access, account) && (
            <button type="submit" form={ONE_PRESS_FORM} name="undo" value={source}>
              Undo
            </button>
          ),
      },
    ],
  });
}

/**
 * Does what the form says.
 *
 * @returns the page to go to, or the page with what is wrong beside what was chosen
 * @throws ApiError when the account is not the person's
 */
export async function changeSenders(
  request: PageRequest,
  form: URLSearchParams,
  domain: string,
): Promise<string | PageResult> {
  const account = await accountOfForm(request, form);
  try {
    await applyChoice(request, form, { account, domain });
    const link = linkTo(request, `${domainPath(domain)}/senders`);
    return `${link}${link.includes("?") ? "&" : "?"}${DONE}=${form.has("undo") ? "undone" : "decided"}`;
  } catch (error) {
    if (!isWrongInput(error)) throw error;
    return sendersPage(request, domain, { kind: "fault", sentence: error.message, typed: form });
  }
}

interface Whose {
  account: string;
  domain: string;
}

async function applyChoice(request: PageRequest, form: URLSearchParams, { account, domain }: Whose): Promise<void> {
  const undo = form.get("undo");
  if (undo !== null) {
    await request.operate("undoSenderDecision", { account, domain, source: undo });
  } else {
    const { decision, subjects } = readChoice(form);
    const note = form.get("note")?.trim() ?? "";
    for (const source of subjects) await request.operate("decideSender", { account, domain, source, decision, note });
  }
}

/** What was typed in place of a row; "" = nothing. Rows have names that strangers made up; nobody types those. */
function readOther(form: URLSearchParams): string {
  const other = form.get("other")?.trim() ?? "";
  if (other === "") return "";
  const subject = readSubject(other);
  if (!subject.ok) throw new ApiError("bad_request", subject.error);
  const name = subject.value.kind === "domain" ? readDomainName(other) : undefined;
  if (name?.ok === false) throw new ApiError("bad_request", name.error);
  return other;
}

function readChoice(form: URLSearchParams): { decision: SenderDecision; subjects: string[] } {
  const accepted = /^(\w+) (.+)$/.exec(form.get("accept") ?? "");
  const [, word = form.get("decision"), subject] = accepted ?? [];
  const decision = SENDER_DECISIONS.find((one) => one === word);
  if (decision === undefined) throw new ApiError("bad_request", "Choose mine, not mine or forwarder.");
  const other = readOther(form);
  const chosen = subject === undefined ? [...form.getAll("subject"), ...(other === "" ? [] : [other])] : [subject];
  if (chosen.length === 0) throw new ApiError("bad_request", "Choose at least one sender.");
  if (chosen.length > MAX_AT_ONCE) throw new ApiError("bad_request", `Choose at most ${MAX_AT_ONCE} senders at once.`);
  return { decision, subjects: chosen };
}
