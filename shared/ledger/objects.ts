/** Raw objects that have reached their outcome. One that is in R2 and has no row here is unfinished. */
import * as v from "valibot";
import { sha256Hex } from "../identity.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { ask, type Change, type LedgerDatabase, query } from "./database.ts";
import { type Outcome, outcomesColumn } from "./outcomes.ts";

/** Names a raw object. */
export interface ObjectReference {
  rua: string;
  rawKey: string;
  /** When the mail arrived, seconds since 1970 UTC. */
  receivedSeconds: number;
}

/** A settled object. */
export interface SettledObject {
  rawKey: string;
  account: string;
  version: number;
  generation: number;
  settledSeconds: number;
  records: number;
  outcomes: Outcome[];
  rawRemoved: boolean;
}

/** First 16 bytes of the SHA-256 of a raw key, hex. */
export async function objectHash(rawKey: string): Promise<string> {
  return (await sha256Hex(new Uint8Array(new TextEncoder().encode(rawKey)))).slice(0, 32);
}

const row = v.object({
  rawKey: v.string(),
  account: v.string(),
  version: v.number(),
  generation: v.number(),
  settledSeconds: v.number(),
  records: v.number(),
  outcomes: outcomesColumn,
  rawRemoved: v.pipe(
    v.number(),
    v.transform((value) => value === 1),
  ),
});

/** Looks up objects by their raw keys. @returns those that are settled */
export async function findObjects(
  database: LedgerDatabase,
  references: readonly ObjectReference[],
): Promise<Map<string, SettledObject>> {
  const wanted = await Promise.all(
    references.map(async ({ rua, rawKey, receivedSeconds }) => [
      rua,
      Math.floor(receivedSeconds / SECONDS_PER_DAY),
      await objectHash(rawKey),
      rawKey,
    ]),
  );
  const found = await ask(
    database,
    query(
      `SELECT w.value ->> 3 AS rawKey, o.account, o.version, o.generation, o.settled_seconds AS settledSeconds,
        o.records, o.outcomes, o.raw_removed AS rawRemoved
      FROM json_each(?1) w
      JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)`,
      [JSON.stringify(wanted)],
      row,
    ),
  );
  return new Map(found.map((object) => [object.rawKey, object]));
}

/** What is written of an object. */
export interface ObjectRow extends ObjectReference {
  account: string;
  /** Version it had when it was looked up; 0 = none. */
  version: number;
  generation: number;
  records: number;
  outcomes: readonly Outcome[];
  rawRemoved: boolean;
}

/** Writes the rows of objects over what is there. */
export async function putObjects(rows: readonly ObjectRow[], nowSeconds: number): Promise<Change> {
  const values = await Promise.all(
    rows.map(async (object) => [
      object.rua,
      Math.floor(object.receivedSeconds / SECONDS_PER_DAY),
      await objectHash(object.rawKey),
      object.account,
      object.version + 1,
      object.generation,
      object.receivedSeconds,
      nowSeconds,
      object.records,
      JSON.stringify(object.outcomes),
      object.rawRemoved ? 1 : 0,
    ]),
  );
  return {
    sql: `INSERT INTO objects (rua, day, object_hash, account, version, generation, received_seconds, settled_seconds,
        records, outcomes, raw_removed)
      SELECT value ->> 0, value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4, value ->> 5, value ->> 6,
        value ->> 7, value ->> 8, value ->> 9, value ->> 10
      FROM json_each(?1) WHERE true
      ON CONFLICT (rua, day, object_hash) DO UPDATE SET account = excluded.account, version = excluded.version,
        generation = excluded.generation, settled_seconds = excluded.settled_seconds, records = excluded.records,
        outcomes = excluded.outcomes, raw_removed = excluded.raw_removed`,
    parameters: [JSON.stringify(values)],
  };
}

/** Refuses the transaction when an object is no longer in the version it was looked up in. */
export async function assertObjects(rows: readonly ObjectRow[]): Promise<Change> {
  const expected = await Promise.all(
    rows.map(async ({ rua, receivedSeconds, rawKey, version }) => [
      rua,
      Math.floor(receivedSeconds / SECONDS_PER_DAY),
      await objectHash(rawKey),
      version,
    ]),
  );
  return {
    sql: `INSERT INTO assertions (unchanged)
      SELECT 0 FROM json_each(?1) w
      LEFT JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)
      WHERE coalesce(o.version, 0) <> w.value ->> 3 LIMIT 1`,
    parameters: [JSON.stringify(expected)],
  };
}
