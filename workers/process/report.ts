/**
 * The report job: one raw object, read to its end, then every report in it settled (ledger, points, event) and every
 * problem filed as a dead letter; a receipt last. Any step may be repeated: nothing is counted twice.
 */
import { BATCH_LIMITS } from "../../shared/limits.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { findRegistration } from "../../shared/registry.ts";
import { problem } from "../../shared/report/problems.ts";
import { type Receipt, type ReceiptOutcome, WHOLE_MAIL_NAME } from "../../shared/storage.ts";
import type { JobContext, LogEntry } from "./env.ts";
import { type Finding, readFindings } from "./findings.ts";
import { parkReceipt } from "./finish.ts";
import { findRawObject } from "./raw-object.ts";
import { readReceipt, removeAsSaid, writeReceipt } from "./receipts.ts";
import { screenFindings } from "./screen.ts";
import { type ReportJob, rejectPart, settle } from "./settle.ts";
import { AwaitedSlices } from "./slices.ts";
import { type AcceptedReport, writeLargeReports } from "./write-report.ts";

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
  const awaited = new AwaitedSlices();
  const job: ReportJob = {
    ...{ message, generation, registration, previous: previous?.receipt },
    context: { ...context, awaited },
  };
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
  // An object that does not say when it came is read as of now.
  const receivedSeconds = message.receivedSeconds || context.nowSeconds;
  const origin = { receivedSeconds, objectsOfMail: object.objectsOfMail };
  const findings = await screenFindings(await readFindings(source, origin), job);
  const outcomes: ReceiptOutcome[] = [];
  const large = new Map<number, AcceptedReport>();
  for (const finding of findings) outcomes.push(await settle(finding, job, large));
  if (large.size > 0) await writeLargeReports(source, { large, origin }, job.context);
  return finish(job, outcomes, mustRemoveRaw(job, findings, outcomes));
}

/** Sends a message on to the queue whose batches are one message: it takes nothing from others, nor they from it. */
async function sendAlone(message: ReportMessage, { env }: JobContext): Promise<LogEntry> {
  await env.QUEUE_POINTS.send({ ...message, alone: true } satisfies ReportMessage);
  return logEntry(message, "sent_alone");
}

// A failure report holds personal data: unless it is to be stored, only its facts are kept (setting `failureReports`).
// Only whole mails are removed: of these each address has an object of its own from the start (workers/ingest).
function mustRemoveRaw({ message, registration }: ReportJob, findings: Finding[], outcomes: ReceiptOutcome[]): boolean {
  return (
    registration?.entry.failureReports !== "store" &&
    message.key.endsWith(`-${WHOLE_MAIL_NAME}`) &&
    findings.length > 0 &&
    findings.every((finding) => "report" in finding && finding.report.kind === "failure") &&
    outcomes.every(({ outcome }) => outcome !== "dead_letter" && outcome !== "conflict")
  );
}

/** The receipt, at once or when the slices of the job have been dealt with. */
async function finish(job: ReportJob, outcomes: ReceiptOutcome[], rawRemoved = false): Promise<LogEntry> {
  const { message, context, generation } = job;
  const receipt: Receipt = {
    ...{ v: 1, rawKey: message.key, generation, processedSeconds: context.nowSeconds, outcomes },
    ...(rawRemoved ? { rawRemoved } : {}),
  };
  const awaited = context.awaited?.counts ?? [];
  const counts = countOutcomes(outcomes);
  if (awaited.length > 0) {
    await parkReceipt({ v: 1, receipt, awaited, tries: 0 }, message, context);
    return { ...logEntry(message, Object.keys(counts).join(", ")), counts, awaited: awaited.length };
  }
  const isWritten = await writeReceipt(receipt, context);
  return isWritten ? { ...logEntry(message, Object.keys(counts).join(", ")), counts } : logEntry(message, "superseded");
}

function countOutcomes(outcomes: ReceiptOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function logEntry({ rua, key }: ReportMessage, outcome: string): LogEntry {
  return { event: "report", rua, key, outcome };
}
