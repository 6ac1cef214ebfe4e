/** One aggregate report whole: metadata, policy, warnings, every record a page at a time. */

import type { Child } from "hono/jsx";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import { RECORD_ORDERS, type RecordOrder, type RecordsAnswer } from "../../../shared/operations.ts";
import { countText, messagesText } from "../../../shared/watch/words.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { describePolicy } from "../data/policy.ts";
import { type RecordRow, recordRow } from "../data/records.ts";
import { readTableState, type TableState } from "../data/table.ts";
import { unless } from "../errors.ts";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkWith } from "../parts/links.ts";
import { MissingPart, Note, Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import type { PageRequest } from "../parts/page-request.ts";
import { ReportHead, reportCrumbs, reportPairs, type Stored, storedPairs, Warnings } from "../parts/report-frame.tsx";
import type { BoundTable, ViewColumn } from "../parts/table-view.tsx";
import { Term } from "../parts/term.tsx";
import { recordsTable } from "./records-table.tsx";

const TABLE = "records";
const RESULT = `${TABLE}.result`;
/** Ours: an export takes this many records. */
const EXPORT_RECORDS = 20_000;

function isRecordOrder(text: string): text is RecordOrder {
  return RECORD_ORDERS.some((order) => order === text);
}

/** Ours: a reporter's name in the page's head, whole below it. */
const HEAD_CHARS = 80;

function shortened(text: string): string {
  return text.length > HEAD_CHARS ? `${text.slice(0, HEAD_CHARS).trimEnd()}…` : text;
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
      <ForeignText text={shortened(reporter)} /> about <ForeignText text={domain} />, {day}
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
  if (records === 0) return "No records in this report.";
  return `${messagesText(total)} in ${countText(records, "record")}; ${formatShare(passed, total)} pass DMARC.`;
}

// The ledger has figures only: the records themselves are read from the raw file again.
async function readRecords(
  request: PageRequest,
  { stored, state }: { stored: Stored<"aggregate">; state: TableState },
): Promise<RecordsRead> {
  const { account, kind, domain, day, reportUid: uid, records } = stored.report;
  if (records === 0) return { records: [], matching: 0 };
  const result = request.parameters.get(RESULT);
  const isNarrowed = state.text !== "" || result !== null;
  const readPage = async (offset: number, limit: number): Promise<RecordsRead> => {
    const answer = await request.operate("readRecords", {
      account,
      kind,
      domain,
      day: isoDay(day),
      uid,
      text: state.text,
      isPass: result === "pass" ? true : result === "fail" ? false : undefined,
      order: isRecordOrder(state.sort) ? state.sort : "record",
      descending: state.descending,
      limit,
      offset,
    });
    return recordsRead(answer, { stored, isNarrowed });
  };
  if (!request.parameters.has("export")) return readPage((state.page - 1) * state.size, state.size);
  const all = await readPage(0, PROCESS_LIMITS.maxRecordsPerCall);
  while (all.records.length < Math.min(all.matching, EXPORT_RECORDS)) {
    const { records: next } = await readPage(all.records.length, PROCESS_LIMITS.maxRecordsPerCall);
    if (next.length === 0) break;
    all.records.push(...next);
  }
  return all;
}

/** What the raw file gave. */
interface RecordsRead {
  records: RecordRow[];
  /** Records on all pages. */
  matching: number;
  /** Why there are none, where the raw file does not give them any more. */
  gone?: string;
}

function recordsRead(
  answer: RecordsAnswer,
  { stored: { report }, isNarrowed }: { stored: Stored<"aggregate">; isNarrowed: boolean },
): RecordsRead {
  if (answer.kind === "aggregate") {
    // Reading ends with the page where nothing has to be counted.
    return { records: answer.records.map(recordRow), matching: isNarrowed ? answer.matching : report.records };
  }
  const gone =
    answer.kind === "gone" ? answer.reason : `The raw file contains a report of another kind (${answer.kind}).`;
  return { records: [], matching: report.records, gone };
}

interface RecordsInput {
  stored: Stored<"aggregate">;
  read: RecordsRead;
}

function boundRecords(request: PageRequest, { stored: { report }, read }: RecordsInput): BoundTable {
  const isNarrowed = request.parameters.has(`${TABLE}.q`) || request.parameters.has(RESULT);
  const rows = read.records.map((record): ShownRecord => ({ ...record, domain: report.domain }));
  return recordsTable(request, {
    id: TABLE,
    caption: "Records",
    records: rows,
    columns: [placeColumn(), envelopeToColumn()],
    sort: "record",
    paged: { count: read.matching, sortable: isRecordOrder },
    controls: report.records > 0 && <ResultLinks url={request.url} />,
    size: 100,
    empty: emptyText(request, { read, isNarrowed, records: report.records }),
    partial: read.matching > EXPORT_RECORDS && (
      <Note>
        CSV and JSON have the first {formatCount(EXPORT_RECORDS)} of these records. The raw file has them all.
      </Note>
    ),
  });
}

/** A record with what its link needs. */
type ShownRecord = RecordRow & { domain: string };

function placeColumn(): ViewColumn<ShownRecord> {
  return { key: "record", label: "Record", term: "Record", align: "end", value: ({ ordinal }) => ordinal + 1 };
}

function envelopeToColumn(): ViewColumn<ShownRecord> {
  return { key: "envelope_to", label: "Envelope to", value: ({ envelopeTo }) => envelopeTo, exportOnly: true };
}

function emptyText(
  request: PageRequest,
  { read, isNarrowed, records }: { read: RecordsRead; isNarrowed: boolean; records: number },
): Child {
  if (records === 0) return "The report has no records: the reporter received no mail from this domain in its period.";
  if (read.gone !== undefined) {
    return `Its records can't be shown: they are read from the raw file. ${read.gone} The domain's figures still include them.`;
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

function Metadata({ report, details, imported }: Stored<"aggregate">) {
  return (
    <section class="card">
      <h2>Report</h2>
      <Pairs
        pairs={[
          ...reportPairs(report, details.email),
          ["Format", details.format === "rfc9990" ? "RFC 9990" : "RFC 7489"],
          ["Contact", details.extraContactInfo || "–"],
          ["Generator", details.generator || "–"],
          ["Reported errors", details.errors.length === 0 ? "none" : details.errors.join("; ")],
          ["Records", `${formatCount(report.records)}, ${formatCount(details.skippedRecords)} skipped`],
          ...storedPairs({ report, imported }),
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
