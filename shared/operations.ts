/**
 * What process offers to the dashboard by RPC (entry point `Operations`): the contract between the two Workers. Types
 * only, so that no Worker imports another. A request that cannot be met is a value (`OperationRefused`), never a throw.
 */
import type { ReportReference as LedgerReference } from "./ledger/report-rows.ts";
import type { Registration, RegistryEntry } from "./registry.ts";
import type { AggregateRecord, TlsPolicy } from "./report/vocabulary.ts";
import type { Conflict, DeadLetter, Job, JobFilter, LedgerEntry, RawMetadata } from "./storage.ts";
import type { Viewer, ViewerEntry } from "./viewers.ts";

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
  /** Raw objects without a receipt, counted up to `unfinishedLimit`: received and not yet dealt with. */
  unfinished: number;
  unfinishedLimit: number;
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
  letter: DeadLetter;
  /** Absent when the letter names no raw object, or it is no longer there. */
  raw?: RawObject;
}

export interface JobRequest {
  filter?: JobFilter | undefined;
  dryRun?: boolean | undefined;
}

/** Names one report of the ledger. */
export interface ReportReference {
  account: string;
  domain: string;
  /** Any moment of the UTC day its period begins on, seconds since 1970 UTC. */
  beginSeconds: number;
  uid: string;
  /** Raw object it was read from. Where it is given, it decides, and the domain and the day need not be right. */
  rawKey?: string | undefined;
}

/** What of a TLS report was left out, because it is more than a page can take; the raw file has it. */
export interface OmittedTls {
  policies: number;
  failureDetails: number;
  /** Of the policies left out. */
  successfulSessions: number;
  failedSessions: number;
}

/** A report of the ledger, bounded. */
export interface StoredReport extends LedgerEntry {
  /** Absent where all is there. */
  omitted?: OmittedTls;
}

/** Which records of a report, read again from its raw object. */
export interface RecordQuery {
  reference: LedgerReference;
  /** Only records in which this text stands: an address, a domain, a selector, a result; upper or lower case. */
  text?: string | undefined;
  /** Only records that passed, or failed, DMARC. */
  isPass?: boolean | undefined;
  /** As in the report, or the most messages first. */
  order?: "report" | "count" | undefined;
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
  | { kind: "tls"; policies: TlsPolicy[]; omitted: OmittedTls | undefined }
  | { kind: "failure" }
  | { kind: "gone"; reason: string };

export interface OperationsApi {
  status(): Promise<PipelineStatus>;
  listRegistrations(): Promise<Registration[]>;
  /** undefined when it is not registered. */
  getRegistration(rua: string): Promise<Registration | undefined>;
  putRegistration(rua: string, entry: RegistryEntry): Promise<Registration | OperationRefused>;
  removeRegistration(rua: string): Promise<void>;

  /** Who may see which accounts; undefined when the person is not there. */
  getViewer(email: string): Promise<Viewer | undefined>;
  listViewers(): Promise<Viewer[]>;
  putViewer(email: string, entry: ViewerEntry): Promise<Viewer | OperationRefused>;
  removeViewer(email: string): Promise<void>;
  /** One accepted report without its records; undefined when the ledger has none. */
  getReport(reference: ReportReference): Promise<StoredReport | undefined>;

  /** By day, oldest first. */
  listDeadLetters(query?: DeadLetterQuery): Promise<Page<DeadLetter> | OperationRefused>;
  getDeadLetter(id: string): Promise<DeadLetterDetails | OperationRefused>;
  /** Sends their messages again; a letter is cleared when its message succeeds, and stays until then. */
  requeueDeadLetters(selection: DeadLetterSelection): Promise<Page<DeadLetterResult> | OperationRefused>;
  /** Removes the letters; their raw objects stay. */
  discardDeadLetters(selection: DeadLetterSelection): Promise<Page<DeadLetterResult> | OperationRefused>;
  /** The bytes of a raw object, exactly as they came; undefined when it is not there. */
  readRawObject(key: string): Promise<Response | undefined>;

  /** By day, oldest first. */
  listConflicts(cursor?: string): Promise<Page<Conflict>>;
  getConflict(id: string): Promise<Conflict | OperationRefused>;
  /** The other version replaces the one accepted first, once its message is processed. */
  acceptConflict(id: string): Promise<Conflict | OperationRefused>;
  /** The one accepted first stays; the other version counts as a duplicate if it comes again. */
  discardConflict(id: string): Promise<Conflict | OperationRefused>;

  /** Runs raw objects again, a page a message; without a filter all of them. */
  startReprocess(request: JobRequest): Promise<Job | OperationRefused>;
  /** Enqueues raw objects that have no receipt; takes `since` and `until` of the filter. */
  startReconcile(request?: JobRequest): Promise<Job | OperationRefused>;
  /** Newest first, at most 100. */
  listJobs(): Promise<Job[]>;
  getJob(id: string): Promise<Job | undefined>;
}

/** What pages also ask process: what only the raw objects know. */
export interface RecordsApi {
  /** The records of an accepted report, read again from its raw object. */
  readRecords(query: RecordQuery): Promise<RecordsAnswer>;
}
