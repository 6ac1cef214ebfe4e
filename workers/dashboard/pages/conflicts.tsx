/** Conflicts: reports that came twice with different content; a person decides which one counts. For operators. */

import type { Child } from "hono/jsx";
import {
  type Conflict,
  type ConflictVersion,
  conflictOf,
  type DoubtedConflicts,
} from "../../../shared/contract/incoming-shapes.ts";
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { ListPage } from "../../../shared/ledger/combine.ts";
import {
  conflictIdsQuery,
  conflictsNamedQuery,
  isConflictOrder,
  MAX_DOUBTED_GROUPS,
} from "../../../shared/ledger/conflicts.ts";
import { REPORT_KINDS } from "../../../shared/ledger/report-rows.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { decodedWords } from "../../../shared/mail/encoded-words.ts";
import { parseDay } from "../../../shared/report-day.ts";
import { countText, messagesText } from "../../../shared/watch/words.ts";
import { isoMinute } from "../data/days.ts";
import { explain } from "../data/glossary.ts";
import { changeOfCount, formatCount } from "../data/numbers.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { ApiError, unless } from "../errors.ts";
import { Field } from "../parts/field.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { limitNote, Note, Pairs } from "../parts/marks.tsx";
import { inOrder, OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, requireOperator } from "../parts/page-request.ts";
import { SenderText } from "../parts/sender.tsx";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { reportPath } from "../paths.ts";

const PATH = "/operations/conflicts";
const LEAD =
  `${explain("Conflict")} "Keep current" changes nothing; "Use new version" counts the new version instead; "Count ` +
  'both" treats them as two reports.';

export async function conflictsPage(request: PageRequest): Promise<PageResult> {
  requireOperator(request);
  const [page, doubted] = await Promise.all([askConflicts(request), request.read("listDoubtedConflicts", {})]);
  const groups = doubtedTable(doubted.items);
  const table = bindTable<Conflict>({
    ...TABLE,
    caption: "Conflicts",
    rows: page.rows,
    paged: { count: page.matching, sortable: isConflictOrder },
    empty: "No open conflicts.",
    columns: COLUMNS,
  });
  return {
    tables: [groups, table],
    content: {
      title: "Conflicts",
      section: "operations",
      body: (
        <>
          <OperationsHead request={request} tab="conflicts" title="Conflicts" lead={LEAD} />
          {doubted.items.length > 0 && groups.view(request.url)}
          {table.view(request.url)}
        </>
      ),
    },
  };
}

const TABLE = { id: "conflicts", sort: "-at" };

/** The page of the list that the link asks for; all of it for an export. */
async function askConflicts(request: PageRequest): Promise<ListPage<Conflict>> {
  const state = readTableState(request.parameters, TABLE);
  const { sort, descending, text } = state;
  const isOrder = isConflictOrder(sort);
  const ids = conflictIdsQuery({
    order: isOrder ? sort : "at",
    descending: isOrder ? descending : true,
    text,
    ...readRowRange(request.parameters, state),
  });
  const [found = { rows: [], matching: 0 }] = await request.ask(ids);
  const conflicts = await inOrder(found.rows, (ids) => request.ask(conflictsNamedQuery(ids)));
  return { rows: conflicts.map(conflictOf), matching: found.matching };
}

/** One conflict: both versions beside each other, what they count differently, and the decision. */
export async function conflictPage(request: PageRequest, id: string): Promise<PageResult> {
  requireOperator(request);
  const [conflict, compared] = await Promise.all([
    request.read("getConflict", { id }),
    unless(["not_found", "process_unavailable"], request.operate("compareConflict", { id })),
  ]);
  const comparison = compared.ok ? compared.value : { kind: "gone" as const, reason: compared.error };
  const table = differencesTable(comparison);
  const { reporter, domain } = conflict;
  return {
    tables: [table],
    content: {
      title: "Conflict",
      section: "operations",
      crumbs: [{ label: "Conflicts", href: PATH }],
      body: (
        <>
          <OperationsHead
            request={request}
            tab="conflicts"
            lead={LEAD}
            title={
              <>
                <ForeignText text={reporter} /> about <ForeignText text={domain} />
              </>
            }
          />
          <ReportOf conflict={conflict} />
          <BothVersions conflict={conflict} />
          <section class="card">
            <h2>Decide</h2>
            <DecideForm id={id} />
          </section>
          {table.view(request.url)}
        </>
      ),
    },
  };
}

function ReportOf({ conflict: { reportId, kind, day, account } }: { conflict: Conflict }) {
  return (
    <section class="card">
      <h2>The report</h2>
      <Pairs
        pairs={[
          ["Report id", reportId],
          ["Kind", kind],
          ["Day", day],
          ["Account", account],
        ]}
      />
    </section>
  );
}

function BothVersions({ conflict }: { conflict: Conflict }) {
  const { accepted, other } = conflict;
  return (
    <div class="columns">
      <section class="card">
        <h2>Counts now</h2>
        <Version version={accepted}>
          <a href={acceptedPath(conflict)}>{messagesText(accepted.messages)}</a>
        </Version>
      </section>
      <section class="card">
        <h2>New version</h2>
        <Version version={other}>
          {messagesText(other.messages)}, {changeOfCount(other.messages, accepted.messages)}
        </Version>
      </section>
    </div>
  );
}

type Comparison = Outputs["compareConflict"];
type Difference = Extract<Comparison, { kind: "compared" }>["differences"][number];

function differencesTable(comparison: Comparison): BoundTable {
  const isGone = comparison.kind === "gone";
  const rows = isGone ? [] : comparison.differences;
  return bindTable<Difference>({
    id: "differences",
    caption: "Differences",
    rows,
    sort: "-difference",
    empty: isGone ? <ForeignText text={comparison.reason} /> : "The counts are equal: they differ in other details.",
    partial: !isGone && (comparison.count > rows.length || !comparison.isComplete) && (
      <Note>
        These are the {formatCount(rows.length)} largest of {formatCount(comparison.count)} differences
        {comparison.isComplete ? "." : " found in the first records: there are very many."}
      </Note>
    ),
    columns: [
      { key: "label", label: "Record", value: ({ label }) => label, cell: ({ label }) => <ForeignText text={label} /> },
      { key: "accepted", label: "Counts now", align: "end", value: ({ accepted }) => accepted },
      { key: "other", label: "New version", align: "end", value: ({ other }) => other },
      {
        key: "difference",
        label: "Difference",
        align: "end",
        value: ({ accepted, other }) => Math.abs(other - accepted),
        cell: ({ accepted, other }) => `${other > accepted ? "+" : "−"}${formatCount(Math.abs(other - accepted))}`,
      },
    ],
  });
}

/** Decides one conflict. @returns the page to go to */
export async function decideConflict(request: PageRequest, form: URLSearchParams): Promise<string> {
  requireOperator(request);
  if (form.get("decision") === KEEP_VERIFIED) return keepVerified(request, form);
  const decision = DECISIONS.find(({ value }) => value === form.get("decision"))?.value;
  if (decision === undefined) throw new ApiError("bad_request", "decision must be keep, replace or count_both.");
  const reason = form.get("reason") ?? "";
  await request.operate("decideConflict", { id: form.get("id") ?? "", decision, reason });
  return `${PATH}?done=${decision}`;
}

const KEEP_VERIFIED = "keep_verified";

async function keepVerified(request: PageRequest, form: URLSearchParams): Promise<string> {
  const read = (name: string): string => form.get(name) ?? "";
  const kind = REPORT_KINDS.find((one) => one === read("kind"));
  if (kind === undefined) throw new ApiError("bad_request", "kind must be aggregate, tls or failure.");
  const [account, domain, reporter, reason] = ["account", "domain", "reporter", "reason"].map(read);
  const group = { account: account ?? "", domain: domain ?? "", kind, reporter: reporter ?? "", reason };
  let isComplete = false;
  for (let calls = 0; !isComplete && calls < DASHBOARD_LIMITS.callsPerForm; calls++) {
    isComplete = (await request.operate("keepVerified", group)).isComplete;
  }
  return `${PATH}?done=${isComplete ? KEEP_VERIFIED : `${KEEP_VERIFIED}_part`}`;
}

/** One line for all versions of one reporter that came from unverified senders. */
function doubtedTable(groups: readonly DoubtedConflicts[]) {
  return bindTable<DoubtedConflicts>({
    id: "doubted",
    caption: "Unverified versions of verified reports",
    rows: groups,
    sort: "-conflicts",
    empty: "None.",
    partial: limitNote(groups, MAX_DOUBTED_GROUPS, "decide about these to see the rest"),
    columns: [
      {
        key: "reporter",
        label: "Reporter",
        value: ({ reporter }) => reporter,
        cell: ({ reporter, domain, account }) => (
          <span class="stack whose">
            <span>
              <ForeignText text={reporter} /> about <ForeignText text={domain} />
            </span>
            <span class="small muted">
              account <ForeignText text={account} />
            </span>
          </span>
        ),
      },
      { key: "domain", label: "Domain", value: ({ domain }) => domain, exportOnly: true },
      { key: "account", label: "Account", value: ({ account }) => account, exportOnly: true },
      { key: "conflicts", label: "Versions", align: "end", value: ({ conflicts }) => conflicts },
      { key: "messages", label: "Messages", align: "end", value: ({ messages }) => messages },
      {
        key: "last",
        label: "Last (UTC)",
        value: ({ lastFiledSeconds }) => isoMinute(lastFiledSeconds),
      },
      {
        key: "decide",
        label: "Decide",
        value: () => "",
        cell: ({ account, domain, kind, reporter }) => (
          <form class="inline" method="post" action={PATH}>
            {Object.entries({ account, domain, kind, reporter }).map(([name, value]) => (
              <input type="hidden" name={name} value={value} />
            ))}
            <button type="submit" name="decision" value={KEEP_VERIFIED}>
              Keep the verified reports
            </button>
          </form>
        ),
      },
    ],
  });
}

const DECISIONS = [
  { value: "keep", label: "Keep current" },
  { value: "replace", label: "Use new version" },
  { value: "count_both", label: "Count both" },
] as const;

/** Who sent a version, as its mail says: what tells a forged report from the reporter's own correction. */
const MAIL_FIELDS: readonly { key: string; label: string; read: (version: ConflictVersion) => string }[] = [
  { key: "sender", label: "Envelope sender", read: ({ mail }) => mail?.sender ?? "" },
  { key: "from", label: "From", read: ({ mail }) => mail?.from ?? "" },
  { key: "subject", label: "Subject", read: ({ mail }) => mail?.subject ?? "" },
  { key: "message_id", label: "Message-ID", read: ({ mail }) => mail?.messageId ?? "" },
];

const COLUMNS: ViewColumn<Conflict>[] = [
  {
    key: "at",
    label: "Found (UTC)",
    value: ({ at }) => at,
    cell: ({ id, at }) => (
      <a class="nowrap" href={`${PATH}/${encodeURIComponent(id)}`}>
        {at.slice(0, 16).replace("T", " ")}
      </a>
    ),
  },
  {
    key: "report_id",
    label: "Report",
    value: ({ reportId }) => reportId,
    cell: ({ domain, reporter, reportId, account }) => (
      <span class="stack whose">
        <span>
          <ForeignText text={reporter} /> about <ForeignText text={domain} />
        </span>
        <span class="small muted">
          <Name text={reportId} />, account <ForeignText text={account} />
        </span>
      </span>
    ),
  },
  { key: "domain", label: "Domain", value: ({ domain }) => domain, exportOnly: true },
  { key: "account", label: "Account", value: ({ account }) => account, exportOnly: true },
  { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter, exportOnly: true },
  {
    key: "accepted",
    label: "Counts now",
    value: ({ accepted }) => versionText(accepted),
    cell: (conflict) => (
      <Version version={conflict.accepted}>
        <a href={acceptedPath(conflict)}>{messagesText(conflict.accepted.messages)}</a>
      </Version>
    ),
  },
  {
    key: "other",
    label: "New version",
    value: ({ other }) => versionText(other),
    cell: ({ accepted, other }) => (
      <Version version={other}>
        {messagesText(other.messages)}, {changeOfCount(other.messages, accepted.messages)}
      </Version>
    ),
  },
  ...MAIL_FIELDS.flatMap(({ key, label, read }) => [
    { key: `accepted_${key}`, label, value: ({ accepted }: Conflict) => read(accepted), exportOnly: true as const },
    { key: `other_${key}`, label, value: ({ other }: Conflict) => read(other), exportOnly: true as const },
  ]),
  { key: "accepted_state", label: "Sender", value: ({ accepted }) => accepted.sender.state, exportOnly: true },
  { key: "other_state", label: "Sender", value: ({ other }) => other.sender.state, exportOnly: true },
  { key: "id", label: "Decide", value: ({ id }) => id, cell: ({ id }) => <DecideForm id={id} /> },
];

function DecideForm({ id }: { id: string }) {
  return (
    <form class="inline" method="post" action={PATH}>
      <input type="hidden" name="id" value={id} />
      <Field id={`reason-${id}`} label="Why">
        <input id={`reason-${id}`} name="reason" type="text" maxlength={1000} />
      </Field>
      {DECISIONS.map(({ value, label }) => (
        <button type="submit" name="decision" value={value}>
          {label}
        </button>
      ))}
    </form>
  );
}

function acceptedPath({ account, domain, uid, day }: Conflict): string {
  return reportPath({ account, domain, day: parseDay(day) ?? 0, reportUid: uid });
}

function Version({ version, children }: { version: ConflictVersion; children?: Child }) {
  const { records, passed, receivedSeconds } = version;
  return (
    <span class="stack version">
      <span>{children}</span>
      <span class="small muted">
        {formatCount(passed)} passed, in {countText(records, "record")}, received {isoMinute(receivedSeconds)}
      </span>
      <span class="small">
        <SenderText {...version.sender} />
      </span>
      <MailLines version={version} />
    </span>
  );
}

function MailLines({ version }: { version: ConflictVersion }) {
  if (version.mail === undefined) return <span class="small muted">Its sender is no longer known.</span>;
  return (
    <>
      {MAIL_FIELDS.map(({ label, read }) => (
        <span class="small">
          <span class="muted">{label}:</span>{" "}
          {read(version) === "" ? "none" : <Name text={decodedWords(read(version))} />}
        </span>
      ))}
    </>
  );
}

function versionText({ records, messages, receivedSeconds }: ConflictVersion): string {
  return `${messagesText(messages)} in ${countText(records, "record")}, received ${isoMinute(receivedSeconds)}`;
}
