/** Failure reports about a domain: single messages that failed, as facts about domains only. */
import {
  FAILURE_LIMITS,
  type FailureReportRow,
  type FailureTotals,
  failureReportsQuery,
  failuresQuery,
} from "../../../shared/ledger/failures.ts";
import { isoMinute } from "../data/days.ts";
import { describeAuthFailure, describeDelivery } from "../data/failure-words.ts";
import { explain } from "../data/glossary.ts";
import { domainScope } from "../data/ledger-request.ts";
import { AddressLink } from "../parts/address-link.tsx";
import { dayColumn, receivedColumn } from "../parts/columns.tsx";
import { domainPage, titleAndDomain } from "../parts/domain-frame.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { Explained, limitNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { reportPath } from "../paths.ts";

export async function failuresPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const scope = await domainScope(request, domain, period);
  const [groups, reports] = await Promise.all([
    request.ask(failuresQuery(scope)),
    request.ask(failureReportsQuery(scope)),
  ]);
  const tables = [groupsTable(request, { domain, groups }), reportsTable(request, reports)];
  return domainPage(request, {
    domain,
    period,
    tab: "failures",
    ...titleAndDomain("Failure reports about", domain),
    lead: explain("Failure report"),
    tables,
    body: <>{groups.length === 0 ? <NoReports domain={domain} /> : tables.map((table) => table.view(request.url))}</>,
  });
}

function NoReports({ domain }: { domain: string }) {
  return (
    <section class="card">
      <h2>No failure reports for this period</h2>
      <p class="lead">
        Few receivers send them, and only to the address that <code>ruf=</code> of the domain's DMARC record names.
        Aggregate reports are enough to decide.
      </p>
      <pre>
        _dmarc.
        <ForeignText text={domain} />
        {`  TXT  "v=DMARC1; …; ruf=mailto:dmarc@example.com"`}
      </pre>
    </section>
  );
}

function groupsTable(
  request: PageRequest,
  { domain, groups }: { domain: string; groups: FailureTotals[] },
): BoundTable {
  return bindTable<FailureTotals>({
    id: "failures",
    caption: "Reported failures",
    rows: groups,
    sort: "-incidents",
    empty: "No failures were reported.",
    partial: limitNote(groups, FAILURE_LIMITS.maxGroups),
    columns: [
      {
        key: "address",
        label: "Address",
        value: ({ sourceIp }) => sourceIp,
        cell: ({ sourceIp }) => <AddressLink request={request} domain={domain} address={sourceIp} />,
      },
      { key: "incidents", label: "Messages", align: "end", value: ({ incidents }) => incidents },
      ...EXPLAINED_COLUMNS,
      {
        key: "envelope_from",
        label: "Domains",
        value: ({ mailFromDomain }) => mailFromDomain,
        cell: (row) => <Domains row={row} />,
      },
      { key: "dkim_domain", label: "DKIM domain", value: ({ dkimDomain }) => dkimDomain, exportOnly: true },
      { key: "spf_domain", label: "SPF domain", value: ({ spfDomain }) => spfDomain, exportOnly: true },
      { key: "reporter", label: "Reporter", value: ({ reportingMta }) => reportingMta },
      dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    ],
  });
}

const EXPLAINED_COLUMNS: ViewColumn<FailureTotals>[] = [
  {
    key: "failure",
    label: "What failed",
    value: ({ authFailure }) => authFailure,
    cell: ({ authFailure }) => <Explained word={authFailure} meaning={describeAuthFailure(authFailure)} />,
  },
  {
    key: "delivery",
    label: "Outcome",
    value: ({ deliveryResult }) => deliveryResult,
    cell: ({ deliveryResult }) => <Explained word={deliveryResult} meaning={describeDelivery(deliveryResult)} />,
  },
];

function Domains({ row: { mailFromDomain, dkimDomain, spfDomain } }: { row: FailureTotals }) {
  const found = [
    ["envelope", mailFromDomain],
    ["DKIM", dkimDomain],
    ["SPF", spfDomain],
  ].filter(([, domain]) => domain !== "");
  return (
    <span class="stack small">
      {found.map(([what, domain = ""]) => (
        <span>
          {what} <Name text={domain} />
        </span>
      ))}
    </span>
  );
}

function reportsTable(request: PageRequest, reports: FailureReportRow[]): BoundTable {
  return bindTable<FailureReportRow>({
    id: "reports",
    caption: "Reports",
    rows: reports,
    sort: "-arrived",
    empty: "No reports in this period.",
    partial: limitNote(reports, FAILURE_LIMITS.maxReports),
    columns: [
      {
        key: "arrived",
        label: "Message arrived (UTC)",
        value: (report) => isoMinute(report.arrivalSeconds || report.receivedSeconds),
        cell: (report) => (
          <a class="nowrap" href={linkTo(request, reportPath(report))}>
            {isoMinute(report.arrivalSeconds || report.receivedSeconds)}
          </a>
        ),
      },
      { key: "address", label: "Address", value: ({ sourceIp }) => sourceIp },
      { key: "failure", label: "What failed", value: ({ authFailure }) => authFailure || "not reported" },
      { key: "delivery", label: "Outcome", value: ({ deliveryResult }) => deliveryResult || "not reported" },
      { key: "reporter", label: "Reporter", term: "Reporter", value: ({ reportingMta }) => reportingMta },
      { key: "incidents", label: "Messages", align: "end", value: ({ incidents }) => incidents },
      receivedColumn(),
    ],
  });
}
