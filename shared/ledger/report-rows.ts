/**
 * A report as rows of the ledger: one for each domain and day it counts for. Pure. What is a column and what is in
 * `details` is decided here alone.
 */
import * as v from "valibot";
import { policyText } from "../report/policy-text.ts";
import type {
  AggregateReport,
  FailureReport,
  PolicyPublished,
  Report,
  TlsPolicy,
  TlsReport,
} from "../report/vocabulary.ts";
import { dayOf } from "../report-day.ts";
import type { ReportKind } from "../report-header.ts";
import { jsonColumn } from "./database.ts";
import { FigureChunks, failureKey, tlsKey } from "./figures.ts";

export const REPORT_KINDS = ["aggregate", "tls", "failure"] as const satisfies readonly ReportKind[];
export type { ReportKind };

/** Names the rows of one report in the ledger. */
export interface ReportReference {
  account: string;
  kind: ReportKind;
  /** Domain and day of the row. */
  domain: string;
  day: number;
  /** 32 hex digits. */
  uid: string;
}

/** What a report counts on one day. Messages of an aggregate report, sessions of a TLS report, incidents of a failure report. */
export interface Sums {
  records: number;
  total: number;
  passed: number;
  dkimAligned: number;
  spfAligned: number;
  quarantined: number;
  rejected: number;
}

export const NO_SUMS: Sums = {
  records: 0,
  total: 0,
  passed: 0,
  dkimAligned: 0,
  spfAligned: 0,
  quarantined: 0,
  rejected: 0,
};

/** A row's worth of a report: one domain, one day. */
export interface ReportShare {
  domain: string;
  day: number;
  /** Which of the report's days about this domain, from 0. */
  place: number;
  sums: Sums;
  policy: string;
  details: ReportDetails;
  /**
   * Figures as JSON objects (figures.ts): one that fits the row, or several to be written under a reading before the
   * report is accepted; undefined when they have been written under `reading` as they came.
   */
  figures: string[] | undefined;
  /** 32 hex digits. */
  reading: string | undefined;
}

/** What a report says beside columns, records and failure details; kept as JSON. */
export type ReportDetails = v.InferOutput<typeof reportDetails>;

const warning = v.object({ code: v.string(), path: v.string(), detail: v.string() });
const common = {
  warnings: v.optional(v.array(warning), []),
  omittedWarnings: v.optional(v.number(), 0),
  /** All domains and days of the report where there are several, and what it counts on all of them. */
  spread: v.optional(v.array(v.tuple([v.string(), v.number()]))),
  whole: v.optional(v.object({ records: v.number(), total: v.number(), passed: v.number() })),
};

const aggregateDetails = v.object({
  kind: v.literal("aggregate"),
  email: v.optional(v.string(), ""),
  extraContactInfo: v.optional(v.string(), ""),
  errors: v.optional(v.array(v.string()), []),
  generator: v.optional(v.string(), ""),
  version: v.optional(v.string(), ""),
  format: v.optional(v.picklist(["rfc7489", "rfc9990"]), "rfc7489"),
  policy: v.pipe(
    v.object({
      p: v.string(),
      // Absent: as sp is.
      sp: v.optional(v.string()),
      np: v.optional(v.string()),
      adkim: v.optional(v.string(), "r"),
      aspf: v.optional(v.string(), "r"),
      pct: v.optional(v.number(), 100),
      fo: v.optional(v.string(), ""),
      testing: v.optional(v.boolean(), false),
      discoveryMethod: v.optional(v.string(), ""),
    }),
    v.transform(({ p, sp = p, np = sp, ...tags }) => ({ p, sp, np, ...tags })),
  ),
  skippedRecords: v.optional(v.number(), 0),
  dispositions: v.optional(v.record(v.string(), v.number()), {}),
  ...common,
});

const tlsDetails = v.object({
  kind: v.literal("tls"),
  contactInfo: v.string(),
  policies: v.array(
    v.object({
      policyType: v.string(),
      policyStrings: v.array(v.string()),
      mxHosts: v.array(v.string()),
      successfulSessionCount: v.number(),
      failedSessionCount: v.number(),
      failureDetails: v.number(),
    }),
  ),
  ...common,
});

const failureDetails = v.object({
  kind: v.literal("failure"),
  sourceIp: v.string(),
  authFailure: v.string(),
  arrivalSeconds: v.nullable(v.number()),
  arrivalDate: v.string(),
  deliveryResult: v.string(),
  identityAlignment: v.string(),
  dkimDomain: v.string(),
  dkimSelector: v.string(),
  spfDomain: v.string(),
  mailFromDomain: v.string(),
  ...common,
});

/** The schema of `details`. */
export const reportDetails = v.variant("kind", [aggregateDetails, tlsDetails, failureDetails]);
export const detailsColumn = jsonColumn(reportDetails);

/** What is left out of the column, and read back as it was. */
const DEFAULTS: Record<string, unknown> = {
  format: "rfc7489",
  adkim: "r",
  aspf: "r",
  pct: 100,
};
const MAY_BE_ABSENT = new Set(
  `email extraContactInfo errors generator version format adkim aspf pct fo testing discoveryMethod skippedRecords
    dispositions warnings omittedWarnings`.split(/\s+/),
);

/** Details as the column has them: without what is as in most reports. */
export function detailsText(details: ReportDetails): string {
  const isDefault = (name: string, value: unknown): boolean =>
    name in DEFAULTS ? value === DEFAULTS[name] : value === "" || value === 0 || value === false || isEmpty(value);
  const isInherited = (name: string, { p, sp, np }: { p: string; sp: string; np: string }): boolean =>
    (name === "np" && np === sp) || (name === "sp" && sp === p);
  return JSON.stringify(details, function (this: unknown, name, value: unknown) {
    if (MAY_BE_ABSENT.has(name) && isDefault(name, value)) return undefined;
    const isPolicy = details.kind === "aggregate" && this === details.policy;
    return isPolicy && isInherited(name, details.policy) ? undefined : value;
  });
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** What the records of an aggregate report add up to beside its totals, gathered while they were read. */
export interface RecordSums {
  dkimAligned: number;
  spfAligned: number;
  /** As in ReportShare. */
  figures: string[] | undefined;
  /** 32 hex digits. */
  reading: string | undefined;
}

/**
 * What a report counts, by domain and day.
 *
 * @param records of an aggregate report
 * @param receivedSeconds when it arrived, seconds since 1970 UTC
 * @returns one share at least; a TLS report has one for each of its domains, in the order of their names, so that the
 *   first is the same however the report lists them
 */
export function sharesOf(
  report: Report,
  { records, receivedSeconds }: { records: RecordSums | undefined; receivedSeconds: number },
): ReportShare[] {
  const day = dayOf(report, receivedSeconds);
  switch (report.kind) {
    case "aggregate":
      return [aggregateShare(report, day, records)];
    case "tls":
      return tlsShares(report, day);
    case "failure":
      return [failureShare(report, day)];
  }
}

function aggregateShare(report: AggregateReport, day: number, records: RecordSums | undefined): ReportShare {
  const { metadata, policy, totals } = report;
  const { dispositions } = totals;
  return {
    domain: policy.domain,
    day,
    place: 0,
    sums: {
      records: totals.records,
      total: totals.messages,
      passed: totals.passed,
      dkimAligned: records?.dkimAligned ?? 0,
      spfAligned: records?.spfAligned ?? 0,
      quarantined: dispositions.quarantine ?? 0,
      rejected: dispositions.reject ?? 0,
    },
    policy: policyText(policy),
    details: {
      kind: "aggregate",
      email: metadata.email,
      extraContactInfo: metadata.extraContactInfo,
      errors: metadata.errors,
      generator: metadata.generator,
      version: metadata.version,
      format: metadata.format,
      policy: detailsOfPolicy(policy),
      skippedRecords: totals.skippedRecords,
      dispositions: { ...dispositions },
      warnings: report.warnings,
      omittedWarnings: report.omittedWarnings,
    },
    figures: records?.figures,
    reading: records?.reading,
  };
}

function detailsOfPolicy({ domain: _, ...tags }: PolicyPublished): Omit<PolicyPublished, "domain"> {
  return tags;
}

function tlsShares(report: TlsReport, day: number): ReportShare[] {
  const byDomain = new Map<string, TlsPolicy[]>();
  for (const policy of report.policies) {
    const known = byDomain.get(policy.policyDomain);
    if (known === undefined) byDomain.set(policy.policyDomain, [policy]);
    else known.push(policy);
  }
  if (byDomain.size === 0) byDomain.set("", []);
  const domains = [...byDomain].sort(([a], [b]) => (a < b ? -1 : 1));
  const spread = domains.map(([domain]): [string, number] => [domain, day]);
  const { records, total, passed } = tlsSums(report.policies);
  return domains.map(([domain, policies]) => ({
    domain,
    day,
    place: 0,
    sums: tlsSums(policies),
    policy: [...new Set(policies.map(({ policyType }) => policyType))].join(" "),
    details: {
      kind: "tls",
      contactInfo: report.contactInfo,
      policies: policies.map(({ failureDetails, policyDomain: _, ...policy }) => ({
        ...policy,
        failureDetails: failureDetails.length,
      })),
      warnings: report.warnings,
      omittedWarnings: report.omittedWarnings,
      spread: spread.length > 1 ? spread : undefined,
      whole: spread.length > 1 ? { records, total, passed } : undefined,
    },
    figures: tlsFigures(policies),
    reading: undefined,
  }));
}

function tlsSums(policies: readonly TlsPolicy[]): Sums {
  const sum = (count: (policy: TlsPolicy) => number): number =>
    policies.reduce((total, policy) => total + count(policy), 0);
  const passed = sum(({ successfulSessionCount }) => successfulSessionCount);
  return {
    ...NO_SUMS,
    records: sum(({ failureDetails }) => 1 + failureDetails.length),
    total: passed + sum(({ failedSessionCount }) => failedSessionCount),
    passed,
  };
}

function tlsFigures(policies: readonly TlsPolicy[]): string[] {
  const figures = new FigureChunks();
  const chunks: string[] = [];
  for (const { failureDetails } of policies) {
    for (const detail of failureDetails) {
      if (!figures.add(tlsKey(detail), detail.failedSessionCount)) chunks.push(figures.take());
    }
  }
  if (figures.chars > 0 || chunks.length === 0) chunks.push(figures.take());
  return chunks;
}

function failureShare(report: FailureReport, day: number): ReportShare {
  const figures = new FigureChunks();
  figures.add(failureKey(report), report.incidents);
  return {
    domain: report.reportedDomain,
    day,
    place: 0,
    sums: { ...NO_SUMS, records: 1, total: report.incidents },
    policy: "",
    details: {
      kind: "failure",
      sourceIp: report.sourceIp,
      authFailure: report.authFailure,
      arrivalSeconds: report.arrivalSeconds,
      arrivalDate: report.arrivalDate,
      deliveryResult: report.deliveryResult,
      identityAlignment: report.identityAlignment,
      dkimDomain: report.dkimDomain,
      dkimSelector: report.dkimSelector,
      spfDomain: report.spfDomain,
      mailFromDomain: report.mailFromDomain,
      warnings: report.warnings,
      omittedWarnings: report.omittedWarnings,
    },
    figures: [figures.take()],
    reading: undefined,
  };
}
