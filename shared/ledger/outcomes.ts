/** The outcomes of a raw object, part by part, as stored in its row. */
import * as v from "valibot";
import { jsonColumn } from "./database.ts";
import { REPORT_KINDS } from "./report-rows.ts";

/** The first row of a report. */
const place = {
  account: v.string(),
  kind: v.optional(v.picklist(REPORT_KINDS), "aggregate"),
  domain: v.string(),
  day: v.number(),
};

const outcome = v.variant("outcome", [
  v.object({ outcome: v.literal("accepted"), part: v.optional(v.string(), ""), id: v.string(), ...place }),
  /** `points`: the report's points, some of which may have been written before it was known not to count. */
  v.object({
    outcome: v.literal("duplicate"),
    part: v.optional(v.string(), ""),
    id: v.string(),
    points: v.number(),
    ...place,
  }),
  /** `uid`: the report it is in conflict with; the row named is that report's. */
  v.object({
    outcome: v.literal("conflict"),
    part: v.optional(v.string(), ""),
    id: v.string(),
    uid: v.string(),
    points: v.number(),
    ...place,
  }),
  /** An operator took the report back. */
  v.object({ outcome: v.literal("taken_back"), part: v.optional(v.string(), ""), id: v.string(), ...place }),
  /** `parts`: the number of parts it stands for; absent = 1. */
  v.object({
    outcome: v.literal("dead_letter"),
    part: v.optional(v.string(), ""),
    id: v.string(),
    parts: v.optional(v.number()),
  }),
  /** A person or a setting decided against it. `id` is that of the dead letter or conflict, if it was one. */
  v.object({
    outcome: v.literal("discarded"),
    part: v.optional(v.string(), ""),
    id: v.string(),
    parts: v.optional(v.number()),
  }),
]);

/** The outcome of one report or part. `id`: uid of the report, or id of the dead letter or conflict. */
export type Outcome = v.InferOutput<typeof outcome>;

/** Whether any report of an object has been decided before. */
export function wasDecided(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({ outcome }) => outcome !== "dead_letter" && outcome !== "discarded");
}

/** The number of parts that outcomes stand for. */
export function countParts(outcomes: readonly CountedOutcome[]): number {
  return outcomes.reduce((sum, { parts = 1 }) => sum + parts, 0);
}

/** Outcome → the number of parts that have it. */
export function countOutcomes(outcomes: readonly CountedOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of outcomes) counts[one.outcome] = (counts[one.outcome] ?? 0) + countParts([one]);
  return counts;
}

/** The outcomes discarded by a person: they have a dead letter; those discarded by a setting have none. */
export function discardedByPeople(outcomes: readonly Outcome[], deadLetters: ReadonlyMap<string, unknown>): Outcome[] {
  return outcomes.filter(({ outcome, id }) => outcome === "discarded" && deadLetters.has(id));
}

/** The outcomes of an object: those that this version knows, and as they are stored those that only a newer one does. */
export const outcomesColumn = v.pipe(
  jsonColumn(v.array(v.unknown())),
  v.transform((stored) => {
    const outcomes: Outcome[] = [];
    const newerOutcomes: unknown[] = [];
    for (const one of stored) {
      const known = v.safeParse(outcome, one);
      if (known.success) outcomes.push(known.output);
      else newerOutcomes.push(one);
    }
    return { outcomes, newerOutcomes };
  }),
);

/** What is counted of outcomes, also of those that only a newer version knows. */
const countedOutcome = v.object({ outcome: v.string(), parts: v.optional(v.number()) });
type CountedOutcome = v.InferOutput<typeof countedOutcome>;

export const outcomeNamesColumn = jsonColumn(v.array(countedOutcome));

/** Outcomes as stored: without default values. */
export function outcomesText(outcomes: readonly unknown[]): string {
  return JSON.stringify(outcomes, (name, value: unknown) =>
    (name === "part" && value === "") || (name === "kind" && value === "aggregate") ? undefined : value,
  );
}
