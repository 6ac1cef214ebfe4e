/** SMTP TLS reports about a domain: how often mail to it could be delivered encrypted, and why not. */

import { extentQuery } from "../../../shared/ledger/data-extent.ts";
import {
  TLS_LIMITS,
  type TlsDay,
  type TlsFailureTotals,
  type TlsPolicyTotals,
  type TlsReportTotals,
  tlsDaysQuery,
  tlsFailuresQuery,
  tlsPoliciesQuery,
  tlsReportsQuery,
} from "../../../shared/ledger/tls.ts";
import { daysWithData } from "../data/extent.ts";
import { explain } from "../data/glossary.ts";
import { askOne, domainScope } from "../data/ledger-request.ts";
import { formatCount } from "../data/numbers.ts";
import { BeforeDetails } from "../parts/before-details.tsx";
import { chartTable, FoldedTable } from "../parts/chart-table.tsx";
import { DayChart, type Series } from "../parts/chart-view.tsx";
import type { ChartDay } from "../parts/charts.ts";
import {
  dayColumn,
  receivedColumn,
  reporterColumn,
  reportIdColumn,
  reportPeriodColumns,
  shareWithBar,
} from "../parts/columns.tsx";
import { domainPage, titleAndDomain } from "../parts/domain-frame.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { limitNote } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { SpreadNote } from "../parts/spread.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";
import { domainPath, reportPath } from "../paths.ts";
import { MoreInDetails, SessionFigures, tlsPolicyColumn, tlsResultColumn } from "./tls-parts.tsx";

export async function tlsPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const scope = await domainScope(request, domain, period);
  const [days, policies, failures, reports, extent] = await Promise.all([
    request.ask(tlsDaysQuery(scope)),
    request.ask(tlsPoliciesQuery(scope)),
    request.ask(tlsFailuresQuery(scope)),
    request.ask(tlsReportsQuery(scope)),
    askOne(request, extentQuery(scope, "tls")),
  ]);
  const filled = chartDays(days, daysWithData(period, extent));
  const daysTable = chartTable("Sessions by day", { days: filled, series: SERIES });
  const tables = [failuresTable(failures), policiesTable(policies), reportsTable(request, reports)];
  return domainPage(request, {
    domain,
    period,
    tab: "tls",
    ...titleAndDomain("TLS reports about", domain),
    lead: explain("SMTP TLS report"),
    tables: [...tables, daysTable],
    body: (
      <>
        <BeforeDetails url={request.url} period={period} extent={extent} />
        {days.length === 0 ? (
          <section class="card">
            <h2>No TLS reports for this period</h2>
            <p class="lead">
              Senders report once a record at{" "}
              <code>
                _smtp._tls.
                <ForeignText text={domain} />
              </code>{" "}
              asks them to. <a href={`${domainPath(domain)}/setup`}>The set-up</a> has it, with the address for the
              reports. If it is published, wait a day, or choose a longer period.
            </p>
          </section>
        ) : (
          <>
            <Sessions days={filled} spread={days} domain={domain} />
            <MoreInDetails
              failed={days.reduce((sum, { failed }) => sum + failed, 0)}
              detailed={failures.reduce((sum, { sessions }) => sum + sessions, 0)}
            />
            <FoldedTable table={daysTable} url={request.url} label="Sessions by day, as a table" />
            {tables.map((table) => table.view(request.url))}
          </>
        )}
      </>
    ),
  });
}

const SERIES: readonly Series[] = [
  { name: "successful", label: "Encrypted", look: "pass" },
  { name: "failed", label: "Failed", look: "fail" },
];

/** Every day of some in a row, those without a report with zeros. */
function chartDays(days: readonly TlsDay[], all: readonly number[]): ChartDay[] {
  const known = new Map(days.map((day) => [day.day, day]));
  return all.map((day) => {
    const { successful = 0, failed = 0 } = known.get(day) ?? {};
    return { day, values: { successful, failed } };
  });
}

interface SessionsProps {
  days: readonly ChartDay[];
  spread: readonly TlsDay[];
  domain: string;
}

function Sessions({ days, spread, domain }: SessionsProps) {
  const sum = (name: string): number => days.reduce((total, { values }) => total + (values[name] ?? 0), 0);
  const [successful, failed] = [sum("successful"), sum("failed")];
  return (
    <>
      <SessionFigures successful={successful} failed={failed} />
      <section class="card" aria-labelledby="sessions">
        <h2 id="sessions">Sessions by day</h2>
        <DayChart
          id="tls"
          label={
            `Sessions of mail servers to ${domain} by day: ${formatCount(successful)} encrypted, ` +
            `${formatCount(failed)} failed. The figures are in the table below.`
          }
          days={days}
          series={SERIES}
          unit="sessions"
        />
        <SpreadNote days={spread} unit="sessions" />
      </section>
    </>
  );
}

function failuresTable(rows: TlsFailureTotals[]): BoundTable {
  return bindTable<TlsFailureTotals>({
    id: "failures",
    caption: "Failures",
    rows,
    sort: "-sessions",
    empty: "No failure details were reported.",
    partial: limitNote(rows, TLS_LIMITS.maxGroups),
    columns: [
      tlsResultColumn(),
      { key: "sessions", label: "Sessions", align: "end", value: ({ sessions }) => sessions },
      { key: "code", label: "Code", value: ({ failureReasonCode }) => failureReasonCode },
      { key: "sender", label: "Sending server", value: ({ sendingMtaIp }) => sendingMtaIp },
      { key: "receiver", label: "Receiving server", value: ({ receivingMxHostname }) => receivingMxHostname },
      { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter },
      dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    ],
  });
}

function policiesTable(rows: TlsPolicyTotals[]): BoundTable {
  return bindTable<TlsPolicyTotals>({
    id: "policies",
    caption: "By reporter and policy",
    rows,
    sort: "-sessions",
    empty: "No policy was reported.",
    partial: limitNote(rows, TLS_LIMITS.maxGroups),
    columns: [
      { key: "reporter", label: "Reporter", value: ({ reporter }) => reporter },
      tlsPolicyColumn(),
      { key: "mx", label: "Servers (MX)", value: ({ mxHosts }) => mxHosts.replaceAll("\n", ", ") },
      { key: "sessions", label: "Sessions", align: "end", value: ({ successful, failed }) => successful + failed },
      {
        key: "encrypted",
        label: "Encrypted",
        ...shareWithBar<TlsPolicyTotals>(
          ({ successful }) => successful,
          ({ successful, failed }) => successful + failed,
        ),
      },
      { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
      dayColumn("last_seen", "Last seen", ({ lastDay }) => lastDay),
    ],
  });
}

function reportsTable(request: PageRequest, reports: TlsReportTotals[]): BoundTable {
  return bindTable<TlsReportTotals>({
    id: "reports",
    caption: "Reports",
    rows: reports,
    sort: "-begin",
    empty: "No reports in this period.",
    partial: limitNote(reports, TLS_LIMITS.maxReports),
    columns: [
      ...reportPeriodColumns<TlsReportTotals>((report) => linkTo(request, reportPath(report))),
      reporterColumn(),
      { key: "policies", label: "Policies", align: "end", value: ({ policies }) => policies },
      { key: "sessions", label: "Sessions", align: "end", value: ({ successful, failed }) => successful + failed },
      { key: "failed", label: "Failed", align: "end", value: ({ failed }) => failed },
      reportIdColumn(),
      receivedColumn(),
    ],
  });
}
