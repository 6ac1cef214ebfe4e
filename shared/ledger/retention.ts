/**
 * Retention: details (reports with their figures, objects) are removed after a number of days; sums by day become final
 * and are kept forever. Works in bounded steps, so that cron can stop anywhere.
 */
import * as v from "valibot";
import { ask, change, type LedgerDatabase, query } from "./database.ts";
import { removeOldDayUses } from "./day-uses.ts";
import { isListedDay, KEPT_DAYS, listOfDays } from "./kept-days.ts";
import { RUAS_OF_OBJECTS } from "./objects.ts";

// Only of kinds that this version knows: KEPT_DAYS finds no others, which stay until a newer version removes them.
const row = v.object({ account: v.string(), kind: v.string(), domain: v.string(), day: v.number() });

/**
 * Makes the oldest days final and removes their details.
 *
 * @param beforeDay details of days before this one are removed, days since 1970-01-01 UTC
 * @param limit the most domain-days
 * @param atOnce domain-days per transaction
 * @returns how many domain-days were made final; fewer than `limit` when nothing is left to do
 */
export async function removeOldDetails(
  database: LedgerDatabase,
  { beforeDay, limit, atOnce }: { beforeDay: number; limit: number; atOnce: number },
): Promise<number> {
  const days = await ask(
    database,
    query(
      // As the rows of a report are ordered: once one of them is gone, the first is, by which it is found.
      `WITH RECURSIVE ${KEPT_DAYS} SELECT account, kind, domain, day FROM kept
      ORDER BY day, account, kind, domain LIMIT ?2`,
      [beforeDay, limit],
      row,
    ),
  );
  for (let i = 0; i < days.length; i += atOnce) {
    const some = days.slice(i, i + atOnce);
    const list = [listOfDays(some)];
    await change(database, [
      {
        sql: `UPDATE domain_days SET is_final = 1, figure_chunks = 0 FROM json_each(?1) w WHERE ${isListedDay("domain_days")}`,
        parameters: list,
      },
      {
        sql: `DELETE FROM day_figures WHERE (account, kind, domain, day, chunk) IN
          (SELECT f.account, f.kind, f.domain, f.day, f.chunk FROM json_each(?1) w JOIN day_figures f ON ${isListedDay("f")})`,
        parameters: list,
      },
      {
        sql: `DELETE FROM report_figures WHERE reading IN
          (SELECT r.reading FROM json_each(?1) w JOIN reports r ON ${isListedDay("r")} WHERE r.reading IS NOT NULL)`,
        parameters: list,
      },
      {
        // Of a report about a final day, no other version can be chosen.
        sql: `DELETE FROM conflicts WHERE id IN (SELECT c.id FROM json_each(?1) w JOIN reports r ON ${isListedDay("r")}
          JOIN conflicts c ON c.account = r.account AND c.domain = r.domain AND c.uid = r.uid)`,
        parameters: list,
      },
      {
        sql: `DELETE FROM reports WHERE rowid IN (SELECT r.rowid FROM json_each(?1) w JOIN reports r ON ${isListedDay("r")})`,
        parameters: list,
      },
    ]);
  }
  return days.length;
}

/** Removes old reports that do not count: no day's sums refer to them. @returns as `removeOldObjects` does */
export async function removeOldRetracted(
  database: LedgerDatabase,
  { beforeDay, limit }: { beforeDay: number; limit: number },
): Promise<number> {
  const [removed] = await change(database, [
    {
      sql: `DELETE FROM reports WHERE rowid IN
        (SELECT rowid FROM reports WHERE state <> 'accepted' AND day < ?1 LIMIT ?2) RETURNING 1 AS gone`,
      parameters: [beforeDay, limit],
    },
  ]);
  return removed?.results.length ?? 0;
}

/**
 * Removes objects that arrived long before the oldest details: all their reports are for final days.
 *
 * @returns how many rows were removed; fewer than `limit` when nothing is left to do
 */
export async function removeOldObjects(
  database: LedgerDatabase,
  { beforeDay, limit }: { beforeDay: number; limit: number },
): Promise<number> {
  const [, removed] = await change(database, [
    removeOldDayUses(beforeDay),
    {
      sql: `WITH RECURSIVE ${RUAS_OF_OBJECTS}
        DELETE FROM objects WHERE (rua, day, object_hash) IN
          (SELECT o.rua, o.day, o.object_hash FROM ruas JOIN objects o ON o.rua = ruas.rua AND o.day < ?1 LIMIT ?2)
        RETURNING 1 AS gone`,
      parameters: [beforeDay, limit],
    },
  ]);
  return removed?.results.length ?? 0;
}

/** Removes old discarded dead letters; their objects are removed at the same time. */
export async function removeOldDiscarded(
  database: LedgerDatabase,
  { beforeDay, limit }: { beforeDay: number; limit: number },
): Promise<number> {
  const [removed] = await change(database, [
    {
      sql: `DELETE FROM dead_letters WHERE id IN
        (SELECT id FROM dead_letters WHERE discarded_seconds > 0 AND day < ?1 LIMIT ?2) RETURNING 1 AS gone`,
      parameters: [beforeDay, limit],
    },
  ]);
  return removed?.results.length ?? 0;
}

/** Removes staged figures that no report uses: their object was refused, or another consumer was faster. */
export async function removeUnownedFigures(
  database: LedgerDatabase,
  { beforeSeconds, limit }: { beforeSeconds: number; limit: number },
): Promise<number> {
  const [removed] = await change(database, [
    {
      sql: `DELETE FROM report_figures WHERE (reading, chunk) IN
        (SELECT f.reading, f.chunk FROM report_figures f WHERE f.written_seconds < ?1
          AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.reading = f.reading) LIMIT ?2) RETURNING 1 AS gone`,
      parameters: [beforeSeconds, limit],
    },
  ]);
  return removed?.results.length ?? 0;
}
