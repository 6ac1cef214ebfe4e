/**
 * Turns one file into one line of `dmarc parse`: runs the reader and summarises the result. Offline; opens only the
 * given source. Records are kept only on request.
 */

import { basename } from "node:path";
import { type MailAuthentication, senderOf } from "../shared/authentication/sender.ts";
import type { ReportSender } from "../shared/authentication/sender-state.ts";
import { PROCESS_LIMITS } from "../shared/limits.ts";
import type { PassedKind } from "../shared/mail/roles.ts";
import { adviceOf } from "../shared/report/advice.ts";
import {
  type FileFacts,
  type PartProblem as FoundPartProblem,
  gatherProblems,
  type Problem,
} from "../shared/report/problems.ts";
import { readReports } from "../shared/report/read.ts";
import { RecordShapes } from "../shared/report/shapes/record-shapes.ts";
import type { ByteSource } from "../shared/report/source.ts";
import type {
  AggregateRecord,
  AggregateReport,
  FailureReport,
  PolicyPublished,
  Report,
  TlsReport,
  Warning,
} from "../shared/report/vocabulary.ts";
import { AddressCount } from "./address-count.ts";

export interface AggregateSummary {
  kind: "aggregate";
  orgName: string;
  reportId: string;
  domain: string;
  /** Seconds since 1970 UTC. */
  begin: number;
  end: number;
  policy: PolicyPublished;
  /** Records accepted. */
  records: number;
  skippedRecords: number;
  messages: number;
  passed: number;
  /** Distinct source addresses. */
  sources: number;
  dispositions: AggregateReport["totals"]["dispositions"];
  warnings: Warning[];
  /** The records, if requested. */
  rows?: AggregateRecord[];
}

export interface TlsPolicySummary {
  policyType: string;
  policyDomain: string;
  successfulSessions: number;
  failedSessions: number;
}

export interface TlsSummary {
  kind: "tls";
  orgName: string;
  reportId: string;
  begin: number;
  end: number;
  policies: TlsPolicySummary[];
  /** All sessions, failed ones included. */
  sessions: number;
  failedSessions: number;
  warnings: Warning[];
}

export interface FailureSummary {
  kind: "failure";
  reportedDomain: string;
  sourceIp: string;
  authFailure: string;
  arrivalDate: string;
  deliveryResult: string;
  warnings: Warning[];
}

/** For a report in a mail: whether the mail proves who sent it. */
interface Sent {
  sender?: ReportSender;
}

export type ReportSummary = (AggregateSummary | TlsSummary | FailureSummary) & Sent;

/** A problem and the part of the file concerned, "" for the file itself. */
export interface PartProblem extends Problem {
  part: string;
  /** What a person can do about it. */
  advice: string;
  /** The part as a file, if known. */
  file?: FileFacts;
}

/** A part that is evidently not a report: text, a picture, a signature … */
export interface PassedOver extends FileFacts {
  part: string;
  kind: PassedKind;
}

/** The output of `dmarc parse --json` for a file. */
export interface FileSummary {
  file: string;
  /** rejected: no report could be read. */
  outcome: "accepted" | "rejected";
  reports: ReportSummary[];
  problems: PartProblem[];
  passedOver: PassedOver[];
}

export interface ParseSettings {
  /** Reports must not be about a later time; seconds since 1970 UTC. */
  nowSeconds: number;
  /** Keep each report's records as `rows`. */
  keepRecords?: boolean;
  /** How the mail authenticated, if the file is a mail; then each report says who sent it. */
  authentication?: MailAuthentication | undefined;
}

/** Record layouts learned from earlier files. */
const shapes = new RecordShapes();

/** Totals of a part's records, gathered while streaming. */
interface Gathered {
  sources: AddressCount;
  rows: AggregateRecord[];
}

/**
 * Reads every report in a file. The same report twice in one file is listed once.
 *
 * @throws what the source throws when it cannot be read
 */
export async function parseFile(
  file: string,
  source: ByteSource,
  { nowSeconds, keepRecords = false, authentication }: ParseSettings,
): Promise<FileSummary> {
  const reports = new Map<string, ReportSummary>();
  const problems: FoundPartProblem[] = [];
  const passedOver: PassedOver[] = [];
  const known = { name: basename(file), mimeType: "", tlsReportDomain: "" };
  const gathered = new Map<string, Gathered>();
  for await (const event of readReports(source, { nowSeconds, isLenient: true, shapes, file: known })) {
    if (event.type === "refused") {
      return { file, outcome: "rejected", reports: [], problems: [partProblem(event)], passedOver: [] };
    }
    if (event.type === "passed_over") {
      passedOver.push({ part: event.part, kind: event.kind, ...event.file });
      continue;
    }
    if (event.type === "records") {
      gather(gathered, event.part, { records: event.records, keepRecords });
      continue;
    }
    const records = gathered.get(event.part);
    gathered.delete(event.part);
    if (event.type === "problem") problems.push(event);
    else {
      const sent = authentication === undefined ? {} : { sender: senderOf(event.report, authentication) };
      addReport(reports, { ...summarize(event.report, records, keepRecords), ...sent });
    }
  }
  return {
    file,
    outcome: reports.size > 0 ? "accepted" : "rejected",
    reports: [...reports.values()],
    problems: gatherProblems(problems, PROCESS_LIMITS.maxDeadLettersPerObject).map(partProblem),
    passedOver,
  };
}

function partProblem({ part, problem, file }: FoundPartProblem): PartProblem {
  const advice = adviceOf(problem.code, file);
  return { ...problem, part, advice, ...(file === undefined ? {} : { file }) };
}

function gather(
  gathered: Map<string, Gathered>,
  part: string,
  { records, keepRecords }: { records: AggregateRecord[]; keepRecords: boolean },
): void {
  const known = gathered.get(part) ?? { sources: new AddressCount(), rows: [] };
  gathered.set(part, known);
  for (const record of records) {
    if (record.sourceIp !== "") known.sources.add(record.sourceIp);
    if (keepRecords) known.rows.push(record);
  }
}

// Copies may differ in white space or compression, so reports are compared by content.
function addReport(reports: Map<string, ReportSummary>, summary: ReportSummary): void {
  const key = JSON.stringify({ ...summary, warnings: [], rows: [] });
  if (!reports.has(key)) reports.set(key, summary);
}

function summarize(report: Report, gathered: Gathered | undefined, keepRecords: boolean): ReportSummary {
  switch (report.kind) {
    case "aggregate":
      return {
        ...summarizeAggregate(report, gathered?.sources.size ?? 0),
        ...(keepRecords ? { rows: gathered?.rows ?? [] } : {}),
      };
    case "tls":
      return summarizeTls(report);
    case "failure":
      return summarizeFailure(report);
  }
}

function summarizeAggregate(report: AggregateReport, sources: number): AggregateSummary {
  const { metadata, policy, totals, warnings } = report;
  return {
    kind: "aggregate",
    orgName: metadata.orgName,
    reportId: metadata.reportId,
    domain: policy.domain,
    begin: metadata.beginSeconds,
    end: metadata.endSeconds,
    policy,
    records: totals.records,
    skippedRecords: totals.skippedRecords,
    messages: totals.messages,
    passed: totals.passed,
    sources,
    dispositions: totals.dispositions,
    warnings,
  };
}

function summarizeTls(report: TlsReport): TlsSummary {
  const policies = report.policies.map((policy) => ({
    policyType: policy.policyType,
    policyDomain: policy.policyDomain,
    successfulSessions: policy.successfulSessionCount,
    failedSessions: policy.failedSessionCount,
  }));
  const failedSessions = policies.reduce((sum, policy) => sum + policy.failedSessions, 0);
  return {
    kind: "tls",
    orgName: report.orgName,
    reportId: report.reportId,
    begin: report.beginSeconds,
    end: report.endSeconds,
    policies,
    sessions: policies.reduce((sum, policy) => sum + policy.successfulSessions, failedSessions),
    failedSessions,
    warnings: report.warnings,
  };
}

function summarizeFailure(report: FailureReport): FailureSummary {
  const { kind, reportedDomain, sourceIp, authFailure, arrivalDate, deliveryResult, warnings } = report;
  return { kind, reportedDomain, sourceIp, authFailure, arrivalDate, deliveryResult, warnings };
}
