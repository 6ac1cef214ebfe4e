/** The audit log: who changed what, with what was there before and after. Kept in the directory, the first database. */
import * as v from "valibot";
import { AUDIT_LIMITS } from "../limits.ts";
import type { ListPage } from "./combine.ts";
import { type Change, jsonColumn, lowered, type Query, query } from "./database.ts";

export const AUDIT_OUTCOMES = ["unknown", "done", "refused", "failed"] as const;
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number];

/** A change as it was asked for. */
export interface AskedChange {
  atSeconds: number;
  who: string;
  operation: string;
  /** "" = none, or several. */
  account: string;
  domain: string;
  /** JSON. */
  input: string;
  before: string;
}

const idRow = v.object({ id: v.number() });

/** Writes that a change was asked for; its outcome is unknown until `endAudit`. @returns a query of its id */
export function beginAudit({ atSeconds, who, operation, account, domain, input, before }: AskedChange) {
  return query(
    `INSERT INTO audit_log (at_seconds, who, operation, account, domain, outcome, input, state_before)
    VALUES (?1, ?2, ?3, ?4, ?5, 'unknown', ?6, ?7) RETURNING id`,
    [atSeconds, who, operation, account, domain, input, before],
    idRow,
  );
}

/** What became of a change. */
export interface AuditEnd {
  outcome: AuditOutcome;
  message: string;
  /** JSON. */
  after: string;
  account: string;
  domain: string;
}

/** Writes the outcome of a change. */
export function endAudit(id: number, { outcome, message, after, account, domain }: AuditEnd): Change {
  return {
    sql: `UPDATE audit_log SET outcome = ?2, message = ?3, state_after = ?4, account = ?5, domain = ?6 WHERE id = ?1`,
    parameters: [id, outcome, message, after, account, domain],
  };
}

const entryRow = v.object({
  id: v.number(),
  atSeconds: v.number(),
  who: v.string(),
  operation: v.string(),
  account: v.string(),
  domain: v.string(),
  outcome: v.fallback(v.picklist(AUDIT_OUTCOMES), "unknown"),
  message: v.string(),
  input: jsonColumn(v.unknown()),
  before: jsonColumn(v.unknown()),
  after: jsonColumn(v.unknown()),
});

/** An entry of the log. */
export type AuditEntry = v.InferOutput<typeof entryRow>;

/** Narrows the log; an absent field means all. */
export interface AuditFilter {
  /** Those the person administers; undefined = all, and what concerns none. */
  accounts?: readonly string[] | undefined;
  /** Part of the address or token, in any case. */
  who?: string | undefined;
  operation?: string | undefined;
  domain?: string | undefined;
  /** Included, seconds since 1970 UTC. */
  sinceSeconds?: number | undefined;
  /** Not included. */
  beforeSeconds?: number | undefined;
  /** In any of who, what, the account, the domain and what was asked, in any case. */
  text?: string | undefined;
}

const MATCHES = `(?1 IS NULL OR account IN (SELECT value FROM json_each(?1)))
  AND (?2 IS NULL OR instr(lower(who), ?2) > 0) AND (?3 IS NULL OR operation = ?3) AND (?4 IS NULL OR domain = ?4)
  AND (?5 IS NULL OR at_seconds >= ?5) AND (?6 IS NULL OR at_seconds < ?6)
  AND (?7 IS NULL OR instr(lower(who || ' ' || operation || ' ' || account || ' ' || domain || ' ' || input), ?7) > 0)`;

function parametersOf({ accounts, who, operation, domain, sinceSeconds, beforeSeconds, text }: AuditFilter) {
  return [
    accounts === undefined ? null : JSON.stringify(accounts),
    who === undefined ? null : lowered(who),
    operation ?? null,
    domain ?? null,
    sinceSeconds ?? null,
    beforeSeconds ?? null,
    text === undefined ? null : lowered(text),
  ];
}

/** Entries, newest first. @param place.beforeId only older ones than this */
export function auditQuery(
  filter: AuditFilter,
  place: { beforeId?: number | undefined; limit: number; offset?: number },
): Query<AuditEntry> {
  return query(
    `SELECT id, at_seconds AS atSeconds, who, operation, account, domain, outcome, message, input,
      state_before AS before, state_after AS after
    FROM audit_log WHERE ${MATCHES} AND (?8 IS NULL OR id < ?8) ORDER BY id DESC LIMIT ?9 OFFSET ?10`,
    [...parametersOf(filter), place.beforeId ?? null, place.limit, place.offset ?? 0],
    entryRow,
  );
}

const countRow = v.object({ matching: v.number() });

/** A page of entries, newest first, and how many there are, counted up to a limit. */
export async function auditPage(
  askDirectory: <Row>(query: Query<Row>) => Promise<Row[]>,
  filter: AuditFilter,
  place: { limit: number; offset: number },
): Promise<ListPage<AuditEntry>> {
  const [rows, [count]] = await Promise.all([
    askDirectory(auditQuery(filter, place)),
    askDirectory(
      query(
        `SELECT count(*) AS matching FROM (SELECT 1 FROM audit_log WHERE ${MATCHES} LIMIT ?8)`,
        [...parametersOf(filter), AUDIT_LIMITS.counted],
        countRow,
      ),
    ),
  ]);
  return { rows, matching: count?.matching ?? 0 };
}

/** Removes entries older than a time, as many as one run does. */
export function removeOldAudit(beforeSeconds: number): Change {
  return {
    sql: `DELETE FROM audit_log WHERE id IN
      (SELECT id FROM audit_log WHERE at_seconds < ?1 ORDER BY at_seconds LIMIT ?2)`,
    parameters: [beforeSeconds, AUDIT_LIMITS.removedPerRun],
  };
}
