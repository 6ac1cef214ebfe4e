/**
 * The words of what process does for people, as its own modules use them: shared/contract describes what is asked and
 * answered. A request that cannot be met is a value (`OperationRefused`), never a throw.
 */
import type { DeadLetterRow } from "./ledger/dead-letters.ts";
import type { JobFilter } from "./ledger/jobs.ts";
import type { ReportReference } from "./ledger/report-rows.ts";
import type { AggregateRecord, TlsPolicy } from "./report/vocabulary.ts";
import type { RawMetadata } from "./storage.ts";

/** Backlog of one queue as the platform reports it. */
export interface QueueBacklog {
  queue: string;
  messages: number;
  bytes: number;
  /** When its oldest message was sent, seconds since 1970 UTC; 0 when it is empty or the platform does not tell. */
  oldestSeconds: number;
}

/** What is waiting. */
export interface PipelineStatus {
  queues: QueueBacklog[];
  /** Raw objects without an outcome, of whatever age: received and not yet dealt with. */
  unfinished: number;
  /** By the day the mail arrived (`YYYY-MM-DD`), newest first; the newest days as they are now, others as last counted. */
  unfinishedDays: { day: string; objects: number; countedSeconds: number }[];
  /** Reports of which slices of points are still to be written. */
  reportsWithDueSlices: number;
}

/** What one look tells of waiting; a message on its way from one queue to the next is in neither, so look again. */
export function isIdle({ unfinished, queues }: { unfinished: number; queues: { messages: number }[] }): boolean {
  return unfinished === 0 && queues.every(({ messages }) => messages === 0);
}

/** A page of a listing; `cursor` continues it and is absent on the last page. A page may be empty and not the last. */
export interface Page<T> {
  items: T[];
  cursor?: string;
}

/** An operation's answer to a request that cannot be met: the caller's mistake, said in one sentence. */
export interface OperationRefused {
  refused: string;
}

/** Narrows dead letters; an absent field means all. Days are `YYYY-MM-DD`, UTC, when the mail arrived; both included. */
export interface DeadLetterFilter {
  /** Problem code of the reason. */
  code?: string | undefined;
  /** Policy domain, lower case. */
  domain?: string | undefined;
  account?: string | undefined;
  since?: string | undefined;
  until?: string | undefined;
}

/** A page of a filter's letters, in the order of the days. */
export interface DeadLetterQuery extends DeadLetterFilter {
  cursor?: string | undefined;
}

/** Letters by id, or a page of a filter's letters: the caller goes on with the answer's cursor. */
export interface DeadLetterSelection {
  ids?: string[] | undefined;
  filter?: DeadLetterFilter | undefined;
  cursor?: string | undefined;
  /** Tells what would be done and does nothing. */
  dryRun?: boolean | undefined;
}

/** What was done with one letter. */
export interface DeadLetterResult {
  id: string;
  code: string;
  /** `selected`: a dry run would have done it. */
  result: "requeued" | "discarded" | "selected" | "refused";
  /** Why it was refused. */
  reason?: string;
}

/** A raw object as it is in R2. */
export interface RawObject {
  key: string;
  sizeBytes: number;
  /** When it was stored, ISO 8601. */
  storedAt: string;
  metadata: RawMetadata;
}

export interface DeadLetterDetails {
  letter: DeadLetterRow;
  /** Absent when the letter names no raw object, or it is no longer there. */
  raw?: RawObject;
}

export interface JobRequest {
  filter?: JobFilter | undefined;
  dryRun?: boolean | undefined;
}

/** keep: the accepted one stays, the other is a duplicate from now on; replace: the other takes its place; both count. */
export type ConflictDecision = "keep" | "replace" | "count_both";

/** Who decided, and why. */
export interface DecisionNote {
  /** Mail address of the person, or the name of the token. */
  by: string;
  reason?: string | undefined;
}

/** What of a TLS report was left out, because it is more than a page can take; the raw file has it. */
export interface OmittedTls {
  policies: number;
  failureDetails: number;
  /** Of the policies left out. */
  successfulSessions: number;
  failedSessions: number;
}

/** What the records of a report can be sorted by; `record` is their place in it. */
export const RECORD_ORDERS = [
  "record",
  "address",
  "messages",
  "dmarc",
  "disposition",
  "from",
  "dkim_results",
  "spf_results",
  "reasons",
] as const;

export type RecordOrder = (typeof RECORD_ORDERS)[number];

/** Which records of a report, read again from its raw object. */
export interface RecordQuery {
  reference: ReportReference;
  /** Only records in which this text stands: an address, a domain, a selector, a result; upper or lower case. */
  text?: string | undefined;
  /** Only records that passed, or failed, DMARC. */
  isPass?: boolean | undefined;
  /** Absent = as in the report. */
  order?: RecordOrder | undefined;
  descending?: boolean | undefined;
  limit?: number | undefined;
  offset?: number | undefined;
}

/** A record and its place in the report, from 0. */
export type PlacedRecord = AggregateRecord & { ordinal: number };

/**
 * aggregate: a page of records and how many there are, with their messages; tls: the policies with their failure
 * details; gone: the raw object is no longer there, or no longer gives this report.
 */
export type RecordsAnswer =
  | { kind: "aggregate"; records: PlacedRecord[]; matching: number; messages: number }
  | { kind: "tls"; policies: TlsPolicy[]; omitted?: OmittedTls | undefined }
  | { kind: "failure" }
  | { kind: "gone"; reason: string };
