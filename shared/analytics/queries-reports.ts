/** Statements of the page Reports. Pure; see queries.ts for the rules they keep. */
import {
  type Derived,
  newestRows,
  numberOf,
  type Query,
  type Scope,
  scopeConditions,
  slotsOf,
  textOf,
} from "./collapse.ts";
import { DATASETS } from "./columns.ts";
import { MESSAGES, PASSED_MESSAGES } from "./figures.ts";
import { quoteText } from "./queries.ts";

/** Ours: most rows one statement returns; pages say when it was reached. */
export const REPORT_LIMITS = { maxReports: 5000, maxGroups: 5000 } as const;

const records = slotsOf("records");

/** One aggregate report that has records. */
export interface ReportTotals {
  reportUid: string;
  account: string;
  domain: string;
  reporter: string;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  receivedSeconds: number;
  records: number;
  messages: number;
  passed: number;
}

/** Reports with their totals, the newest period first; `sourceIp` = only those with a record of that address. */
export function reportsQuery(scope: Scope, { sourceIp }: { sourceIp?: string | undefined } = {}): Query<ReportTotals> {
  const isAddress = (column: string): string => `${column} = ${quoteText(sourceIp ?? "")}`;
  const narrowed = sourceIp === undefined ? scope : { ...scope, firstNarrow: isAddress(records.sourceIp) };
  // All records of a report say who it is from; without an address to look for, the first one is enough.
  const shared = (name: "account" | "domain" | "reporter" | "reportId"): Derived => ({
    name: `${name}Text`,
    of: sourceIp === undefined ? `if(${records.ordinal} = 0, ${records[name]}, '')` : records[name],
  });
  const texts = [shared("account"), shared("domain"), shared("reporter"), shared("reportId")];
  const numbers = ["beginSeconds", "endSeconds", "receivedSeconds", MESSAGES, PASSED_MESSAGES] as const;
  const rows = newestRows(
    "records",
    [...texts, ...numbers, ...(sourceIp === undefined ? [] : (["sourceIp"] as const))],
    narrowed,
  );
  return {
    sql: [
      "SELECT reportUid, max(accountText) AS account, max(domainText) AS domain, max(reporterText) AS reporter,",
      "  max(reportIdText) AS reportId, max(beginSeconds) AS begins, max(endSeconds) AS ends,",
      "  max(receivedSeconds) AS newestReceived, sum(weight) AS records, sum(messageCount) AS messages,",
      "  sum(passedCount) AS passedMessages",
      `FROM ${rows}`,
      `WHERE weight > 0${sourceIp === undefined ? "" : ` AND ${isAddress("sourceIp")}`}`,
      "GROUP BY reportUid",
      `ORDER BY ends DESC, reporter, reportUid LIMIT ${REPORT_LIMITS.maxReports}`,
    ].join("\n"),
    read: (row) => ({
      ...{ reportUid: textOf(row, "reportUid"), account: textOf(row, "account"), domain: textOf(row, "domain") },
      ...{ reporter: textOf(row, "reporter"), reportId: textOf(row, "reportId") },
      ...{ beginSeconds: numberOf(row, "begins"), endSeconds: numberOf(row, "ends") },
      ...{ receivedSeconds: numberOf(row, "newestReceived"), records: numberOf(row, "records") },
      ...{ messages: numberOf(row, "messages"), passed: numberOf(row, "passedMessages") },
    }),
  };
}

/** An aggregate report that was accepted without any record: only its event tells of it. */
export interface EmptyReport {
  reportUid: string;
  account: string;
  domain: string;
  reporter: string;
  receivedSeconds: number;
}

/** Accepted aggregate reports without records, the newest first. Days are those of the mail's arrival. */
export function emptyReportsQuery({ firstDay, lastDay, ...scope }: Scope): Query<EmptyReport> {
  const slots = slotsOf("events");
  const newest = (slot: string, name: string): string => `argMax(${slot}, ${slots.generation}) AS ${name}`;
  const where = [...scopeConditions("events", scope), `${slots.kind} = 'aggregate'`];
  if (firstDay !== undefined) where.push(`${slots.receivedSeconds} >= ${firstDay * 86_400}`);
  if (lastDay !== undefined) where.push(`${slots.receivedSeconds} < ${(lastDay + 1) * 86_400}`);
  return {
    sql: [
      "SELECT eventId, account, domain, reporter, received",
      `FROM (SELECT ${slots.eventId} AS eventId, ${newest(slots.account, "account")}, ${newest(slots.domain, "domain")},`,
      `  ${newest(slots.reporter, "reporter")}, ${newest(slots.receivedSeconds, "received")},`,
      `  ${newest(slots.outcome, "outcome")}, ${newest(slots.records, "records")}`,
      `  FROM ${DATASETS.events.name} WHERE ${where.join(" AND ")}`,
      "  GROUP BY eventId)",
      "WHERE outcome IN ('accepted', 'reprocessed') AND records = 0",
      `ORDER BY received DESC, eventId LIMIT ${REPORT_LIMITS.maxReports}`,
    ].join("\n"),
    read: (row) => ({
      ...{ reportUid: textOf(row, "eventId"), account: textOf(row, "account"), domain: textOf(row, "domain") },
      ...{ reporter: textOf(row, "reporter"), receivedSeconds: numberOf(row, "received") },
    }),
  };
}

/**
 * The raw object a report of any kind was accepted from.
 *
 * @param scope names the report and its account
 */
export function reportOriginQuery({ accounts, reportUid = "" }: Scope): Query<string> {
  const slots = slotsOf("events");
  const where = [...scopeConditions("events", { accounts }), `${slots.eventId} = ${quoteText(reportUid)}`];
  return {
    sql: [
      `SELECT argMax(${slots.rawKey}, ${slots.generation}) AS rawKey`,
      `FROM ${DATASETS.events.name} WHERE ${where.join(" AND ")} AND ${slots.outcome} IN ('accepted', 'reprocessed')`,
      `GROUP BY ${slots.eventId}`,
    ].join("\n"),
    read: (row) => textOf(row, "rawKey"),
  };
}
