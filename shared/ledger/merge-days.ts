/**
 * Merges the figures of a day over its reports: a source seen by ten receivers becomes one figure instead of ten, so
 * that pages over a year read little. Only reports that the verdict counts are merged; the others are few and are
 * read individually. Done by cron for days that receive no more reports; any change of the day discards the merged
 * figures.
 */
import * as v from "valibot";
import { isCountedSql } from "../authentication/sender-state.ts";
import { FIGURE_LIMITS } from "../limits.ts";
import { ask, change, type LedgerDatabase, query } from "./database.ts";
import { isListedDay, KEPT_DAYS, listOfDays } from "./kept-days.ts";

const row = v.object({
  account: v.string(),
  kind: v.string(),
  domain: v.string(),
  day: v.number(),
  records: v.number(),
});

type DomainDay = v.InferOutput<typeof row>;

/** Which days are merged, and how many. */
export interface MergeBounds {
  /** Only days before this one: later ones still receive reports. */
  beforeDay: number;
  /** Days with fewer reports gain nothing by it. */
  minReports: number;
  /** The most domain-days to merge. */
  limit: number;
  /** Limits of one transaction; a day with more records gets a separate transaction. */
  atOnce: { days: number; records: number };
}

/**
 * Merges the figures of days not merged yet: one lookup for all of them, then two statements per transaction, however
 * many days it covers.
 *
 * @returns how many were merged; fewer than `limit` when nothing is left to do
 */
export async function mergeDays(
  database: LedgerDatabase,
  { beforeDay, minReports, limit, atOnce }: MergeBounds,
): Promise<number> {
  const days = await ask(
    database,
    query(
      `WITH RECURSIVE ${KEPT_DAYS} SELECT account, kind, domain, day, records FROM kept
      WHERE figure_chunks = 0 AND reports - uncounted_reports >= ?2 ORDER BY day DESC LIMIT ?3`,
      [beforeDay, minReports, limit],
      row,
    ),
  );
  for (const some of inGroups(days, atOnce)) await mergeSome(database, some);
  return days.length;
}

function* inGroups(days: readonly DomainDay[], atOnce: MergeBounds["atOnce"]): Generator<DomainDay[]> {
  let group: DomainDay[] = [];
  let records = 0;
  for (const day of days) {
    if (group.length >= atOnce.days || (group.length > 0 && records + day.records > atOnce.records)) {
      yield group;
      group = [];
      records = 0;
    }
    group.push(day);
    records += day.records;
  }
  if (group.length > 0) yield group;
}

async function mergeSome(database: LedgerDatabase, days: readonly DomainDay[]): Promise<void> {
  const list = listOfDays(days);
  const place = "r.account AS account, r.kind AS kind, r.domain AS domain, r.day AS day";
  const accepted = `json_each(?1) w JOIN reports r ON ${isListedDay("r")} AND r.state = 'accepted' AND ${isCountedSql("r")}`;
  await change(database, [
    {
      // Chunks by running length: a day with hundreds of thousands of addresses does not fit one row.
      sql: `INSERT INTO day_figures (account, kind, domain, day, chunk, figures)
        SELECT account, kind, domain, day, chunk, json_group_object(key, value) FROM (
          SELECT account, kind, domain, day, key, value,
            sum(length(key) + 16) OVER (PARTITION BY account, kind, domain, day ORDER BY key) / CAST(?2 AS INTEGER) AS chunk
          FROM (
            SELECT account, kind, domain, day, key, sum(value) AS value FROM (
              SELECT ${place}, f.key AS key, f.value AS value FROM ${accepted} JOIN json_each(r.figures) f
                WHERE r.figures <> '{}'
              UNION ALL
              SELECT ${place}, f.key, f.value FROM ${accepted} JOIN report_figures c ON c.reading = r.reading
                JOIN json_each(c.figures) f WHERE r.reading IS NOT NULL)
            GROUP BY account, kind, domain, day, key))
        GROUP BY account, kind, domain, day, chunk`,
      parameters: [list, FIGURE_LIMITS.maxChunkChars],
    },
    {
      sql: `UPDATE domain_days SET figure_chunks = (SELECT count(*) FROM day_figures f WHERE f.account = domain_days.account
          AND f.kind = domain_days.kind AND f.domain = domain_days.domain AND f.day = domain_days.day)
        FROM json_each(?1) w WHERE ${isListedDay("domain_days")}`,
      parameters: [list],
    },
  ]);
}
