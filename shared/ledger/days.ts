/** Queries about a domain's days: what was counted on each, and the policies that reports saw. */
import * as v from "valibot";
import { isCountedSql } from "../authentication/sender-state.ts";
import { adding, compareValues, sumRows } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { inScope, type Scope } from "./figure-sql.ts";
import type { ReportKind } from "./report-rows.ts";
import { isMeaningful } from "./reports.ts";

const dayRow = v.object({
  day: v.number(),
  messages: v.number(),
  passed: v.number(),
  dkimAligned: v.number(),
  spfAligned: v.number(),
  quarantined: v.number(),
  rejected: v.number(),
  /** Reports that begin on this day. */
  reports: v.number(),
  /** Of the messages, the day's share of reports over several days. */
  spread: v.number(),
  /** Of the messages, those of reports that the verdict does not count, and the number of those reports. */
  uncounted: v.number(),
  uncountedReports: v.number(),
  /** Of the messages, those of reports whose sender could not be checked. */
  unchecked: v.number(),
});

/** The totals of one day. */
export type DayTotals = v.InferOutput<typeof dayRow>;

/** Totals by day, oldest first. A report is counted on its first day, so that reports add up over days. */
export function dayTotalsQuery(scope: Scope): Query<DayTotals> {
  const where = inScope("d", "aggregate", scope);
  return {
    ...query(
      `SELECT d.day, sum(d.total) AS messages, sum(d.passed) AS passed, sum(d.dkim_aligned) AS dkimAligned,
        sum(d.spf_aligned) AS spfAligned, sum(d.quarantined) AS quarantined, sum(d.rejected) AS rejected,
        sum(d.reports) AS reports, sum(d.spread) AS spread,
        sum(d.uncounted_total) AS uncounted, sum(d.uncounted_reports) AS uncountedReports,
        sum(d.unchecked_total) AS unchecked
      FROM domain_days d WHERE ${where.sql} GROUP BY d.day ORDER BY d.day`,
      where.parameters,
      dayRow,
    ),
    combine: (parts) => sumRows(parts, ({ day }) => day, addDays).sort((a, b) => a.day - b.day),
  };
}

const addDays = adding(
  "messages",
  "passed",
  "dkimAligned",
  "spfAligned",
  "quarantined",
  "rejected",
  "reports",
  "spread",
  "uncounted",
  "uncountedReports",
  "unchecked",
);

/** The sums of one kind of report for one domain and day. */
export interface DomainDay {
  domain: string;
  day: number;
  reports: number;
  records: number;
  /** Messages of aggregate reports, sessions of TLS reports, incidents of failure reports. */
  total: number;
  passed: number;
  /** Of the total, what comes from reports over several days. */
  spread: number;
}

/** Which part of the sums by domain and day. */
export interface DomainDayList {
  /** Only what comes after this one; undefined = from the first on. */
  after?: { day: number; domain: string } | undefined;
  /** One more than needed tells whether there are more. */
  limit: number;
}

/** Sums by domain and day, oldest first, of one day by domain. */
export function domainDaysQuery(kind: ReportKind, scope: Scope, { after, limit }: DomainDayList): Query<DomainDay> {
  const where = inScope("d", kind, scope);
  const isAfter = after === undefined ? "true" : "(d.day, d.domain) > (?, ?)";
  return {
    ...query(
      `SELECT d.domain, d.day, sum(d.reports) AS reports, sum(d.records) AS records, sum(d.total) AS total,
        sum(d.passed) AS passed, sum(d.spread) AS spread
      FROM domain_days d WHERE ${where.sql} AND ${isAfter}
      GROUP BY d.day, d.domain ORDER BY d.day, d.domain LIMIT ?`,
      [...where.parameters, ...(after === undefined ? [] : [after.day, after.domain]), limit],
      v.object({
        domain: v.string(),
        day: v.number(),
        reports: v.number(),
        records: v.number(),
        total: v.number(),
        passed: v.number(),
        spread: v.number(),
      }),
    ),
    combine: (parts) =>
      sumRows(parts, ({ domain, day }) => `${day} ${domain}`, adding("reports", "records", "total", "passed", "spread"))
        .sort((a, b) => a.day - b.day || compareValues(a.domain, b.domain))
        .slice(0, limit),
  };
}

/** What was counted of one domain over a period. */
export interface DomainSum {
  domain: string;
  messages: number;
  passed: number;
}

/** Sums of aggregate reports by domain, the largest first. */
export function domainSumsQuery(scope: Scope): Query<DomainSum> {
  const where = inScope("d", "aggregate", scope);
  return query(
    `SELECT d.domain, sum(d.total) AS messages, sum(d.passed) AS passed
    FROM domain_days d WHERE ${where.sql} GROUP BY d.domain ORDER BY messages DESC, d.domain`,
    where.parameters,
    v.object({ domain: v.string(), messages: v.number(), passed: v.number() }),
  );
}

/** The reports that saw one published policy, and on how many days. */
export interface PolicyDays {
  policy: string;
  firstDay: number;
  lastDay: number;
  /** The last day of a report that the verdict counts; 0 if there is none. */
  lastCountedDay: number;
  reports: number;
  /** Only for days whose details are kept. */
  reporters: number;
  /** Whether several databases contribute: a reporter in two of them is counted twice. */
  reportersAreAtMost: boolean;
}

/** The number of policies shown (our choice). */
const MAX_POLICIES = 5000;

/** The published policies that reports saw, last seen first; for a final day, only that of its newest report. */
export function policiesQuery(scope: Scope): Query<PolicyDays> {
  const kept = inScope("r", "aggregate", scope);
  const final = inScope("d", "aggregate", scope);
  return {
    ...query(
      `SELECT policy, min(firstDay) AS firstDay, max(lastDay) AS lastDay, max(lastCountedDay) AS lastCountedDay,
        sum(reports) AS reports,
        sum(reporters) AS reporters
      FROM (
        SELECT r.policy, min(r.day) AS firstDay, max(r.day) AS lastDay,
          max(CASE WHEN ${isCountedSql("r")} THEN r.day ELSE 0 END) AS lastCountedDay, sum(r.place = 0) AS reports,
          count(DISTINCT r.reporter) AS reporters
        FROM reports r WHERE ${kept.sql} AND r.state = 'accepted' AND ${isMeaningful("r")} GROUP BY r.policy
        UNION ALL
        SELECT d.policy, min(d.day), max(d.day),
          max(CASE WHEN d.reports > d.uncounted_reports THEN d.day ELSE 0 END), sum(d.reports), 0
        FROM domain_days d WHERE ${final.sql} AND d.is_final = 1 AND d.last_end_seconds > 0 GROUP BY d.policy)
      GROUP BY policy ORDER BY lastDay DESC, firstDay DESC, policy LIMIT ${MAX_POLICIES}`,
      [...kept.parameters, ...final.parameters],
      v.pipe(
        v.object({
          policy: v.string(),
          firstDay: v.number(),
          lastDay: v.number(),
          lastCountedDay: v.number(),
          reports: v.number(),
          reporters: v.number(),
        }),
        v.transform((row): PolicyDays => ({ ...row, reportersAreAtMost: false })),
      ),
    ),
    combine: (parts) =>
      sumRows(
        parts,
        ({ policy }) => policy,
        (a, b) => ({
          policy: a.policy,
          firstDay: Math.min(a.firstDay, b.firstDay),
          lastDay: Math.max(a.lastDay, b.lastDay),
          lastCountedDay: Math.max(a.lastCountedDay, b.lastCountedDay),
          reports: a.reports + b.reports,
          reporters: a.reporters + b.reporters,
          reportersAreAtMost: a.reportersAreAtMost || b.reportersAreAtMost || (a.reporters > 0 && b.reporters > 0),
        }),
      ).sort((a, b) => b.lastDay - a.lastDay || b.firstDay - a.firstDay || compareValues(a.policy, b.policy)),
  };
}

/** The number of RUA addresses proposed in a record (our choice). */
const MAX_RUA_ADDRESSES = 5;

/** The RUA addresses that received reports in a scope, the most recent first. */
export function ruaAddressesQuery(scope: Scope): Query<{ rua: string; lastDay: number }> {
  const where = inScope("r", "aggregate", scope);
  return {
    ...query(
      `SELECT r.rua, max(r.day) AS lastDay FROM reports r
      WHERE ${where.sql} AND r.state = 'accepted' AND r.rua <> ''
      GROUP BY r.rua ORDER BY lastDay DESC, r.rua LIMIT ${MAX_RUA_ADDRESSES}`,
      where.parameters,
      v.object({ rua: v.string(), lastDay: v.number() }),
    ),
    combine: (parts) =>
      sumRows(
        parts,
        ({ rua }) => rua,
        (a, b) => ({ rua: a.rua, lastDay: Math.max(a.lastDay, b.lastDay) }),
      )
        .sort((a, b) => b.lastDay - a.lastDay || compareValues(a.rua, b.rua))
        .slice(0, MAX_RUA_ADDRESSES),
  };
}

/** The policies seen by reports that the verdict counts, last seen first. */
export function countedPolicies<Days extends Pick<PolicyDays, "lastCountedDay">>(policies: readonly Days[]): Days[] {
  return policies.filter((one) => one.lastCountedDay > 0).sort((a, b) => b.lastCountedDay - a.lastCountedDay);
}
