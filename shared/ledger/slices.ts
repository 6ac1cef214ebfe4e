/** Reports whose points go out in slices, and which slices have been written: a slice that gets lost is seen. */
import * as v from "valibot";
import { type Change, type Query, query } from "./database.ts";

/** The slices of one report's points. */
export interface SlicesRow {
  uid: string;
  generation: number;
  rua: string;
  rawKey: string;
  receivedSeconds: number;
  /** How many. */
  slices: number;
}

/**
 * Makes room for slices before they are enqueued, so that each finds its place when it has been written. What is reserved
 * and never enqueued is due until `trimSlices`.
 */
export function reserveSlices(
  { uid, generation, rua, rawKey, receivedSeconds, slices }: SlicesRow,
  nowSeconds: number,
): Change {
  return {
    sql: `INSERT INTO slices (uid, generation, rua, raw_key, received_seconds, started_seconds, state)
      VALUES (unhex(?1), ?2, ?3, ?4, ?5, ?6, ?7)
      ON CONFLICT (uid, generation) DO UPDATE SET started_seconds = excluded.started_seconds,
        state = state || substr(excluded.state, length(state) + 1)`,
    parameters: [uid, generation, rua, rawKey, receivedSeconds, nowSeconds, "0".repeat(slices)],
  };
}

/** Cuts the room to the slices that were enqueued. */
export function trimSlices(rows: readonly Pick<SlicesRow, "uid" | "generation" | "slices">[]): Change {
  return {
    sql: `UPDATE slices SET state = substr(state, 1, w.value ->> 2) FROM json_each(?1) w
      WHERE slices.uid = unhex(w.value ->> 0) AND slices.generation = w.value ->> 1 AND length(state) > w.value ->> 2`,
    parameters: [JSON.stringify(rows.map(({ uid, generation, slices }) => [uid, generation, slices]))],
  };
}

/** Marks a slice as written, or filed as a dead letter (`d`). */
export function markSlice(
  { uid, generation, slice }: { uid: string; generation: number; slice: number },
  state: "1" | "d",
): Change {
  return {
    sql: `UPDATE slices SET state = substr(state, 1, ?3) || ?4 || substr(state, ?3 + 2)
      WHERE uid = unhex(?1) AND generation = ?2 AND ?3 < length(state)`,
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

/** Forgets slices of a report: it has been run again. */
export function removeSlices({ uid, generation }: Pick<SlicesRow, "uid" | "generation">): Change {
  return { sql: "DELETE FROM slices WHERE uid = unhex(?1) AND generation = ?2", parameters: [uid, generation] };
}

/** Forgets slices of reports that were written again: what an older generation still had to write is no longer wanted. */
export function removeOlderSlices(reports: readonly Pick<SlicesRow, "uid" | "generation">[]): Change {
  return {
    sql: `DELETE FROM slices WHERE (uid, generation) IN (SELECT s.uid, s.generation FROM json_each(?1) w
      JOIN slices s ON s.uid = unhex(w.value ->> 0) AND s.generation < w.value ->> 1)`,
    parameters: [JSON.stringify(reports.map(({ uid, generation }) => [uid, generation]))],
  };
}

/** Removes the rows of reports whose slices have all been written. */
export function removeFinishedSlices(): Change {
  return { sql: "DELETE FROM slices WHERE instr(state, '0') = 0 AND instr(state, 'd') = 0", parameters: [] };
}

/** Reports with slices still due that were enqueued by a time. */
export function dueSlicesQuery(atSeconds: number, limit: number): Query<SlicesRow & { due: number }> {
  return query(
    `SELECT lower(hex(uid)) AS uid, generation, rua, raw_key AS rawKey, received_seconds AS receivedSeconds,
      length(state) AS slices, length(replace(replace(state, '1', ''), 'd', '')) AS due
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

/** How a slice of points is named where parts of an object are named: by its report, its generation and its place. */
export function slicePart(place: { reportUid: string; generation: number; slice: number }): string {
  return `points ${place.reportUid} ${place.generation} ${place.slice}`;
}
