/**
 * Support: the balance sheet. Reads what the ledger holds, and what Analytics Engine holds as the queries do (collapsed
 * on identity, newest generation first), and says every way in which they are not what they must be.
 */
import {
  type Column,
  DATASETS,
  type DataPoint,
  type DatasetId,
  slotPosition,
} from "../../../shared/analytics/columns.ts";
import { objectHash } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import type { Expected, Figures } from "./scenario.ts";
import type { Simulation } from "./simulation.ts";

/** The value of a column in a point. */
export function columnOf(dataset: DatasetId, name: string, point: DataPoint): string | number {
  return placeOf(dataset, name)(point);
}

const PLACES = new Map<string, (point: DataPoint) => string | number>();

// Found once a column: a day has thousands of points, and thousands of days are looked at.
function placeOf(dataset: DatasetId, name: string): (point: DataPoint) => string | number {
  const key = `${dataset} ${name}`;
  const known = PLACES.get(key);
  if (known !== undefined) return known;
  const columns: Record<string, Column> = DATASETS[dataset].columns;
  const column = columns[name];
  if (column === undefined) throw new Error(`There is no column ${name}.`);
  const position = slotPosition(column);
  const isBlob = column.slot.startsWith("blob");
  const place = (point: DataPoint) => (isBlob ? point.blobs : point.doubles)[position] ?? "";
  PLACES.set(key, place);
  return place;
}

/** What reads some columns of a point, as one text. */
function readerOf(dataset: DatasetId, names: string[]): (point: DataPoint) => string {
  const places = names.map((name) => placeOf(dataset, name));
  return (point) => JSON.stringify(places.map((place) => place(point)));
}

/** What an event tells of the delivery, and of which copy of a conflicting report it met. */
const TOLD_BY_THE_DELIVERY = ["processedSeconds", "attempts", "latencySeconds", "rua", "rawKey", "receivedSeconds"];

/** What is wrong with what the pipeline holds; empty when everything is as it must be. */
export async function imbalances(simulation: Simulation, expected: Expected): Promise<string[]> {
  return [
    ...contradictions(simulation, "records", ["reportUid", "ordinal"], []),
    ...contradictions(simulation, "events", ["eventId"], TOLD_BY_THE_DELIVERY),
    ...wrongReports("points", reportFigures(simulation), expected),
    ...wrongReports("the ledger", ledgerFigures(simulation), expected),
    ...wrongSums(simulation),
    ...wrongFigures(simulation),
    ...wrongParts(simulation),
    ...wrongEvents(simulation, expected),
    ...(await wrongObjects(simulation)),
    ...splitAccounts(simulation),
    ...Object.values(simulation.queues).flatMap(({ name, messages }) =>
      messages.length > 0 ? [`${name} is not empty`] : [],
    ),
  ];
}

/** The newest point of each identity. */
export function collapse(dataset: DatasetId, identity: string[], points: DataPoint[]): DataPoint[] {
  const newest = new Map<string, DataPoint>();
  const identityOf = readerOf(dataset, identity);
  for (const point of points) {
    const key = identityOf(point);
    const known = newest.get(key);
    const generation = Number(columnOf(dataset, "generation", point));
    if (known === undefined || Number(columnOf(dataset, "generation", known)) < generation) newest.set(key, point);
  }
  return [...newest.values()];
}

/** Events by their newest outcome, ids. */
export function eventsByOutcome(simulation: Simulation): Map<string, string[]> {
  const byOutcome = new Map<string, string[]>();
  for (const event of collapse("events", ["eventId"], simulation.points.events)) {
    const outcome = String(columnOf("events", "outcome", event));
    byOutcome.set(outcome, [...(byOutcome.get(outcome) ?? []), String(columnOf("events", "eventId", event))]);
  }
  return byOutcome;
}

/** `account/report id` → records and messages as points. */
export function reportFigures(simulation: Simulation): Record<string, Figures> {
  const found: Record<string, Figures> = {};
  for (const point of collapse("records", ["reportUid", "ordinal"], simulation.points.records)) {
    const column = (name: string) => columnOf("records", name, point);
    if (column("live") !== 1) continue;
    const name = `${column("account")}/${column("reportId")}`;
    const figures = found[name] ?? { records: 0, messages: 0 };
    found[name] = { records: figures.records + 1, messages: figures.messages + Number(column("count")) };
  }
  return found;
}

/** `account/report id` → records and messages of the reports the ledger has accepted. */
export function ledgerFigures(simulation: Simulation): Record<string, Figures> {
  const rows = simulation.rows<{ name: string; records: number; messages: number }>(
    `SELECT account || '/' || report_id AS name, sum(records) AS records, sum(total) AS messages FROM reports
    WHERE kind = 'aggregate' AND state = 'accepted' GROUP BY account, report_id`,
  );
  return Object.fromEntries(rows.map(({ name, records, messages }) => [name, { records, messages }]));
}

/** Outcomes of all objects. */
export function outcomesOf(simulation: Simulation): Outcome[] {
  return simulation
    .rows<{ outcomes: string }>("SELECT outcomes FROM objects ORDER BY rua, day, object_hash")
    .flatMap(({ outcomes }) => JSON.parse(outcomes) as Outcome[]);
}

// Something became of every part that was found in an object.
function wrongParts(simulation: Simulation): string[] {
  return simulation
    .rows<{ hash: string; found: number; told: number; passed: number; outcomes: string }>(
      `SELECT lower(hex(object_hash)) AS hash, found, outcomes,
        (SELECT coalesce(sum(coalesce(o.value ->> 'parts', 1)), 0) FROM json_each(outcomes) o) AS told,
        (SELECT coalesce(sum(p.value), 0) FROM json_each(passed_over) p) AS passed
      FROM objects`,
    )
    .filter(({ found, told, passed }) => found !== told + passed)
    .map(({ hash, found, outcomes }) => `${found} parts were found in ${hash}, which became ${outcomes}`);
}

// Points of one identity and of its newest generation must say the same: which of them a query takes is chance.
function contradictions(
  simulation: Simulation,
  dataset: "records" | "events",
  identity: string[],
  free: string[],
): string[] {
  const points = simulation.points[dataset];
  const identityOf = readerOf(dataset, identity);
  const generationOf = readerOf(dataset, ["generation"]);
  const textOf = readerOf(
    dataset,
    Object.keys(DATASETS[dataset].columns).filter((name) => !free.includes(name)),
  );
  const newest = new Map(collapse(dataset, identity, points).map((point) => [identityOf(point), point]));
  const wrong = new Set<string>();
  for (const point of points) {
    const key = identityOf(point);
    const known = newest.get(key);
    if (known === undefined || generationOf(known) !== generationOf(point)) continue;
    const [a, b] = [textOf(known), textOf(point)];
    if (a !== b) wrong.add(`${dataset} ${key} says two things: ${a} and ${b}`);
  }
  return [...wrong];
}

function wrongReports(where: string, found: Record<string, Figures>, { reports }: Expected): string[] {
  const wrong: string[] = [];
  for (const name of new Set([...Object.keys(found), ...Object.keys(reports)])) {
    const versions = (reports[name] ?? []).map((figures) => JSON.stringify(figures));
    const figures = JSON.stringify(found[name]);
    if (!versions.includes(figures)) wrong.push(`${where}: ${name} has ${figures}, not ${versions.join(" or ")}`);
  }
  return wrong;
}

// Sums by day are those of the reports.
function wrongSums(simulation: Simulation): string[] {
  const columns = "account, kind, domain, day";
  const sums = `sum(records) AS records, sum(total) AS total, sum(passed) AS passed, sum(dkim_aligned) AS dkim,
    sum(spf_aligned) AS spf, sum(quarantined) AS quarantined, sum(rejected) AS rejected`;
  const ofReports = simulation.rows(
    `SELECT ${columns}, sum(place = 0) AS reports, ${sums} FROM reports WHERE state = 'accepted'
    GROUP BY ${columns} ORDER BY ${columns}`,
  );
  const ofDays = simulation.rows(
    `SELECT ${columns}, sum(reports) AS reports, ${sums} FROM domain_days GROUP BY ${columns} ORDER BY ${columns}`,
  );
  const [reports, days] = [JSON.stringify(ofReports), JSON.stringify(ofDays)];
  return reports === days ? [] : [`sums by day are ${days}, those of the reports ${reports}`];
}

// Figures of a report add up to its messages.
function wrongFigures(simulation: Simulation): string[] {
  return simulation
    .rows<{ name: string; total: number; figures: number }>(
      `SELECT account || '/' || report_id AS name, total,
        (SELECT coalesce(sum(f.value), 0) FROM json_each(r.figures) f)
        + (SELECT coalesce(sum(f.value), 0) FROM report_figures c JOIN json_each(c.figures) f WHERE c.reading = r.reading)
        AS figures
      FROM reports r WHERE kind = 'aggregate' AND state = 'accepted'`,
    )
    .filter(({ total, figures }) => total !== figures)
    .map(({ name, total, figures }) => `${name} has ${total} messages, its figures ${figures}`);
}

function wrongEvents(simulation: Simulation, expected: Expected): string[] {
  const events = eventsByOutcome(simulation);
  const count = (...outcomes: string[]): number =>
    outcomes.reduce((sum, outcome) => sum + (events.get(outcome)?.length ?? 0), 0);
  const failures = collapse("failures", ["reportUid", "ordinal"], simulation.points.failures).length;
  const accepted = count("accepted", "reprocessed");
  const wrong: string[] = [];
  const reports = Object.keys(expected.reports).length;
  if (accepted !== reports + failures) wrong.push(`${accepted} reports accepted, not ${reports} + ${failures}`);
  const places: [string, string, number][] = [
    ["dead_letter", "dead_letters WHERE discarded_seconds = 0", expected.deadLetters],
    ["conflict", "conflicts", expected.conflicts],
  ];
  for (const [outcome, table, wanted] of places) {
    const told = (events.get(outcome) ?? []).sort().join();
    const kept = simulation
      .rows<{ id: string }>(`SELECT id FROM ${table}`)
      .map(({ id }) => id)
      .sort()
      .join();
    if (count(outcome) !== wanted) wrong.push(`${count(outcome)} ${table} by events, not ${wanted}`);
    if (told !== kept) wrong.push(`${table} of the ledger are not those of the events: ${kept} and ${told}`);
  }
  return wrong;
}

// All that is kept of an account is in its database; what is of no account is there too, or in the first one.
function splitAccounts(simulation: Simulation): string[] {
  const accounts = new Map(
    simulation
      .rows<{ account: string; shard: number }>("SELECT account, shard FROM accounts")
      .map((row) => [row.account, row]),
  );
  const tables = ["objects", "reports", "domain_days", "day_figures", "dead_letters", "conflicts"];
  return simulation.ledgers.flatMap(({ sqlite }, shard) =>
    tables.flatMap((table) => {
      const found = sqlite.prepare(`SELECT DISTINCT account FROM ${table} WHERE account <> ''`).all();
      return found
        .filter(({ account }) => accounts.get(String(account))?.shard !== shard)
        .map(({ account }) => `${table} of ${account} are in database ${shard}`);
    }),
  );
}

// Every raw object has an outcome, and everything an outcome names is there.
async function wrongObjects(simulation: Simulation): Promise<string[]> {
  const wrong: string[] = [];
  const kept = simulation.rows<{ hash: string; removed: number }>(
    "SELECT lower(hex(object_hash)) AS hash, raw_removed AS removed FROM objects",
  );
  const settled = new Set(kept.map(({ hash }) => hash));
  for (const key of simulation.bucket.keys("raw/")) {
    if (!settled.has(await objectHash(key))) wrong.push(`${key} has no outcome`);
  }
  const removed = kept.filter((object) => object.removed === 1).length;
  if (kept.length !== simulation.bucket.keys("raw/").length + removed)
    wrong.push("there are objects that are not in R2");
  const ids = new Set(
    simulation
      .rows<{ id: string }>(
        "SELECT id FROM dead_letters UNION SELECT id FROM conflicts UNION SELECT lower(hex(uid)) FROM reports",
      )
      .map(({ id }) => id),
  );
  for (const { outcome, id } of outcomesOf(simulation)) {
    if (outcome !== "discarded" && !ids.has(id)) wrong.push(`${outcome} ${id} is not there`);
  }
  const due = simulation.rows("SELECT * FROM slices WHERE instr(state, '0') > 0");
  if (due.length > 0) wrong.push(`slices are due: ${JSON.stringify(due)}`);
  return wrong;
}
