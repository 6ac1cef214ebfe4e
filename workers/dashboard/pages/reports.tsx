/** The aggregate reports about a domain over a period. */
import { REPORT_LIMITS, type ReportTotals, reportsQuery } from "../../../shared/analytics/queries-reports.ts";
import { isoMinute } from "../data/days.ts";
import { formatCount, shareOf } from "../data/numbers.ts";
import { DomainHead, domainCrumbs } from "../parts/domain-frame.tsx";
import { domainPath, reportPath } from "../parts/links.ts";
import { Note, ShareBar } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { domainScope, linkTo, type PageRequest, periodOf } from "../parts/request.ts";
import { bindTable, type ViewColumn } from "../parts/table-view.tsx";

const RESULTS = { all: "any result", fail: "with failing mail", pass: "all passing" };

export async function reportsPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const sourceIp = request.parameters.get("source")?.trim() || undefined;
  const reporter = request.parameters.get("reporter") ?? "";
  const result = request.parameters.get("result") ?? "all";
  const all = await request.ask(reportsQuery(domainScope(request, domain, period), { sourceIp }));
  const rows = all
    .filter((report) => reporter === "" || report.reporter === reporter)
    .filter(({ messages, passed }) => result === "all" || (result === "fail") === messages > passed);
  const table = bindTable({
    id: "reports",
    caption: "Reports",
    columns: columns(request),
    rows,
    sort: "-begin",
    empty: (
      <>
        No report matches. <a href={linkTo(request, `${domainPath(domain)}/reports`)}>All reports of the period</a>
      </>
    ),
    partial: all.length >= REPORT_LIMITS.maxReports && (
      <Note>Only the newest {formatCount(REPORT_LIMITS.maxReports)} reports are here; choose a shorter period.</Note>
    ),
  });
  const reporters = [...new Set(all.map((report) => report.reporter))].sort();
  return {
    tables: [table],
    content: {
      title: `Reports about ${domain}`,
      section: "domains",
      crumbs: domainCrumbs(request, domain),
      body: (
        <>
          <DomainHead
            {...{ request, domain, period, tab: "reports", title: `Reports about ${domain}` }}
            lead={
              <>
                Aggregate reports with records, <PeriodText period={period} />. A report without any record is counted
                by Operations only.
              </>
            }
          />
          <FilterForm {...{ request, reporters, reporter, result, sourceIp: sourceIp ?? "" }} />
          {table.view(request.url)}
        </>
      ),
    },
  };
}

interface FilterProps {
  request: PageRequest;
  reporters: string[];
  reporter: string;
  result: string;
  sourceIp: string;
}

function FilterForm({ request, reporters, reporter, result, sourceIp }: FilterProps) {
  const kept = ["days", "from", "to"].filter((name) => request.parameters.has(name));
  return (
    <form class="inline" method="get" action={request.url.pathname}>
      {kept.map((name) => (
        <input type="hidden" name={name} value={request.parameters.get(name) ?? ""} />
      ))}
      <label for="reporter">Reporter</label>
      <select id="reporter" name="reporter" data-submit="">
        <option value="">any</option>
        {reporters.map((name) => (
          <option value={name} selected={name === reporter}>
            {name}
          </option>
        ))}
      </select>
      <label for="result">Result</label>
      <select id="result" name="result" data-submit="">
        {Object.entries(RESULTS).map(([value, label]) => (
          <option value={value} selected={value === result}>
            {label}
          </option>
        ))}
      </select>
      <label for="source">Address</label>
      <input id="source" name="source" type="text" value={sourceIp} />
      <button type="submit">Show</button>
    </form>
  );
}

function columns(request: PageRequest): ViewColumn<ReportTotals>[] {
  return [
    {
      key: "begin",
      label: "Period (UTC)",
      value: ({ beginSeconds }) => isoMinute(beginSeconds),
      cell: (report) => (
        <span class="stack">
          <a class="nowrap" href={linkTo(request, reportPath(report))}>
            {isoMinute(report.beginSeconds)}
          </a>
          <span class="small muted nowrap">to {isoMinute(report.endSeconds)}</span>
        </span>
      ),
    },
    { key: "end", label: "End", value: ({ endSeconds }) => isoMinute(endSeconds), exportOnly: true },
    { key: "reporter", label: "Reporter", term: "Reporter", value: ({ reporter }) => reporter },
    {
      key: "report_id",
      label: "Report id",
      term: "Report id",
      value: ({ reportId }) => reportId,
      cell: ({ reportId }) => <span class="mono small">{reportId}</span>,
    },
    { key: "records", label: "Records", align: "end", value: ({ records }) => records },
    { key: "messages", label: "Messages", align: "end", value: ({ messages }) => messages },
    {
      key: "dmarc_pass",
      label: "DMARC",
      align: "end",
      term: "DMARC pass",
      value: ({ passed, messages }) => shareOf(passed, messages),
      cell: ({ passed, messages }) => <ShareBar part={passed} total={messages} />,
    },
    {
      key: "received",
      label: "Received",
      value: ({ receivedSeconds }) => isoMinute(receivedSeconds),
      cell: ({ receivedSeconds }) => <span class="nowrap small">{isoMinute(receivedSeconds)}</span>,
    },
    { key: "account", label: "Account", value: ({ account }) => account, exportOnly: true },
    { key: "report_uid", label: "Report uid", value: ({ reportUid }) => reportUid, exportOnly: true },
  ];
}
