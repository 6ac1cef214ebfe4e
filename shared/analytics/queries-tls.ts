/** Statements about SMTP TLS reports. Pure; see queries.ts for the rules they keep. */
import { aboutDomains, newestRows, numberOf, type Query, type Scope, textOf } from "./collapse.ts";
import type { AnswerRow } from "./queries.ts";
import { REPORT_LIMITS } from "./queries-reports.ts";

/** Sessions of mail servers, as the summaries of policies count them. */
export interface Sessions {
  successful: number;
  failed: number;
}

const SESSION_SUMS = "sum(successfulSessions * weight) AS successful, sum(failedSessions * weight) AS failed";

function readSessions(row: AnswerRow): Sessions {
  return { successful: numberOf(row, "successful"), failed: numberOf(row, "failed") };
}

/** Sessions by day that TLS reports tell of. */
export interface TlsDay extends Sessions {
  day: number;
}

/** Successful and failed sessions by day. */
export function tlsDaysQuery(scope: Scope): Query<TlsDay> {
  const about = aboutDomains("tls", scope);
  const rows = newestRows("tls", ["domain", "scope", "successfulSessions", "failedSessions"], about.inner);
  return {
    sql: [
      `SELECT day, ${SESSION_SUMS}`,
      `FROM ${rows}`,
      `WHERE ${about.outer} AND scope = 'policy'`,
      `GROUP BY day ORDER BY day LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({ day: numberOf(row, "day"), ...readSessions(row) }),
  };
}

/** What one reporter saw under one policy. */
export interface TlsPolicyTotals extends Sessions {
  reporter: string;
  policyType: string;
  mxHosts: string;
  reports: number;
  lastDay: number;
}

/** Sessions by reporter and policy. */
export function tlsPoliciesQuery(scope: Scope): Query<TlsPolicyTotals> {
  const about = aboutDomains("tls", scope);
  const columns = ["reporter", "policyType", "mxHosts", "scope", "successfulSessions", "failedSessions"] as const;
  return {
    sql: [
      "SELECT reporter, policyType, mxHosts, sum(successfulSessions * weight) AS successful,",
      "  sum(failedSessions * weight) AS failed, count(DISTINCT reportUid) AS reports, max(day) AS lastDay",
      `FROM ${newestRows("tls", ["domain", ...columns], about.inner)}`,
      `WHERE ${about.outer} AND scope = 'policy'`,
      `GROUP BY reporter, policyType, mxHosts ORDER BY failed DESC, successful DESC LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      ...{ reporter: textOf(row, "reporter"), policyType: textOf(row, "policyType"), mxHosts: textOf(row, "mxHosts") },
      ...readSessions(row),
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
  const about = aboutDomains("tls", scope);
  const groups = "resultType, sendingMtaIp, receivingMxHostname, failureReasonCode, reporter";
  const columns = ["resultType", "sendingMtaIp", "receivingMxHostname", "failureReasonCode", "reporter"] as const;
  return {
    sql: [
      `SELECT ${groups}, sum(detailSessions * weight) AS sessions, max(day) AS lastDay`,
      `FROM ${newestRows("tls", ["domain", ...columns, "scope", "detailSessions"], about.inner)}`,
      `WHERE ${about.outer} AND scope = 'failure'`,
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

/** What one TLS report says of the domains asked for. */
export interface TlsReportTotals extends Sessions {
  reportUid: string;
  account: string;
  reporter: string;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  receivedSeconds: number;
  policies: number;
}

/** TLS reports with their totals, the newest period first. */
export function tlsReportsQuery(scope: Scope): Query<TlsReportTotals> {
  const about = aboutDomains("tls", scope);
  const texts = ["domain", "account", "reporter", "reportId", "scope"] as const;
  const numbers = ["beginSeconds", "endSeconds", "receivedSeconds", "successfulSessions", "failedSessions"] as const;
  return {
    sql: [
      "SELECT reportUid, max(account) AS reportAccount, max(reporter) AS reportReporter, max(reportId) AS id,",
      "  max(beginSeconds) AS begins, max(endSeconds) AS ends, max(receivedSeconds) AS newestReceived,",
      "  sum(weight) AS policies, sum(successfulSessions * weight) AS successful,",
      "  sum(failedSessions * weight) AS failed",
      `FROM ${newestRows("tls", [...texts, ...numbers], about.inner)}`,
      `WHERE ${about.outer} AND scope = 'policy'`,
      `GROUP BY reportUid ORDER BY ends DESC, reportReporter, reportUid LIMIT ${REPORT_LIMITS.maxReports}`,
    ].join("\n"),
    read: (row) => ({
      ...{ reportUid: textOf(row, "reportUid"), account: textOf(row, "reportAccount") },
      ...{ reporter: textOf(row, "reportReporter"), reportId: textOf(row, "id") },
      ...{ beginSeconds: numberOf(row, "begins"), endSeconds: numberOf(row, "ends") },
      ...{ receivedSeconds: numberOf(row, "newestReceived"), policies: numberOf(row, "policies") },
      ...readSessions(row),
    }),
  };
}

/** Sessions to one domain that TLS reports tell of. */
export interface TlsDomain extends Sessions {
  domain: string;
}

/** Sessions by policy domain, the most failures first. */
export function tlsDomainsQuery(scope: Scope): Query<TlsDomain> {
  const about = aboutDomains("tls", scope);
  const columns = ["domain", "scope", "successfulSessions", "failedSessions"] as const;
  return {
    sql: [
      `SELECT domain, ${SESSION_SUMS}`,
      `FROM ${newestRows("tls", columns, about.inner)}`,
      `WHERE ${about.outer} AND scope = 'policy'`,
      `GROUP BY domain ORDER BY failed DESC, domain LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({ domain: textOf(row, "domain"), ...readSessions(row) }),
  };
}
