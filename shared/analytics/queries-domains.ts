/** Statements of the pages Domains and Domain overview. Pure; see queries.ts for the rules they keep. */
import { newestRows, numberOf, type Query, type Scope, scopeConditions, slotsOf, textOf } from "./collapse.ts";
import { DATASETS } from "./columns.ts";

/** Ours: most rows any of these statements returns. */
export const DOMAIN_LIMITS = { maxDomains: 10_000, maxDays: 20_000, maxReasons: 2000, maxPolicies: 5000 } as const;

/** One policy domain in a period. */
export interface DomainTotals {
  domain: string;
  messages: number;
  passed: number;
  reports: number;
  sources: number;
  /** End of the newest report's period, seconds since 1970 UTC. */
  lastEndSeconds: number;
  /** Published policy of the newest report, as columns.ts writes it. */
  policy: string;
}

/** Totals by policy domain, the largest first. */
export function domainsQuery(scope: Scope): Query<DomainTotals> {
  const rows = newestRows("records", ["domain", "count", "passed", "sourceIp", "endSeconds", "policy"], scope);
  return {
    sql: [
      "SELECT domain, sum(mails * weight) AS messages, sum(mails * passed * weight) AS passedMessages,",
      "  count(DISTINCT reportUid) AS reports, count(DISTINCT sourceIp) AS sources,",
      "  max(endSeconds) AS lastEndSeconds, argMax(policy, endSeconds) AS newestPolicy",
      `FROM ${rows}`,
      "WHERE live = 1",
      "GROUP BY domain",
      `ORDER BY messages DESC, domain LIMIT ${DOMAIN_LIMITS.maxDomains}`,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passedMessages"),
      reports: numberOf(row, "reports"),
      sources: numberOf(row, "sources"),
      lastEndSeconds: numberOf(row, "lastEndSeconds"),
      policy: textOf(row, "newestPolicy"),
    }),
  };
}

/** Messages of one domain on one day. */
export interface DomainDay {
  domain: string;
  day: number;
  messages: number;
  passed: number;
}

/** Messages by domain and day; ask for the domains shown, not for all. */
export function domainTrendQuery(scope: Scope): Query<DomainDay> {
  return {
    sql: [
      "SELECT domain, day, sum(mails * weight) AS messages, sum(mails * passed * weight) AS passedMessages",
      `FROM ${newestRows("records", ["domain", "count", "passed"], scope)}`,
      "WHERE live = 1",
      "GROUP BY domain, day",
      `ORDER BY domain, day LIMIT ${DOMAIN_LIMITS.maxDays}`,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      day: numberOf(row, "day"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passedMessages"),
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
export function dailyQuery(scope: Scope): Query<DayTotals> {
  return {
    sql: [
      "SELECT day, sum(mails * weight) AS messages, sum(mails * passed * weight) AS passedMessages,",
      "  sum(if(dkim = 'pass', mails * weight, 0)) AS dkimAligned,",
      "  sum(if(spf = 'pass', mails * weight, 0)) AS spfAligned,",
      "  sum(if(disposition = 'quarantine', mails * weight, 0)) AS quarantined,",
      "  sum(if(disposition = 'reject', mails * weight, 0)) AS rejected,",
      "  count(DISTINCT reportUid) AS reports",
      `FROM ${newestRows("records", ["count", "passed", "dkim", "spf", "disposition"], scope)}`,
      "WHERE live = 1",
      `GROUP BY day ORDER BY day LIMIT ${DOMAIN_LIMITS.maxDays}`,
    ].join("\n"),
    read: (row) => ({
      day: numberOf(row, "day"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passedMessages"),
      dkimAligned: numberOf(row, "dkimAligned"),
      spfAligned: numberOf(row, "spfAligned"),
      quarantined: numberOf(row, "quarantined"),
      rejected: numberOf(row, "rejected"),
      reports: numberOf(row, "reports"),
    }),
  };
}

/** Messages of one disposition with one list of override reasons (`type comment`, one a line; "" = none). */
export interface ReasonTotals {
  reasons: string;
  disposition: string;
  isPass: boolean;
  messages: number;
}

/** Messages by disposition, result and override reasons, the largest first. */
export function reasonsQuery(scope: Scope): Query<ReasonTotals> {
  return {
    sql: [
      "SELECT reasons, disposition, passed, sum(mails * weight) AS messages",
      `FROM ${newestRows("records", ["reasons", "disposition", "passed", "count"], scope)}`,
      "WHERE live = 1",
      `GROUP BY reasons, disposition, passed ORDER BY messages DESC, reasons LIMIT ${DOMAIN_LIMITS.maxReasons}`,
    ].join("\n"),
    read: (row) => ({
      reasons: textOf(row, "reasons"),
      disposition: textOf(row, "disposition"),
      isPass: numberOf(row, "passed") === 1,
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
      "SELECT policy, min(day) AS firstDay, max(day) AS lastDay, count(DISTINCT reportUid) AS reports,",
      "  count(DISTINCT reporter) AS reporters",
      `FROM ${newestRows("records", ["policy", "reporter"], scope)}`,
      "WHERE live = 1",
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
