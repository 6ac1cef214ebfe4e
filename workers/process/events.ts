/** One point in dmarc_events for each outcome; told again after a redelivery it has the same id and counts once. */
import { buildPoint } from "../../shared/analytics/columns.ts";
import { domainOf, reporterOf } from "../../shared/identity.ts";
import type { Report } from "../../shared/report/vocabulary.ts";
import type { ReceiptOutcome } from "../../shared/storage.ts";
import { writePoints } from "./points.ts";
import type { ReportJob } from "./report.ts";

export interface PipelineEvent {
  id: string;
  outcome: ReceiptOutcome["outcome"];
  part: string;
  report?: Report;
  /** Problem code of a dead letter. */
  code?: string;
  domain?: string;
}

/** Writes the event of one outcome, within the invocation's budget. */
export async function writeEvent(job: ReportJob, event: PipelineEvent): Promise<void> {
  const { message, context, account } = job;
  const { report } = event;
  const totals = report?.kind === "aggregate" ? report.totals : { records: 0, skippedRecords: 0, messages: 0 };
  const point = buildPoint("events", {
    eventId: event.id,
    account,
    rua: message.rua,
    outcome: event.outcome,
    kind: report?.kind ?? "",
    code: event.code ?? "",
    domain: report === undefined ? (event.domain ?? "") : domainOf(report),
    reporter: report === undefined ? "" : reporterOf(report),
    rawKey: message.key,
    part: event.part,
    generation: message.generation ?? 1,
    receivedSeconds: message.receivedSeconds,
    processedSeconds: context.nowSeconds,
    records: totals.records,
    skippedRecords: totals.skippedRecords,
    messages: totals.messages,
    attempts: context.attempts,
  });
  await writePoints("events", [point], { origin: { key: message.key, reportUid: event.id }, context });
}
