/** Statements of the operations pages: outcomes and latency over time. Pure; see queries.ts for the rules they keep. */

import { SECONDS_PER_DAY } from "../report-day.ts";
import { numberOf, type Query, slotsOf, textOf } from "./collapse.ts";
import { DATASETS } from "./columns.ts";

/** What outcomes are counted by, in seconds. */
export const OUTCOME_STEPS = { day: SECONDS_PER_DAY, hour: 3600 } as const;

export type OutcomeStep = keyof typeof OUTCOME_STEPS;

/** How many reports reached one outcome in one step of time. */
export interface OutcomeCount {
  /** Days, or hours, since 1970-01-01 UTC. */
  at: number;
  outcome: string;
  events: number;
}

/**
 * Outcomes by the day, or the hour, they were reached (UTC). Every outcome counts, also one that a later one replaced: it
 * happened.
 *
 * @param days days since 1970-01-01 UTC, both included
 */
export function outcomesQuery(
  days: { firstDay: number; lastDay: number },
  step: OutcomeStep = "day",
): Query<OutcomeCount> {
  const slots = slotsOf("events");
  return {
    sql: [
      "SELECT step, outcome, sum(weight) AS events",
      `FROM (SELECT ${slots.eventId} AS eventId, ${slots.outcome} AS outcome, ${slots.generation} AS generation,`,
      `  intDiv(min(${slots.processedSeconds}), ${OUTCOME_STEPS[step]}) AS step, max(_sample_interval) AS weight`,
      `  FROM ${DATASETS.events.name} WHERE ${inDays(days)}`,
      "  GROUP BY eventId, outcome, generation)",
      "GROUP BY step, outcome ORDER BY step, outcome LIMIT 10000",
    ].join("\n"),
    read: (row) => ({
      at: numberOf(row, "step"),
      outcome: textOf(row, "outcome"),
      events: numberOf(row, "events"),
    }),
  };
}

/** From a mail's arrival to its outcome, seconds. */
export interface LatencyDay {
  day: number;
  medianSeconds: number;
  p95Seconds: number;
  maxSeconds: number;
}

/** Latency by the day the outcome was reached; days as in `outcomesQuery`. */
export function latencyDaysQuery(days: { firstDay: number; lastDay: number }): Query<LatencyDay> {
  const slots = slotsOf("events");
  const latency = `max(${slots.latencySeconds})`;
  return {
    sql: [
      "SELECT day, quantileExactWeighted(0.5)(latency, toUInt32(weight)) AS medianSeconds,",
      "  quantileExactWeighted(0.95)(latency, toUInt32(weight)) AS p95Seconds, max(latency) AS maxSeconds",
      `FROM (SELECT ${slots.eventId} AS eventId, ${slots.generation} AS generation, ${latency} AS latency,`,
      `  intDiv(min(${slots.processedSeconds}), ${SECONDS_PER_DAY}) AS day, max(_sample_interval) AS weight`,
      `  FROM ${DATASETS.events.name} WHERE ${inDays(days)} AND ${slots.outcome} IN ('accepted', 'reprocessed')`,
      "  GROUP BY eventId, generation)",
      "GROUP BY day ORDER BY day LIMIT 1000",
    ].join("\n"),
    read: (row) => ({
      day: numberOf(row, "day"),
      medianSeconds: numberOf(row, "medianSeconds"),
      p95Seconds: numberOf(row, "p95Seconds"),
      maxSeconds: numberOf(row, "maxSeconds"),
    }),
  };
}

function inDays({ firstDay, lastDay }: { firstDay: number; lastDay: number }): string {
  const { processedSeconds } = slotsOf("events");
  const [from, to] = [firstDay * SECONDS_PER_DAY, (lastDay + 1) * SECONDS_PER_DAY];
  return `${processedSeconds} >= ${from} AND ${processedSeconds} < ${to}`;
}
