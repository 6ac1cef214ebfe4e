/** Receipts that wait for slices: parked in R2, looked at by a message of their own until every slice has left its mark. */

import { FINISH_LIMITS } from "../../shared/limits.ts";
import type { FinishMessage, ReportMessage } from "../../shared/messages.ts";
import { type PendingReceipt, pendingKey, type ReceiptOutcome } from "../../shared/storage.ts";
import type { JobContext, LogEntry } from "./env.ts";
import { writeReceipt } from "./receipts.ts";
import { outcomesOfSlices, removeMarks } from "./slices.ts";

/** Parks a receipt and enqueues the message that finishes it. @throws whatever R2 or the queue throws */
export async function parkReceipt(
  pending: PendingReceipt,
  { key, rua, receivedSeconds }: ReportMessage,
  context: JobContext,
): Promise<void> {
  await context.env.R2_DMARC_REPORTS.put(pendingKey(key), JSON.stringify(pending));
  const { generation } = pending.receipt;
  await send({ v: 1, kind: "finish", key, rua, receivedSeconds, generation, tries: 0 }, context);
}

/** Runs the message: writes the receipt if all slices have been dealt with, else looks again later. */
export async function finishReceipt(message: FinishMessage, context: JobContext): Promise<LogEntry> {
  const { R2_DMARC_REPORTS: bucket } = context.env;
  const stored = await bucket.get(pendingKey(message.key));
  if (stored === null) return logEntry(message, "already_done");
  const pending = await stored.json<PendingReceipt>();
  if (pending.receipt.generation !== message.generation) return logEntry(message, "superseded");
  const filed: ReceiptOutcome[] = [];
  for (const count of pending.awaited) {
    const outcomes = await outcomesOfSlices(bucket, count);
    if (outcomes === undefined) return lookAgain(message, context);
    filed.push(...outcomes);
  }
  const receipt = { ...pending.receipt, outcomes: [...pending.receipt.outcomes, ...filed] };
  const isWritten = await writeReceipt(receipt, context);
  for (const count of pending.awaited) await removeMarks(bucket, count);
  await bucket.delete(pendingKey(message.key));
  return logEntry(message, isWritten ? "finished" : "superseded");
}

// Without a receipt, reconcile enqueues the object again: after so long a slice was lost with its queue.
async function lookAgain(message: FinishMessage, context: JobContext): Promise<LogEntry> {
  if (message.tries >= FINISH_LIMITS.maxTries) return logEntry(message, "given_up: slices are missing");
  await send({ ...message, tries: message.tries + 1 }, context);
  return logEntry(message, "waiting");
}

async function send(message: FinishMessage, { env }: JobContext): Promise<void> {
  const base = Number(env.RETRY_BASE_SECONDS);
  const delaySeconds = Math.min(FINISH_LIMITS.maxDelaySeconds, Math.ceil(base * FINISH_LIMITS.growth ** message.tries));
  await env.QUEUE_REPORTS.send(message, { delaySeconds });
}

function logEntry({ rua, key }: FinishMessage, outcome: string): LogEntry {
  return { event: "finish", rua, key, outcome };
}
