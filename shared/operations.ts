/**
 * The words of what process does for people, as its own modules use them: what is asked and answered is described in
 * shared/contract, and its types derive from there. A request that cannot be met is a value (`OperationRefused`), never a
 * throw.
 */
import type { Inputs, Outputs } from "./contract/operations.ts";
import type { ReportReference } from "./ledger/report-rows.ts";

/** What is waiting. */
export type PipelineStatus = Outputs["pipelineStatus"];

/** Backlog of one queue as the platform reports it. */
export type QueueBacklog = PipelineStatus["queues"][number];

/** What a look has to tell for `isIdle`. */
export interface Waiting {
  unfinished: number;
  /** Absent in an answer of an earlier version. */
  runningAgain?: number | undefined;
  queues: { messages: number }[];
}

/**
 * Whether nothing waits and nothing is in work, as one look tells: what came for the first time is unfinished until it is
 * committed, what a job sent again is running until it is. A message on its way from one queue to the next may be in neither.
 */
export function isIdle({ unfinished, runningAgain = 0, queues }: Waiting): boolean {
  return unfinished === 0 && runningAgain === 0 && queues.every(({ messages }) => messages === 0);
}

/** A page of the items that were read: fewer than the limit are the last ones. */
export function pageOf<Item extends { id: string }>(items: Item[], limit: number): Page<Item> {
  const last = items.at(-1);
  return items.length < limit || last === undefined ? { items } : { items, cursor: last.id };
}

/** A page of a listing; `cursor` continues it and is absent on the last page. A page may be empty and not the last. */
export interface Page<T> {
  items: T[];
  cursor?: string | undefined;
}

/** An operation's answer to a request that cannot be met: the caller's mistake, said in one sentence. */
export interface OperationRefused {
  refused: string;
}

/** A page of a filter's dead letters, in the order of the days. Days are when the mail arrived; both included. */
export type DeadLetterQuery = Inputs["listDeadLetters"];

/** Narrows dead letters; an absent field means all. */
export type DeadLetterFilter = Omit<DeadLetterQuery, "cursor">;

/** Dead letters by id, or a page of a filter's dead letters: the caller goes on with the answer's cursor. */
export type DeadLetterSelection = Inputs["requeueDeadLetters"];

/** What was done with one dead letter. */
export type DeadLetterResult = Outputs["requeueDeadLetters"]["items"][number];

/** A raw object as it is in R2. */
export type RawObject = NonNullable<Outputs["getDeadLetter"]["raw"]>;

/** What a job is to be about. */
export type JobRequest = Inputs["startReprocess"];

/** keep: the accepted one stays, the other is a duplicate from now on; replace: the other takes its place; both count. */
export type ConflictDecision = Inputs["decideConflict"]["decision"];

/** Who decided, and why. */
export interface DecisionNote {
  /** Mail address of the person, or the name of the token. */
  by: string;
  reason?: string | undefined;
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

/** A page of records, the policies of a TLS report, or why there are none. */
export type RecordsAnswer = Outputs["readRecords"];

/** A record and its place in the report, from 0. */
export type PlacedRecord = Extract<RecordsAnswer, { kind: "aggregate" }>["records"][number];

/** What of a TLS report was left out, because it is more than a page can take; the raw file has it. */
export type OmittedTls = NonNullable<Extract<RecordsAnswer, { kind: "tls" }>["omitted"]>;
