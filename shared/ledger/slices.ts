/**
 * Tracks reports whose points are enqueued in slices, and which slices have been written, so that a lost slice is
 * noticed.
 */
import * as v from "valibot";
import { type Change, type Query, query } from "./database.ts";

/** The slices of one report's points. */
export interface SlicesRow {
  uid: string;
  generation: number;
  rua: string;
  rawKey: string;
  receivedSeconds: number;
  /** The number of slices. */
  slices: number;
}

/** Stands at the end of the state of a report that is committed: no slice is reserved for it any more. */
const COMMITTED = ".";

/**
 * Records slices before they are enqueued, so that each can be marked when written. Slices reserved but never enqueued
 * stay due until `trimSlices` or `removeReservedSlices`. After the former nothing is reserved, nor for an older reading: a
 * delivery of the same report that is still being read adds no slices that nobody would write.
 */
export function reserveSlices(
  { uid, generation, rua, rawKey, receivedSeconds, slices }: SlicesRow,
  nowSeconds: number,
): Change {
  return {
    sql: `INSERT INTO slices (uid, generation, rua, raw_key, received_seconds, started_seconds, state)
      SELECT unhex(?1), ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS (SELECT 1 FROM slices s
        WHERE s.uid = unhex(?1) AND s.generation > ?2 AND instr(s.state, '${COMMITTED}') > 0)
      ON CONFLICT (uid, generation) DO UPDATE SET started_seconds = excluded.started_seconds,
        state = state || substr(excluded.state, length(state) + 1)
      WHERE instr(state, '${COMMITTED}') = 0`,
    parameters: [uid, generation, rua, rawKey, receivedSeconds, nowSeconds, "0".repeat(slices)],
  };
}

/**
 * Reduces the reservation to the slices that were enqueued, and ends it: the report is committed. If another delivery has
 * removed the reservation meanwhile, all slices are due: those written already would be forgotten otherwise.
 */
export function trimSlices(rows: readonly SlicesRow[], nowSeconds: number): Change {
  const values = rows.map(({ uid, generation, rua, rawKey, receivedSeconds, slices }) => [
    uid,
    generation,
    rua,
    rawKey,
    receivedSeconds,
    "0".repeat(slices),
  ]);
  return {
    sql: `INSERT INTO slices (uid, generation, rua, raw_key, received_seconds, started_seconds, state)
      SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2, (value ->> 5) || '${COMMITTED}'
      FROM json_each(?1) WHERE true
      ON CONFLICT (uid, generation) DO UPDATE SET state = substr(state, 1, length(excluded.state) - 1) || '${COMMITTED}'
      WHERE instr(state, '${COMMITTED}') = 0`,
    parameters: [JSON.stringify(values), nowSeconds],
  };
}

/**
 * Removes reservations for reports of objects that were decided about without committing them. Those with a slice that was
 * filed as a dead letter stay until their report is read again, which clears both.
 */
export function removeReservedSlices(rawKeys: readonly string[]): Change {
  return {
    sql: `DELETE FROM slices WHERE raw_key IN (SELECT value FROM json_each(?1))
      AND instr(state, '${COMMITTED}') = 0 AND instr(state, 'd') = 0`,
    parameters: [JSON.stringify(rawKeys)],
  };
}

/** Marks a slice as written or as filed as a dead letter (`d`). */
export function markSlice(
  { uid, generation, slice }: { uid: string; generation: number; slice: number },
  state: "1" | "d",
): Change {
  return {
    sql: `UPDATE slices SET state = substr(state, 1, ?3) || ?4 || substr(state, ?3 + 2)
      WHERE uid = unhex(?1) AND generation = ?2 AND ?3 < length(rtrim(state, '${COMMITTED}'))`,
    parameters: [uid, generation, slice, state],
  };
}

/** Slices of reports that were filed as dead letters. */
export function filedSlicesQuery(uids: readonly string[]): Query<{ uid: string; generation: number; state: string }> {
  return query(
    `SELECT lower(hex(s.uid)) AS uid, s.generation, s.state
    FROM json_each(?1) w JOIN slices s ON s.uid = unhex(w.value) WHERE instr(s.state, 'd') > 0`,
    [JSON.stringify(uids)],
    v.object({ uid: v.string(), generation: v.number(), state: v.string() }),
  );
}

/** Removes the slices of a report that was rerun. */
export function removeSlices({ uid, generation }: Pick<SlicesRow, "uid" | "generation">): Change {
  return { sql: "DELETE FROM slices WHERE uid = unhex(?1) AND generation = ?2", parameters: [uid, generation] };
}

/** Removes slices of older generations of reports that were rewritten: they are no longer needed. */
export function removeOlderSlices(reports: readonly Pick<SlicesRow, "uid" | "generation">[]): Change {
  return {
    sql: `DELETE FROM slices WHERE (uid, generation) IN (SELECT s.uid, s.generation FROM json_each(?1) w
      JOIN slices s ON s.uid = unhex(w.value ->> 0) AND s.generation < w.value ->> 1)`,
    parameters: [JSON.stringify(reports.map(({ uid, generation }) => [uid, generation]))],
  };
}

/** Removes reports whose slices have all been written; those that may not be committed yet only once they are old. */
export function removeFinishedSlices(beforeSeconds: number): Change {
  return {
    sql: `DELETE FROM slices WHERE instr(state, '0') = 0 AND instr(state, 'd') = 0
      AND (instr(state, '${COMMITTED}') > 0 OR started_seconds < ?1)`,
    parameters: [beforeSeconds],
  };
}

/** Reports with slices that were enqueued by a given time and are still due. */
export function dueSlicesQuery(atSeconds: number, limit: number): Query<SlicesRow & { due: number }> {
  return query(
    `SELECT lower(hex(uid)) AS uid, generation, rua, raw_key AS rawKey, received_seconds AS receivedSeconds,
      length(rtrim(state, '${COMMITTED}')) AS slices, length(state) - length(replace(state, '0', '')) AS due
    FROM slices WHERE started_seconds <= ?1 AND instr(state, '0') > 0 ORDER BY started_seconds LIMIT ?2`,
    [atSeconds, limit],
    v.object({
      uid: v.string(),
      generation: v.number(),
      rua: v.string(),
      rawKey: v.string(),
      receivedSeconds: v.number(),
      slices: v.number(),
      due: v.number(),
    }),
  );
}

/** The part name of a slice of points: its report, generation and index. */
export function slicePart(place: { reportUid: string; generation: number; slice: number }): string {
  return `points ${place.reportUid} ${place.generation} ${place.slice}`;
}
