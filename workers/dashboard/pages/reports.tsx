/** The aggregate reports about a domain over a period. */
import {
  type EmptyReport,
  emptyReportsQuery,
  REPORT_LIMITS,
  type ReportTotals,
  reportsQuery,
} from "../../../shared/analytics/queries-reports.ts";
import { isoMinute } from "../data/days.ts";
import { reportersToChoose } from "../data/reporters.ts";
import {
  dmarcColumn,
  identityColumns,
  messagesColumn,
  receivedColumn,
  reporterColumn,
  reportIdColumn,
  reportPeriodColumns,
} from "../parts/columns.tsx";
import { DomainHead, domainCrumbs } from "../parts/domain-frame.tsx";
import { Field } from "../parts/field.tsx";
import { ForeignText, plainForeignText } from "../parts/foreign-text.tsx";
import { domainPath, reportPath } from "../parts/links.ts";
import { limitNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { domainScope, linkTo, type PageRequest, periodOf } from "../parts/request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";

const RESULTS = { all: "any result", fail: "with failing mail", pass: "all passing" };

interface ListFilter {
  reporter: string;
  result: string;
  /** "" = any. */
  sourceIp: string;
}

function readListFilter({ parameters }: PageRequest): ListFilter {
  const read = (name: string): string => parameters.get(name)?.trim() ?? "";
  const result = read("result");
  return {
    reporter: read("reporter"),
    result: Object.hasOwn(RESULTS, result) ? result : "all",
    sourceIp: read("source"),
  };
}

export async function reportsPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const filter = readListFilter(request);
  const scope = domainScope(request, domain, period);
  const [all, withoutRecords] = await Promise.all([
    request.ask(reportsQuery(scope, { sourceIp: filter.sourceIp || undefined })),
    request.ask(emptyReportsQuery(scope)),
  ]);
  const table = reportsTable(request, { domain, all, filter });
  const emptyTable = emptyReportsTable(request, withoutRecords);
  const reporters = reportersToChoose(
    all.map((report) => report.reporter),
    filter.reporter,
  );
  return {
    tables: [table, emptyTable],
    content: {
      title: `Reports about ${domain}`,
      section: "domains",
      crumbs: domainCrumbs(request, domain),
      body: (
        <>
          <DomainHead
            {...{ request, domain, period, tab: "reports" }}
            title={
              <>
                Reports about <ForeignText text={domain} />
              </>
            }
            lead={
              <>
                Aggregate reports about <PeriodText period={period} />.
              </>
            }
          />
          <FilterForm {...{ request, reporters, filter }} />
          {table.view(request.url)}
          {withoutRecords.length > 0 && emptyTable.view(request.url)}
        </>
      ),
    },
  };
}

interface ListInput {
  domain: string;
  /** Of every reporter, with any result. */
  all: readonly ReportTotals[];
  filter: ListFilter;
}

function reportsTable(request: PageRequest, { domain, all, filter }: ListInput): BoundTable {
  const { reporter, result, sourceIp } = filter;
  const isFiltered = reporter !== "" || result !== "all" || sourceIp !== "";
  return bindTable({
    id: "reports",
    caption: sourceIp === "" ? "Reports" : `Reports, with figures of ${sourceIp} only`,
    columns: columns(request),
    rows: all
      .filter((report) => reporter === "" || report.reporter === reporter)
      .filter(({ messages, passed }) => result === "all" || (result === "fail") === messages > passed),
    sort: "-begin",
    empty: isFiltered ? (
      <>
        No report matches. <a href={linkTo(request, `${domainPath(domain)}/reports`)}>All reports of the period</a>
      </>
    ) : (
      "No aggregate report is about this domain in this period. Choose a longer one, or wait: most receivers report once a day."
    ),
    partial: limitNote(all, REPORT_LIMITS.maxReports),
  });
}

// Only their events tell of them, so they are listed by the day they arrived.
function emptyReportsTable(request: PageRequest, rows: EmptyReport[]): BoundTable {
  return bindTable<EmptyReport>({
    id: "without-records",
    caption: "Reports without records",
    rows,
    sort: "-received",
    empty: "None.",
    partial: limitNote(rows, REPORT_LIMITS.maxReports),
    columns: [
      {
        key: "received",
        label: "Received (UTC)",
        value: ({ receivedSeconds }) => isoMinute(receivedSeconds),
        cell: (report) => (
          <a class="nowrap" href={linkTo(request, reportPath({ ...report, beginSeconds: report.receivedSeconds }))}>
            {isoMinute(report.receivedSeconds)}
          </a>
        ),
      },
      reporterColumn(),
      ...identityColumns<EmptyReport>(),
    ],
  });
}

interface FilterProps {
  request: PageRequest;
  reporters: string[];
  filter: ListFilter;
}

function FilterForm({ request, reporters, filter: { reporter, result, sourceIp } }: FilterProps) {
  const kept = ["days", "from", "to"].filter((name) => request.parameters.has(name));
  return (
    <form class="inline" method="get" action={request.url.pathname}>
      {kept.map((name) => (
        <input type="hidden" name={name} value={request.parameters.get(name) ?? ""} />
      ))}
      <Field id="reporter" label="Reporter">
        <select id="reporter" name="reporter" data-submit="">
          <option value="">any</option>
          {reporters.map((name) => (
            <option value={name} selected={name === reporter}>
              {plainForeignText(name)}
            </option>
          ))}
        </select>
      </Field>
      <Field id="result" label="Result">
        <select id="result" name="result" data-submit="">
          {Object.entries(RESULTS).map(([value, label]) => (
            <option value={value} selected={value === result}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      <Field id="source" label="Address">
        <input id="source" name="source" type="text" value={sourceIp} />
      </Field>
      <button type="submit">Show</button>
    </form>
  );
}

function columns(request: PageRequest): ViewColumn<ReportTotals>[] {
  return [
    ...reportPeriodColumns<ReportTotals>((report) => linkTo(request, reportPath(report))),
    reporterColumn(),
    { key: "records", label: "Records", align: "end", value: ({ records }) => records },
    messagesColumn(),
    dmarcColumn(),
    reportIdColumn(),
    receivedColumn(),
    ...identityColumns<ReportTotals>(),
  ];
}
