/**
 * Recent activity of the pipeline, from the outcomes of raw objects. Limited to mail that arrived in a range of days,
 * because objects are keyed by address and day. Open dead letters and conflicts come from their own tables, however
 * old.
 */
import * as v from "valibot";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { adding, sumRows } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { IS_OPEN_DEAD_LETTER } from "./dead-letters.ts";
import { RUAS_OF_OBJECTS } from "./objects.ts";

/** Count of outcomes by their name (`accepted`, `duplicate`, …). */
export type OutcomeCounts = Record<string, number>;

/** Activity of the last `seconds`. */
export interface Activity {
  seconds: number;
  /** Reports and parts with an outcome, and how many of them are dead letters. */
  settled: number;
  failed: number;
  outcomes: OutcomeCounts;
}

/** The spans shown: five minutes, an hour, a day, a week. */
const ACTIVITY_SPANS = [300, 3600, 86_400, 604_800] as const;

/** Days of arrival covered by `status` and `activity`. */
export const ACTIVITY_DAYS = 7;

/** Common table expression `arrived`: finished objects of mail that arrived between two days (?1 and ?2). */
const ARRIVED = `${RUAS_OF_OBJECTS},
  arrived AS (
    SELECT o.generation, o.received_seconds, o.settled_seconds, o.outcomes, o.found, o.passed_over
    FROM ruas JOIN objects o ON o.rua = ruas.rua AND o.day BETWEEN ?1 AND ?2)`;

/** A reprocessed report has a separate outcome: it is counted again, but is not new. */
const OUTCOME = `CASE WHEN o.value ->> 'outcome' = 'accepted' AND arrived.generation > 1 THEN 'reprocessed'
  ELSE o.value ->> 'outcome' END`;

/** Open items need a person until they are resolved, so they are counted from their own tables. */
const OPEN = ["dead_letter", "conflict"];
const IS_OPEN = `(${OPEN.map((name) => `'${name}'`).join(", ")})`;

const countRow = v.object({ outcome: v.string(), events: v.number() });

/** Reports and parts by outcome, for mail of the last week; dead letters and conflicts are all open ones. */
export function outcomesQuery(nowSeconds: number): Query<{ outcome: string; events: number }> {
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY);
  return {
    ...query(
      `WITH RECURSIVE ${ARRIVED}
      SELECT ${OUTCOME} AS outcome, count(*) AS events FROM arrived JOIN json_each(arrived.outcomes) o
        WHERE o.value ->> 'outcome' NOT IN ${IS_OPEN} GROUP BY 1
      UNION ALL SELECT 'dead_letter', count(*) FROM dead_letters WHERE ${IS_OPEN_DEAD_LETTER} HAVING count(*) > 0
      UNION ALL SELECT 'conflict', count(*) FROM conflicts HAVING count(*) > 0
      ORDER BY outcome`,
      [today - ACTIVITY_DAYS, today + 1],
      countRow,
    ),
    combine: (parts) => sumRows(parts, ({ outcome }) => outcome, adding("events")),
  };
}

/** Counts by outcome. */
export function readOutcomes(rows: readonly { outcome: string; events: number }[]): OutcomeCounts {
  return Object.fromEntries(rows.map(({ outcome, events }) => [outcome, events]));
}

/** Parts found in mail, and their outcomes. */
export interface PartsBalance {
  /** Reports, files that could not be read, and parts passed over. */
  found: number;
  /** Parts by outcome; a conflict or dead letter stays counted as one after a person resolves it. */
  outcomes: OutcomeCounts;
  /** Parts that were evidently not reports, by kind. */
  passedOver: Record<string, number>;
}

const partsRow = v.object({ what: v.picklist(["found", "outcome", "passed"]), name: v.string(), parts: v.number() });

/** Parts of mail that arrived in the last week, as far as parts were counted when it was committed; see `readParts`. */
export function partsQuery(nowSeconds: number): Query<v.InferOutput<typeof partsRow>> {
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY);
  return query(
    `WITH RECURSIVE ${ARRIVED}
    SELECT 'found' AS what, '' AS name, coalesce(sum(found), 0) AS parts FROM arrived
    UNION ALL
    SELECT 'outcome', o.value ->> 'outcome', sum(coalesce(o.value ->> 'parts', 1))
      FROM arrived JOIN json_each(arrived.outcomes) o WHERE found IS NOT NULL GROUP BY 2
    UNION ALL
    SELECT 'passed', p.key, sum(p.value) FROM arrived JOIN json_each(arrived.passed_over) p GROUP BY 2`,
    [today - ACTIVITY_DAYS, today + 1],
    partsRow,
  );
}

/** The balance over the rows of one or several databases. */
export function readParts(rows: readonly v.InferOutput<typeof partsRow>[]): PartsBalance {
  const balance: PartsBalance = { found: 0, outcomes: {}, passedOver: {} };
  for (const { what, name, parts } of rows) {
    if (what === "found") balance.found += parts;
    else {
      const counts = what === "outcome" ? balance.outcomes : balance.passedOver;
      counts[name] = (counts[name] ?? 0) + parts;
    }
  }
  return balance;
}

/** Parts found without an outcome: must be 0. */
export function missingParts({ found, outcomes, passedOver }: PartsBalance): number {
  return [...Object.values(outcomes), ...Object.values(passedOver)].reduce((left, parts) => left - parts, found);
}

const activityRow = v.object({ outcome: v.string(), seconds: v.number(), events: v.number() });

/** Outcomes reached in each span, of mail that arrived within the longest; see `readActivity`. */
export function activityQuery(nowSeconds: number): Query<v.InferOutput<typeof activityRow>> {
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY);
  return query(
    `WITH RECURSIVE ${ARRIVED},
      ends AS MATERIALIZED (
        SELECT ${OUTCOME} AS outcome, arrived.settled_seconds AS at FROM arrived JOIN json_each(arrived.outcomes) o
          WHERE o.value ->> 'outcome' NOT IN ${IS_OPEN}
        UNION ALL SELECT 'dead_letter', filed_seconds FROM dead_letters WHERE ${IS_OPEN_DEAD_LETTER}
        UNION ALL SELECT 'conflict', filed_seconds FROM conflicts)
    SELECT outcome, s.value AS seconds, count(*) AS events
    FROM json_each(?3) s JOIN ends ON ends.at >= ?4 - s.value GROUP BY outcome, s.value`,
    [today - ACTIVITY_DAYS, today + 1, JSON.stringify(ACTIVITY_SPANS), nowSeconds],
    activityRow,
  );
}

/** One entry per span; no rows means no activity. */
export function readActivity(rows: readonly v.InferOutput<typeof activityRow>[]): Activity[] {
  return ACTIVITY_SPANS.map((span) => {
    const outcomes: OutcomeCounts = {};
    for (const { outcome, seconds, events } of rows) {
      if (seconds === span) outcomes[outcome] = (outcomes[outcome] ?? 0) + events;
    }
    const settled = Object.values(outcomes).reduce((sum, events) => sum + events, 0);
    return { seconds: span, settled, failed: outcomes.dead_letter ?? 0, outcomes };
  });
}

/** The step that outcomes are counted by, in seconds. */
export const OUTCOME_STEPS = { day: SECONDS_PER_DAY, hour: 3600 } as const;

export type OutcomeStep = keyof typeof OUTCOME_STEPS;

/** The number of reports with one outcome in one time step. */
export interface OutcomeCount {
  /** Days, or hours, since 1970-01-01 UTC. */
  at: number;
  outcome: string;
  events: number;
}

/** Days since 1970-01-01 UTC, both included. */
interface Days {
  firstDay: number;
  lastDay: number;
}

/** Outcomes by the day or hour they were reached (UTC), for mail that arrived on those days. */
export function outcomeStepsQuery({ firstDay, lastDay }: Days, step: OutcomeStep): Query<OutcomeCount> {
  const inStep = (seconds: string): string => `CAST(${seconds} / ${OUTCOME_STEPS[step]} AS INTEGER)`;
  const filed = `SELECT ${inStep("filed_seconds")}`;
  const isFiled = `filed_seconds >= ?1 * ${SECONDS_PER_DAY} AND filed_seconds < (?2 + 1) * ${SECONDS_PER_DAY}`;
  return {
    ...query(
      `WITH RECURSIVE ${ARRIVED}
      SELECT at, outcome, count(*) AS events FROM (
        SELECT ${inStep("arrived.settled_seconds")} AS at, ${OUTCOME} AS outcome
        FROM arrived JOIN json_each(arrived.outcomes) o WHERE o.value ->> 'outcome' NOT IN ${IS_OPEN}
        UNION ALL ${filed}, 'dead_letter' FROM dead_letters WHERE ${isFiled} AND ${IS_OPEN_DEAD_LETTER}
        UNION ALL ${filed}, 'conflict' FROM conflicts WHERE ${isFiled})
      GROUP BY at, outcome ORDER BY at, outcome LIMIT 10000`,
      [firstDay, lastDay],
      v.object({ at: v.number(), outcome: v.string(), events: v.number() }),
    ),
    combine: (parts) =>
      sumRows(parts, ({ at, outcome }) => `${at} ${outcome}`, adding("events")).sort((a, b) => a.at - b.at),
  };
}

/** From a mail's arrival to its outcome, seconds. */
export interface LatencyDay {
  day: number;
  medianSeconds: number;
  p95Seconds: number;
  maxSeconds: number;
}

const latencyRow = v.object({ day: v.number(), latency: v.number(), objects: v.number() });

/** How long objects took to finish for the first time, by day; in whole minutes from ten minutes on. */
export function latenciesQuery({ firstDay, lastDay }: Days): Query<v.InferOutput<typeof latencyRow>> {
  return query(
    `WITH RECURSIVE ${ARRIVED}
    SELECT day, CASE WHEN latency < 600 THEN latency ELSE 60 * CAST(latency / 60 AS INTEGER) END AS latency,
      count(*) AS objects
    FROM (SELECT CAST(settled_seconds / ${SECONDS_PER_DAY} AS INTEGER) AS day,
        max(0, settled_seconds - received_seconds) AS latency
      FROM arrived WHERE generation = 1)
    GROUP BY 1, 2 ORDER BY 1, 2`,
    [firstDay, lastDay],
    latencyRow,
  );
}

/** Latency by day, from the rows of `latenciesQuery`. */
export function readLatencies(rows: readonly v.InferOutput<typeof latencyRow>[]): LatencyDay[] {
  const days = new Map<number, { latency: number; objects: number }[]>();
  for (const { day, latency, objects } of rows) {
    const known = days.get(day);
    if (known === undefined) days.set(day, [{ latency, objects }]);
    else known.push({ latency, objects });
  }
  return [...days]
    .map(([day, found]) => {
      const sorted = found.toSorted((a, b) => a.latency - b.latency);
      return {
        day,
        medianSeconds: quantile(sorted, 0.5),
        p95Seconds: quantile(sorted, 0.95),
        maxSeconds: sorted.at(-1)?.latency ?? 0,
      };
    })
    .sort((a, b) => a.day - b.day);
}

/** The value that the given share of objects does not exceed (a quantile). */
function quantile(sorted: readonly { latency: number; objects: number }[], share: number): number {
  const total = sorted.reduce((sum, { objects }) => sum + objects, 0);
  let seen = 0;
  for (const { latency, objects } of sorted) {
    seen += objects;
    if (seen >= share * total) return latency;
  }
  return 0;
}
