/** One report whole: metadata, policy, warnings, every record a page at a time, the raw file. */
import type { Scope } from "../../../shared/analytics/collapse.ts";
import {
  type RecordPage,
  reportRecordCountQuery,
  reportRecordsQuery,
} from "../../../shared/analytics/queries-sources.ts";
import type { AggregateReport } from "../../../shared/report/vocabulary.ts";
import type { LedgerEntry } from "../../../shared/storage.ts";
import { maySee } from "../access.ts";
import { isoDay, isoMinute, parseDay } from "../data/days.ts";
import { formatCount, formatShare } from "../data/numbers.ts";
import { describePolicy } from "../data/policy.ts";
import { ApiError } from "../errors.ts";
import { domainCrumbs } from "../parts/domain-frame.tsx";
import { domainPath } from "../parts/links.ts";
import { Pairs } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { linkTo, linkWith, type PageRequest } from "../parts/request.ts";
import { Term } from "../parts/term.tsx";
import { recordsTable } from "./records-table.tsx";

/** Which report, as its link says. */
export interface ReportAddress {
  account: string;
  domain: string;
  day: string;
  uid: string;
}

const PAGE_RECORDS = 100;
/** Ours: an export takes this many records from where the page begins; larger ones are cut into several. */
const EXPORT_RECORDS = 20_000;

export async function reportPage(request: PageRequest, address: ReportAddress): Promise<PageResult> {
  const entry = await findReport(request, address);
  const { report } = entry;
  if (report.kind !== "aggregate") throw new ApiError("not_found", "This report is not an aggregate report.");
  const domain = report.policy.domain;
  const page = readRecordPage(request.parameters);
  const scope: Scope = { accounts: [entry.account], domains: [domain], reportUid: entry.uid };
  const [records, counts] = await Promise.all([
    request.ask(reportRecordsQuery(scope, page)),
    request.ask(reportRecordCountQuery(scope, page)),
  ]);
  const count = counts[0] ?? 0;
  const table = recordsTable(request, {
    ...{ id: "records", caption: "Records", records, inReport: true, size: PAGE_RECORDS },
  });
  const day = isoDay(Math.floor(report.metadata.beginSeconds / 86_400));
  const title = `${report.metadata.orgName} about ${domain}, ${day}`;
  return {
    tables: [table],
    content: {
      title,
      section: "domains",
      crumbs: [
        ...domainCrumbs(request, domain),
        { label: "Reports", href: linkTo(request, `${domainPath(domain)}/reports`) },
      ],
      body: (
        <>
          <div class="page-head">
            <div>
              <h1>{title}</h1>
              <p class="lead">
                {formatCount(report.totals.messages)} messages in {formatCount(report.totals.records)} records;{" "}
                {formatShare(report.totals.passed, report.totals.messages)} pass DMARC.
              </p>
            </div>
            <a class="button" href={`${request.url.pathname}/raw`}>
              Download the raw file
            </a>
          </div>
          <div class="columns">
            <Metadata entry={entry} report={report} />
            <Policy report={report} />
          </div>
          <Warnings report={report} />
          <RecordControls request={request} page={page} count={count} />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

/** The raw object a report was read from, as it came. */
export async function reportRawFile(request: PageRequest, address: ReportAddress): Promise<Response> {
  const entry = await findReport(request, address);
  const stored = await request.operate((operations) => operations.readRawObject(entry.rawKey));
  if (stored === undefined) throw new ApiError("not_found", "The raw file is not stored any more.");
  const name = (entry.rawKey.split("/").at(-1) ?? "report").replaceAll(/[^A-Za-z0-9._!@=+-]/g, "_");
  return new Response(stored.body, {
    headers: {
      "content-type": "application/octet-stream",
      "content-disposition": `attachment; filename="${name}"`,
    },
  });
}

/** @throws ApiError (404), also for a report the person may not see: that it exists is not told either */
async function findReport(request: PageRequest, { account, domain, day, uid }: ReportAddress): Promise<LedgerEntry> {
  const beginDay = parseDay(day);
  const missing = new ApiError("not_found", "There is no such report, or it is not yours to see.");
  if (beginDay === undefined || !maySee(request.access, account)) throw missing;
  const entry = await request.operate((operations) =>
    operations.getReport({ account, domain, beginSeconds: beginDay * 86_400, uid }),
  );
  if (entry === undefined || !maySee(request.access, entry.account)) throw missing;
  return entry;
}

function readRecordPage(parameters: URLSearchParams): RecordPage & { number: number } {
  const number = Math.max(1, Math.min(1_000_000, Math.floor(Number(parameters.get("page") ?? "1")) || 1));
  const order = parameters.get("order");
  const result = parameters.get("result");
  return {
    number,
    text: (parameters.get("q") ?? "").trim().slice(0, 200),
    order: order === "messages" || order === "source" ? order : "ordinal",
    isPass: result === "pass" ? true : result === "fail" ? false : undefined,
    limit: parameters.has("export") ? EXPORT_RECORDS : PAGE_RECORDS,
    offset: (number - 1) * PAGE_RECORDS,
  };
}

function Metadata({ entry, report: { metadata, totals } }: { entry: LedgerEntry; report: AggregateReport }) {
  return (
    <section class="card">
      <h2>Report</h2>
      <Pairs
        pairs={[
          [<Term name="Reporter" />, `${metadata.orgName}${metadata.email === "" ? "" : `, ${metadata.email}`}`],
          [<Term name="Report id" />, <span class="mono">{metadata.reportId}</span>],
          ["Period", `${isoMinute(metadata.beginSeconds)} to ${isoMinute(metadata.endSeconds)}`],
          ["Form", metadata.format === "rfc9990" ? "RFC 9990" : "RFC 7489"],
          ["Contact", metadata.extraContactInfo || "–"],
          ["Generator", metadata.generator || "–"],
          ["Errors it names", metadata.errors.length === 0 ? "none" : metadata.errors.join("; ")],
          ["Records", `${formatCount(totals.records)}, ${formatCount(totals.skippedRecords)} skipped`],
          [<Term name="RUA" />, entry.rua],
          ["Account", entry.account],
          ["Received", isoMinute(entry.receivedSeconds)],
          [<Term name="Generation" />, String(entry.generation)],
          ["Raw file", <span class="mono small">{entry.rawKey + (entry.part === "" ? "" : ` (${entry.part})`)}</span>],
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

function Warnings({ report: { warnings, omittedWarnings } }: { report: AggregateReport }) {
  if (warnings.length === 0) return <p class="muted">The report was read without a warning.</p>;
  return (
    <section class="card">
      <h2>Warnings</h2>
      <p class="lead">What was repaired, assumed or not understood when the report was read.</p>
      <ul class="steps">
        {warnings.map(({ code, path, detail }) => (
          <li>
            <span class="tag">{code}</span> <span class="mono">{path}</span> {detail}
          </li>
        ))}
        {omittedWarnings > 0 && <li>and {formatCount(omittedWarnings)} more</li>}
      </ul>
    </section>
  );
}

interface ControlProps {
  request: PageRequest;
  page: RecordPage & { number: number };
  count: number;
}

// A report may have a million records: they are filtered, sorted and cut into pages by the engine, not here.
function RecordControls({ request: { url }, page, count }: ControlProps) {
  const pages = Math.max(1, Math.ceil(count / PAGE_RECORDS));
  return (
    <div class="page-head">
      <form class="inline" method="get" action={url.pathname}>
        <label for="q">Holds</label>
        <input id="q" name="q" type="search" value={page.text} placeholder="address, domain, selector" />
        <label for="result">Result</label>
        <select id="result" name="result" data-submit="">
          {[
            ["", "any"],
            ["pass", "pass"],
            ["fail", "fail"],
          ].map(([value, label]) => (
            <option value={value} selected={value === (url.searchParams.get("result") ?? "")}>
              {label}
            </option>
          ))}
        </select>
        <label for="order">Order</label>
        <select id="order" name="order" data-submit="">
          {[
            ["ordinal", "as in the report"],
            ["messages", "most messages"],
            ["source", "address"],
          ].map(([value, label]) => (
            <option value={value} selected={value === page.order}>
              {label}
            </option>
          ))}
        </select>
        <button type="submit">Show</button>
      </form>
      <nav class="inline" aria-label="Parts of the report">
        {page.number > 1 && <a href={linkWith(url, { page: String(page.number - 1) })}>← Previous</a>}{" "}
        <span class="muted">
          {formatCount(count)} records, page {page.number} of {formatCount(pages)}
        </span>{" "}
        {page.number < pages && <a href={linkWith(url, { page: String(page.number + 1) })}>Next →</a>}
      </nav>
    </div>
  );
}
