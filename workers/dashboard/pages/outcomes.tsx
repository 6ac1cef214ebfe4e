/** Outcomes and latency as a chart and as tables: of the ledger's, and of what Analytics Engine has of them. */
import type { Child } from "hono/jsx";
import type { LatencyDay, OutcomeCount, OutcomeStep } from "../../../shared/ledger/activity.ts";
import { isoDay, isoHour, isoMinute } from "../data/days.ts";
import { formatDuration } from "../data/numbers.ts";
import { stepOf } from "../data/outcome-history.ts";
import type { Period } from "../data/period.ts";
import { DayChart, type Series } from "../parts/chart-view.tsx";
import type { ChartDay } from "../parts/charts.ts";
import { dayColumn } from "../parts/columns.tsx";
import { Explained } from "../parts/marks.tsx";
import { type BoundTable, bindTable } from "../parts/table-view.tsx";

const ACCEPTED = ["accepted", "reprocessed"];
const FAILED = ["dead_letter", "conflict"];
const OUTCOME_WORDS: Record<string, string> = {
  accepted: "Read for the first time; its figures count.",
  reprocessed: "Read again: its figures replaced the earlier ones.",
  duplicate: "The same report came again; nothing is counted twice.",
  conflict: "The same report came with different content; a person decides which counts.",
  dead_letter: "Couldn't be processed; kept with the reason.",
  discarded: "Discarded by a person or a setting.",
  cleared: "Was a dead letter or conflict, now resolved.",
  retracted: "Was accepted, and no longer counts: reprocessed without it, or taken back.",
  slice: "Some of the points of a large report were written.",
};

/** Rows under a second name: a page has them twice. */
interface Named<Row> {
  id: string;
  caption: string;
  rows: Row[];
}

const SERIES: readonly Series[] = [
  { name: "accepted", label: "Accepted or reprocessed", look: "pass" },
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

interface ChartProps extends Named<OutcomeCount> {
  period: Period;
  /** Of the table that has the figures. */
  table: string;
  children?: Child;
}

/** Outcomes as stacked days, or hours of a single day; `children` explain what counts. */
export function OutcomesChart({ id, caption, rows, period, table, children }: ChartProps) {
  const isHourly = stepOf(period) === "hour";
  const title = isHourly ? `${caption} by hour, ${isoDay(period.firstDay)}` : `${caption} by day`;
  return (
    <section class="card" aria-labelledby={`${id}-chart`}>
      <h2 id={`${id}-chart`}>{title}</h2>
      <DayChart
        id={id}
        label={`${title}, of received reports; the figures are in the table ${table} below.`}
        days={chartSteps(rows, period)}
        series={SERIES}
        unit="outcomes"
        nameOf={isHourly ? isoHour : isoDay}
      />
      <p class="small muted">{children}</p>
    </section>
  );
}

export function outcomesTable({ id, caption, rows, step }: Named<OutcomeCount> & { step: OutcomeStep }): BoundTable {
  return bindTable<OutcomeCount>({
    id,
    caption,
    rows,
    sort: `-${step}`,
    empty: "Nothing was received in this period.",
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

export function latencyTable({ id, caption, rows }: Named<LatencyDay>): BoundTable {
  const column = (key: string, label: string, read: (day: LatencyDay) => number) => ({
    key,
    label,
    align: "end" as const,
    value: read,
    cell: (day: LatencyDay) => formatDuration(read(day)),
  });
  return bindTable<LatencyDay>({
    id,
    caption,
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
