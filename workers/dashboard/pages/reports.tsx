/** The aggregate reports about a domain over a period. */
import { SENDER_STATES } from "../../../shared/authentication/sender-state.ts";
import { extentQuery } from "../../../shared/ledger/data-extent.ts";
import {
  isReportOrder,
  type ReportFilter,
  type ReportList,
  type ReportPage,
  type ReportTotals,
  reportersQuery,
  reportsQuery,
} from "../../../shared/ledger/report-list.ts";
import { DASHBOARD_LIMITS } from "../../../shared/limits.ts";
import { askOne, domainScope } from "../data/ledger-request.ts";
import { reportersToChoose } from "../data/reporters.ts";
import { readRowRange, readTableState } from "../data/table.ts";
import { BeforeDetails } from "../parts/before-details.tsx";
import {
  dmarcColumn,
  identityColumns,
  messagesColumn,
  receivedColumn,
  reporterColumn,
  reportIdColumn,
  reportPeriodColumns,
} from "../parts/columns.tsx";
import { domainPage, titleAndDomain } from "../parts/domain-frame.tsx";
import { Field } from "../parts/field.tsx";
import { plainForeignText } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { readSenderState, senderColumns } from "../parts/sender.tsx";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { domainPath, reportPath } from "../paths.ts";

const RESULTS = { all: "any result", fail: "with failing mail", pass: "all passing" };

const TABLE = { id: "reports", sort: "-begin" };

/** The part of the list that the link asks for; all of it for an export. */
function readList(request: PageRequest): ReportList {
  const { parameters } = request;
  const read = (name: string): string => parameters.get(name)?.trim() ?? "";
  const state = readTableState(parameters, TABLE);
  const { sort, descending, text } = state;
  const result = read("result");
  return {
    reporter: read("reporter"),
    result: result === "fail" || result === "pass" ? result : "all",
    sourceIp: read("source"),
    sender: readSenderState(parameters.get("sender")),
    text,
    order: isReportOrder(sort) ? sort : "begin",
    descending: isReportOrder(sort) ? descending : true,
    ...readRowRange(parameters, state),
  };
}

export async function reportsPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const list = readList(request);
  const scope = await domainScope(request, domain, period);
  const [pages, names, extent] = await Promise.all([
    request.ask(reportsQuery(scope, list)),
    request.ask(reportersQuery(scope, DASHBOARD_LIMITS.maxReporters)),
    askOne(request, extentQuery(scope)),
  ]);
  const table = reportsTable(request, { domain, page: pages[0] ?? { rows: [], matching: 0 }, list });
  return domainPage(request, {
    domain,
    period,
    tab: "reports",
    ...titleAndDomain("Reports about", domain),
    lead: (
      <>
        Aggregate reports about <PeriodText period={period} />.
      </>
    ),
    tables: [table],
    body: (
      <>
        <BeforeDetails url={request.url} period={period} extent={extent} />
        <FilterForm request={request} reporters={reportersToChoose(names, list.reporter)} filter={list} />
        {table.view(request.url)}
      </>
    ),
  });
}

interface ListInput {
  domain: string;
  page: ReportPage;
  list: ReportList;
}

function reportsTable(request: PageRequest, { domain, page, list }: ListInput): BoundTable {
  const { reporter, result, sourceIp, text, sender } = list;
  const isFiltered = sender !== undefined || reporter !== "" || result !== "all" || sourceIp !== "" || text !== "";
  return bindTable({
    ...TABLE,
    caption: sourceIp === "" ? "Reports" : `Reports, with figures of ${sourceIp} only`,
    columns: columns(request),
    rows: page.rows,
    paged: { count: page.matching, sortable: isReportOrder },
    empty: isFiltered ? (
      <>
        No report matches. <a href={linkTo(request, `${domainPath(domain)}/reports`)}>All reports of the period</a>
      </>
    ) : (
      "No aggregate reports for this domain in this period. Choose a longer one, or wait: most receivers report once a day."
    ),
  });
}

interface FilterProps {
  request: PageRequest;
  reporters: string[];
  filter: ReportFilter;
}

function FilterForm({ request, reporters, filter: { reporter, result, sourceIp, sender } }: FilterProps) {
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
      <Field id="sender" label="Sender">
        <select id="sender" name="sender" data-submit="">
          <option value="">any</option>
          {SENDER_STATES.map((state) => (
            <option value={state} selected={state === sender}>
              {state}
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
    ...senderColumns<ReportTotals>(),
    reportIdColumn(),
    receivedColumn(),
    ...identityColumns<ReportTotals>(),
  ];
}
