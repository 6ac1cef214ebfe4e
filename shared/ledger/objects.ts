/** Raw objects that have an outcome. An object in R2 without a row here is unfinished. */
import * as v from "valibot";
import { sha256Text } from "../identity.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { ask, type Change, jsonColumn, type LedgerDatabase, type OneCall, type Query, query } from "./database.ts";
import { type Outcome, outcomesColumn, outcomesText } from "./outcomes.ts";

/** Names a raw object. */
export interface ObjectReference {
  rua: string;
  rawKey: string;
  /** When the mail arrived, seconds since 1970 UTC. */
  receivedSeconds: number;
}

/** Names the raw object of a message. */
export function objectReference({
  key,
  rua,
  receivedSeconds,
}: {
  key: string;
  rua: string;
  receivedSeconds: number;
}): ObjectReference {
  return { rawKey: key, rua, receivedSeconds };
}

/** The parts found in an object. */
export interface FoundParts {
  /** Reports, unreadable parts, and parts passed over; undefined if it was committed before this was counted. */
  found: number | undefined;
  /** Parts that are evidently not reports: kind → count. */
  passedOver: Record<string, number>;
}

export interface FinishedObject extends FoundParts {
  rawKey: string;
  account: string;
  version: number;
  generation: number;
  finishedSeconds: number;
  records: number;
  /** As in ObjectRow. */
  reporter: number;
  reports: number;
  outcomes: Outcome[];
  /** Those that only a newer version knows, which was taken back since. */
  newerOutcomes: unknown[];
  rawRemoved: boolean;
}

/** First 16 bytes of the SHA-256 of a raw key, hex. */
export async function objectHash(rawKey: string): Promise<string> {
  return (await sha256Text(rawKey)).slice(0, 32);
}

const row = v.pipe(
  v.object({
    rawKey: v.string(),
    account: v.string(),
    version: v.number(),
    generation: v.number(),
    finishedSeconds: v.number(),
    records: v.number(),
    reporter: v.number(),
    reports: v.number(),
    outcomes: outcomesColumn,
    found: v.pipe(
      v.nullable(v.number()),
      v.transform((found) => found ?? undefined),
    ),
    passedOver: v.pipe(
      v.nullable(jsonColumn(v.record(v.string(), v.number()))),
      v.transform((passedOver) => passedOver ?? {}),
    ),
    rawRemoved: v.pipe(
      v.number(),
      v.transform((value) => value === 1),
    ),
  }),
  v.transform(({ outcomes, ...found }): FinishedObject => ({ ...found, ...outcomes })),
);

/**
 * Table for `WITH RECURSIVE`: `ruas` has each RUA address that has objects, from one to the next in the primary key, so that rows of
 * other days, which are most, are not read.
 */
export const RUAS_OF_OBJECTS = `ruas(rua) AS (
    SELECT min(rua) FROM objects
    UNION ALL
    SELECT (SELECT min(o.rua) FROM objects o WHERE o.rua > ruas.rua) FROM ruas WHERE rua IS NOT NULL)`;

/** What identifies an object's row: its address, the day it arrived, and its hash in hex. */
export async function objectKey({ rua, rawKey, receivedSeconds }: ObjectReference): Promise<[string, number, string]> {
  return [rua, Math.floor(receivedSeconds / SECONDS_PER_DAY), await objectHash(rawKey)];
}

/** Looks up objects by their raw keys. @returns those that are finished */
export async function findObjects(
  database: LedgerDatabase,
  references: readonly ObjectReference[],
): Promise<Map<string, FinishedObject>> {
  if (references.length === 0) return new Map();
  return byRawKey(await ask(database, await objectsQuery(references)));
}

/** Adds the lookup of `findObjects` to a call. @returns what it finds, as `OneCall.add` does */
export async function addObjects(
  call: OneCall,
  references: readonly ObjectReference[],
): Promise<() => Map<string, FinishedObject>> {
  const found = call.add(await objectsQuery(references));
  return () => byRawKey(found());
}

async function objectsQuery(references: readonly ObjectReference[]): Promise<Query<FinishedObject>> {
  const wanted = await Promise.all(
    references.map(async (reference) => [...(await objectKey(reference)), reference.rawKey]),
  );
  return query(
    `SELECT w.value ->> 3 AS rawKey, o.account, o.version, o.generation, o.settled_seconds AS finishedSeconds,
      o.records, o.reporter, o.reports, o.outcomes, o.found, o.passed_over AS passedOver, o.raw_removed AS rawRemoved
    FROM json_each(?1) w
    JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)`,
    [JSON.stringify(wanted)],
    row,
  );
}

function byRawKey(found: readonly FinishedObject[]): Map<string, FinishedObject> {
  return new Map(found.map((object) => [object.rawKey, object]));
}

/** The fault that some objects cannot be read again: an outcome that only a newer version knows would be lost. */
export function faultOfNewer(objects: readonly FinishedObject[]): Error | undefined {
  const found = objects.find(({ newerOutcomes }) => newerOutcomes.length > 0);
  if (found === undefined) return undefined;
  const what = `What became of ${found.rawKey} was stored by a newer version`;
  return new Error(`${what}: deploy that one again, then retry this.`);
}

/** Which of many objects are finished. @returns their raw keys */
export async function finishedKeys(
  database: LedgerDatabase,
  references: readonly ObjectReference[],
): Promise<Set<string>> {
  if (references.length === 0) return new Set();
  const wanted = await Promise.all(references.map(objectKey));
  const found = await ask(
    database,
    query(
      `SELECT w.key AS place FROM json_each(?1) w
      JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)`,
      [JSON.stringify(wanted)],
      v.object({ place: v.number() }),
    ),
  );
  return new Set(found.map(({ place }) => references[place]?.rawKey ?? ""));
}

/** How many objects were processed in each of the given generations, or later. */
export function objectsRunAgainQuery(generations: readonly number[]): Query<{ generation: number; objects: number }> {
  return query(
    `SELECT w.value AS generation,
      (SELECT count(*) FROM objects WHERE generation > 1 AND generation >= w.value) AS objects
    FROM json_each(?1) w`,
    [JSON.stringify(generations)],
    v.object({ generation: v.number(), objects: v.number() }),
  );
}

/**
 * How many objects that arrived between two days have an outcome and are still in R2; days since 1970-01-01 UTC, both
 * included.
 */
export function countObjectsQuery({ firstDay, lastDay }: { firstDay: number; lastDay: number }): Query<{
  objects: number;
}> {
  return query(
    `WITH RECURSIVE ${RUAS_OF_OBJECTS}
    SELECT count(*) AS objects FROM ruas JOIN objects o ON o.rua = ruas.rua AND o.day BETWEEN ?1 AND ?2
      WHERE o.raw_removed = 0`,
    [firstDay, lastDay],
    v.object({ objects: v.number() }),
  );
}

/** The number of unfinished raw objects of one day, when last counted. */
export interface UnfinishedDay {
  day: number;
  objects: number;
  seenSeconds: number;
}

/** Stores the number of unfinished objects of a day; 0 removes the day. */
export function putUnfinished({ day, objects, seenSeconds }: UnfinishedDay): Change {
  if (objects === 0) return { sql: "DELETE FROM unfinished_days WHERE day = ?1", parameters: [day] };
  return {
    sql: `INSERT INTO unfinished_days (day, objects, seen_seconds) VALUES (?1, ?2, ?3)
      ON CONFLICT (day) DO UPDATE SET objects = excluded.objects, seen_seconds = excluded.seen_seconds`,
    parameters: [day, objects, seenSeconds],
  };
}

/** The days with unfinished objects, newest first. */
export function unfinishedDays(database: LedgerDatabase): Promise<UnfinishedDay[]> {
  return ask(
    database,
    query(
      "SELECT day, objects, seen_seconds AS seenSeconds FROM unfinished_days ORDER BY day DESC",
      [],
      v.object({ day: v.number(), objects: v.number(), seenSeconds: v.number() }),
    ),
  );
}

/** The row of an object. */
export interface ObjectRow extends ObjectReference, FoundParts {
  account: string;
  /** Version it had when it was looked up; 0 = none. */
  version: number;
  generation: number;
  records: number;
  /** The reporter as a number, negative if the mail is not authenticated for it, 0 if it holds no report. */
  reporter: number;
  /** Reports found in it. */
  reports: number;
  outcomes: readonly Outcome[];
  newerOutcomes?: readonly unknown[];
  rawRemoved: boolean;
}

/** The row of an object with some fields changed; the row of a new one if it is not finished. */
export function changedRow(
  reference: ObjectReference,
  finished: FinishedObject | undefined,
  changes: Pick<ObjectRow, "generation"> & Partial<ObjectRow>,
): ObjectRow {
  return { ...NEW_ROW, ...finished, ...reference, ...changes };
}

const NEW_ROW: Omit<ObjectRow, keyof ObjectReference | "generation"> = {
  account: "",
  version: 0,
  records: 0,
  reporter: 0,
  reports: 0,
  outcomes: [],
  rawRemoved: false,
  found: 0,
  passedOver: {},
};

/** Writes the rows of objects, replacing existing ones. */
export async function putObjects(rows: readonly ObjectRow[], nowSeconds: number): Promise<Change> {
  const values = await Promise.all(
    rows.map(async (object) => [
      ...(await objectKey(object)),
      object.account,
      object.version + 1,
      object.generation,
      object.receivedSeconds,
      nowSeconds,
      object.records,
      outcomesText([...object.outcomes, ...(object.newerOutcomes ?? [])]),
      object.rawRemoved ? 1 : 0,
      object.reporter,
      object.reports,
      object.found ?? null,
      Object.keys(object.passedOver).length === 0 ? null : JSON.stringify(object.passedOver),
    ]),
  );
  return {
    sql: `INSERT INTO objects (rua, day, object_hash, account, version, generation, received_seconds, settled_seconds,
        records, outcomes, raw_removed, reporter, reports, found, passed_over)
      SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6,
        value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, value ->> 12,
        value ->> 13, value ->> 14
      FROM json_each(?1) WHERE true
      ON CONFLICT (rua, day, object_hash) DO UPDATE SET account = excluded.account, version = excluded.version,
        generation = excluded.generation, settled_seconds = excluded.settled_seconds, records = excluded.records,
        outcomes = excluded.outcomes, raw_removed = excluded.raw_removed,
        reporter = excluded.reporter, reports = excluded.reports, found = excluded.found,
        passed_over = excluded.passed_over`,
    parameters: [JSON.stringify(values)],
  };
}

/** An object and the version it was looked up in. */
export type ObjectVersion = ObjectReference & Pick<ObjectRow, "version">;

/** Removes the rows of objects that moved to another database. */
export async function removeObjects(rows: readonly ObjectVersion[]): Promise<Change> {
  return {
    sql: `DELETE FROM objects WHERE (rua, day, object_hash) IN
      (SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?1))`,
    parameters: [JSON.stringify(await Promise.all(rows.map(objectKey)))],
  };
}

/** One outcome of an object, and what it is from now on. */
export interface ReplacedOutcome {
  object: ObjectReference;
  before: Pick<Outcome, "outcome" | "part" | "id">;
  after: Outcome;
}

/** Replaces outcomes of objects that are not read again yet. Nothing happens where an object has no such outcome. */
export async function replaceOutcomes(replaced: readonly ReplacedOutcome[]): Promise<Change> {
  const byObject = new Map<string, [rua: string, day: number, objectHash: string, outcomes: unknown[]]>();
  for (const { object, before, after } of replaced) {
    const row = byObject.get(object.rawKey) ?? [...(await objectKey(object)), []];
    row[3].push([before.outcome, before.id, before.part, outcomesText([after])]);
    byObject.set(object.rawKey, row);
  }
  const isReplaced = `r.value ->> 0 = one.value ->> 'outcome' AND r.value ->> 1 = one.value ->> 'id'
    AND r.value ->> 2 = coalesce(one.value ->> 'part', '')`;
  return {
    sql: `UPDATE objects SET version = version + 1, outcomes = (
        SELECT json_group_array(json(coalesce(
          (SELECT r.value ->> 3 ->> 0 FROM json_each(w.value, '$[3]') r WHERE ${isReplaced}), one.value)))
        FROM json_each(objects.outcomes) one)
      FROM json_each(?1) w
      WHERE rua = w.value ->> 0 AND day = w.value ->> 1 AND object_hash = unhex(w.value ->> 2)
        AND EXISTS (SELECT 1 FROM json_each(objects.outcomes) one JOIN json_each(w.value, '$[3]') r ON ${isReplaced})`,
    parameters: [JSON.stringify([...byObject.values()])],
  };
}

/** Aborts the transaction if an object's version has changed since the lookup. */
export async function assertObjects(rows: readonly ObjectVersion[]): Promise<Change> {
  const expected = await Promise.all(rows.map(async (object) => [...(await objectKey(object)), object.version]));
  return {
    sql: `INSERT INTO assertions (unchanged)
      SELECT 0 FROM json_each(?1) w
      LEFT JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)
      WHERE coalesce(o.version, 0) <> w.value ->> 3 LIMIT 1`,
    parameters: [JSON.stringify(expected)],
  };
}
