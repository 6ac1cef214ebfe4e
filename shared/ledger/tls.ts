/** Queries about SMTP TLS reports. */
import * as v from "valibot";
import { isCountedSql } from "../authentication/sender-state.ts";
import { READ_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { adding, firstRows, sumRows } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { inScope, type Scope } from "./figure-sql.ts";
import { readTlsKey, type TlsFigure } from "./figures.ts";
import { LISTED, type ListedReport, listedColumns } from "./report-list.ts";
import { isFirstRow, isSpreadRow } from "./reports.ts";

/** The limit of each list (our choice); pages say when it was reached. */
export const TLS_LIMITS = { maxGroups: 5000, maxReports: 5000 } as const;

/** Sessions of mail servers. */
export interface Sessions {
  successful: number;
  failed: number;
}

const sessions = { successful: v.number(), failed: v.number() };

/** Sessions by day, according to TLS reports. */
export interface TlsDay extends Sessions {
  day: number;
  /** Of them, sessions of reports over several days. */
  spread: number;
}

/** Successful and failed sessions by day, oldest first. */
export function tlsDaysQuery(scope: Scope): Query<TlsDay> {
  const where = inScope("d", "tls", scope);
  return {
    ...query(
      `SELECT d.day, sum(d.passed) AS successful, sum(d.total - d.passed) AS failed, sum(d.spread) AS spread
      FROM domain_days d WHERE ${where.sql} GROUP BY d.day ORDER BY d.day`,
      where.parameters,
      v.object({ day: v.number(), spread: v.number(), ...sessions }),
    ),
    combine: (parts) =>
      sumRows(parts, ({ day }) => day, adding("spread", "successful", "failed")).sort((a, b) => a.day - b.day),
  };
}

/** The sessions one reporter saw under one policy. */
export interface TlsPolicyTotals extends Sessions {
  reporter: string;
  policyType: string;
  /** One a line. */
  mxHosts: string;
  reports: number;
  lastDay: number;
}

const addPolicySums = adding("successful", "failed", "reports");

/** Sessions by reporter and policy. */
export function tlsPoliciesQuery(scope: Scope): Query<TlsPolicyTotals> {
  const where = inScope("r", "tls", scope);
  return {
    ...query(
      `SELECT r.reporter, p.value ->> 'policyType' AS policyType,
        coalesce((SELECT group_concat(m.value, char(10)) FROM json_each(p.value, '$.mxHosts') m), '') AS mxHosts,
        sum(p.value ->> 'successfulSessionCount') AS successful, sum(p.value ->> 'failedSessionCount') AS failed,
        count(DISTINCT r.uid) AS reports, max(r.day) AS lastDay
      FROM reports r JOIN json_each(r.details, '$.policies') p
      WHERE ${where.sql} AND r.state = 'accepted'
      GROUP BY r.reporter, policyType, mxHosts ORDER BY failed DESC, successful DESC LIMIT ${TLS_LIMITS.maxGroups}`,
      where.parameters,
      v.object({
        reporter: v.string(),
        policyType: v.string(),
        mxHosts: v.string(),
        ...sessions,
        reports: v.number(),
        lastDay: v.number(),
      }),
    ),
    combine: (parts) =>
      sumRows(
        parts,
        ({ reporter, policyType, mxHosts }) => JSON.stringify([reporter, policyType, mxHosts]),
        (a, b) => ({ ...addPolicySums(a, b), lastDay: Math.max(a.lastDay, b.lastDay) }),
      ),
  };
}

/** Days and sessions under MTA-STS policies, according to reports. */
export interface StsSessions {
  days: number;
  sessions: number;
  failed: number;
  /** 0 where none failed. */
  lastFailedDay: number;
}

/**
 * On how many days of a scope there were sessions under an MTA-STS policy, and how many, according to reports
 * whose senders count. Its answer is one row.
 */
export function stsSessionsQuery(scope: Scope): Query<StsSessions> {
  const where = inScope("r", "tls", scope);
  return query(
    `SELECT count(DISTINCT r.day) AS days,
      coalesce(sum((p.value ->> 'successfulSessionCount') + (p.value ->> 'failedSessionCount')), 0) AS sessions,
      coalesce(sum(p.value ->> 'failedSessionCount'), 0) AS failed,
      coalesce(max(CASE WHEN p.value ->> 'failedSessionCount' > 0 THEN r.day END), 0) AS lastFailedDay
    FROM reports r JOIN json_each(r.details, '$.policies') p
    WHERE ${where.sql} AND r.state = 'accepted' AND ${isCountedSql("r")} AND p.value ->> 'policyType' = 'sts'
      AND (p.value ->> 'successfulSessionCount') + (p.value ->> 'failedSessionCount') > 0`,
    where.parameters,
    v.object({ days: v.number(), sessions: v.number(), failed: v.number(), lastFailedDay: v.number() }),
  );
}

/** Failed sessions for one reason between the same machines. */
export interface TlsFailureTotals extends TlsFigure {
  reporter: string;
  sessions: number;
  lastDay: number;
}

const failureRow = v.pipe(
  v.object({ reporter: v.string(), key: v.string(), sessions: v.number(), lastDay: v.number() }),
  v.transform(({ key, ...row }): TlsFailureTotals => ({ ...readTlsKey(key), ...row })),
);

/** Failed sessions by reason, machines and reporter, most first. */
export function tlsFailuresQuery(scope: Scope): Query<TlsFailureTotals> {
  return failuresQuery(inScope("r", "tls", scope));
}

/** The same, of reports whose senders count: what a forged mail tells must not advise anybody. */
export function provenTlsFailuresQuery(scope: Scope): Query<TlsFailureTotals> {
  const { sql, parameters } = inScope("r", "tls", scope);
  return failuresQuery({ sql: `${sql} AND ${isCountedSql("r")}`, parameters });
}

function failuresQuery(where: ReturnType<typeof inScope>): Query<TlsFailureTotals> {
  const figures = (from: string, text: string): string => `SELECT r.reporter AS reporter, r.day AS day, f.key AS key,
      f.value AS value
    FROM reports r ${from} JOIN json_each(${text}) f WHERE ${where.sql} AND r.state = 'accepted'`;
  return {
    ...query(
      `SELECT reporter, key, sum(value) AS sessions, max(day) AS lastDay FROM (
        ${figures("", "r.figures")}
        UNION ALL
        ${figures("JOIN report_figures c ON c.reading = r.reading", "c.figures")})
      GROUP BY reporter, key ORDER BY sessions DESC, key LIMIT ${TLS_LIMITS.maxGroups}`,
      [...where.parameters, ...where.parameters],
      failureRow,
    ),
    combine: (parts) =>
      sumRows(
        parts,
        ({ sessions: _, lastDay: __, ...what }) => JSON.stringify(what),
        (a, b) => ({ ...a, sessions: a.sessions + b.sessions, lastDay: Math.max(a.lastDay, b.lastDay) }),
      ),
  };
}

/** The failed sessions in one report for one of its domains, most first. */
export function tlsReportFailuresQuery(row: {
  account: string;
  domain: string;
  day: number;
  reportUid: string;
}): Query<TlsFigure & { domain: string; sessions: number }> {
  const { account, domain, day, reportUid } = row;
  const report = `account = ?1 AND kind = 'tls' AND domain = ?2 AND day = ?3 AND uid = unhex(?4) AND state = 'accepted'`;
  return query(
    `SELECT domain, f.key AS key, f.value AS sessions FROM reports JOIN json_each(figures) f WHERE ${report}
    UNION ALL
    SELECT domain, f.key, f.value FROM reports JOIN report_figures c ON c.reading = reports.reading
      JOIN json_each(c.figures) f WHERE ${report}
    ORDER BY sessions DESC LIMIT ${TLS_LIMITS.maxGroups}`,
    [account, domain, day, reportUid],
    v.pipe(
      v.object({ domain: v.string(), key: v.string(), sessions: v.number() }),
      v.transform(({ key, ...found }) => ({ ...readTlsKey(key), ...found })),
    ),
  );
}

/** One TLS report's totals for the requested domains. */
export interface TlsReportTotals extends ListedReport, Sessions {
  policies: number;
}

// A report's sums for a domain on all its days, even if only some are in the scope.
function ofAllDays(count: (table: string) => string): string {
  return `CASE WHEN ${isSpreadRow("r")} THEN (SELECT sum(${count("o")}) FROM reports o
    WHERE o.account = r.account AND o.kind = r.kind AND o.domain = r.domain AND o.uid = r.uid
      AND o.day BETWEEN r.day - ${MAX_REPORT_DAYS} AND r.day + ${MAX_REPORT_DAYS})
    ELSE ${count("r")} END`;
}

const MAX_REPORT_DAYS = Math.ceil(READ_LIMITS.maxPeriodSeconds / SECONDS_PER_DAY);

/** TLS reports with their totals, newest period first. */
export function tlsReportsQuery(scope: Scope): Query<TlsReportTotals> {
  const where = inScope("r", "tls", scope);
  const { maxReports } = TLS_LIMITS;
  return {
    ...query(
      `SELECT ${LISTED}, json_array_length(r.details, '$.policies') AS policies,
        ${ofAllDays((table) => `${table}.passed`)} AS successful,
        ${ofAllDays((table) => `${table}.total - ${table}.passed`)} AS failed
      FROM reports r WHERE ${where.sql} AND r.state = 'accepted' AND ${isFirstRow("r", scope.firstDay)}
      ORDER BY r.end_seconds DESC, r.reporter, r.uid LIMIT ${maxReports}`,
      where.parameters,
      v.object({
        ...listedColumns,
        policies: v.number(),
        ...sessions,
      }),
    ),
    combine: (parts) => firstRows(parts, (a, b) => b.endSeconds - a.endSeconds, maxReports),
  };
}
