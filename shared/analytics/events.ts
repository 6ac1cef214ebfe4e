/** Points of dmarc_events: one for each outcome. Told again after a redelivery it has the same id and counts once. Pure. */
import type { ConflictRow } from "../ledger/conflicts.ts";
import type { DeadLetterRow } from "../ledger/dead-letters.ts";
import type { ReportKind } from "../report-header.ts";
import { buildPoint, type DataPoint } from "./columns.ts";

export type EventOutcome =
  | "accepted"
  | "reprocessed"
  | "duplicate"
  | "conflict"
  | "dead_letter"
  | "cleared"
  | "discarded"
  | "retracted"
  | "slice";

/** What is known of an outcome; what is absent is written as empty. */
export interface PipelineEvent {
  id: string;
  outcome: EventOutcome;
  rawKey: string;
  generation: number;
  receivedSeconds: number;
  account?: string;
  rua?: string;
  part?: string;
  kind?: ReportKind;
  /** Problem code of a dead letter. */
  code?: string;
  domain?: string;
  reporter?: string;
  /** Of a slice, its points. */
  records?: number;
  skippedRecords?: number;
  messages?: number;
}

/** Builds the point of one outcome. @param attempts deliveries of the message so far */
export function eventPoint(event: PipelineEvent, attempts: number, nowSeconds: number): DataPoint {
  const { receivedSeconds, generation } = event;
  return buildPoint("events", {
    eventId: event.id,
    account: event.account ?? "",
    rua: event.rua ?? "",
    outcome: event.outcome,
    kind: event.kind ?? "",
    code: event.code ?? "",
    domain: event.domain ?? "",
    reporter: event.reporter ?? "",
    rawKey: event.rawKey,
    part: event.part ?? "",
    generation,
    receivedSeconds,
    processedSeconds: nowSeconds,
    records: event.records ?? 0,
    skippedRecords: event.skippedRecords ?? 0,
    messages: event.messages ?? 0,
    attempts,
    // A generation above the first is the second in which it was run again.
    latencySeconds: Math.max(0, nowSeconds - Math.max(Math.floor(generation), receivedSeconds)),
  });
}

/**
 * The generation of what supersedes `generation`: above it, and below any later one. Generations of messages are whole
 * numbers.
 */
export function supersedingGeneration(generation: number): number {
  return Math.floor(generation) + 0.5;
}

/** The generation in which something is run again. */
export function nextGeneration(generation: number, nowSeconds: number): number {
  return Math.max(nowSeconds, Math.floor(generation) + 1);
}

/** The event that a dead letter was filed. */
export function deadLetterEvent(deadLetter: DeadLetterRow): PipelineEvent {
  const { id, rawKey, part, generation, receivedSeconds, account, rua, domain, code } = deadLetter;
  return { id, outcome: "dead_letter", rawKey, part, generation, receivedSeconds, account, rua, domain, code };
}

/** The event that a dead letter is no more: the same id, a generation above. */
export function closedDeadLetter(deadLetter: DeadLetterRow, outcome: EventOutcome): PipelineEvent {
  return { ...deadLetterEvent(deadLetter), outcome, generation: supersedingGeneration(deadLetter.generation) };
}

/** The event that a conflict was filed. */
export function conflictEvent({ id, account, domain, kind, reporter, other }: ConflictRow): PipelineEvent {
  const { rawKey, part, rua, receivedSeconds, generation } = other;
  const place = { rawKey, part, generation, receivedSeconds, account, rua };
  return { id, outcome: "conflict", ...place, kind, domain, reporter };
}

/** The event that a conflict is no more. */
export function closedConflict(conflict: ConflictRow, outcome: EventOutcome): PipelineEvent {
  return { ...conflictEvent(conflict), outcome, generation: supersedingGeneration(conflict.other.generation) };
}
