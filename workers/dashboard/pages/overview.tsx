/** One domain over a period: totals and change, messages by day, the verdict, sources, dispositions, policy. */

import type { Child } from "hono/jsx";
import type { JudgedSource } from "../../../shared/guidance/roles.ts";
import { mergeSources, type Source } from "../../../shared/guidance/sources.ts";
import { judge, type Verdict } from "../../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../../shared/guidance/verdict-input.ts";
import type { Extent } from "../../../shared/ledger/data-extent.ts";
import type { DayTotals } from "../../../shared/ledger/days.ts";
import { SOURCE_LIMITS } from "../../../shared/ledger/sources.ts";
import { isoDay } from "../data/days.ts";
import { detailsSince } from "../data/extent.ts";
import { changeOfCount, formatCount, formatShare } from "../data/numbers.ts";
import { askOverview, fillDays, type Overview } from "../data/overview.ts";
import type { Period } from "../data/period.ts";
import { type TimelineEvent, timelineEvents } from "../data/timeline.ts";
import { BeforeDetails, isOutsidePeriod } from "../parts/before-details.tsx";
import { FoldedTable } from "../parts/chart-table.tsx";
import { DayChart } from "../parts/chart-view.tsx";
import { domainPage } from "../parts/domain-frame.tsx";
import { ForeignText } from "../parts/foreign-text.tsx";
import { linkTo } from "../parts/links.ts";
import { Figure, Note } from "../parts/marks.tsx";
import type { PageResult } from "../parts/page.ts";
import { type PageRequest, periodOf } from "../parts/page-request.ts";
import { PeriodText } from "../parts/period-view.tsx";
import { askPublishedRecords, type PublishedRecords, RecordsCard } from "../parts/records-card.tsx";
import { JudgementBasis } from "../parts/sender.tsx";
import { SpreadNote } from "../parts/spread.tsx";
import { TimelineLegend, TimelineList, timelineMarks } from "../parts/timeline.tsx";
import { domainPath } from "../paths.ts";
import { daysTable, dispositionsTable, policiesTable, reasonsTable } from "./overview-tables.tsx";
import { sourcesTable } from "./sources-table.tsx";
import { VerdictCard } from "./verdict.tsx";

export async function overviewPage(request: PageRequest, domain: string): Promise<PageResult> {
  const period = periodOf(request);
  const [overview, records] = await Promise.all([
    askOverview(request, domain, period),
    askPublishedRecords(request, domain),
  ]);
  const { policies } = overview;
  const sources = mergeSources(overview.mail.sources, domain);
  const current = overview.days.filter(({ day }) => day >= period.firstDay);
  const verdict = judge(verdictInput(domain, { ...overview, days: current }, decideBy(overview.decisions)));
  const tables = overviewTables(request, { overview, sources, judged: verdict.sources });
  return domainPage(request, {
    domain,
    period,
    tab: "overview",
    title: domain,
    lead: <PeriodText period={period} compared />,
    tables: Object.values(tables),
    body: (
      <>
        {policies.length === 0 ? (
          <NoReports domain={domain} request={request} />
        ) : (
          <Content
            request={request}
            overview={overview}
            records={records}
            sources={sources}
            verdict={verdict}
            tables={tables}
          />
        )}
      </>
    ),
  });
}

interface TablesInput {
  overview: Overview;
  sources: Source[];
  judged: readonly JudgedSource[];
}

function overviewTables(request: PageRequest, { overview, sources, judged }: TablesInput) {
  const { domain, period, days, mail, policies, extent, decisions } = overview;
  const current = days.filter(({ day }) => day >= period.firstDay);
  const dataSince = detailsSince(extent);
  return {
    days: daysTable(fillDays(current, { period, extent })),
    sources: sourcesTable(request, { domain, sources, judged, period, decisions, dataSince, size: 10 }),
    dispositions: dispositionsTable(mail.dispositions),
    reasons: reasonsTable(mail.reasons),
    policies: policiesTable(policies),
  };
}

interface ContentProps {
  request: PageRequest;
  overview: Overview;
  /** What the domain publishes. */
  records: PublishedRecords;
  sources: Source[];
  verdict: Verdict;
  tables: ReturnType<typeof overviewTables>;
}

function Content({ request, overview, records, sources, verdict, tables }: ContentProps) {
  const { domain, period, days, mail, extent, policies, changes, decided } = overview;
  const dataSince = detailsSince(extent);
  const events = timelineEvents({ period, changes, policies, decisions: decided, sources, dataSince });
  const current = days.filter(({ day }) => day >= period.firstDay);
  const before = <BeforeDetails url={request.url} period={period} extent={extent} />;
  const isOutside = isOutsidePeriod(extent, period);
  return (
    <>
      {isOutside && before}
      <VerdictCard request={request} verdict={verdict} />
      <JudgementBasis request={request} domain={domain} days={current} />
      {!isOutside && before}
      <Totals current={current} before={days.filter(({ day }) => day < period.firstDay)} />
      <DailyChart request={request} days={current} period={period} extent={extent} domain={domain} events={events} />
      <RecordsCard request={request} domain={domain} records={records} />
      <div class="page-break" />
      {mail.sources.length >= SOURCE_LIMITS.maxGroups && <PartialSources />}
      {tables.sources.view(request.url)}
      <p class="small screen-only">
        <a href={linkTo(request, `${domainPath(domain)}/sources`)}>All sources</a> ·{" "}
        <a href={`${domainPath(domain)}/report`}>Monthly report, to print</a>
      </p>
      <div class="columns">
        {tables.dispositions.view(request.url)}
        {tables.reasons.view(request.url)}
      </div>
      {tables.policies.view(request.url)}
      <FoldedTable table={tables.days} url={request.url} label="Messages by day, as a table" />
    </>
  );
}

/** Said where a statement's limit was reached. */
export function PartialSources() {
  return (
    <Note>
      There are more than {formatCount(SOURCE_LIMITS.maxGroups)} different sources in this period. The largest are shown
      and judged; a shorter period shows more of the small ones.
    </Note>
  );
}

function NoReports({ domain, request }: { domain: string; request: PageRequest }) {
  return (
    <section class="card">
      <h2>
        No reports for <ForeignText text={domain} />
      </h2>
      <p class="lead">
        No reports for this domain, or no access. <a href={`${domainPath(domain)}/setup`}>Its set-up</a> says whether
        they are on their way. <a href={linkTo(request, "/")}>All domains</a> counts those that couldn't be read.
      </p>
    </section>
  );
}

function Totals({ current, before }: { current: DayTotals[]; before: DayTotals[] }) {
  const sum = (days: DayTotals[], name: keyof DayTotals): number => days.reduce((total, day) => total + day[name], 0);
  const messages = sum(current, "messages");
  const earlier = sum(before, "messages");
  const share = (name: keyof DayTotals): { value: string; remark: Child } => ({
    value: formatShare(sum(current, name), messages),
    remark: changeOfShare(sum(current, name), messages, { part: sum(before, name), total: earlier }),
  });
  const failing = messages - sum(current, "passed");
  return (
    <dl class="figures">
      <Figure label="Messages" value={formatCount(messages)} remark={changeOfCount(messages, earlier)} />
      <Figure label="Pass DMARC" term="DMARC pass" {...share("passed")} />
      <Figure
        label="Fail DMARC"
        value={formatCount(failing)}
        remark={changeOfCount(failing, earlier - sum(before, "passed"))}
      />
      <Figure label="DKIM aligned" term="DKIM" {...share("dkimAligned")} />
      <Figure label="SPF aligned" term="SPF" {...share("spfAligned")} />
      <Figure
        label="Reports"
        term="Aggregate report"
        value={formatCount(sum(current, "reports"))}
        remark={changeOfCount(sum(current, "reports"), sum(before, "reports"))}
      />
    </dl>
  );
}

function changeOfShare(part: number, total: number, before: { part: number; total: number }): string {
  if (before.total === 0 || total === 0) return "no earlier data";
  const points = 100 * (part / total - before.part / before.total);
  if (Math.abs(points) < 0.05) return "unchanged";
  return `${points > 0 ? "↑" : "↓"} ${Math.abs(points).toFixed(1)} points`;
}

interface ChartProps {
  request: PageRequest;
  days: DayTotals[];
  period: Period;
  extent: Extent;
  domain: string;
  events: readonly TimelineEvent[];
}

function DailyChart({ request, days, period, extent, domain, events }: ChartProps) {
  const filled = fillDays(days, { period, extent });
  const total = filled.reduce((sum, { messages }) => sum + messages, 0);
  const passed = filled.reduce((sum, day) => sum + day.passed, 0);
  const range = `${isoDay(period.firstDay)} to ${isoDay(period.lastDay)}`;
  return (
    <section class="card" aria-labelledby="volume">
      <h2 id="volume">Messages by day</h2>
      <DayChart
        id="volume"
        label={
          `Messages of ${domain} by day, ${range}: ${formatCount(total)} in all, ${formatShare(passed, total)} ` +
          "pass DMARC. The figures are in the table below."
        }
        days={filled.map((day) => ({
          day: day.day,
          values: { passed: day.passed, failed: day.messages - day.passed },
        }))}
        series={[
          { name: "passed", label: "Pass DMARC", look: "pass" },
          { name: "failed", label: "Fail DMARC", look: "fail" },
        ]}
        unit="messages"
        marks={timelineMarks(events)}
      />
      <TimelineLegend events={events} />
      <SpreadNote days={filled} unit="messages" />
      <p class="small muted">By date of the mail. Yesterday and today are incomplete.</p>
      <TimelineList request={request} domain={domain} events={events} />
    </section>
  );
}
