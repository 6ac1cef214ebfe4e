/** One aggregate report whole: metadata, policy, warnings, every record a page at a time. */
import type { Scope } from "../../../shared/analytics/collapse.ts";
import {
  isRecordOrder,
  type RecordPage,
  type RecordRow,
  reportRecordCountQuery,
  reportRecordsQuery,
} from "../../../shared/analytics/queries-records.ts";
import type { AggregateReport } from "../../../shared/report/vocabulary.ts";
import { dayOfSeconds, isoDay, isoMinute } from "../data/days.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { describePolicy } from "../data/policy.ts";
import { readTableState, type TableState } from "../data/table.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { MissingPart, unlessUnavailable } from "../parts/partial.tsx";
import { ReporterName, ReportHead, reportCrumbs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import { linkWith, type PageRequest } from "../parts/request.ts";
import type { BoundTable } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { recordsTable } from "./records-table.tsx";

const TABLE = "records";
const RESULT = `${TABLE}.result`;
/** Ours: an export takes this many records. */
const EXPORT_RECORDS = 20_000;

/** Its records as a page of the engine's; a report may have a million. */
interface Records {
  rows: RecordRow[];
  count: number;
}

export async function aggregateReportPage(request: PageRequest, stored: Stored<AggregateReport>): Promise<PageResult> {
  const { entry, report } = stored;
  const { metadata, policy } = report;
  const scope: Scope = { accounts: [entry.account], domains: [policy.domain], reportUid: entry.uid };
  const state = readTableState(request.parameters, { id: TABLE, sort: "record", size: 100 });
  const records = await unlessUnavailable(askRecords(request, { scope, state }));
  const table = records.ok ? boundRecords(request, { report, state, ...records.value }) : undefined;
  const day = isoDay(dayOfSeconds(metadata.beginSeconds));
  const heading = (
    <>
      <ForeignText text={metadata.orgName} /> about <ForeignText text={policy.domain} />, {day}
    </>
  );
  return {
    tables: table === undefined ? [] : [table],
    content: {
      title: `${metadata.orgName} about ${policy.domain}, ${day}`,
      section: "domains",
      crumbs: reportCrumbs(request, { domain: policy.domain, path: "/reports", label: "Reports" }),
      body: (
        <>
          <ReportHead request={request} title={heading} lead={summary(report)} />
          <div class="columns">
            <Metadata {...stored} />
            <Policy report={report} />
          </div>
          <Warnings report={report} />
          {records.ok ? table?.view(request.url) : <MissingPart part="The records" problem={records.error} />}
        </>
      ),
    },
  };
}

function summary({ totals: { messages, records, passed } }: AggregateReport): string {
  if (records === 0) return "No record: nothing to count.";
  return `${formatCount(messages)} messages in ${formatCount(records)} records; ${formatShare(passed, messages)} pass DMARC.`;
}

async function askRecords(
  request: PageRequest,
  { scope, state }: { scope: Scope; state: TableState },
): Promise<Records> {
  const result = request.parameters.get(RESULT);
  const page: RecordPage = {
    text: state.text,
    isPass: result === "pass" ? true : result === "fail" ? false : undefined,
    order: isRecordOrder(state.sort) ? state.sort : "record",
    descending: state.descending,
    limit: request.parameters.has("export") ? EXPORT_RECORDS : state.size,
    offset: (state.page - 1) * state.size,
  };
  const [rows, counts] = await Promise.all([
    request.ask(reportRecordsQuery(scope, page)),
    request.ask(reportRecordCountQuery(scope, page)),
  ]);
  return { rows, count: counts[0] ?? 0 };
}

interface RecordsInput extends Records {
  report: AggregateReport;
  state: TableState;
}

function boundRecords(request: PageRequest, { report, state, rows, count }: RecordsInput): BoundTable {
  const isNarrowed = state.text !== "" || request.parameters.has(RESULT);
  return recordsTable(request, {
    ...{ id: TABLE, caption: "Records", records: rows },
    paged: { count, sortable: isRecordOrder },
    controls: report.totals.records > 0 && <ResultLinks url={request.url} />,
    size: 100,
    empty: isNarrowed ? (
      <>
        No record matches.{" "}
        <a href={linkWith(request.url, { [`${TABLE}.q`]: undefined, [RESULT]: undefined })}>All records</a>
      </>
    ) : report.totals.records === 0 ? (
      "The report has no record: the reporter got no mail in this domain's name during the period."
    ) : (
      "Its records are not in Analytics Engine: it keeps them for three months, and a new report takes a moment to get there. The raw file has them all."
    ),
    partial: count > EXPORT_RECORDS && (
      <Note>
        CSV and JSON take the first {formatCount(EXPORT_RECORDS)} of these records. The raw file has them all.
      </Note>
    ),
  });
}

function ResultLinks({ url }: { url: URL }) {
  const chosen = url.searchParams.get(RESULT) ?? "";
  return (
    <nav class="segments" aria-label="Result">
      {[
        ["", "All"],
        ["pass", "Passing"],
        ["fail", "Failing"],
      ].map(([value = "", label]) => (
        <a
          href={`${linkWith(url, { [RESULT]: value || undefined, [`${TABLE}.page`]: undefined })}#${TABLE}`}
          aria-current={value === chosen ? "true" : undefined}
        >
          {label}
        </a>
      ))}
    </nav>
  );
}

function Metadata({ entry, report: { metadata, totals } }: Stored<AggregateReport>) {
  return (
    <section class="card">
      <h2>Report</h2>
      <Pairs
        pairs={[
          [<Term name="Reporter" />, <ReporterName name={metadata.orgName} contact={metadata.email} />],
          [
            <Term name="Report id" />,
            <span class="mono">
              <ForeignText text={metadata.reportId} />
            </span>,
          ],
          ["Period", `${isoMinute(metadata.beginSeconds)} to ${isoMinute(metadata.endSeconds)}`],
          ["Form", metadata.format === "rfc9990" ? "RFC 9990" : "RFC 7489"],
          ["Contact", metadata.extraContactInfo || "–"],
          ["Generator", metadata.generator || "–"],
          ["Errors it names", metadata.errors.length === 0 ? "none" : metadata.errors.join("; ")],
          ["Records", `${formatCount(totals.records)}, ${formatCount(totals.skippedRecords)} skipped`],
          ...storedPairs(entry),
        ]}
      />
    </section>
  );
}

function Policy({ report: { policy } }: { report: AggregateReport }) {
  const text = `p=${policy.p}; pct=${policy.pct}${policy.testing ? "; t=y" : ""}`;
  return (
    <section class="card">
      <h2>
        <Term name="Policy published" />
      </h2>
      <p>{describePolicy(text)}</p>
      <Pairs
        pairs={[
          [<Term name="Policy domain" />, policy.domain],
          [<Term name="p" />, policy.p],
          [<Term name="sp" />, policy.sp],
          [<Term name="np" />, policy.np],
          [<Term name="adkim" />, policy.adkim === "s" ? "s (strict)" : "r (relaxed)"],
          [<Term name="aspf" />, policy.aspf === "s" ? "s (strict)" : "r (relaxed)"],
          [<Term name="pct" />, String(policy.pct)],
          [<Term name="fo" />, policy.fo || "–"],
          [<Term name="t" />, policy.testing ? "y" : "n"],
        ]}
      />
    </section>
  );
}
