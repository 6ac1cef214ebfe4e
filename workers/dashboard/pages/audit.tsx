/** The audit log: who changed what in the accounts the person administers, all of it for operators. */
import { AUDITED_OPERATIONS } from "../../../shared/contract/operations.ts";
import {
  type AuditEntry,
  type AuditFilter,
  type AuditOutcome,
  auditPage as askPage,
} from "../../../shared/ledger/audit.ts";
import { AUDIT_LIMITS } from "../../../shared/limits.ts";
import { auditFilter } from "../api/accounts.ts";
import { isoMinute } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { AccountsHead, accountPath } from "../parts/accounts-frame.tsx";
import { DayInput } from "../parts/day-input.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { domainPath } from "../paths.ts";

const PATH = "/audit";
const TABLE = { id: "entries", sort: "-at" };

const OUTCOME_WORDS: Record<AuditOutcome, string> = {
  unknown: "requested, outcome unknown",
  done: "done",
  refused: "refused",
  failed: "failed",
};

/** The filter's fields, as the link has them. */
const FIELDS = ["who", "operation", "account", "domain", "since", "until"] as const;

export async function auditPage(request: PageRequest): Promise<PageResult> {
  const state = readTableState(request.parameters, TABLE);
  const { text } = state;
  const filter = { ...readFilter(request), text: text === "" ? undefined : text };
  const found = await askPage(request.askDirectory, filter, readRowRange(request.parameters, state));
  const table = bindTable<AuditEntry>({
    ...TABLE,
    caption: "Changes",
    rows: found.rows,
    paged: { count: found.matching, sortable: () => false },
    empty: "No change matches this filter.",
    partial:
      found.matching < AUDIT_LIMITS.counted ? undefined : (
        <Note>
          There are {formatCount(AUDIT_LIMITS.counted)} entries or more: narrow the list to reach the oldest ones.
        </Note>
      ),
    columns: COLUMNS,
  });
  return {
    tables: [table],
    content: {
      title: "Audit log",
      section: "accounts",
      body: (
        <>
          <AccountsHead request={request} tab="audit" title="Audit log" lead="Who changed what, how and when." />
          <FilterForm request={request} />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

function readFilter({ access, parameters }: PageRequest): AuditFilter {
  const given = (name: (typeof FIELDS)[number]): string | undefined => parameters.get(name)?.trim() || undefined;
  return auditFilter(access, {
    who: given("who"),
    operation: given("operation"),
    account: given("account"),
    domain: given("domain")?.toLowerCase(),
    since: given("since"),
    until: given("until"),
  });
}

function FilterForm({ request: { parameters } }: { request: PageRequest }) {
  const value = (name: (typeof FIELDS)[number]): string => parameters.get(name) ?? "";
  return (
    <form class="inline" method="get" action={PATH}>
      <Field id="audit-who" label="Who">
        <input id="audit-who" name="who" type="search" value={value("who")} size={18} maxlength={400} />
      </Field>
      <Field id="audit-operation" label="What">
        <select id="audit-operation" name="operation">
          <option value="">anything</option>
          {AUDITED_OPERATIONS.map((name) => (
            <option value={name} selected={name === value("operation")}>
              {wordsOf(name)}
            </option>
          ))}
        </select>
      </Field>
      <Field id="audit-account" label="Account">
        <input id="audit-account" name="account" type="search" value={value("account")} size={12} maxlength={64} />
      </Field>
      <Field id="audit-domain" label="Domain">
        <input id="audit-domain" name="domain" type="search" value={value("domain")} size={16} maxlength={253} />
      </Field>
      <Field id="audit-since" label="From">
        <DayInput id="audit-since" name="since" value={value("since")} />
      </Field>
      <Field id="audit-until" label="To">
        <DayInput id="audit-until" name="until" value={value("until")} />
      </Field>
      <button type="submit">Filter</button>
      {FIELDS.some((name) => value(name) !== "") && <a href={PATH}>Show all</a>}
    </form>
  );
}

const COLUMNS: ViewColumn<AuditEntry>[] = [
  { key: "at", label: "When", value: ({ atSeconds }) => isoMinute(atSeconds) },
  { key: "who", label: "Who", value: ({ who }) => who, cell: ({ who }) => <ForeignText text={who} /> },
  {
    key: "operation",
    label: "What",
    value: ({ operation }) => operation,
    cell: (entry) => <What entry={entry} />,
  },
  { key: "account", label: "About", value: ({ account }) => account, cell: (entry) => <About entry={entry} /> },
  { key: "domain", label: "Domain", value: ({ domain }) => domain, exportOnly: true },
  {
    key: "before",
    label: "Before",
    value: ({ before }) => jsonText(before),
    cell: ({ before }) => <State of={before} />,
  },
  { key: "after", label: "After", value: ({ after }) => jsonText(after), cell: ({ after }) => <State of={after} /> },
  { key: "input", label: "Asked", value: ({ input }) => jsonText(input), exportOnly: true },
  { key: "outcome", label: "Outcome", value: ({ outcome }) => outcome, exportOnly: true },
  { key: "message", label: "Message", value: ({ message }) => message, exportOnly: true },
];

/** An operation's name as words: "putAccountPerson" → "put account person". Exports keep the name. */
function wordsOf(operation: string): string {
  return operation.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function About({ entry: { account, domain } }: { entry: AuditEntry }) {
  if (account === "" && domain === "") return null;
  return (
    <span class="stack">
      {account !== "" && (
        <a href={accountPath(account)}>
          <ForeignText text={account} />
        </a>
      )}
      {domain !== "" && (
        <a href={domainPath(domain)}>
          <Name text={domain} />
        </a>
      )}
    </span>
  );
}

function What({ entry: { operation, outcome, message, input } }: { entry: AuditEntry }) {
  return (
    <span class="stack">
      <span>
        <ForeignText text={wordsOf(operation)} />{" "}
        {outcome !== "done" && (
          <span class={outcome === "refused" ? "result warn" : "result fail"}>{OUTCOME_WORDS[outcome]}</span>
        )}
      </span>
      {message !== "" && (
        <span class="small muted">
          <ForeignText text={message} />
        </span>
      )}
      <details class="small">
        <summary>Asked</summary>
        <State of={input} />
      </details>
    </span>
  );
}

/** Ours: a state of more fields shows these, and the rest where it is opened. */
const SHOWN_FIELDS = 5;

/** A state by its fields; nothing where there was none. */
function State({ of: state }: { of: unknown }) {
  if (state === null || state === undefined) return <span class="muted">–</span>;
  if (typeof state !== "object") return <ForeignText text={String(state)} />;
  const fields = Object.entries(state);
  if (fields.length <= SHOWN_FIELDS + 1) return <Fields fields={fields} />;
  return (
    <span class="stack">
      <Fields fields={fields.slice(0, SHOWN_FIELDS)} />
      <details class="small">
        <summary>and {fields.length - SHOWN_FIELDS} more</summary>
        <Fields fields={fields.slice(SHOWN_FIELDS)} />
      </details>
    </span>
  );
}

function Fields({ fields }: { fields: readonly [string, unknown][] }) {
  return (
    <span class="stack small">
      {fields.map(([name, value]) => (
        <span>
          <span class="muted">
            <ForeignText text={name} />
          </span>{" "}
          <ForeignText text={valueText(name, value)} />
        </span>
      ))}
    </span>
  );
}

/** Seconds from September 2001 on are a time; fewer are how long something lasts. */
const FIRST_TIME_SECONDS = 1_000_000_000;

/** A value as people read it: a time as a time. Exports keep the number. */
function valueText(name: string, value: unknown): string {
  if (typeof value === "number" && value >= FIRST_TIME_SECONDS && name.endsWith("Seconds")) return isoMinute(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

function jsonText(value: unknown): string {
  return value === null || value === undefined ? "" : JSON.stringify(value);
}
