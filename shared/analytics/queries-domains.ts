/** Statements of the pages Domains and Domain overview. Pure; see queries.ts for the rules they keep. */
import { newestRows, numberOf, type Query, type Scope, scopeConditions, slotsOf, textOf } from "./collapse.ts";
import { DATASETS } from "./columns.ts";
import { FLAGS, type Flags, MESSAGES, PASSED_MESSAGES, readFlags } from "./figures.ts";

/** Ours: most rows any of these statements returns. */
export const DOMAIN_LIMITS = {
  maxDomains: 10_000,
  maxDayGroups: 50_000,
  maxReasons: 2000,
  maxPolicies: 5000,
} as const;

const records = slotsOf("records");

/** Messages of one policy domain in a period. */
export interface DomainTotals {
  domain: string;
  messages: number;
  passed: number;
  /** Messages of the days before the period, from `beforeFirstDay`. */
  messagesBefore: number;
  /** Messages of the parts of the period asked for, in their order. */
  trend: number[];
}

interface DomainsOptions {
  beforeFirstDay?: number;
  /** Parts of the period: first and last day, both included. */
  parts?: readonly (readonly [firstDay: number, lastDay: number])[];
}

/**
 * Totals by policy domain, the largest first. With `beforeFirstDay`, the days from it to the period count as the time
 * before; a domain that was reported only then is a row with nothing in the period. The parts are columns: as rows of
 * their own they would take a second collapse, or be too many.
 */
export function domainsQuery(scope: Scope, { beforeFirstDay, parts = [] }: DomainsOptions = {}): Query<DomainTotals> {
  const inPeriod = `day >= ${scope.firstDay ?? 0}`;
  const sumIf = (condition: string, value = "messageCount"): string => `sum(if(${condition}, ${value}, 0))`;
  const days = { ...scope, firstDay: beforeFirstDay ?? scope.firstDay };
  return {
    sql: [
      `SELECT domain, ${sumIf(inPeriod)} AS messages,`,
      `  ${sumIf(inPeriod, "passedCount")} AS passedMessages,`,
      ...parts.map(([first, last], i) => `  ${sumIf(`day >= ${first} AND day <= ${last}`)} AS part${i},`),
      `  ${sumIf(`day < ${scope.firstDay ?? 0}`)} AS messagesBefore`,
      `FROM ${newestRows("records", ["domain", MESSAGES, PASSED_MESSAGES], days)}`,
      "WHERE weight > 0",
      "GROUP BY domain",
      `ORDER BY messages DESC, domain LIMIT ${DOMAIN_LIMITS.maxDomains}`,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passedMessages"),
      messagesBefore: numberOf(row, "messagesBefore"),
      trend: parts.map((_, i) => numberOf(row, `part${i}`)),
    }),
  };
}

/** The reports about one policy domain in a period. */
export interface DomainReports {
  domain: string;
  reports: number;
  /** End of the newest report's period, seconds since 1970 UTC. */
  lastEndSeconds: number;
  /** Published policy of the newest report, as columns.ts writes it. */
  policy: string;
}

/** Reports with records by policy domain, those with the most first. */
export function domainReportsQuery(scope: Scope): Query<DomainReports> {
  const rows = newestRows("records", ["domain", "endSeconds", "policy"], { ...scope, isFirstRecord: true });
  return {
    sql: [
      "SELECT domain, sum(weight) AS reports, max(endSeconds) AS lastEndSeconds,",
      "  argMax(policy, endSeconds) AS newestPolicy",
      `FROM ${rows}`,
      "WHERE weight > 0",
      `GROUP BY domain ORDER BY reports DESC, domain LIMIT ${DOMAIN_LIMITS.maxDomains}`,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      reports: numberOf(row, "reports"),
      lastEndSeconds: numberOf(row, "lastEndSeconds"),
      policy: textOf(row, "newestPolicy"),
    }),
  };
}

/** Reports of a domain that need a person, by their newest outcome. */
export interface DomainProblems {
  domain: string;
  deadLetters: number;
  conflicts: number;
}

/** Dead letters and conflicts by domain; those without a domain are under "". Days do not narrow it. */
export function domainProblemsQuery(scope: Scope): Query<DomainProblems> {
  const slots = slotsOf("events");
  const newest = (slot: string): string => `argMax(${slot}, ${slots.generation})`;
  const where = scopeConditions("events", { accounts: scope.accounts, domains: scope.domains });
  return {
    sql: [
      "SELECT domain, sum(if(outcome = 'dead_letter', weight, 0)) AS deadLetters,",
      "  sum(if(outcome = 'conflict', weight, 0)) AS conflicts",
      `FROM (SELECT ${slots.eventId} AS eventId, ${newest(slots.domain)} AS domain,`,
      `  ${newest(slots.outcome)} AS outcome, ${newest("_sample_interval")} AS weight`,
      `  FROM ${DATASETS.events.name}${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}`,
      "  GROUP BY eventId)",
      "WHERE outcome IN ('dead_letter', 'conflict')",
      `GROUP BY domain ORDER BY deadLetters DESC LIMIT ${DOMAIN_LIMITS.maxDomains}`,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      deadLetters: numberOf(row, "deadLetters"),
      conflicts: numberOf(row, "conflicts"),
    }),
  };
}

/** Messages of one day with the same results and disposition; reports are counted where their first record is. */
export interface DayGroup extends Flags {
  day: number;
  messages: number;
  reports: number;
}

/** Messages by day and what became of them; `totalsByDay` adds it up. */
export function dayGroupsQuery(scope: Scope): Query<DayGroup> {
  return {
    sql: [
      "SELECT day, flags, sum(messageCount) AS messages, sum(if(ordinal = 0, weight, 0)) AS reports",
      `FROM ${newestRows("records", [MESSAGES, FLAGS], scope)}`,
      "WHERE weight > 0",
      `GROUP BY day, flags ORDER BY day, flags LIMIT ${DOMAIN_LIMITS.maxDayGroups}`,
    ].join("\n"),
    read: (row) => ({
      day: numberOf(row, "day"),
      messages: numberOf(row, "messages"),
      reports: numberOf(row, "reports"),
      ...readFlags(numberOf(row, "flags")),
    }),
  };
}

/** What happened to one day's messages. */
export interface DayTotals {
  day: number;
  messages: number;
  passed: number;
  dkimAligned: number;
  spfAligned: number;
  quarantined: number;
  rejected: number;
  reports: number;
}

/** Totals by day of the reports' period. A report belongs to one day, so reports add up over days. */
export function totalsByDay(groups: readonly DayGroup[]): DayTotals[] {
  const days = new Map<number, DayTotals>();
  for (const { day, messages, reports, ...flags } of groups) {
    const none = { messages: 0, passed: 0, dkimAligned: 0, spfAligned: 0, quarantined: 0, rejected: 0, reports: 0 };
    const total = days.get(day) ?? { day, ...none };
    days.set(day, total);
    total.messages += messages;
    total.reports += reports;
    if (flags.isPass) total.passed += messages;
    if (flags.isDkimAligned) total.dkimAligned += messages;
    if (flags.isSpfAligned) total.spfAligned += messages;
    if (flags.disposition === "quarantine") total.quarantined += messages;
    if (flags.disposition === "reject") total.rejected += messages;
  }
  return [...days.values()].toSorted((a, b) => a.day - b.day);
}

/** Messages of one disposition with one list of override reasons (`type comment`, one a line). */
export interface ReasonTotals {
  reasons: string;
  disposition: string;
  messages: number;
}

/** Messages by disposition and override reasons, the largest first; those without a reason are left out. */
export function reasonsQuery(scope: Scope): Query<ReasonTotals> {
  const narrowed = { ...scope, firstNarrow: `${records.reasons} != ''` };
  return {
    sql: [
      "SELECT reasons, disposition, sum(messageCount) AS messages",
      `FROM ${newestRows("records", ["reasons", "disposition", MESSAGES], narrowed)}`,
      "WHERE weight > 0 AND reasons != ''",
      `GROUP BY reasons, disposition ORDER BY messages DESC, reasons LIMIT ${DOMAIN_LIMITS.maxReasons}`,
    ].join("\n"),
    read: (row) => ({
      reasons: textOf(row, "reasons"),
      disposition: textOf(row, "disposition"),
      messages: numberOf(row, "messages"),
    }),
  };
}

/** Reports that saw one published policy, on how many days. */
export interface PolicyDays {
  policy: string;
  firstDay: number;
  lastDay: number;
  reports: number;
  reporters: number;
}

/** The published policies that reports saw, the one seen last first. */
export function policiesQuery(scope: Scope): Query<PolicyDays> {
  return {
    sql: [
      "SELECT policy, min(day) AS firstDay, max(day) AS lastDay, sum(weight) AS reports,",
      "  count(DISTINCT reporter) AS reporters",
      `FROM ${newestRows("records", ["policy", "reporter"], { ...scope, isFirstRecord: true })}`,
      "WHERE weight > 0",
      `GROUP BY policy ORDER BY lastDay DESC, firstDay DESC, policy LIMIT ${DOMAIN_LIMITS.maxPolicies}`,
    ].join("\n"),
    read: (row) => ({
      policy: textOf(row, "policy"),
      firstDay: numberOf(row, "firstDay"),
      lastDay: numberOf(row, "lastDay"),
      reports: numberOf(row, "reports"),
      reporters: numberOf(row, "reporters"),
    }),
  };
}
