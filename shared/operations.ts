/**
 * Types of the operations of process, as its modules use them; derived from shared/contract, which describes each
 * operation. A request that cannot be met is a value (`OperationRefused`), never a throw.
 */
import type { Inputs, Outputs } from "./contract/operations.ts";
import type { ReportReference } from "./ledger/report-rows.ts";

/** What is waiting. */
export type PipelineStatus = Outputs["pipelineStatus"];

/** Backlog of one queue as the platform reports it. */
export type QueueBacklog = PipelineStatus["queues"][number];

/** The part of a status that `isIdle` needs. */
export interface Waiting {
  unfinished: number;
  /** Absent in answers of earlier versions. */
  runningAgain?: number | undefined;
  queues: { messages: number }[];
}

/**
 * Whether one status shows nothing waiting or running: new objects are unfinished until committed, and objects enqueued
 * by jobs are running until then. A message moving from one queue to the next may be in neither.
 */
export function isIdle({ unfinished, runningAgain = 0, queues }: Waiting): boolean {
  return unfinished === 0 && runningAgain === 0 && queues.every(({ messages }) => messages === 0);
}

/** A page of items; fewer than the limit means it is the last one. */
export function pageOf<Item extends { id: string }>(items: Item[], limit: number): Page<Item> {
  const last = items.at(-1);
  return items.length < limit || last === undefined ? { items } : { items, cursor: last.id };
}

/** A page of a listing; `cursor` continues it and is absent on the last page. A page may be empty and not the last. */
export interface Page<T> {
  items: T[];
  cursor?: string | undefined;
}

/** The answer to a request that cannot be met: the caller's mistake, in one sentence. */
export interface OperationRefused {
  refused: string;
}

/** A page of a filter's dead letters, in the order of the days. Days are when the mail arrived; both included. */
export type DeadLetterQuery = Inputs["listDeadLetters"];

/** Narrows dead letters; an absent field means all. */
export type DeadLetterFilter = Omit<DeadLetterQuery, "cursor">;

/** Dead letters by id, or a page of those matching a filter, continued with the answer's cursor. */
export type DeadLetterSelection = Inputs["requeueDeadLetters"];

/** The result for one dead letter. */
export type DeadLetterResult = Outputs["requeueDeadLetters"]["items"][number];

/** A raw object in R2. */
export type RawObject = NonNullable<Outputs["getDeadLetter"]["raw"]>;

/** The request to start a job. */
export type JobRequest = Inputs["startReprocess"];

/**
 * keep: the accepted version stays and the other becomes a duplicate; replace: the other takes its place; both: both
 * count.
 */
export type ConflictDecision = Inputs["decideConflict"]["decision"];

/** Who decided and why. */
export interface DecisionNote {
  /** Mail address of the person, or the name of the token. */
  by: string;
  reason?: string | undefined;
}

/** Sort keys for the records of a report; `record` is the order in the report. */
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

/** A request for records of a report, which are read again from its raw object. */
export interface RecordQuery {
  reference: ReportReference;
  /** Only records that contain this text (an address, a domain, a selector, a result), ignoring case. */
  text?: string | undefined;
  /** Only records that passed or failed DMARC. */
  isPass?: boolean | undefined;
  /** Absent = the report's own order. */
  order?: RecordOrder | undefined;
  descending?: boolean | undefined;
  limit?: number | undefined;
  offset?: number | undefined;
}

/** A page of records, the policies of a TLS report, or the reason why there are none. */
export type RecordsAnswer = Outputs["readRecords"];

/** A record and its index in the report, from 0. */
export type PlacedRecord = Extract<RecordsAnswer, { kind: "aggregate" }>["records"][number];

/** How much of a TLS report was left out because it does not fit a page; the raw file has everything. */
export type OmittedTls = NonNullable<Extract<RecordsAnswer, { kind: "tls" }>["omitted"]>;
