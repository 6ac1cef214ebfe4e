/**
 * The statements put to Analytics Engine that are ours: figures by domain and day for comparing with the ledger, the trend of
 * operations, and those that docs/analytics.md and Grafana start from. No page's figure comes from here. Pure.
 *
 * Each one reads one dataset within a bound on `timestamp`, groups by a point's identity first so that a point written
 * twice and a report run again count once, weights by `_sample_interval`, and passes local/analytics/dialect.ts.
 */
import { ANALYTICS_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { cutBytes, DATASETS, type DatasetId } from "./columns.ts";
import { type AnswerRow, numberOf, type Query, quoteName, slotsOf, textOf } from "./query.ts";

/** Which days: from one to another, both included, as days since 1970-01-01 UTC; or all that was written lately. */
export type Days = { firstDay: number; lastDay: number } | { writtenInLastDays: number };

/** Whose figures; an absent field means all. */
export interface StatementFilter {
  account?: string | undefined;
  /** As an A-label, lower case. */
  domain?: string | undefined;
  /** Of statements by domain and day: only rows after this one. */
  after?: LastRow | undefined;
}

/** Ours: rows of one answer; a year of 27 domains, or a month of 330. */
export const MAX_ROWS = 10_000;
/** Ours: a report may come in before the day it is counted to, by a clock that is wrong or a period that is not over. */
const EARLY_SECONDS = 2 * SECONDS_PER_DAY;

/** How many points the rows of one domain and day are based on, and how many written ones each represents. */
export interface Sampling {
  /** Points that the engine kept; a report run again has one for each of its records. */
  points: number;
  /** `_sample_interval`: 1 where nothing was sampled. */
  highestInterval: number;
  meanInterval: number;
}

const SAMPLING = "count() AS points, max(sampled) AS highestInterval, avg(sampled) AS meanInterval";

/** The last row of the answer before: rows come by day, then by domain. */
export interface LastRow {
  day: number;
  domain: string;
}

const BY_DOMAIN_AND_DAY = `GROUP BY domain, day\nORDER BY day, domain LIMIT ${MAX_ROWS}`;

/** Messages of one domain on one day, as aggregate reports count them. */
export interface MessagesOfDay extends Sampling {
  domain: string;
  /** Days since 1970-01-01 UTC (report-day.ts). */
  day: number;
  records: number;
  messages: number;
  /** Messages whose aligned dkim or spf is pass. */
  passed: number;
}

/** Messages by domain and day. */
export function messagesByDay(days: Days, filter: StatementFilter = {}): Query<MessagesOfDay> {
  const { domain, beginSeconds, endSeconds, count, passed } = slotsOf("records");
  const weight = weightOf("records");
  return {
    sql: [
      "SELECT domain, day, sum(weight) AS records, sum(messageCount) AS messages, sum(passedCount) AS passed,",
      `  ${SAMPLING}`,
      ...newestRows("records", conditions("records", days, filter), {
        // Part of what a uid is made of.
        domain: { key: domain },
        day: dayOfMiddle(`max(${beginSeconds} + ${endSeconds})`),
        weight: newest("records", weight),
        sampled: "max(_sample_interval)",
        messageCount: newest("records", `${count} * ${weight}`),
        passedCount: newest("records", `${count} * ${passed} * ${weight}`),
      }),
      `WHERE ${["weight > 0", ...isAfter(filter.after)].join(" AND ")}`,
      BY_DOMAIN_AND_DAY,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      day: numberOf(row, "day"),
      records: numberOf(row, "records"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passed"),
      ...readSampling(row),
    }),
  };
}

/** TLS sessions of one domain on one day, as the policies of TLS reports count them. */
export interface SessionsOfDay extends Sampling {
  domain: string;
  day: number;
  successful: number;
  failed: number;
}

/** TLS sessions by domain and day. */
export function sessionsByDay(days: Days, filter: StatementFilter = {}): Query<SessionsOfDay> {
  const { beginSeconds, endSeconds, scope, successfulSessions, failedSessions, domain } = slotsOf("tls");
  const weight = weightOf("tls");
  return {
    sql: [
      "SELECT domain, day, sum(successfulCount) AS successful, sum(failedCount) AS failed,",
      `  ${SAMPLING}`,
      ...newestRows("tls", conditions("tls", days, { account: filter.account }), {
        domain: newest("tls", domain),
        scope: newest("tls", scope),
        day: dayOfMiddle(`max(${beginSeconds} + ${endSeconds})`),
        weight: newest("tls", weight),
        sampled: "max(_sample_interval)",
        successfulCount: newest("tls", `${successfulSessions} * ${weight}`),
        failedCount: newest("tls", `${failedSessions} * ${weight}`),
      }),
      `WHERE ${["weight > 0", "scope = 'policy'", ...nameIs("domain", filter.domain), ...isAfter(filter.after)].join(" AND ")}`,
      BY_DOMAIN_AND_DAY,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      day: numberOf(row, "day"),
      successful: numberOf(row, "successful"),
      failed: numberOf(row, "failed"),
      ...readSampling(row),
    }),
  };
}

/** Messages of one domain on one day that failure reports are about. */
export interface FailuresOfDay extends Sampling {
  domain: string;
  day: number;
  reports: number;
  incidents: number;
}

/** Failure reports by domain and day. */
export function failuresByDay(days: Days, filter: StatementFilter = {}): Query<FailuresOfDay> {
  const { domain, incidents } = slotsOf("failures");
  const weight = weightOf("failures");
  return {
    sql: [
      "SELECT domain, day, sum(weight) AS reports, sum(incidentCount) AS incidents,",
      `  ${SAMPLING}`,
      ...newestRows("failures", conditions("failures", days, { account: filter.account }), {
        domain: newest("failures", domain),
        day: `floor(max(${failureMoment()}) / ${SECONDS_PER_DAY})`,
        weight: newest("failures", weight),
        sampled: "max(_sample_interval)",
        incidentCount: newest("failures", `${incidents} * ${weight}`),
      }),
      `WHERE ${["weight > 0", ...nameIs("domain", filter.domain), ...isAfter(filter.after)].join(" AND ")}`,
      BY_DOMAIN_AND_DAY,
    ].join("\n"),
    read: (row) => ({
      domain: textOf(row, "domain"),
      day: numberOf(row, "day"),
      reports: numberOf(row, "reports"),
      incidents: numberOf(row, "incidents"),
      ...readSampling(row),
    }),
  };
}

/** How many reports and parts reached one outcome in one step of time. */
export interface OutcomesOfStep {
  /** Days, or hours, since 1970-01-01 UTC, by when the outcome was reached. */
  step: number;
  outcome: string;
  events: number;
}

/** What outcomes are counted by, in seconds. */
const STEP_SECONDS = { day: SECONDS_PER_DAY, hour: 3600 } as const;

/** The trend of operations. Every outcome counts, also one that a later one replaced: it happened. */
export function outcomesByStep(
  days: Days,
  step: keyof typeof STEP_SECONDS,
  { account }: Pick<StatementFilter, "account"> = {},
): Query<OutcomesOfStep> {
  const { eventId, outcome, generation, processedSeconds } = slotsOf("events");
  return {
    sql: [
      "SELECT step, outcome, sum(weight) AS events",
      `FROM (SELECT ${eventId} AS eventId, ${outcome} AS outcome, ${generation} AS generation,`,
      `  floor(min(${processedSeconds}) / ${STEP_SECONDS[step]}) AS step, max(_sample_interval) AS weight`,
      `  FROM ${DATASETS.events.name}`,
      `  WHERE ${conditions("events", days, { account }).join("\n    AND ")}`,
      "  GROUP BY eventId, outcome, generation)",
      "GROUP BY step, outcome",
      `ORDER BY step, outcome LIMIT ${MAX_ROWS}`,
    ].join("\n"),
    read: (row) => ({ step: numberOf(row, "step"), outcome: textOf(row, "outcome"), events: numberOf(row, "events") }),
  };
}

/** How long accepted reports took from the arrival of their mail, by the day they were accepted. */
export interface LatencyOfDay {
  day: number;
  medianSeconds: number;
  p95Seconds: number;
  maxSeconds: number;
}

/** The other half of the trend of operations: of reports that were read for the first time. */
export function latencyByDay(days: Days, { account }: Pick<StatementFilter, "account"> = {}): Query<LatencyOfDay> {
  const { eventId, outcome, generation, processedSeconds, latencySeconds } = slotsOf("events");
  return {
    sql: [
      "SELECT day, quantileExactWeighted(0.5)(latency, weight) AS medianSeconds,",
      "  quantileExactWeighted(0.95)(latency, weight) AS p95Seconds, max(latency) AS maxSeconds",
      `FROM (SELECT ${eventId} AS eventId, ${generation} AS generation,`,
      `  floor(min(${processedSeconds}) / ${SECONDS_PER_DAY}) AS day, min(${latencySeconds}) AS latency,`,
      "  max(_sample_interval) AS weight",
      `  FROM ${DATASETS.events.name}`,
      `  WHERE ${[...conditions("events", days, { account }), `${outcome} = 'accepted'`].join("\n    AND ")}`,
      "  GROUP BY eventId, generation)",
      "GROUP BY day",
      `ORDER BY day LIMIT ${MAX_ROWS}`,
    ].join("\n"),
    read: (row) => ({
      day: numberOf(row, "day"),
      medianSeconds: numberOf(row, "medianSeconds"),
      p95Seconds: numberOf(row, "p95Seconds"),
      maxSeconds: numberOf(row, "maxSeconds"),
    }),
  };
}

/** For documents: the sources that fail most, with the domain that authenticated them instead, if any. */
export function failingSources(days: Days, filter: StatementFilter = {}): string {
  const { sourceIp, authDomain, count, passed } = slotsOf("records");
  const failing = `${count} * (1 - ${passed}) * ${weightOf("records")}`;
  return [
    "SELECT source, signer, sum(failingCount) AS failing",
    ...newestRows("records", conditions("records", days, filter), {
      source: newest("records", sourceIp),
      signer: newest("records", authDomain),
      failingCount: newest("records", failing),
    }),
    "WHERE failingCount > 0",
    "GROUP BY source, signer",
    "ORDER BY failing DESC LIMIT 20",
  ].join("\n");
}

/** What one address sent in the name of one domain. */
export interface MailOfAddress {
  account: string;
  domain: string;
  messages: number;
  /** Messages whose aligned dkim or spf is pass. */
  passed: number;
  /** Of the newest report about it, as days since 1970-01-01 UTC. */
  lastDay: number;
}

/**
 * In whose names an address sent, the most mail first. The rows are narrowed to the address before the newest reading is taken,
 * since all records of all domains would be too many: one that was read again with another address counts here, too.
 *
 * @param sourceIp canonical
 */
export function domainsOfAddress(days: Days, sourceIp: string): Query<MailOfAddress> {
  const { account, domain, beginSeconds, endSeconds, count, passed, sourceIp: address } = slotsOf("records");
  const weight = weightOf("records");
  return {
    sql: [
      "SELECT account, domain, sum(messageCount) AS messages, sum(passedCount) AS passed, max(day) AS lastDay",
      ...newestRows("records", [...conditions("records", days, {}), ...nameIs(address, sourceIp)], {
        account: { key: account },
        domain: { key: domain },
        day: dayOfMiddle(`max(${beginSeconds} + ${endSeconds})`),
        messageCount: newest("records", `${count} * ${weight}`),
        passedCount: newest("records", `${count} * ${passed} * ${weight}`),
      }),
      "WHERE messageCount > 0",
      "GROUP BY account, domain",
      `ORDER BY messages DESC LIMIT ${MAX_ROWS}`,
    ].join("\n"),
    read: (row) => ({
      account: textOf(row, "account"),
      domain: textOf(row, "domain"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passed"),
      lastDay: numberOf(row, "lastDay"),
    }),
  };
}

/** For Grafana, as a time series: messages by day and disposition. `$from` and `$to` are Grafana's, in seconds. */
export function grafanaMessages(filter: StatementFilter = {}): string {
  const { beginSeconds, endSeconds, disposition, count } = slotsOf("records");
  return [
    `SELECT day * ${SECONDS_PER_DAY * 1000} AS t, disposition, sum(messageCount) AS messages`,
    ...newestRows("records", grafanaConditions("records", filter), {
      day: dayOfMiddle(`max(${beginSeconds} + ${endSeconds})`),
      disposition: newest("records", disposition),
      messageCount: newest("records", `${count} * ${weightOf("records")}`),
    }),
    "GROUP BY t, disposition",
    "ORDER BY t",
  ].join("\n");
}

/** For Grafana, as a time series: messages that pass and fail DMARC by day; `$from` and `$to` are its own variables. */
export function grafanaResults(filter: StatementFilter = {}): string {
  const { beginSeconds, endSeconds, passed, count } = slotsOf("records");
  return [
    `SELECT day * ${SECONDS_PER_DAY * 1000} AS t, sum(passedCount) AS pass, sum(failedCount) AS fail`,
    ...newestRows("records", grafanaConditions("records", filter), {
      day: dayOfMiddle(`max(${beginSeconds} + ${endSeconds})`),
      passedCount: newest("records", `${count} * ${passed} * ${weightOf("records")}`),
      failedCount: newest("records", `${count} * (1 - ${passed}) * ${weightOf("records")}`),
    }),
    "GROUP BY t",
    "ORDER BY t",
  ].join("\n");
}

/** For Grafana, as a table: sources with the most failing messages of the time shown. */
export function grafanaSources(filter: StatementFilter = {}): string {
  const { sourceIp, authDomain, count, passed } = slotsOf("records");
  return [
    "SELECT source, signer, sum(failingCount) AS failing",
    ...newestRows("records", grafanaConditions("records", filter), {
      source: newest("records", sourceIp),
      signer: newest("records", authDomain),
      failingCount: newest("records", `${count} * (1 - ${passed}) * ${weightOf("records")}`),
    }),
    "WHERE failingCount > 0",
    "GROUP BY source, signer",
    "ORDER BY failing DESC LIMIT 20",
  ].join("\n");
}

/** For Grafana, as a time series: TLS sessions by day. */
export function grafanaSessions({ account }: Pick<StatementFilter, "account"> = {}): string {
  const { beginSeconds, endSeconds, scope, successfulSessions, failedSessions } = slotsOf("tls");
  return [
    `SELECT day * ${SECONDS_PER_DAY * 1000} AS t, sum(successfulCount) AS successful, sum(failedCount) AS failed`,
    ...newestRows("tls", grafanaConditions("tls", { account }), {
      scope: newest("tls", scope),
      day: dayOfMiddle(`max(${beginSeconds} + ${endSeconds})`),
      successfulCount: newest("tls", `${successfulSessions} * ${weightOf("tls")}`),
      failedCount: newest("tls", `${failedSessions} * ${weightOf("tls")}`),
    }),
    "WHERE scope = 'policy'",
    "GROUP BY t",
    "ORDER BY t",
  ].join("\n");
}

function grafanaConditions(dataset: "records" | "tls", filter: StatementFilter): string[] {
  const { beginSeconds, endSeconds } = slotsOf(dataset);
  const middle = `${beginSeconds} + ${endSeconds}`;
  const written = `timestamp >= toDateTime($from - ${EARLY_SECONDS})`;
  return [written, `${middle} >= 2 * $from`, `${middle} < 2 * $to`, ...filterConditions(dataset, filter)];
}

/** For Grafana, as a time series: outcomes by hour. */
export function grafanaOutcomes({ account }: Pick<StatementFilter, "account"> = {}): string {
  const { eventId, outcome, generation, processedSeconds } = slotsOf("events");
  return [
    "SELECT hour * 3600000 AS t, outcome, sum(weight) AS events",
    `FROM (SELECT ${eventId} AS eventId, ${outcome} AS outcome, ${generation} AS generation,`,
    `  floor(min(${processedSeconds}) / 3600) AS hour, max(_sample_interval) AS weight`,
    `  FROM ${DATASETS.events.name}`,
    "  WHERE timestamp >= toDateTime($from) AND timestamp <= toDateTime($to)",
    ...filterConditions("events", { account }).map(also),
    "  GROUP BY eventId, outcome, generation)",
    "GROUP BY t, outcome",
    "ORDER BY t",
  ].join("\n");
}

/** For the help of `dmarc query` and for `npm start`: statements short enough for a command line. */
export const EXAMPLE_STATEMENTS = exampleStatements();

function exampleStatements() {
  const { reportUid, domain, reporter } = slotsOf("records");
  const { eventId, outcome } = slotsOf("events");
  const lately = "WHERE timestamp > now() - INTERVAL '30' DAY";
  // Each report is counted once, however many points it has and however often they were written.
  const reports = `count(DISTINCT ${reportUid}) AS reports FROM ${DATASETS.records.name} ${lately}`;
  const events = `count(DISTINCT ${eventId}) AS n FROM ${DATASETS.events.name} ${lately}`;
  return {
    reportsByDomain: `SELECT ${domain} AS domain, ${reports} GROUP BY domain`,
    reportsByReporter: `SELECT ${reporter} AS reporter, ${reports} GROUP BY reporter ORDER BY reports DESC`,
    eventsByOutcome: `SELECT ${outcome} AS outcome, ${events} GROUP BY outcome`,
  };
}

/** Every statement above under a name: what `npm run smoke:sql` sends, and what tests hold to the dialect. */
export function namedStatements(days: Days, filter: StatementFilter = {}): Record<string, string> {
  return {
    "messages by domain and day": messagesByDay(days, filter).sql,
    "TLS sessions by domain and day": sessionsByDay(days, filter).sql,
    "failure reports by domain and day": failuresByDay(days, filter).sql,
    "outcomes by day": outcomesByStep(days, "day", filter).sql,
    "outcomes by hour": outcomesByStep(days, "hour", filter).sql,
    "latency by day": latencyByDay(days, filter).sql,
    "failing sources": failingSources(days, filter),
    "domains of an address": domainsOfAddress(days, "192.0.2.1").sql,
    "Grafana: messages": grafanaMessages(filter),
    "Grafana: outcomes": grafanaOutcomes(filter),
    "Grafana: results": grafanaResults(filter),
    "Grafana: sources": grafanaSources(filter),
    "Grafana: TLS sessions": grafanaSessions(filter),
    "example: reports by domain": EXAMPLE_STATEMENTS.reportsByDomain,
    "example: reports by reporter": EXAMPLE_STATEMENTS.reportsByReporter,
    "example: events by outcome": EXAMPLE_STATEMENTS.eventsByOutcome,
  };
}

function readSampling(row: AnswerRow): Sampling {
  return {
    points: numberOf(row, "points"),
    highestInterval: numberOf(row, "highestInterval"),
    meanInterval: numberOf(row, "meanInterval"),
  };
}

type ReportDataset = Exclude<DatasetId, "events">;

/** The lines of a subquery with one row a point's identity: what it gives, by name; a `key` is grouped by as well. */
function newestRows(
  dataset: ReportDataset,
  where: string[],
  values: Record<string, string | { key: string }>,
): string[] {
  const { reportUid, ordinal } = slotsOf(dataset);
  const keys = Object.keys(values).filter((name) => typeof values[name] === "object");
  const selected = Object.entries(values).map(([name, of]) => `${typeof of === "string" ? of : of.key} AS ${name}`);
  return [
    `FROM (SELECT ${[`${reportUid} AS reportUid, ${ordinal} AS ordinal`, ...selected].join(",\n  ")}`,
    `  FROM ${DATASETS[dataset].name}`,
    `  WHERE ${where.join("\n    AND ")}`,
    `  GROUP BY ${["reportUid", "ordinal", ...keys].join(", ")})`,
  ];
}

/** The value of the newest generation. Generations are seconds, so no sum of numbers can carry both; argMax is needed. */
function newest(dataset: ReportDataset, value: string): string {
  return `argMax(${value}, ${slotsOf(dataset).generation})`;
}

// 0 for a point that only covers a stale one.
function weightOf(dataset: ReportDataset): string {
  return `${slotsOf(dataset).live} * _sample_interval`;
}

// `dayOfReport` of report-day.ts, from the sum of begin and end.
function dayOfMiddle(twiceMiddle: string): string {
  return `floor(${twiceMiddle} / ${2 * SECONDS_PER_DAY})`;
}

// `dayOfFailure` of report-day.ts, in seconds.
function failureMoment(): string {
  const { arrivalSeconds, receivedSeconds } = slotsOf("failures");
  return `if(${arrivalSeconds} > 0, ${arrivalSeconds}, ${receivedSeconds})`;
}

// What decides the day is part of a report's identity or never changes with a later generation, so it may narrow the rows.
function conditions(dataset: DatasetId, days: Days, filter: StatementFilter): string[] {
  const names = filterConditions(dataset, filter);
  if ("writtenInLastDays" in days) return [`timestamp > now() - INTERVAL '${days.writtenInLastDays}' DAY`, ...names];
  const from = days.firstDay * SECONDS_PER_DAY;
  const to = (days.lastDay + 1) * SECONDS_PER_DAY;
  const written = `timestamp >= toDateTime(${from - EARLY_SECONDS})`;
  if (dataset === "events") {
    const { processedSeconds } = slotsOf("events");
    return [written, `${processedSeconds} >= ${from}`, `${processedSeconds} < ${to}`, ...names];
  }
  if (dataset === "failures") {
    return [written, `${failureMoment()} >= ${from}`, `${failureMoment()} < ${to}`, ...names];
  }
  const { beginSeconds, endSeconds } = slotsOf(dataset);
  const middle = `${beginSeconds} + ${endSeconds}`;
  return [written, `${middle} >= ${2 * from}`, `${middle} < ${2 * to}`, ...names];
}

// The index is compared too where it is the domain: it is what Analytics Engine sorts and samples by.
function filterConditions(dataset: DatasetId, { account, domain }: StatementFilter): string[] {
  const slots = slotsOf(dataset);
  const index =
    domain === undefined || dataset === "events" ? undefined : cutBytes(domain, ANALYTICS_LIMITS.maxIndexBytes);
  return [...nameIs("index1", index), ...nameIs(slots.domain, domain), ...nameIs(slots.account, account)];
}

function nameIs(column: string, name: string | undefined): string[] {
  return name === undefined ? [] : [`${column} = ${quoteName(name)}`];
}

function isAfter(last: LastRow | undefined): string[] {
  return last === undefined
    ? []
    : [`(day > ${last.day} OR (day = ${last.day} AND domain > ${quoteName(last.domain)}))`];
}

function also(condition: string): string {
  return `    AND ${condition}`;
}
