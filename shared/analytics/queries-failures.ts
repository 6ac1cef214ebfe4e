/** Statements about failure reports. Pure; see queries.ts for the rules they keep. */
import { aboutDomains, newestRows, numberOf, type Query, type Scope, textOf } from "./collapse.ts";
import { REPORT_LIMITS } from "./queries-reports.ts";

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
  const about = aboutDomains("failures", scope);
  const groups = [
    ...(["sourceIp", "authFailure", "deliveryResult", "dkimDomain", "spfDomain", "mailFromDomain"] as const),
    "reportingMta" as const,
  ];
  const list = groups.join(", ");
  return {
    sql: [
      `SELECT ${list}, sum(incidents * weight) AS incidentCount, max(day) AS lastDay`,
      `FROM ${newestRows("failures", ["domain", ...groups, "incidents"], about.inner)}`,
      `WHERE ${about.outer}`,
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

/** One failure report. */
export interface FailureReportRow {
  reportUid: string;
  account: string;
  domain: string;
  /** When the reported mail arrived; 0 where the report does not say. */
  arrivalSeconds: number;
  receivedSeconds: number;
  sourceIp: string;
  authFailure: string;
  deliveryResult: string;
  reportingMta: string;
  incidents: number;
}

/** Failure reports one by one, the newest first. */
export function failureReportsQuery(scope: Scope): Query<FailureReportRow> {
  const about = aboutDomains("failures", scope);
  const texts = ["account", "domain", "sourceIp", "authFailure", "deliveryResult", "reportingMta"] as const;
  const columns = [...texts, "arrivalSeconds", "receivedSeconds", "incidents"] as const;
  return {
    sql: [
      `SELECT reportUid, ${columns.join(", ")}`,
      `FROM ${newestRows("failures", columns, about.inner)}`,
      `WHERE ${about.outer}`,
      `ORDER BY day DESC, arrivalSeconds DESC, reportUid LIMIT ${REPORT_LIMITS.maxReports}`,
    ].join("\n"),
    read: (row) => ({
      ...{ reportUid: textOf(row, "reportUid"), account: textOf(row, "account"), domain: textOf(row, "domain") },
      ...{ arrivalSeconds: numberOf(row, "arrivalSeconds"), receivedSeconds: numberOf(row, "receivedSeconds") },
      ...{ sourceIp: textOf(row, "sourceIp"), authFailure: textOf(row, "authFailure") },
      ...{ deliveryResult: textOf(row, "deliveryResult"), reportingMta: textOf(row, "reportingMta") },
      incidents: numberOf(row, "incidents"),
    }),
  };
}

/** Messages of one domain that failure reports tell of. */
export interface FailureDomain {
  domain: string;
  incidents: number;
}

/** Failure reports by domain, the most incidents first. */
export function failureDomainsQuery(scope: Scope): Query<FailureDomain> {
  const about = aboutDomains("failures", scope);
  return {
    sql: [
      "SELECT domain, sum(incidents * weight) AS incidentCount",
      `FROM ${newestRows("failures", ["domain", "incidents"], about.inner)}`,
      `WHERE ${about.outer}`,
      `GROUP BY domain ORDER BY incidentCount DESC, domain LIMIT ${REPORT_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({ domain: textOf(row, "domain"), incidents: numberOf(row, "incidentCount") }),
  };
}
