/**
 * Support: the balance sheet. Reads what Analytics Engine and R2 hold as the queries do (collapsed on identity, newest
 * generation first) and says every way in which it is not what it must be.
 */
import {
  type Column,
  DATASETS,
  type DataPoint,
  type DatasetId,
  slotPosition,
} from "../../../shared/analytics/columns.ts";
import type { Receipt } from "../../../shared/storage.ts";
import type { Expected } from "./scenario.ts";
import type { World } from "./world.ts";

/** The value of a column in a point. */
export function columnOf(dataset: DatasetId, name: string, point: DataPoint): string | number {
  const columns: Record<string, Column> = DATASETS[dataset].columns;
  const column = columns[name];
  if (column === undefined) throw new Error(`There is no column ${name}.`);
  const values: (string | number)[] = column.slot.startsWith("blob") ? point.blobs : point.doubles;
  return values[slotPosition(column)] ?? "";
}

/** What an event tells of the delivery, and of which copy of a conflicting report it met. */
const TOLD_BY_THE_DELIVERY = ["processedSeconds", "attempts", "latencySeconds", "rua", "rawKey", "receivedSeconds"];

/** What is wrong with what the pipeline holds; empty when everything is as it must be. */
export function imbalances(world: World, expected: Expected): string[] {
  return [
    ...contradictions(world, "records", ["reportUid", "ordinal"], []),
    ...contradictions(world, "events", ["eventId"], TOLD_BY_THE_DELIVERY),
    ...wrongReports(world, expected),
    ...wrongEvents(world, expected),
    ...wrongObjects(world),
    ...Object.values(world.queues).flatMap(({ name, messages }) =>
      messages.length > 0 ? [`${name} is not empty`] : [],
    ),
  ];
}

/** The newest point of each identity. */
export function collapse(dataset: DatasetId, identity: string[], points: DataPoint[]): DataPoint[] {
  const newest = new Map<string, DataPoint>();
  for (const point of points) {
    const key = JSON.stringify(identity.map((name) => columnOf(dataset, name, point)));
    const known = newest.get(key);
    const generation = Number(columnOf(dataset, "generation", point));
    if (known === undefined || Number(columnOf(dataset, "generation", known)) < generation) newest.set(key, point);
  }
  return [...newest.values()];
}

/** Events by their newest outcome, ids. */
export function eventsByOutcome(world: World): Map<string, string[]> {
  const byOutcome = new Map<string, string[]>();
  for (const event of collapse("events", ["eventId"], world.points.events)) {
    const outcome = String(columnOf("events", "outcome", event));
    byOutcome.set(outcome, [...(byOutcome.get(outcome) ?? []), String(columnOf("events", "eventId", event))]);
  }
  return byOutcome;
}

/** `account/report id` → records and messages in the data. */
export function reportFigures(world: World): Record<string, { records: number; messages: number }> {
  const found: Record<string, { records: number; messages: number }> = {};
  for (const point of collapse("records", ["reportUid", "ordinal"], world.points.records)) {
    const column = (name: string) => columnOf("records", name, point);
    if (column("live") !== 1) continue;
    const name = `${column("account")}/${column("reportId")}`;
    const figures = found[name] ?? { records: 0, messages: 0 };
    found[name] = { records: figures.records + 1, messages: figures.messages + Number(column("count")) };
  }
  return found;
}

// Points of one identity and generation must say the same: which of them a query takes is chance.
function contradictions(world: World, dataset: "records" | "events", identity: string[], free: string[]): string[] {
  const told = new Map<string, string>();
  const wrong = new Set<string>();
  const names = Object.keys(DATASETS[dataset].columns).filter((name) => !free.includes(name));
  for (const point of world.points[dataset]) {
    const key = JSON.stringify([...identity, "generation"].map((name) => columnOf(dataset, name, point)));
    const text = JSON.stringify(names.map((name) => columnOf(dataset, name, point)));
    const known = told.get(key);
    if (known === undefined) told.set(key, text);
    else if (known !== text) wrong.add(`${dataset} ${key} says two things: ${known} and ${text}`);
  }
  return [...wrong];
}

function wrongReports(world: World, { reports }: Expected): string[] {
  const found = reportFigures(world);
  const wrong: string[] = [];
  for (const name of new Set([...Object.keys(found), ...Object.keys(reports)])) {
    const versions = (reports[name] ?? []).map((figures) => JSON.stringify(figures));
    const figures = JSON.stringify(found[name]);
    if (!versions.includes(figures)) wrong.push(`${name} has ${figures}, not ${versions.join(" or ")}`);
  }
  return wrong;
}

function wrongEvents(world: World, expected: Expected): string[] {
  const events = eventsByOutcome(world);
  const count = (...outcomes: string[]): number =>
    outcomes.reduce((sum, outcome) => sum + (events.get(outcome)?.length ?? 0), 0);
  const failures = collapse("failures", ["reportUid", "ordinal"], world.points.failures).length;
  const accepted = count("accepted", "reprocessed");
  const wrong: string[] = [];
  const reports = Object.keys(expected.reports).length;
  if (accepted !== reports + failures) wrong.push(`${accepted} reports accepted, not ${reports} + ${failures}`);
  if (count("dead_letter") !== expected.deadLetters) {
    wrong.push(`${count("dead_letter")} dead letters by events, not ${expected.deadLetters}`);
  }
  if (count("conflict") !== expected.conflicts) wrong.push(`${count("conflict")} conflicts, not ${expected.conflicts}`);
  const letters = idsOf(world.bucket.keys("dead-letters/"));
  if (letters.join() !== (events.get("dead_letter") ?? []).sort().join()) {
    wrong.push(`dead letters in R2 are not those of the events: ${letters.join()}`);
  }
  const conflicts = idsOf(world.bucket.keys("conflicts/"));
  if (conflicts.join() !== (events.get("conflict") ?? []).sort().join()) {
    wrong.push(`conflicts in R2 are not those of the events: ${conflicts.join()}`);
  }
  return wrong;
}

// Every raw object has a receipt, and everything a receipt names is there.
function wrongObjects({ bucket }: World): string[] {
  const wrong: string[] = [];
  for (const key of bucket.keys("raw/")) {
    const receiptKey = key.replace(/^raw\//, "receipts/");
    if (bucket.describe(receiptKey) === null) {
      wrong.push(`${key} has no receipt`);
      continue;
    }
    for (const outcome of bucket.json<Receipt>(receiptKey).outcomes) {
      if (outcome.key !== "" && bucket.describe(outcome.key) === null) wrong.push(`${outcome.key} is not there`);
    }
  }
  const kept = bucket.keys("raw/").length;
  const removed = bucket.keys("receipts/").filter((key) => bucket.json<Receipt>(key).rawRemoved).length;
  if (bucket.keys("receipts/").length !== kept + removed) wrong.push("there are receipts without a raw object");
  return wrong;
}

function idsOf(keys: string[]): string[] {
  return keys.map((key) => key.replace(/^.*\/|\.json$/g, "")).sort();
}
