/**
 * The named questions put to Analytics Engine, as SQL text of its dialect (one table, subquery only in FROM, no NULL
 * literal, documented functions only). Pure: it never runs a statement. Every query collapses on identity first, newest
 * generation winning, so that redelivery and running a report again never change an answer, and weights by
 * `_sample_interval`. Slot names come from columns.ts; values are quoted by `quoteText` alone.
 */

import { ANALYTICS_LIMITS } from "../limits.ts";
import { cutBytes, DATASETS } from "./columns.ts";
import { type AnswerRow, slotsOf } from "./query.ts";

export type { AnswerRow } from "./query.ts";

/** Narrows a query; an absent field means all. */
export interface QueryFilter {
  /** Policy domain, lower case; exactly this one. */
  domain?: string | undefined;
  account?: string | undefined;
}

/** The figures of `dmarc stats`. */
export interface Stats {
  /** Aggregate reports accepted, those without a record included. */
  reports: number;
  records: number;
  messages: number;
  /** Messages whose aligned dkim or spf is pass. */
  passed: number;
  /** Distinct source addresses. */
  sources: number;
  deadLetters: number;
}

/** Count of pipeline outcomes by their name (`accepted`, `duplicate`, …). */
export type OutcomeCounts = Record<string, number>;

/** The statements that together answer `stats`, one a dataset. */
export interface StatsStatements {
  records: string;
  events: string;
}

/** Outcomes of a report that is in the data; `reprocessed` says so again after it was run again. */
const ACCEPTED_OUTCOMES = ["accepted", "reprocessed"];

/**
 * A text as an SQL string literal. Quotes and backslashes are doubled, which ends no literal in a dialect with backslash
 * escapes (ClickHouse) and in one without: Cloudflare does not document which one its own is.
 */
export function quoteText(text: string): string {
  return `'${text.toWellFormed().replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

/** The statements for `Stats`; put their rows together with `combineStats`. */
export function statsQuery(filter: QueryFilter = {}): StatsStatements {
  return { records: recordTotals(filter), events: eventTotals(filter) };
}

/** Stats from the rows of both statements; no row (nothing was ever written) is zero. */
export function combineStats(recordRows: AnswerRow[], eventRows: AnswerRow[]): Stats {
  const records = recordRows[0] ?? {};
  const events = eventRows[0] ?? {};
  return {
    reports: readCount(events, "reports"),
    records: readCount(records, "records"),
    messages: readCount(records, "messages"),
    passed: readCount(records, "passed"),
    sources: readCount(records, "sources"),
    deadLetters: readCount(events, "deadLetters"),
  };
}

/** How many mails' reports ended in which outcome: rows `{outcome, events}`; see `readOutcomes`. */
export function outcomesQuery(filter: QueryFilter = {}): string {
  const column = slotsOf("events");
  const newest = (slot: string): string => `argMax(${slot}, ${column.generation})`;
  return [
    "SELECT outcome, sum(weight) AS events",
    `FROM (SELECT ${column.eventId} AS eventId, ${newest(column.outcome)} AS outcome,`,
    `  ${newest("_sample_interval")} AS weight`,
    `  FROM ${DATASETS.events.name}${where(conditions("events", filter))}`,
    "  GROUP BY eventId)",
    "GROUP BY outcome",
    "ORDER BY outcome",
  ].join("\n");
}

/** Counts by outcome from the rows of `outcomesQuery`. */
export function readOutcomes(rows: AnswerRow[]): OutcomeCounts {
  return Object.fromEntries(rows.map((row) => [String(row.outcome), readCount(row, "events")]));
}

// No alias is used twice: ClickHouse would put the outer meaning into the inner place. A record is (reportUid, ordinal).
// Points with live = 0 only stand over a stale record: they weigh nothing.
function recordTotals(filter: QueryFilter): string {
  const column = slotsOf("records");
  const newest = (of: string): string => `argMax(${of}, ${column.generation})`;
  const weight = `${column.live} * _sample_interval`;
  return [
    "SELECT sum(weight) AS records, sum(messageCount) AS messages, sum(passedCount) AS passed,",
    "  count(DISTINCT sourceIp) - max(if(sourceIp = '', 1, 0)) AS sources",
    `FROM (SELECT ${column.reportUid} AS reportUid, ${column.ordinal} AS ordinal,`,
    `  ${newest(weight)} AS weight, ${newest(`${column.count} * ${weight}`)} AS messageCount,`,
    `  ${newest(`${column.count} * ${column.passed} * ${weight}`)} AS passedCount, ${newest(column.sourceIp)} AS sourceIp`,
    `  FROM ${DATASETS.records.name}${where(conditions("records", filter))}`,
    "  GROUP BY reportUid, ordinal)",
    "WHERE weight > 0",
  ].join("\n");
}

// A report without records has no record points, so reports are counted by their events. The newest outcome counts: a
// dead letter that was cleared is none any more.
function eventTotals(filter: QueryFilter): string {
  const column = slotsOf("events");
  const newest = (slot: string): string => `argMax(${slot}, ${column.generation})`;
  const accepted = `outcome IN (${ACCEPTED_OUTCOMES.map(quoteText).join(", ")})`;
  const report = `${accepted} AND kind = ${quoteText("aggregate")}`;
  const deadLetter = `outcome = ${quoteText("dead_letter")}`;
  return [
    `SELECT sum(if(${report}, weight, 0)) AS reports, sum(if(${deadLetter}, weight, 0)) AS deadLetters`,
    `FROM (SELECT ${column.eventId} AS eventId, ${newest(column.outcome)} AS outcome,`,
    `  ${newest(column.kind)} AS kind, ${newest("_sample_interval")} AS weight`,
    `  FROM ${DATASETS.events.name}${where(conditions("events", filter))}`,
    "  GROUP BY eventId)",
  ].join("\n");
}

// The index is compared too where it is the domain: it is what Analytics Engine sorts and samples by.
function conditions(dataset: "records" | "events", filter: QueryFilter): string[] {
  const { domain, account } = slotsOf(dataset);
  const found: string[] = [];
  if (filter.domain !== undefined) {
    if (dataset === "records") {
      found.push(`index1 = ${quoteText(cutBytes(filter.domain, ANALYTICS_LIMITS.maxIndexBytes))}`);
    }
    found.push(`${domain} = ${quoteText(filter.domain)}`);
  }
  if (filter.account !== undefined) found.push(`${account} = ${quoteText(filter.account)}`);
  return found;
}

function where(found: string[]): string {
  return found.length === 0 ? "" : ` WHERE ${found.join(" AND ")}`;
}

function readCount(row: AnswerRow, name: string): number {
  const count = Number(row[name] ?? 0);
  return Number.isFinite(count) ? count : 0;
}
