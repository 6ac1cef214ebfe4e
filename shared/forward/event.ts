/**
 * A forwarded report as JSON, version 1: fields may be added, none is removed or changes its meaning (docs/forwarding.md). A report
 * with many records comes in parts, each with the report's own fields. Pure.
 */
import { isCounted, type SenderState } from "../authentication/sender-state.ts";
import type { ExportedRecord } from "../export/lines.ts";
import { isoTime, recordFields } from "../export/record-columns.ts";
import type { ReportDetails, ReportKind } from "../ledger/report-rows.ts";
import { FORWARD_LIMITS } from "../limits.ts";
import type { TlsPolicy } from "../report/vocabulary.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { isoDate } from "../storage.ts";

const FORWARD_SCHEMA_VERSION = 1;

/** An accepted report, from the ledger. */
export interface ForwardedReport {
  uid: string;
  account: string;
  kind: ReportKind;
  domain: string;
  /** Days since 1970-01-01 UTC. */
  day: number;
  generation: number;
  reporter: string;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  receivedSeconds: number;
  senderState: SenderState;
  senderDomain: string;
  rua: string;
  rawKey: string;
  part: string;
  records: number;
  total: number;
  passed: number;
  details: ReportDetails;
}

/** What a part holds besides the report. */
export interface PartContent {
  /** From 1. */
  part: number;
  parts: number;
  records?: readonly ExportedRecord[];
  firstOrdinal?: number;
  policies?: readonly TlsPolicy[];
  /** Why records or policies are missing although they are wanted. */
  missing?: string;
}

/** The number of parts of a report. */
export function partsOf({ kind, details, records }: ForwardedReport, withRecords: boolean): number {
  if (!withRecords || kind !== "aggregate") return 1;
  return Math.max(1, Math.ceil((details.whole?.records ?? records) / FORWARD_LIMITS.recordsPerPart));
}

/** The event of a part. `id` and `part` are the same on every attempt. */
export function reportEvent(report: ForwardedReport, content: PartContent): Record<string, unknown> {
  const { part, parts, records, firstOrdinal = 0, policies, missing } = content;
  return {
    schemaVersion: FORWARD_SCHEMA_VERSION,
    type: "report",
    id: report.uid,
    generation: report.generation,
    part,
    parts,
    report: reportFields(report),
    ...(records && { records: records.map((record, i) => recordFields(record, firstOrdinal + i)) }),
    ...(policies && { policies }),
    ...(missing !== undefined && { missing }),
  };
}

/** The event that tests a target. */
export function testEvent(id: string): { schemaVersion: number; type: "test"; id: string } {
  return { schemaVersion: FORWARD_SCHEMA_VERSION, type: "test", id };
}

function reportFields(report: ForwardedReport): Record<string, unknown> {
  const { details } = report;
  const whole = details.whole ?? report;
  return {
    account: report.account,
    kind: report.kind,
    domain: report.domain,
    domains: [...new Set(details.spread?.map(([domain]) => domain) ?? [report.domain])],
    day: isoDate(report.day * SECONDS_PER_DAY),
    reporter: report.reporter,
    reportId: report.reportId,
    beginTime: isoTime(report.beginSeconds),
    endTime: isoTime(report.endSeconds),
    receivedTime: isoTime(report.receivedSeconds),
    senderState: report.senderState,
    senderDomain: report.senderDomain,
    isCounted: isCounted(report.senderState),
    rua: report.rua,
    rawKey: report.rawKey,
    part: report.part,
    records: whole.records,
    // Messages of an aggregate report, sessions of a TLS report, incidents of a failure report.
    total: whole.total,
    passed: whole.passed,
    ...(details.kind === "aggregate" && { policy: details.policy, reporterEmail: details.email }),
    ...(details.kind === "failure" && { failure: failureFields(details) }),
  };
}

function failureFields(details: Extract<ReportDetails, { kind: "failure" }>): Record<string, unknown> {
  const { sourceIp, authFailure, deliveryResult, identityAlignment, dkimDomain, dkimSelector, spfDomain } = details;
  return { sourceIp, authFailure, deliveryResult, identityAlignment, dkimDomain, dkimSelector, spfDomain };
}

/** The events of a part for Splunk's HTTP Event Collector: the report, and a separate event for each record. */
export function splunkEvents(report: ForwardedReport, content: PartContent): object[] {
  const { records, firstOrdinal, ...head } = content;
  const time = report.endSeconds > 0 ? report.endSeconds : report.receivedSeconds;
  const common = { time, source: "dmarc" };
  const { uid, account, domain } = report;
  const ofReport = { ...common, sourcetype: "dmarc:report", event: reportEvent(report, head) };
  const ofRecords = (records ?? []).map((record, i) => ({
    ...common,
    sourcetype: "dmarc:record",
    event: {
      schemaVersion: FORWARD_SCHEMA_VERSION,
      type: "record",
      id: `${uid}-${(firstOrdinal ?? 0) + i}`,
      reportId: uid,
      generation: report.generation,
      account,
      domain,
      reporter: report.reporter,
      ...recordFields(record, (firstOrdinal ?? 0) + i),
    },
  }));
  return content.part === 1 ? [ofReport, ...ofRecords] : ofRecords;
}

/** Key of a part in a bucket, below its prefix: the same on every attempt, so that a repeat overwrites. */
export function objectKey({ account, domain, day, uid }: ForwardedReport, part: number): string {
  const suffix = part === 1 ? "" : `.part-${part}`;
  const segments = [account, domain === "" ? "-" : domain, isoDate(day * SECONDS_PER_DAY), `${uid}${suffix}.json`];
  return segments.map((segment) => encodeURIComponent(segment)).join("/");
}
