/** The statement behind `dmarc status`: what happened lately. Pure; see queries.ts for the rules it keeps. */
import { numberOf, slotsOf, textOf } from "./collapse.ts";
import { DATASETS } from "./columns.ts";
import { type AnswerRow, type OutcomeCounts, quoteText } from "./queries.ts";

/** What happened in the last `seconds`. */
export interface Activity {
  seconds: number;
  /** Reports and parts that reached an end, and of these the dead letters. */
  settled: number;
  failed: number;
  /** By outcome; also those that a later outcome replaced: they happened. */
  outcomes: OutcomeCounts;
}

/** Spans looked at: five minutes, an hour, a day, a week. */
export const ACTIVITY_SPANS = [300, 3600, 86_400, 604_800] as const;

/** Ends of a report; the others (`slice`, `cleared`, `retracted`) are steps on the way or corrections. */
const ENDS = ["accepted", "reprocessed", "duplicate", "conflict", "discarded", "dead_letter"];

/** Rows `{outcome, last300, last3600, …}`; see `readActivity`. @param nowSeconds seconds since 1970 UTC */
export function activityQuery(nowSeconds: number): string {
  const slots = slotsOf("events");
  const longest = Math.max(...ACTIVITY_SPANS);
  const sums = ACTIVITY_SPANS.map(
    (seconds) => `sum(if(processed >= ${nowSeconds - seconds}, weight, 0)) AS last${seconds}`,
  );
  return [
    `SELECT outcome, ${sums.join(", ")}`,
    `FROM (SELECT ${slots.eventId} AS eventId, ${slots.outcome} AS outcome, ${slots.generation} AS generation,`,
    `  min(${slots.processedSeconds}) AS processed, max(_sample_interval) AS weight`,
    `  FROM ${DATASETS.events.name} WHERE ${slots.processedSeconds} >= ${nowSeconds - longest}`,
    `    AND ${slots.outcome} IN (${ENDS.map(quoteText).join(", ")})`,
    "  GROUP BY eventId, outcome, generation)",
    "GROUP BY outcome ORDER BY outcome",
  ].join("\n");
}

/** One entry a span from the rows of `activityQuery`; without rows nothing happened. */
export function readActivity(rows: AnswerRow[]): Activity[] {
  return ACTIVITY_SPANS.map((seconds) => {
    const counts = rows.map((row): [string, number] => [textOf(row, "outcome"), numberOf(row, `last${seconds}`)]);
    const outcomes = Object.fromEntries(counts.filter(([, events]) => events > 0));
    const settled = counts.reduce((sum, [, events]) => sum + events, 0);
    return { seconds, settled, failed: outcomes.dead_letter ?? 0, outcomes };
  });
}
