/**
 * The report job: one raw object, read to its end, then every report in it settled (ledger, points, event) and every
 * problem filed as a dead letter; a receipt last. Any step may be repeated: nothing is counted twice.
 */
import { BATCH_LIMITS } from "../../shared/limits.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { findRegistration } from "../../shared/registry.ts";
import { problem } from "../../shared/report/problems.ts";
import type { Receipt, ReceiptOutcome } from "../../shared/storage.ts";
import { clearReplaced } from "./clearing.ts";
import type { JobContext, LogEntry } from "./env.ts";
import { type Finding, readFindings } from "./findings.ts";
import { findRawObject } from "./raw-object.ts";
import { putReceipt, readReceipt, removeAsSaid } from "./receipts.ts";
import { type ReportJob, rejectPart, settle } from "./settle.ts";
import { type AcceptedReport, writeLargeReports } from "./write-report.ts";

/** Deliveries of one object that race each other for its receipt; more is a fault. */
const MAX_RECEIPT_ATTEMPTS = 5;

/** Runs the job. @returns the log entry; @throws at faults of the platform, to be retried */
export async function processReport(message: ReportMessage, context: JobContext): Promise<LogEntry> {
  const { R2_DMARC_REPORTS: bucket, KV_DMARC_REPORTS: registry } = context.env;
  const previous = await readReceipt(bucket, message.key);
  const generation = message.generation ?? 1;
  if (previous !== undefined && previous.receipt.generation >= generation) {
    await removeAsSaid(bucket, previous.receipt);
    return logEntry(message, "already_done");
  }
  if (context.attempts >= BATCH_LIMITS.aloneFromAttempt && message.alone !== true) return sendAlone(message, context);
  const registration = await findRegistration(registry, message.rua);
  const object = await findRawObject(bucket, message.key);
  // What was accepted stays when it is run again after its address or its raw object has gone.
  if (previous !== undefined && (registration === undefined || object === undefined)) {
    await object?.leave();
    return logEntry(message, object === undefined ? "left: no raw object" : "left: address not registered");
  }
  const job: ReportJob = { message, context, generation, registration, previous: previous?.receipt };
  if (object === undefined)
    return finish(job, [await rejectPart(job, { part: "", problem: problem("missing_object") })]);
  if (registration === undefined) {
    await object.leave();
    const unregistered = problem("unregistered_rua", message.rua);
    return finish(job, [await rejectPart(job, { part: "", problem: unregistered })]);
  }
  if (object.sizeBytes > BATCH_LIMITS.maxSharedObjectBytes && message.alone !== true) {
    await object.leave();
    return sendAlone(message, context);
  }
  const source = await object.open();
  const findings = await readFindings(source);
  const outcomes: ReceiptOutcome[] = [];
  const large = new Map<number, AcceptedReport>();
  for (const finding of findings) outcomes.push(await settle(finding, job, large));
  if (large.size > 0) await writeLargeReports(source, large, context);
  return finish(job, outcomes, mustRemoveRaw(job, findings, outcomes));
}

/** Sends a message on to the queue whose batches are one message: it takes nothing from others, nor they from it. */
async function sendAlone(message: ReportMessage, { env }: JobContext): Promise<LogEntry> {
  await env.QUEUE_POINTS.send({ ...message, alone: true } satisfies ReportMessage);
  return logEntry(message, "sent_alone");
}

// A failure report holds personal data: unless it is to be stored, only its facts are kept (setting `failureReports`).
function mustRemoveRaw({ registration }: ReportJob, findings: Finding[], outcomes: ReceiptOutcome[]): boolean {
  return (
    registration?.entry.failureReports !== "store" &&
    findings.length > 0 &&
    findings.every((finding) => "report" in finding && finding.report.kind === "failure") &&
    outcomes.every(({ outcome }) => outcome !== "dead_letter" && outcome !== "conflict")
  );
}

async function finish(job: ReportJob, outcomes: ReceiptOutcome[], rawRemoved = false): Promise<LogEntry> {
  const { message, context, generation } = job;
  const { R2_DMARC_REPORTS: bucket } = context.env;
  const receipt: Receipt = {
    ...{ v: 1, rawKey: message.key, generation, processedSeconds: context.nowSeconds, outcomes },
    ...(rawRemoved ? { rawRemoved } : {}),
  };
  for (let attempt = 1; ; attempt++) {
    const previous = await readReceipt(bucket, message.key);
    if (previous !== undefined && previous.receipt.generation > generation) return logEntry(message, "superseded");
    if (previous !== undefined) await clearReplaced(previous.receipt, outcomes, context);
    if (await putReceipt(bucket, receipt, previous)) break;
    if (attempt === MAX_RECEIPT_ATTEMPTS)
      throw new Error(`The receipt of ${message.key} is changed by others all the time.`);
  }
  await removeAsSaid(bucket, receipt);
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { ...logEntry(message, Object.keys(counts).join(", ")), counts };
}

function logEntry({ rua, key }: ReportMessage, outcome: string): LogEntry {
  return { event: "report", rua, key, outcome };
}
