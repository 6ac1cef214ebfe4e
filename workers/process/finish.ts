/** Receipts that wait for slices: parked in R2, looked at by a message of their own until every slice has left its mark. */

import { FINISH_LIMITS } from "../../shared/limits.ts";
import type { FinishMessage, ReportMessage } from "../../shared/messages.ts";
import { type PendingReceipt, pendingKey, type ReceiptOutcome } from "../../shared/storage.ts";
import type { JobContext, LogEntry } from "./env.ts";
import { readReceipt, writeReceipt } from "./receipts.ts";
import { outcomesOfSlices, removeMarks } from "./slices.ts";

/**
 * Parks a receipt and enqueues the message that finishes it. Parked again in the same generation, it goes on where it was.
 *
 * @throws whatever R2 or the queue throws; when another consumer parks at the same time
 */
export async function parkReceipt(
  pending: PendingReceipt,
  { key, rua, receivedSeconds }: ReportMessage,
  context: JobContext,
): Promise<void> {
  const { R2_DMARC_REPORTS: bucket } = context.env;
  const { generation } = pending.receipt;
  const stored = await bucket.get(pendingKey(key));
  const parked = stored === null ? undefined : await stored.json<PendingReceipt>();
  if (parked !== undefined && parked.receipt.generation > generation) return;
  const tries = parked?.receipt.generation === generation ? parked.tries : 0;
  if (!(await putPending(bucket, { ...pending, tries }, stored?.etag))) {
    throw new Error(`${pendingKey(key)} was written by another consumer at the same time.`);
  }
  await send({ v: 1, kind: "finish", key, rua, receivedSeconds, generation, tries }, context);
}

/** Runs the message: writes the receipt if all slices have been dealt with, else looks again later. */
export async function finishReceipt(message: FinishMessage, context: JobContext): Promise<LogEntry> {
  const { R2_DMARC_REPORTS: bucket } = context.env;
  const stored = await bucket.get(pendingKey(message.key));
  if (stored === null) return logEntry(message, "already_done");
  const pending = await stored.json<PendingReceipt>();
  if (pending.receipt.generation !== message.generation) return logEntry(message, "superseded");
  if (message.tries < pending.tries) return logEntry(message, "already_done");
  // The message before this one sent it and has still to count, or will be delivered again.
  if (message.tries > pending.tries) throw new Error(`Look ${message.tries} at ${message.key} comes too early.`);
  const filed: ReceiptOutcome[] = [];
  for (const count of pending.awaited) {
    const outcomes = await outcomesOfSlices(bucket, count);
    if (outcomes === undefined) return waitOn(message, { pending, etag: stored.etag }, context);
    filed.push(...outcomes);
  }
  const receipt = { ...pending.receipt, outcomes: [...pending.receipt.outcomes, ...filed] };
  const isWritten = await writeReceipt(receipt, context);
  for (const count of pending.awaited) await removeMarks(bucket, count);
  await bucket.delete(pendingKey(message.key));
  return logEntry(message, isWritten ? "finished" : "superseded");
}

interface StoredPending {
  pending: PendingReceipt;
  etag: string;
}

/**
 * Sends for the next look, then counts this one. In this order a message that was delivered twice or came late has
 * nothing left to do and sends nothing, so that chains of looks cannot multiply.
 */
async function waitOn(
  message: FinishMessage,
  { pending, etag }: StoredPending,
  context: JobContext,
): Promise<LogEntry> {
  const { R2_DMARC_REPORTS: bucket } = context.env;
  // Another delivery of the report finished, and removed the marks, before this one was parked.
  if (await isFinished(bucket, pending)) {
    await bucket.delete(pendingKey(message.key));
    return logEntry(message, "already_done");
  }
  // Without a receipt, reconcile enqueues the object again: after so long a slice was lost with its queue.
  if (message.tries >= FINISH_LIMITS.maxTries) return logEntry(message, "given_up: slices are missing");
  const tries = message.tries + 1;
  await send({ ...message, tries }, context);
  await putPending(bucket, { ...pending, tries }, etag);
  return logEntry(message, "waiting");
}

async function isFinished(bucket: R2Bucket, { receipt }: PendingReceipt): Promise<boolean> {
  const written = (await readReceipt(bucket, receipt.rawKey))?.receipt;
  if (written === undefined || written.generation < receipt.generation) return false;
  const ids = new Set(written.outcomes.map(({ id }) => id));
  return written.generation > receipt.generation || receipt.outcomes.every(({ id }) => ids.has(id));
}

/** Writes a parked receipt in the place of the one with `etag`, or where there is none. @returns false if it changed */
async function putPending(bucket: R2Bucket, pending: PendingReceipt, etag: string | undefined): Promise<boolean> {
  const onlyIf = etag === undefined ? { etagDoesNotMatch: "*" } : { etagMatches: etag };
  return (await bucket.put(pendingKey(pending.receipt.rawKey), JSON.stringify(pending), { onlyIf })) !== null;
}

async function send(message: FinishMessage, { env }: JobContext): Promise<void> {
  const base = Number(env.RETRY_BASE_SECONDS);
  const delaySeconds = Math.min(FINISH_LIMITS.maxDelaySeconds, Math.ceil(base * FINISH_LIMITS.growth ** message.tries));
  await env.QUEUE_REPORTS.send(message, { delaySeconds });
}

function logEntry({ rua, key }: FinishMessage, outcome: string): LogEntry {
  return { event: "finish", rua, key, outcome };
}
