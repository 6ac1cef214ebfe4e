/**
 * Figures of a day, merged over its reports: a source that ten receivers saw is one figure instead of ten, so that pages
 * over a year read little. Made by cron for days to which no more reports come; a change of the day takes it away again.
 */
import * as v from "valibot";
import { FIGURE_LIMITS } from "../limits.ts";
import { ask, change, type LedgerDatabase, query } from "./database.ts";
import { figuresIn } from "./figure-sql.ts";
import { REPORT_KINDS } from "./report-rows.ts";

const row = v.object({
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  day: v.number(),
  reports: v.number(),
});

/**
 * Merges the figures of days that have none merged yet.
 *
 * @param beforeDay only days before this one: for later ones reports still come in
 * @param minReports days with fewer reports gain nothing by it
 * @param limit days at most
 * @returns how many were merged; fewer than `limit` when nothing is left to do
 */
export async function mergeDays(
  database: LedgerDatabase,
  { beforeDay, minReports, limit }: { beforeDay: number; minReports: number; limit: number },
): Promise<number> {
  const days = await ask(
    database,
    query(
      `SELECT account, kind, domain, day, reports FROM domain_days
      WHERE figure_chunks = 0 AND is_final = 0 AND reports >= ?1 AND day < ?2 ORDER BY day DESC LIMIT ?3`,
      [minReports, beforeDay, limit],
      row,
    ),
  );
  for (const { account, kind, domain, day } of days) {
    const figures = figuresIn(kind, { accounts: [account], domains: [domain], firstDay: day, lastDay: day });
    const place = [account, kind, domain, day];
    // Chunks by running length: a day of hundreds of thousands of addresses does not fit one row.
    await change(database, [
      {
        sql: `INSERT INTO day_figures (account, kind, domain, day, chunk, figures)
          SELECT ?, ?, ?, ?, chunk, json_group_object(key, value) FROM (
            SELECT key, value, sum(length(key) + 16) OVER (ORDER BY key) / CAST(? AS INTEGER) AS chunk
            FROM (SELECT key, sum(value) AS value FROM ${figures.sql} GROUP BY key))
          GROUP BY chunk`,
        parameters: [...place, FIGURE_LIMITS.maxChunkChars, ...figures.parameters],
      },
      {
        sql: `UPDATE domain_days SET figure_chunks = (SELECT count(*) FROM day_figures f WHERE f.account = ?1
            AND f.kind = ?2 AND f.domain = ?3 AND f.day = ?4)
          WHERE account = ?1 AND kind = ?2 AND domain = ?3 AND day = ?4`,
        parameters: place,
      },
    ]);
  }
  return days.length;
}
