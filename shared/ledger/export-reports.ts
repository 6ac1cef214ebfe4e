/** Accepted aggregate reports in the order of exports: by account, domain, first day and uid. */
import * as v from "valibot";
import type { ExportPosition } from "../export/lines.ts";
import { type Query, query } from "./database.ts";
import { detailsColumn, reportFacts } from "./report-rows.ts";

const reportRow = v.object({
  domain: v.string(),
  day: v.number(),
  uid: v.string(),
  ...reportFacts,
  details: detailsColumn,
});

/** A report to be exported. */
export type ReportToExport = v.InferOutput<typeof reportRow>;

/** Which reports of an account. */
export interface ExportScope {
  account: string;
  /** Undefined = all. */
  domain: string | undefined;
  /** Days since 1970-01-01 UTC; a report belongs to the first day it counts for. */
  firstDay: number;
  lastDay: number;
}

/**
 * The next reports of an account.
 *
 * @param after the position of the last one before; undefined = from the beginning
 */
export function reportsToExportQuery(
  { account, domain, firstDay, lastDay }: ExportScope,
  { after, limit }: { after: ExportPosition | undefined; limit: number },
): Query<ReportToExport> {
  const [, afterDomain = "", afterDay = -1, afterUid = ""] = after ?? [];
  const isDomain = domain === undefined ? "" : "AND d.domain = ?8";
  // Days are looked up first, so that reports outside the period are not read; both are in the order of their index.
  const sql = `SELECT r.domain, r.day, lower(hex(r.uid)) AS uid, r.generation, r.reporter, r.report_id AS reportId,
      r.begin_seconds AS beginSeconds, r.end_seconds AS endSeconds, r.received_seconds AS receivedSeconds,
      r.sender_rank AS senderState, r.sender_domain AS senderDomain, r.rua, r.raw_key AS rawKey, r.part, r.records,
      r.total, r.passed, r.details
    FROM domain_days d CROSS JOIN reports r
      ON r.account = d.account AND r.kind = d.kind AND r.domain = d.domain AND r.day = d.day
    WHERE d.account = ?1 AND d.kind = 'aggregate' AND d.day BETWEEN ?2 AND ?3 AND d.domain >= ?4 ${isDomain}
      AND (d.domain, d.day) >= (?4, ?5) AND (d.domain, d.day, r.uid) > (?4, ?5, unhex(?6))
      AND r.state = 'accepted' AND r.place = 0
    ORDER BY d.domain, d.day, r.uid LIMIT ?7`;
  const named = domain === undefined ? [] : [domain];
  return query(sql, [account, firstDay, lastDay, afterDomain, afterDay, afterUid, limit, ...named], reportRow);
}

const removedRow = v.object({ reports: v.number() });

/** How many reports of a period are no longer kept, only the sums of their days: one row. */
export function reportsNoLongerKeptQuery({
  account,
  domain,
  firstDay,
  lastDay,
}: ExportScope): Query<{ reports: number }> {
  const isDomain = domain === undefined ? "" : "AND domain = ?4";
  const sql = `SELECT coalesce(sum(reports), 0) AS reports FROM domain_days
    WHERE account = ?1 AND kind = 'aggregate' AND day BETWEEN ?2 AND ?3 AND is_final = 1 ${isDomain}`;
  return query(sql, [account, firstDay, lastDay, ...(domain === undefined ? [] : [domain])], removedRow);
}
