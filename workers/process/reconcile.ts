/**
 * Reconciling: raw objects without a receipt were received and never finished (a purged queue, a local stack killed with
 * messages in memory). They are found by comparing two listings that sort alike, a page at a time, and enqueued again.
 */
import { PROCESS_LIMITS, QUEUE_LIMITS } from "../../shared/limits.ts";
import type { ReconcileMessage, ReportMessage } from "../../shared/messages.ts";
import { parseRawMetadata, RAW_PREFIX, RECEIPT_PREFIX, rawKeyOfReceipt, receiptKey } from "../../shared/storage.ts";
import type { JobContext, ProcessEnv } from "./env.ts";

interface UnfinishedPage {
  objects: R2Object[];
  /** Raw key to go on after; undefined on the last page. */
  after: string | undefined;
}

/** Handles one page: enqueues what is unfinished, then itself for the next page. */
export async function reconcilePage(message: ReconcileMessage, context: JobContext): Promise<Record<string, unknown>> {
  const { env } = context;
  const page = await listUnfinished(env, message.after);
  for (let i = 0; i < page.objects.length; i += QUEUE_LIMITS.maxBatchMessages) {
    const batch = page.objects.slice(i, i + QUEUE_LIMITS.maxBatchMessages);
    await env.QUEUE_REPORTS.sendBatch(batch.map((object) => ({ body: reportMessage(object) })));
  }
  if (page.after !== undefined) {
    const next: ReconcileMessage = { v: 1, kind: "reconcile", after: page.after };
    await env.QUEUE_REPORTS.send(next);
  }
  return { event: "reconcile", enqueued: page.objects.length, after: page.after };
}

/** Counts unfinished raw objects, looking at a bounded number of keys. */
export async function countUnfinished(env: ProcessEnv): Promise<{ unfinished: number; limit: number }> {
  let unfinished = 0;
  let after: string | undefined;
  for (let i = 0; i < PROCESS_LIMITS.statusPages; i++) {
    const page = await listUnfinished(env, after);
    unfinished += page.objects.length;
    after = page.after;
    if (after === undefined) break;
  }
  return { unfinished, limit: PROCESS_LIMITS.statusPages * PROCESS_LIMITS.reconcilePageKeys };
}

async function listUnfinished(
  { R2_DMARC_REPORTS: bucket }: ProcessEnv,
  after: string | undefined,
): Promise<UnfinishedPage> {
  const raw = await bucket.list({
    prefix: RAW_PREFIX,
    limit: PROCESS_LIMITS.reconcilePageKeys,
    include: ["customMetadata"],
    ...(after === undefined ? {} : { startAfter: after }),
  });
  const last = raw.objects.at(-1)?.key;
  if (last === undefined) return { objects: [], after: undefined };
  const finished = await receiptsUpTo(bucket, { after, last });
  return {
    objects: raw.objects.filter(({ key }) => !finished.has(key)),
    after: raw.truncated ? last : undefined,
  };
}

async function receiptsUpTo(
  bucket: R2Bucket,
  { after, last }: { after: string | undefined; last: string },
): Promise<Set<string>> {
  const finished = new Set<string>();
  let startAfter = after === undefined ? undefined : receiptKey(after);
  for (;;) {
    const page = await bucket.list({ prefix: RECEIPT_PREFIX, ...(startAfter === undefined ? {} : { startAfter }) });
    for (const { key } of page.objects) finished.add(rawKeyOfReceipt(key));
    startAfter = page.objects.at(-1)?.key;
    if (!page.truncated || startAfter === undefined || startAfter >= receiptKey(last)) return finished;
  }
}

function reportMessage({ key, customMetadata }: R2Object): ReportMessage {
  const { rua, receivedSeconds } = parseRawMetadata(customMetadata);
  return { v: 1, kind: "report", key, rua, receivedSeconds };
}
