/** Domains: every policy domain reports were about in the period, or what to do when there is none. */
import {
  DOMAIN_LIMITS,
  type DomainProblems,
  type DomainReports,
  type DomainTotals,
  domainProblemsQuery,
  domainReportsQuery,
  domainsQuery,
} from "../../../shared/analytics/queries-domains.ts";
import { failureDomainsQuery } from "../../../shared/analytics/queries-failures.ts";
import { tlsDomainsQuery } from "../../../shared/analytics/queries-tls.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { changeOfCount, formatCount } from "../data/numbers.ts";
import { type Period, partsOfPeriod, periodBefore } from "../data/period.ts";
import { asksToReject, shortPolicy } from "../data/policy.ts";
import { Sparkline } from "../parts/chart-view.tsx";
import { dayColumn, dmarcColumn, messagesColumn } from "../parts/columns.tsx";
import { ForeignText, Name } from "../parts/foreign-text.tsx";
import { domainPath } from "../parts/links.ts";
import { limitNote, Note, ShareBar } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PageHead } from "../parts/page-head.tsx";
import { PeriodControl, PeriodText } from "../parts/period-view.tsx";
import { linkTo, linkWith, type PageRequest, periodOf } from "../parts/request.ts";
import { type BoundTable, bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { FirstRun } from "./first-run.tsx";
import { otherDomains, otherDomainsTable } from "./other-domains.tsx";

/** A row of the table. */
interface DomainRow extends DomainTotals, DomainReports {
  deadLetters: number;
  conflicts: number;
}

export async function domainsPage(request: PageRequest): Promise<PageResult> {
  const period = periodOf(request);
  const { accounts } = request.access;
  const scope = { accounts, ...period };
  const [known, reports, problems, tls, failures] = await Promise.all([
    request.ask(domainsQuery(scope, { beforeFirstDay: periodBefore(period).firstDay, parts: partsOfPeriod(period) })),
    request.ask(domainReportsQuery(scope)),
    request.ask(domainProblemsQuery({ accounts })),
    request.ask(tlsDomainsQuery(scope)),
    request.ask(failureDomainsQuery(scope)),
  ]);
  const reported = new Map(reports.map((row) => [row.domain, row]));
  const totals = known.flatMap((row) => {
    const reports = reported.get(row.domain);
    return reports === undefined ? [] : [{ ...row, ...reports }];
  });
  const table = domainsTable(request, { period, rows: joinRows(totals, problems) });
  const others = otherDomains({ tls, failures, listed: new Set(reported.keys()) });
  const othersTable = otherDomainsTable(request, others);
  const hasData = known.length + tls.length + failures.length > 0 || (await hasEver(request));
  return {
    tables: [table, othersTable],
    content: {
      title: "Domains",
      section: "domains",
      body: (
        <>
          <PageHead title="Domains" lead={<Lead period={period} />}>
            <PeriodControl url={request.url} period={period} />
          </PageHead>
          {request.access.role === "operator" && <Astray problems={problems} rows={totals} />}
          {hasData ? table.view(request.url) : <FirstRun isOperator={request.access.role === "operator"} />}
          {others.length > 0 && othersTable.view(request.url)}
        </>
      ),
    },
  };
}

function Lead({ period }: { period: Period }) {
  return (
    <>
      Who sends mail in your name, as receivers reported it for <PeriodText period={period} />.
    </>
  );
}

// Asked only where the period is empty: whether there is anything at all.
async function hasEver(request: PageRequest): Promise<boolean> {
  return (await request.ask(domainReportsQuery({ accounts: request.access.accounts }))).length > 0;
}

/** Dead letters and conflicts that no row of the table can tell of. */
function Astray({ problems, rows }: { problems: DomainProblems[]; rows: readonly DomainReports[] }) {
  const listed = new Set(rows.map(({ domain }) => domain));
  const astray = problems.filter(({ domain }) => !listed.has(domain));
  const count = astray.reduce((sum, { deadLetters, conflicts }) => sum + deadLetters + conflicts, 0);
  if (count === 0) return null;
  return (
    <Note>
      {count === 1 ? "One received file needs" : `${formatCount(count)} received files need`} a person, and{" "}
      {count === 1 ? "is" : "are"} about none of the domains below. <a href="/operations/dead-letters">Dead letters</a>
    </Note>
  );
}

interface DomainsInput {
  period: Period;
  rows: DomainRow[];
}

function domainsTable(request: PageRequest, { period, rows }: DomainsInput): BoundTable {
  return bindTable({
    id: "domains",
    caption: "Domains",
    columns: columns(request, period),
    rows,
    sort: "-messages",
    empty: (
      <>
        No aggregate report is about a day of this period. <a href={linkWith(request.url, LONGEST)}>Take 90 days</a>, or
        wait: most receivers report once a day.
      </>
    ),
    partial: limitNote(rows, DOMAIN_LIMITS.maxDomains),
  });
}

const LONGEST = { days: "90", from: undefined, to: undefined };

function joinRows(totals: (DomainTotals & DomainReports)[], problems: DomainProblems[]): DomainRow[] {
  const open = new Map(problems.map((row) => [row.domain, row]));
  return totals.map((row) => ({
    ...row,
    deadLetters: open.get(row.domain)?.deadLetters ?? 0,
    conflicts: open.get(row.domain)?.conflicts ?? 0,
  }));
}

function trendColumn({ firstDay, lastDay }: Period): ViewColumn<DomainRow> {
  return {
    key: "change",
    label: "Trend",
    value: ({ messages, messagesBefore }) => (messagesBefore === 0 ? "" : messages / messagesBefore - 1),
    cell: ({ messages, messagesBefore, trend, domain }) => (
      <span class="stack">
        {trend.length > 0 && (
          <Sparkline values={trend} label={`Messages of ${domain} by day, ${isoDay(firstDay)} to ${isoDay(lastDay)}`} />
        )}
        <span class="small muted nowrap">{changeOfCount(messages, messagesBefore)}</span>
      </span>
    ),
  };
}

function columns(request: PageRequest, period: Period): ViewColumn<DomainRow>[] {
  return [
    {
      key: "domain",
      label: "Domain",
      term: "Policy domain",
      value: ({ domain }) => domain,
      cell: ({ domain }) => (
        <a href={linkTo(request, domainPath(domain))}>
          <Name text={domain} />
        </a>
      ),
    },
    messagesColumn(),
    {
      ...{ ...dmarcColumn<DomainRow>(), label: "Pass DMARC" },
      cell: ({ passed, messages, policy }) => (
        <ShareBar part={passed} total={messages} isRefused={passed === 0 && asksToReject(policy)} />
      ),
    },
    trendColumn(period),
    { key: "messages_before", label: "Before", value: ({ messagesBefore }) => messagesBefore, exportOnly: true },
    {
      key: "policy",
      label: "Published policy",
      term: "Policy published",
      value: ({ policy }) => shortPolicy(policy),
      cell: ({ policy }) => (
        <code>
          <ForeignText text={shortPolicy(policy)} />
        </code>
      ),
    },
    { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
    dayColumn("last_report_day", "Last report", ({ lastEndSeconds }) => dayOfSeconds(lastEndSeconds)),
    {
      key: "problems",
      label: "Problems",
      align: "end",
      term: "Dead letter",
      value: ({ deadLetters, conflicts }) => deadLetters + conflicts,
      cell: (row) => <Problems row={row} isOperator={request.access.role === "operator"} />,
    },
    { key: "passed", label: "Passed", value: ({ passed }) => passed, exportOnly: true },
  ];
}

function Problems({ row: { domain, deadLetters, conflicts }, isOperator }: { row: DomainRow; isOperator: boolean }) {
  if (deadLetters + conflicts === 0) return <>none</>;
  const mark = <span class="result warn">! {formatCount(deadLetters + conflicts)}</span>;
  if (!isOperator) return mark;
  const letters = `/operations/dead-letters?${new URLSearchParams({ domain })}`;
  return <a href={deadLetters > 0 ? letters : "/operations/conflicts"}>{mark}</a>;
}
