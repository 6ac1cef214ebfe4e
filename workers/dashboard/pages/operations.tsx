/** Operations: what came in and what became of it over time, latency, what is waiting. For operators. */
import {
  type LatencyDay,
  latenciesQuery,
  type OutcomeCount,
  type OutcomeStep,
  outcomeStepsQuery,
  readLatencies,
} from "../../../shared/ledger/activity.ts";
import type { PipelineStatus } from "../../../shared/operations.ts";
import { isoDay, isoHour, isoMinute } from "../data/days.ts";
import { formatBytes, formatCount, formatDuration } from "../data/numbers.ts";
import type { Period } from "../data/period.ts";
import { DayChart, type Series } from "../parts/chart-view.tsx";
import type { ChartDay } from "../parts/charts.ts";
import { dayColumn } from "../parts/columns.tsx";
import { Explained, Figure } from "../parts/marks.tsx";
import { OperationsHead } from "../parts/operations-frame.tsx";
import type { PageResult } from "../parts/page.ts";
import { linkWith, type PageRequest, periodOf, requireOperator } from "../parts/request.ts";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

const ACCEPTED = ["accepted", "reprocessed"];
const FAILED = ["dead_letter", "conflict"];
const OUTCOME_WORDS: Record<string, string> = {
  accepted: "Read for the first time: its figures count.",
  reprocessed: "Read again: its figures took the place of the earlier ones.",
  duplicate: "The same report came once more; nothing was counted twice.",
  conflict: "The same report came with other content and waits for a person.",
  dead_letter: "Could not be read; kept with its reason.",
  discarded: "A person or a setting decided against it.",
};

export async function operationsPage(request: PageRequest): Promise<PageResult> {
  requireOperator(request);
  const period = periodOf(request);
  const [history, status] = await Promise.all([askHistory(request, period), request.operate("pipelineStatus", {})]);
  const queues = queuesTable(status, Date.now() / 1000);
  const unfinished = unfinishedTable(status);
  const tables = historyTables(history, stepOf(period));
  return {
    tables: [queues, unfinished, ...Object.values(tables)],
    content: {
      title: "Operations",
      section: "operations",
      body: (
        <>
          <OperationsHead request={request} tab="status" period={period} title="Operations" lead={LEAD} />
          <Totals outcomes={history.outcomes} status={status} />
          <OutcomesChart request={request} period={period} outcomes={history.outcomes} />
          <div class="columns">
            {queues.view(request.url)}
            {unfinished.view(request.url)}
          </div>
          <div class="columns">
            {tables.latency.view(request.url)}
            {tables.outcomes.view(request.url)}
          </div>
        </>
      ),
    },
  };
}

const LEAD = "What came in, what became of it, how long it took, and what is waiting.";

interface History {
  outcomes: OutcomeCount[];
  latency: LatencyDay[];
}

/** A single day is told by the hour. */
function stepOf({ firstDay, lastDay }: Period): OutcomeStep {
  return firstDay === lastDay ? "hour" : "day";
}

async function askHistory(request: PageRequest, period: Period): Promise<History> {
  const [outcomes, latencies] = await Promise.all([
    request.ask(outcomeStepsQuery(period, stepOf(period))),
    request.ask(latenciesQuery(period)),
  ]);
  return { outcomes, latency: readLatencies(latencies) };
}

function historyTables({ outcomes, latency }: History, step: OutcomeStep) {
  return { outcomes: outcomesTable(outcomes, step), latency: latencyTable(latency) };
}

function Totals({ outcomes, status }: { outcomes: OutcomeCount[]; status: PipelineStatus }) {
  const countOf = (name: string): string => {
    return formatCount(outcomes.reduce((sum, { outcome, events }) => sum + (outcome === name ? events : 0), 0));
  };
  const { unfinished, reportsWithDueSlices } = status;
  return (
    <dl class="figures">
      <Figure label="Accepted" value={countOf("accepted")} remark="reports of mail of the period" />
      <Figure label="Run again" term="Reprocessing" value={countOf("reprocessed")} />
      <Figure label="Duplicates" term="Duplicate" value={countOf("duplicate")} />
      <Figure
        label="Dead letters"
        term="Dead letter"
        value={countOf("dead_letter")}
        remark={<a href="/operations/dead-letters">those still open</a>}
      />
      <Figure
        label="Conflicts"
        term="Conflict"
        value={countOf("conflict")}
        remark={<a href="/operations/conflicts">those still open</a>}
      />
      <Figure label="Waiting" value={formatCount(unfinished)} remark="received, not yet dealt with" />
      <Figure label="Points due" value={formatCount(reportsWithDueSlices)} remark="reports with slices to be written" />
    </dl>
  );
}

const SERIES: readonly Series[] = [
  { name: "accepted", label: "Accepted or run again", look: "pass" },
  { name: "other", label: "Duplicate or discarded", look: "plain" },
  { name: "failed", label: "Dead letter or conflict", look: "fail" },
];

function seriesOf(outcome: string): string {
  if (ACCEPTED.includes(outcome)) return "accepted";
  return FAILED.includes(outcome) ? "failed" : "other";
}

/** Every day of the period, or every hour of a single day, those without an outcome with zeros. */
function chartSteps(outcomes: readonly OutcomeCount[], period: Period): ChartDay[] {
  const perDay = stepOf(period) === "hour" ? 24 : 1;
  const first = period.firstDay * perDay;
  const steps = Array.from(
    { length: (period.lastDay + 1) * perDay - first },
    (_, i): ChartDay => ({
      day: first + i,
      values: {},
    }),
  );
  for (const { at, outcome, events } of outcomes) {
    const values = steps[at - first]?.values ?? {};
    values[seriesOf(outcome)] = (values[seriesOf(outcome)] ?? 0) + events;
  }
  return steps;
}

interface ChartProps {
  request: PageRequest;
  period: Period;
  outcomes: readonly OutcomeCount[];
}

function OutcomesChart({ request, period, outcomes }: ChartProps) {
  const isHourly = stepOf(period) === "hour";
  const title = isHourly ? `Outcomes by hour, ${isoDay(period.firstDay)}` : "Outcomes by day";
  return (
    <section class="card" aria-labelledby="outcomes-chart">
      <h2 id="outcomes-chart">{title}</h2>
      <DayChart
        id="outcomes"
        label={`${title}, of received reports; the figures are in the table Outcomes below.`}
        days={chartSteps(outcomes, period)}
        series={SERIES}
        unit="outcomes"
        nameOf={isHourly ? isoHour : isoDay}
      />
      <p class="small muted">
        Here a day is the one on which the outcome was reached, not the report's.{" "}
        {!isHourly && <a href={linkWith(request.url, { days: "1", from: undefined, to: undefined })}>Today by hour</a>}
      </p>
    </section>
  );
}

function outcomesTable(rows: OutcomeCount[], step: OutcomeStep): BoundTable {
  return bindTable<OutcomeCount>({
    id: "outcomes",
    caption: "Outcomes",
    rows,
    sort: `-${step}`,
    empty: "Nothing came in during this period.",
    columns: [
      step === "day"
        ? dayColumn("day", "Day (UTC)", ({ at }) => at)
        : { key: "hour", label: "Hour beginning", value: ({ at }) => isoMinute(at * 3600) },
      {
        key: "outcome",
        label: "Outcome",
        value: ({ outcome }) => outcome,
        cell: ({ outcome }) => <Explained word={outcome.replaceAll("_", " ")} meaning={OUTCOME_WORDS[outcome] ?? ""} />,
      },
      { key: "events", label: "Reports", align: "end", value: ({ events }) => events },
    ],
  });
}

function latencyTable(rows: LatencyDay[]): BoundTable {
  const column = (key: string, label: string, read: (day: LatencyDay) => number) => ({
    key,
    label,
    align: "end" as const,
    value: read,
    cell: (day: LatencyDay) => formatDuration(read(day)),
  });
  return bindTable<LatencyDay>({
    id: "latency",
    caption: "From arrival to data",
    rows,
    sort: "-day",
    size: 10,
    empty: "No report was accepted in this period.",
    columns: [
      dayColumn("day", "Day (UTC)", ({ day }) => day),
      column("median_seconds", "Half within", ({ medianSeconds }) => medianSeconds),
      column("p95_seconds", "95 % within", ({ p95Seconds }) => p95Seconds),
      column("max_seconds", "Slowest", ({ maxSeconds }) => maxSeconds),
    ],
  });
}

function unfinishedTable({ unfinishedDays }: PipelineStatus): BoundTable {
  return bindTable({
    id: "unfinished",
    caption: "Not yet dealt with",
    rows: unfinishedDays,
    sort: "-day",
    empty: "Everything that was received has its outcome.",
    columns: [
      { key: "day", label: "Arrived on (UTC)", value: ({ day }) => day },
      { key: "objects", label: "Files", align: "end", value: ({ objects }) => objects },
      { key: "counted", label: "Counted", value: ({ countedSeconds }) => isoMinute(countedSeconds) },
    ],
  });
}

function queuesTable({ queues }: PipelineStatus, nowSeconds: number): BoundTable {
  return bindTable({
    id: "queues",
    caption: "Queues",
    rows: queues,
    sort: "queue",
    empty: "The platform names no queue.",
    columns: [
      { key: "queue", label: "Queue", value: ({ queue }) => queue },
      { key: "messages", label: "Waiting", align: "end", value: ({ messages }) => messages },
      {
        key: "bytes",
        label: "Size",
        align: "end",
        value: ({ bytes }) => bytes,
        cell: ({ bytes }) => formatBytes(bytes),
      },
      {
        key: "oldest_seconds",
        label: "Oldest waits",
        align: "end",
        value: ({ oldestSeconds }) => oldestSeconds,
        cell: ({ oldestSeconds }) => (oldestSeconds === 0 ? "–" : formatDuration(nowSeconds - oldestSeconds)),
      },
    ],
  });
}
