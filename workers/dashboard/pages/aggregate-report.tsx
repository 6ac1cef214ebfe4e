/** One aggregate report whole: metadata, policy, warnings, every record a page at a time. */
import type { Child } from "hono/jsx";
import { textsOfRecord } from "../../../shared/ledger/figures.ts";
import type { PlacedRecord, RecordsAnswer } from "../../../shared/operations.ts";
import { dayOfSeconds, isoDay, isoMinute } from "../data/days.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { describePolicy } from "../data/policy.ts";
import { readTableState, type TableState } from "../data/table.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { MissingPart, unless } from "../parts/partial.tsx";
import { ReporterName, ReportHead, reportCrumbs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import { linkWith, type PageRequest } from "../parts/request.ts";
import type { BoundTable, ViewColumn } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { recordsTable } from "./records-table.tsx";

const TABLE = "records";
const RESULT = `${TABLE}.result`;
/** Ours: an export takes this many records. */
const EXPORT_RECORDS = 20_000;

/** What its records can be sorted by: as in the report, or the most messages first. */
function isRecordOrder(text: string): boolean {
  return text === "record" || text === "messages";
}

export async function aggregateReportPage(request: PageRequest, stored: Stored<"aggregate">): Promise<PageResult> {
  const { report, details } = stored;
  const { reporter, domain } = report;
  const state = readTableState(request.parameters, { id: TABLE, sort: "record", size: 100 });
  const read = await unless(["process_unavailable"], readRecords(request, { stored, state }));
  const table = read.ok ? boundRecords(request, { stored, read: read.value }) : undefined;
  const day = isoDay(dayOfSeconds(report.beginSeconds));
  const heading = (
    <>
      <ForeignText text={reporter} /> about <ForeignText text={domain} />, {day}
    </>
  );
  return {
    tables: table === undefined ? [] : [table],
    content: {
      title: `${reporter} about ${domain}, ${day}`,
      section: "domains",
      crumbs: reportCrumbs(request, { domain, path: "/reports", label: "Reports" }),
      body: (
        <>
          <ReportHead request={request} title={heading} lead={summary(stored)} />
          <div class="columns">
            <Metadata {...stored} />
            <Policy {...stored} />
          </div>
          <Warnings details={details} />
          {read.ok ? table?.view(request.url) : <MissingPart part="The records" problem={read.error} />}
        </>
      ),
    },
  };
}

function summary({ report: { total, records, passed } }: Stored<"aggregate">): string {
  if (records === 0) return "No record: nothing to count.";
  return `${formatCount(total)} messages in ${formatCount(records)} records; ${formatShare(passed, total)} pass DMARC.`;
}

/** A page of records; of a report without any process is not asked. */
interface RecordPage {
  records: PlacedRecord[];
  /** Records on all pages. */
  matching: number;
  isGone: boolean;
}

// The ledger has figures only: the records themselves are read from the raw file again.
async function readRecords(
  request: PageRequest,
  { stored, state }: { stored: Stored<"aggregate">; state: TableState },
): Promise<RecordPage> {
  const { account, kind, domain, day, reportUid: uid, records } = stored.report;
  if (records === 0) return { records: [], matching: 0, isGone: false };
  const result = request.parameters.get(RESULT);
  const isExport = request.parameters.has("export");
  const answer: RecordsAnswer = await request.operate((operations) =>
    operations.readRecords({
      reference: { account, kind, domain, day, uid },
      text: state.text,
      isPass: result === "pass" ? true : result === "fail" ? false : undefined,
      order: state.sort === "messages" ? "count" : "report",
      limit: isExport ? EXPORT_RECORDS : state.size,
      offset: isExport ? 0 : (state.page - 1) * state.size,
    }),
  );
  if (answer.kind !== "aggregate") return { records: [], matching: 0, isGone: true };
  return { records: answer.records, matching: answer.matching, isGone: false };
}

interface RecordsInput {
  stored: Stored<"aggregate">;
  read: RecordPage;
}

function boundRecords(request: PageRequest, { stored: { report }, read }: RecordsInput): BoundTable {
  const isNarrowed = request.parameters.has(`${TABLE}.q`) || request.parameters.has(RESULT);
  return recordsTable(request, {
    id: TABLE,
    caption: "Records",
    records: read.records.map((record) => shownRecord(record, report.domain)),
    columns: [placeColumn(), envelopeToColumn()],
    sort: "record",
    paged: { count: read.matching, sortable: isRecordOrder },
    controls: report.records > 0 && <ResultLinks url={request.url} />,
    size: 100,
    empty: emptyText(request, { read, isNarrowed, records: report.records }),
    partial: read.matching > EXPORT_RECORDS && (
      <Note>
        CSV and JSON take the first {formatCount(EXPORT_RECORDS)} of these records. The raw file has them all.
      </Note>
    ),
  });
}

/** A record as the table shows it. */
type ShownRecord = ReturnType<typeof shownRecord>;

function shownRecord(record: PlacedRecord, domain: string) {
  const { ordinal, sourceIp, count, disposition, dkim, spf, headerFrom, envelopeFrom, envelopeTo } = record;
  return {
    ordinal,
    domain,
    sourceIp,
    messages: count,
    disposition,
    dkim,
    spf,
    isPass: dkim === "pass" || spf === "pass",
    headerFrom,
    envelopeFrom,
    envelopeTo,
    ...textsOfRecord(record),
  };
}

function placeColumn(): ViewColumn<ShownRecord> {
  return { key: "record", label: "Record", term: "Record", align: "end", value: ({ ordinal }) => ordinal + 1 };
}

function envelopeToColumn(): ViewColumn<ShownRecord> {
  return { key: "envelope_to", label: "Envelope to", value: ({ envelopeTo }) => envelopeTo, exportOnly: true };
}

function emptyText(
  request: PageRequest,
  { read, isNarrowed, records }: { read: RecordPage; isNarrowed: boolean; records: number },
): Child {
  if (records === 0)
    return "The report has no record: the reporter got no mail in this domain's name during the period.";
  if (read.isGone) {
    return "Its records cannot be shown: they are read from the raw file, which is not stored any more. The figures of the domain count them.";
  }
  if (!isNarrowed) return "No record was read from the raw file.";
  return (
    <>
      No record matches.{" "}
      <a href={linkWith(request.url, { [`${TABLE}.q`]: undefined, [RESULT]: undefined })}>All records</a>
    </>
  );
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

function Metadata({ report, details }: Stored<"aggregate">) {
  return (
    <section class="card">
      <h2>Report</h2>
      <Pairs
        pairs={[
          [<Term name="Reporter" />, <ReporterName name={report.reporter} contact={details.email} />],
          [
            <Term name="Report id" />,
            <span class="mono">
              <ForeignText text={report.reportId} />
            </span>,
          ],
          ["Period", `${isoMinute(report.beginSeconds)} to ${isoMinute(report.endSeconds)}`],
          ["Form", details.format === "rfc9990" ? "RFC 9990" : "RFC 7489"],
          ["Contact", details.extraContactInfo || "–"],
          ["Generator", details.generator || "–"],
          ["Errors it names", details.errors.length === 0 ? "none" : details.errors.join("; ")],
          ["Records", `${formatCount(report.records)}, ${formatCount(details.skippedRecords)} skipped`],
          ...storedPairs(report),
        ]}
      />
    </section>
  );
}

function Policy({ report, details: { policy } }: Stored<"aggregate">) {
  const text = `p=${policy.p}; pct=${policy.pct}${policy.testing ? "; t=y" : ""}`;
  return (
    <section class="card">
      <h2>
        <Term name="Policy published" />
      </h2>
      <p>{describePolicy(text)}</p>
      <Pairs
        pairs={[
          [<Term name="Policy domain" />, report.domain],
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
