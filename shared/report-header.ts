/** The header common to all kinds of reports, so that other code need not distinguish kinds. Pure. */
import { domainName, domainOfAddress } from "./domain-name.ts";
import type { Report } from "./report/vocabulary.ts";

/** The kinds of reports. */
export type ReportKind = Report["kind"];

export interface ReportHeader {
  kind: ReportKind;
  /** Who sent it, as stored and shown. */
  reporter: string;
  /** Identifies the reporter; for an aggregate report, its organization and the domain of its email. */
  reporterKey: string[];
  /** "" for kinds that have none (failure reports). */
  reportId: string;
  /** Policy domains as A-labels, sorted, each once; at least one, "" if the report names none. */
  domains: [string, ...string[]];
  /** Period, seconds since 1970 UTC; 0 if there is none. */
  beginSeconds: number;
  endSeconds: number;
}

/** The header of a report. */
export function headerOf(report: Report): ReportHeader {
  switch (report.kind) {
    case "aggregate": {
      const { orgName, email, reportId, beginSeconds, endSeconds } = report.metadata;
      return {
        kind: report.kind,
        reporter: orgName,
        reporterKey: [orgName, domainOfAddress(email)],
        reportId,
        domains: [domainName(report.policy.domain)],
        beginSeconds,
        endSeconds,
      };
    }
    case "tls": {
      const { orgName, contactInfo, reportId, beginSeconds, endSeconds } = report;
      return {
        kind: report.kind,
        reporter: orgName,
        reporterKey: [domainOfAddress(contactInfo) || orgName],
        reportId,
        domains: domainsOf(report.policies.map(({ policyDomain }) => policyDomain)),
        beginSeconds,
        endSeconds,
      };
    }
    case "failure": {
      const seconds = report.arrivalSeconds ?? 0;
      return {
        kind: report.kind,
        reporter: report.reportingMta,
        reporterKey: [report.reportingMta],
        reportId: "",
        domains: [domainName(report.reportedDomain)],
        beginSeconds: seconds,
        endSeconds: seconds,
      };
    }
  }
}

function domainsOf(names: readonly string[]): [string, ...string[]] {
  const known = [...new Set(names.map(domainName))].filter((name) => name !== "").sort();
  const [first = "", ...others] = known;
  return [first, ...others];
}
