/** Statements of the page Reports, and of TLS and failure reports. Pure; see queries.ts for the rules they keep. */
import { type Derived, newestRows, numberOf, type Query, type Scope, slotsOf, textOf } from "./collapse.ts";
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

/** Sessions by day that TLS reports tell of. */
export interface TlsDay {
  day: number;
  successful: number;
  failed: number;
}

/** Successful and failed sessions by day. */
export function tlsDaysQuery(scope: Scope): Query<TlsDay> {
  const rows = newestRows("tls", ["scope", "successfulSessions", "failedSessions"], scope);
  return {
    sql: [
      "SELECT day, sum(successfulSessions * weight) AS successful, sum(failedSessions * weight) AS failed",
      `FROM ${rows}`,
      "WHERE weight > 0 AND scope = 'policy'",
      `GROUP BY day ORDER BY day LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      day: numberOf(row, "day"),
      successful: numberOf(row, "successful"),
      failed: numberOf(row, "failed"),
    }),
  };
}

/** What one reporter saw under one policy. */
export interface TlsPolicyTotals {
  reporter: string;
  policyType: string;
  mxHosts: string;
  successful: number;
  failed: number;
  reports: number;
  lastDay: number;
}

/** Sessions by reporter and policy. */
export function tlsPoliciesQuery(scope: Scope): Query<TlsPolicyTotals> {
  const columns = ["reporter", "policyType", "mxHosts", "scope", "successfulSessions", "failedSessions"] as const;
  return {
    sql: [
      "SELECT reporter, policyType, mxHosts, sum(successfulSessions * weight) AS successful,",
      "  sum(failedSessions * weight) AS failed, count(DISTINCT reportUid) AS reports, max(day) AS lastDay",
      `FROM ${newestRows("tls", columns, scope)}`,
      "WHERE weight > 0 AND scope = 'policy'",
      `GROUP BY reporter, policyType, mxHosts ORDER BY failed DESC, successful DESC LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      ...{ reporter: textOf(row, "reporter"), policyType: textOf(row, "policyType"), mxHosts: textOf(row, "mxHosts") },
      ...{ successful: numberOf(row, "successful"), failed: numberOf(row, "failed") },
      ...{ reports: numberOf(row, "reports"), lastDay: numberOf(row, "lastDay") },
    }),
  };
}

/** Failed sessions for one reason between the same two machines. */
export interface TlsFailureTotals {
  resultType: string;
  sendingMtaIp: string;
  receivingMxHostname: string;
  failureReasonCode: string;
  reporter: string;
  sessions: number;
  lastDay: number;
}

/** Failed sessions by reason and machines, the most first. */
export function tlsFailuresQuery(scope: Scope): Query<TlsFailureTotals> {
  const groups = "resultType, sendingMtaIp, receivingMxHostname, failureReasonCode, reporter";
  const columns = ["resultType", "sendingMtaIp", "receivingMxHostname", "failureReasonCode", "reporter"] as const;
  return {
    sql: [
      `SELECT ${groups}, sum(detailSessions * weight) AS sessions, max(day) AS lastDay`,
      `FROM ${newestRows("tls", [...columns, "scope", "detailSessions"], scope)}`,
      "WHERE weight > 0 AND scope = 'failure'",
      `GROUP BY ${groups} ORDER BY sessions DESC, resultType LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      ...{ resultType: textOf(row, "resultType"), sendingMtaIp: textOf(row, "sendingMtaIp") },
      ...{ receivingMxHostname: textOf(row, "receivingMxHostname"), reporter: textOf(row, "reporter") },
      ...{ failureReasonCode: textOf(row, "failureReasonCode") },
      ...{ sessions: numberOf(row, "sessions"), lastDay: numberOf(row, "lastDay") },
    }),
  };
}

/** Failure reports that say the same of the same address. */
export interface FailureTotals {
  sourceIp: string;
  authFailure: string;
  deliveryResult: string;
  dkimDomain: string;
  spfDomain: string;
  mailFromDomain: string;
  reportingMta: string;
  incidents: number;
  lastDay: number;
}

/** Failure reports by address and what failed, the most incidents first. */
export function failuresQuery(scope: Scope): Query<FailureTotals> {
  const groups = [
    ...(["sourceIp", "authFailure", "deliveryResult", "dkimDomain", "spfDomain", "mailFromDomain"] as const),
    "reportingMta" as const,
  ];
  const list = groups.join(", ");
  return {
    sql: [
      `SELECT ${list}, sum(incidents * weight) AS incidentCount, max(day) AS lastDay`,
      `FROM ${newestRows("failures", [...groups, "incidents"], scope)}`,
      "WHERE weight > 0",
      `GROUP BY ${list} ORDER BY incidentCount DESC, sourceIp LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      ...{ sourceIp: textOf(row, "sourceIp"), authFailure: textOf(row, "authFailure") },
      ...{ deliveryResult: textOf(row, "deliveryResult"), dkimDomain: textOf(row, "dkimDomain") },
      ...{ spfDomain: textOf(row, "spfDomain"), mailFromDomain: textOf(row, "mailFromDomain") },
      ...{ reportingMta: textOf(row, "reportingMta"), incidents: numberOf(row, "incidentCount") },
      lastDay: numberOf(row, "lastDay"),
    }),
  };
}
