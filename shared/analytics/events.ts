/**
 * Points of dmarc_events: one per outcome. Repeated after a redelivery, an event has the same id and counts once. Pure.
 */
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

/** An outcome to be written; absent fields are written as empty. */
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
  /** For a slice, the number of its points. */
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
    // A generation above 1 is the time of the rerun in seconds.
    latencySeconds: Math.max(0, nowSeconds - Math.max(Math.floor(generation), receivedSeconds)),
  });
}

/**
 * A generation above `generation` and below any later one; generations of messages are whole numbers.
 */
export function supersedingGeneration(generation: number): number {
  return Math.floor(generation) + 0.5;
}

/** The generation of a rerun. */
export function nextGeneration(generation: number, nowSeconds: number): number {
  return Math.max(nowSeconds, Math.floor(generation) + 1);
}

/** The event for a filed dead letter. */
export function deadLetterEvent(deadLetter: DeadLetterRow): PipelineEvent {
  const { id, rawKey, part, generation, receivedSeconds, account, rua, domain, code } = deadLetter;
  return { id, outcome: "dead_letter", rawKey, part, generation, receivedSeconds, account, rua, domain, code };
}

/** The event for a closed dead letter: the same id, the next generation. */
export function closedDeadLetter(deadLetter: DeadLetterRow, outcome: EventOutcome): PipelineEvent {
  return { ...deadLetterEvent(deadLetter), outcome, generation: supersedingGeneration(deadLetter.generation) };
}

/** The event for a filed conflict. */
export function conflictEvent({ id, account, domain, kind, reporter, other }: ConflictRow): PipelineEvent {
  const { rawKey, part, rua, receivedSeconds, generation } = other;
  const place = { rawKey, part, generation, receivedSeconds, account, rua };
  return { id, outcome: "conflict", ...place, kind, domain, reporter };
}

/** The event for a closed conflict. */
export function closedConflict(conflict: ConflictRow, outcome: EventOutcome): PipelineEvent {
  return { ...conflictEvent(conflict), outcome, generation: supersedingGeneration(conflict.other.generation) };
}
