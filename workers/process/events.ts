/** Points of dmarc_events: one for each outcome. Told again after a redelivery it has the same id and counts once. */
import { buildPoint, type DataPoint } from "../../shared/analytics/columns.ts";
import { domainOf, reporterOf } from "../../shared/identity.ts";
import type { Report } from "../../shared/report/vocabulary.ts";
import type { JobContext } from "./env.ts";

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
  report?: Report;
  /** Problem code of a dead letter. */
  code?: string;
  domain?: string;
  /** Points of a slice. */
  records?: number;
}

/** Builds the point of one outcome. */
export function eventPoint(context: JobContext, event: PipelineEvent): DataPoint {
  const { report, receivedSeconds, generation } = event;
  const totals =
    report?.kind === "aggregate" ? report.totals : { records: event.records ?? 0, skippedRecords: 0, messages: 0 };
  return buildPoint("events", {
    eventId: event.id,
    account: event.account ?? "",
    rua: event.rua ?? "",
    outcome: event.outcome,
    kind: report?.kind ?? "",
    code: event.code ?? "",
    domain: report === undefined ? (event.domain ?? "") : domainOf(report),
    reporter: report === undefined ? "" : reporterOf(report),
    rawKey: event.rawKey,
    part: event.part ?? "",
    generation,
    receivedSeconds,
    processedSeconds: context.nowSeconds,
    records: totals.records,
    skippedRecords: totals.skippedRecords,
    messages: totals.messages,
    attempts: context.attempts,
    latencySeconds: Math.max(0, context.nowSeconds - startSeconds({ generation, receivedSeconds })),
  });
}

/**
 * The generation of an event that supersedes one of `generation`: above it, and below any later one. Generations of
 * messages are whole numbers.
 */
export function supersedingGeneration(generation: number): number {
  return Math.floor(generation) + 0.5;
}

// A generation above the first is the second in which it was run again.
function startSeconds({ generation, receivedSeconds }: { generation: number; receivedSeconds: number }): number {
  return Math.max(Math.floor(generation), receivedSeconds);
}
