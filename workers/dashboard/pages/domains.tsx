/** Domains: every policy domain reports were about in the period, or what to do when there is none. */
import {
  DOMAIN_LIMITS,
  type DomainDay,
  type DomainProblems,
  type DomainReports,
  type DomainTotals,
  domainProblemsQuery,
  domainReportsQuery,
  domainsQuery,
  domainTrendQuery,
} from "../../../shared/analytics/queries-domains.ts";
import { dayOfSeconds, isoDay } from "../data/days.ts";
import { formatCount, shareOf } from "../data/numbers.ts";
import { type Period, periodBefore } from "../data/period.ts";
import { shortPolicy } from "../data/policy.ts";
import { Sparkline } from "../parts/chart-view.tsx";
import { domainPath } from "../parts/links.ts";
import { Note, ShareBar } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { PeriodControl, PeriodText } from "../parts/period-view.tsx";
import { linkTo, type PageRequest, periodOf } from "../parts/request.ts";
import { bindTable, type ViewColumn } from "../parts/table-view.tsx";
import { FirstRun } from "./first-run.tsx";

/** A row of the table. */
interface DomainRow extends DomainTotals, DomainReports {
  /** Messages by day of the period. */
  trend: number[];
  problems: number;
}

/** Ours: lines are asked for this many domains; beyond, a person filters. */
const TREND_DOMAINS = 100;

export async function domainsPage(request: PageRequest): Promise<PageResult> {
  const period = periodOf(request);
  const { accounts } = request.access;
  const [known, reports, problems] = await Promise.all([
    request.ask(domainsQuery({ accounts, ...period }, { beforeFirstDay: periodBefore(period).firstDay })),
    request.ask(domainReportsQuery({ accounts, ...period })),
    request.ask(domainProblemsQuery({ accounts })),
  ]);
  const reported = new Map(reports.map((row) => [row.domain, row]));
  const totals = known.flatMap((row) => {
    const reports = reported.get(row.domain);
    return reports === undefined ? [] : [{ ...row, ...reports }];
  });
  const domains = totals.slice(0, TREND_DOMAINS).map(({ domain }) => domain);
  const trend = domains.length === 0 ? [] : await request.ask(domainTrendQuery({ accounts, domains, ...period }));
  const rows = joinRows({ totals, problems, trend }, period);
  const table = bindTable({
    id: "domains",
    caption: "Domains",
    columns: columns(request, period),
    rows,
    sort: "-messages",
    empty: (
      <>No report is about a day of this period. Choose a longer one, or wait: most receivers report once a day.</>
    ),
    partial: known.length >= DOMAIN_LIMITS.maxDomains && (
      <Note>Only the {formatCount(DOMAIN_LIMITS.maxDomains)} domains with the most messages are shown.</Note>
    ),
  });
  const astray = problems.find(({ domain }) => domain === "");
  const isFirstRun = known.length === 0;
  return {
    tables: [table],
    content: {
      title: "Domains",
      section: "domains",
      body: (
        <>
          <div class="page-head">
            <div>
              <h1>Domains</h1>
              <p class="lead">
                Who sends mail in your name, as receivers reported it for <PeriodText period={period} />.
              </p>
            </div>
            <PeriodControl url={request.url} period={period} />
          </div>
          {astray !== undefined && request.access.role === "operator" && (
            <Note>
              {formatCount(astray.deadLetters + astray.conflicts)} received files could not be read and name no domain.{" "}
              <a href="/operations/dead-letters">Look at the dead letters</a>
            </Note>
          )}
          {isFirstRun ? <FirstRun isOperator={request.access.role === "operator"} /> : table.view(request.url)}
        </>
      ),
    },
  };
}

interface Answers {
  totals: (DomainTotals & DomainReports)[];
  problems: DomainProblems[];
  trend: DomainDay[];
}

function joinRows({ totals, problems, trend }: Answers, { firstDay, lastDay }: Period): DomainRow[] {
  const open = new Map(problems.map(({ domain, deadLetters, conflicts }) => [domain, deadLetters + conflicts]));
  const lines = new Map<string, number[]>();
  for (const { domain, day, messages } of trend) {
    const line = lines.get(domain) ?? Array.from({ length: lastDay - firstDay + 1 }, () => 0);
    line[day - firstDay] = messages;
    lines.set(domain, line);
  }
  return totals.map((row) => ({
    ...row,
    trend: lines.get(row.domain) ?? [],
    problems: open.get(row.domain) ?? 0,
  }));
}

function columns(request: PageRequest, { firstDay, lastDay }: Period): ViewColumn<DomainRow>[] {
  return [
    {
      key: "domain",
      label: "Domain",
      term: "Policy domain",
      value: ({ domain }) => domain,
      cell: ({ domain }) => <a href={linkTo(request, domainPath(domain))}>{domain}</a>,
    },
    { key: "messages", label: "Messages", align: "end", value: ({ messages }) => messages },
    {
      key: "pass_rate",
      label: "Pass DMARC",
      align: "end",
      term: "DMARC pass",
      value: ({ passed, messages }) => shareOf(passed, messages),
      cell: ({ passed, messages }) => <ShareBar part={passed} total={messages} />,
    },
    {
      key: "messages_before",
      label: "Trend",
      value: ({ messagesBefore }) => messagesBefore,
      cell: ({ trend, domain }) =>
        trend.length > 0 && (
          <Sparkline values={trend} label={`Messages of ${domain} by day, ${isoDay(firstDay)} to ${isoDay(lastDay)}`} />
        ),
    },
    {
      key: "policy",
      label: "Published policy",
      term: "Policy published",
      value: ({ policy }) => shortPolicy(policy),
      cell: ({ policy }) => <code>{shortPolicy(policy)}</code>,
    },
    { key: "sources", label: "Addresses", align: "end", value: ({ sources }) => sources },
    { key: "reports", label: "Reports", align: "end", value: ({ reports }) => reports },
    {
      key: "last_report_day",
      label: "Last report",
      value: ({ lastEndSeconds }) => isoDay(dayOfSeconds(lastEndSeconds)),
      cell: ({ lastEndSeconds }) => <span class="nowrap">{isoDay(dayOfSeconds(lastEndSeconds))}</span>,
    },
    {
      key: "problems",
      label: "Problems",
      align: "end",
      term: "Dead letter",
      value: ({ problems }) => problems,
      cell: ({ problems }) => (problems === 0 ? "none" : <span class="result warn">! {formatCount(problems)}</span>),
    },
    { key: "passed", label: "Passed", value: ({ passed }) => passed, exportOnly: true },
  ];
}
