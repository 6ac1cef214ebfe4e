/**
 * A report as rows of the ledger: one for each domain and day it counts for. Pure. Only this file decides what is a
 * column and what goes into `details`.
 */
import * as v from "valibot";
import { senderRank } from "../authentication/sender-state.ts";
import { FIGURE_LIMITS } from "../limits.ts";
import { policyText } from "../report/policy-text.ts";
import type {
  AggregateReport,
  FailureReport,
  PolicyPublished,
  Report,
  ReportMetadata,
  TlsPolicy,
  TlsReport,
} from "../report/vocabulary.ts";
import { daysOf, daysOfPeriod, type ReportDay } from "../report-day.ts";
import type { ReportKind } from "../report-header.ts";
import { apportion, spreadCounts } from "../report-spread.ts";
import { jsonColumn, knows } from "./database.ts";
import { FigureSpreader } from "./figure-spreader.ts";
import { FigureChunks, failureKey, readResultLetters, tlsKey } from "./figures.ts";

export const REPORT_KINDS = ["aggregate", "tls", "failure"] as const satisfies readonly ReportKind[];

/** The condition that this version knows what kind of report a row is about. */
export const KNOWS_REPORT_KIND = knows("kind", REPORT_KINDS);
export type { ReportKind };

/** retracted: it stopped counting when an object was read again; taken_back: a person removed it. Neither counts. */
export const REPORT_STATES = ["accepted", "retracted", "taken_back"] as const;
export type ReportState = (typeof REPORT_STATES)[number];

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

/**
 * A report's sums for one day: messages of an aggregate report, sessions of a TLS report, incidents of a failure
 * report.
 */
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
  /** Index of the day among the report's days for this domain, from 0. */
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

/** What a report says besides columns, records and failure details; stored as JSON. */
export type ReportDetails = v.InferOutput<typeof reportDetails>;

const warning = v.object({ code: v.string(), path: v.string(), detail: v.string() });
const common = {
  warnings: v.optional(v.array(warning), []),
  omittedWarnings: v.optional(v.number(), 0),
  /** All domains and days of the report, if there are several, and its sums over all of them. */
  spread: v.optional(v.array(v.tuple([v.string(), v.number()]))),
  whole: v.optional(v.object({ records: v.number(), total: v.number(), passed: v.number() })),
};

/** Of the metadata, what is no column. Here and below, a default is what is not stored, and what older rows lack. */
const metadataFields = {
  email: v.optional(v.string(), ""),
  extraContactInfo: v.optional(v.string(), ""),
  errors: v.optional(v.array(v.string()), []),
  generator: v.optional(v.string(), ""),
  version: v.optional(v.string(), ""),
  format: v.fallback(v.optional(v.picklist(["rfc7489", "rfc9990"]), "rfc7489"), "rfc7489"),
} satisfies Record<keyof KeptMetadata, v.GenericSchema>;
type KeptMetadata = Omit<ReportMetadata, "orgName" | "reportId" | "beginSeconds" | "endSeconds">;

/** Of the published policy, what is no column. */
const policyFields = {
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
} satisfies Record<keyof KeptPolicy, v.GenericSchema>;
type KeptPolicy = Omit<PolicyPublished, "domain">;

const aggregateFields = {
  ...metadataFields,
  policy: v.pipe(
    v.object(policyFields),
    v.transform(({ p, sp = p, np = sp, ...tags }) => ({ p, sp, np, ...tags })),
  ),
  skippedRecords: v.optional(v.number(), 0),
  dispositions: v.optional(v.record(v.string(), v.number()), {}),
};

const aggregateDetails = v.object({ kind: v.literal("aggregate"), ...aggregateFields, ...common });

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

/** The fields of a report that exports and forwarding contain, besides its identity and its details. */
export const reportFacts = {
  generation: v.number(),
  reporter: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  receivedSeconds: v.number(),
  senderState: senderRank,
  senderDomain: v.string(),
  rua: v.string(),
  rawKey: v.string(),
  part: v.string(),
  records: v.number(),
  total: v.number(),
  passed: v.number(),
};

/** Default values, which are left out when stored and restored when read. */
const DEFAULTS = new Map(
  Object.entries<v.GenericSchema>({ ...aggregateFields, ...policyFields, ...common })
    .map(([name, schema]): [string, unknown] => [name, v.getDefault(schema)])
    .filter(([, value]) => value !== undefined),
);

/** Details as stored: without default values, and long texts cut. */
export function detailsText(details: ReportDetails): string {
  const isDefault = (value: unknown, usual: unknown): boolean =>
    typeof usual === "object" ? isEmpty(value) : value === usual;
  const isInherited = (name: string, { p, sp, np }: { p: string; sp: string; np: string }): boolean =>
    (name === "np" && np === sp) || (name === "sp" && sp === p);
  return JSON.stringify(details, function (this: unknown, name, value: unknown) {
    if (DEFAULTS.has(name) && isDefault(value, DEFAULTS.get(name))) return undefined;
    const isPolicy = details.kind === "aggregate" && this === details.policy;
    if (isPolicy && isInherited(name, details.policy)) return undefined;
    return typeof value === "string" ? cutDetail(value) : value;
  });
}

function cutDetail(text: string): string {
  const { maxDetailChars } = FIGURE_LIMITS;
  return text.length <= maxDetailChars ? text : `${text.slice(0, maxDetailChars - 1).toWellFormed()}…`;
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

/** Sums over the records of an aggregate report, gathered while reading. */
export interface RecordSums {
  /** Messages by result letters (figures.ts). */
  byResult: ReadonlyMap<string, number>;
  /** As in ReportShare, of all days. */
  figures: string[] | undefined;
  /** 32 hex digits. */
  reading: string | undefined;
}

const NO_RECORDS: RecordSums = { byResult: new Map(), figures: undefined, reading: undefined };

/**
 * Computes a report's sums by domain and day (report-day.ts).
 *
 * @param records of an aggregate report
 * @param receivedSeconds when it arrived, seconds since 1970 UTC
 * @returns one share at least, by domain and then by day; a TLS report has some for each of its domains, in the order of
 *   their names, so that the first is the same however the report lists them
 */
export function sharesOf(
  report: Report,
  { records, receivedSeconds }: { records: RecordSums | undefined; receivedSeconds: number },
): ReportShare[] {
  const days = daysOf(report, receivedSeconds);
  switch (report.kind) {
    case "aggregate":
      return withWhole(aggregateShares(report, days, records ?? NO_RECORDS));
    case "tls":
      return withWhole(tlsShares(report, days));
    case "failure":
      return [failureShare(report, days[0].day)];
  }
}

/** If a report has several rows, each lists all of them and their common sums. */
function withWhole(shares: ReportShare[]): ReportShare[] {
  if (shares.length === 1) return shares;
  const spread = shares.map(({ domain, day }): [string, number] => [domain, day]);
  const sum = (name: "records" | "total" | "passed"): number => shares.reduce((all, { sums }) => all + sums[name], 0);
  const whole = { records: sum("records"), total: sum("total"), passed: sum("passed") };
  return shares.map((share) => ({ ...share, details: { ...share.details, spread, whole } }));
}

/** Messages of an aggregate report by result letters and day, as its rows count them. */
export function recordsByDay(
  report: AggregateReport,
  byResult: RecordSums["byResult"],
): ReadonlyMap<string, readonly number[]> {
  return spreadCounts(
    byResult,
    daysOfPeriod(report.metadata).map(({ seconds }) => seconds),
  );
}

function aggregateShares(
  report: AggregateReport,
  days: readonly ReportDay[],
  { byResult, figures, reading }: RecordSums,
): ReportShare[] {
  const byDay = recordsByDay(report, byResult);
  const records = apportion(
    report.totals.records,
    days.map(({ seconds }) => seconds),
  );
  const spreader = FigureSpreader.ofRecords(byDay, days.length);
  const split = days.length === 1 ? undefined : figures?.map((chunk) => spreader.split(chunk));
  return days.map(({ day }, place) => {
    const ofDay = new Map([...byDay].map(([letters, counts]) => [letters, counts[place] ?? 0]));
    return {
      domain: report.policy.domain,
      day,
      place,
      sums: { ...sumsOfResults(ofDay), records: records[place] ?? 0 },
      policy: policyText(report.policy),
      details: aggregateDetailsOf(report, ofDay),
      figures: days.length === 1 ? figures : split?.map((chunk) => chunk[place] ?? "{}"),
      reading,
    };
  });
}

function sumsOfResults(byResult: ReadonlyMap<string, number>): Omit<Sums, "records"> {
  const sums = { ...NO_SUMS };
  for (const [letters, messages] of byResult) {
    const { disposition, dkim, spf } = readResultLetters(letters);
    sums.total += messages;
    if (dkim === "pass" || spf === "pass") sums.passed += messages;
    if (dkim === "pass") sums.dkimAligned += messages;
    if (spf === "pass") sums.spfAligned += messages;
    if (disposition === "quarantine") sums.quarantined += messages;
    if (disposition === "reject") sums.rejected += messages;
  }
  return sums;
}

function aggregateDetailsOf(
  { metadata, policy: { domain: _, ...policy }, totals, warnings, omittedWarnings }: AggregateReport,
  byResult: ReadonlyMap<string, number>,
): ReportDetails {
  const dispositions: Record<string, number> = {};
  for (const [letters, messages] of byResult) {
    const { disposition } = readResultLetters(letters);
    dispositions[disposition] = (dispositions[disposition] ?? 0) + messages;
  }
  return {
    kind: "aggregate",
    ...keptOf(metadata),
    policy,
    skippedRecords: totals.skippedRecords,
    dispositions,
    warnings,
    omittedWarnings,
  };
}

function keptOf({
  orgName: _,
  reportId: _id,
  beginSeconds: _begin,
  endSeconds: _end,
  ...kept
}: ReportMetadata): KeptMetadata {
  return kept;
}

function tlsShares(report: TlsReport, days: readonly ReportDay[]): ReportShare[] {
  const byDomain = new Map<string, TlsPolicy[]>();
  for (const policy of report.policies) {
    const known = byDomain.get(policy.policyDomain);
    if (known === undefined) byDomain.set(policy.policyDomain, [policy]);
    else known.push(policy);
  }
  if (byDomain.size === 0) byDomain.set("", []);
  const domains = [...byDomain].sort(([a], [b]) => (a < b ? -1 : 1));
  return domains.flatMap(([domain, policies]) => {
    const byDay = spreadPolicies(policies, days);
    return days.map(({ day }, place): ReportShare => {
      const { sessions = [], records = 0, figures = [] } = byDay[place] ?? {};
      const passed = sessions.reduce((sum, { successful }) => sum + successful, 0);
      return {
        domain,
        day,
        place,
        sums: { ...NO_SUMS, records, passed, total: passed + sessions.reduce((sum, { failed }) => sum + failed, 0) },
        policy: [...new Set(policies.map(({ policyType }) => policyType))].join(" "),
        details: {
          kind: "tls",
          contactInfo: report.contactInfo,
          policies: policies.map(({ failureDetails, policyDomain: _, ...policy }, i) => ({
            ...policy,
            successfulSessionCount: sessions[i]?.successful ?? 0,
            failedSessionCount: sessions[i]?.failed ?? 0,
            failureDetails: failureDetails.length,
          })),
          warnings: report.warnings,
          omittedWarnings: report.omittedWarnings,
        },
        figures,
        reading: undefined,
      };
    });
  });
}

/** The sums of the policies for one domain on one day. */
interface PoliciesOfDay {
  /** Of each policy. */
  sessions: { successful: number; failed: number }[];
  records: number;
  figures: string[];
}

function spreadPolicies(policies: readonly TlsPolicy[], days: readonly ReportDay[]): PoliciesOfDay[] {
  const weights = days.map(({ seconds }) => seconds);
  const counts = policies.flatMap((policy, i): [string, number][] => [
    [`${i} successful`, policy.successfulSessionCount],
    [`${i} failed`, policy.failedSessionCount],
  ]);
  const byDay = spreadCounts(new Map(counts), weights);
  const details = policies.flatMap(({ failureDetails }) => failureDetails);
  const failed = details.reduce((sum, { failedSessionCount }) => sum + failedSessionCount, 0);
  const records = apportion(policies.length + details.length, weights);
  const spreader = FigureSpreader.ofAll(apportion(failed, weights));
  const figures = tlsFigures(policies).map((chunk) => (days.length === 1 ? [chunk] : spreader.split(chunk)));
  return days.map((_, place) => ({
    sessions: policies.map((_policy, i) => ({
      successful: byDay.get(`${i} successful`)?.[place] ?? 0,
      failed: byDay.get(`${i} failed`)?.[place] ?? 0,
    })),
    records: records[place] ?? 0,
    figures: figures.map((chunk) => chunk[place] ?? "{}"),
  }));
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
