/** Receipts in R2: what became of a raw object. Written only over the one that was read, so that no outcome gets lost. */

import { type Receipt, type ReceiptOutcome, receiptKey } from "../../shared/storage.ts";
import { clearReplaced } from "./clearing.ts";
import type { JobContext } from "./env.ts";

export interface StoredReceipt {
  receipt: Receipt;
  etag: string;
}

/** @returns undefined when the object has not been dealt with */
export async function readReceipt(bucket: R2Bucket, rawKey: string): Promise<StoredReceipt | undefined> {
  const stored = await bucket.get(receiptKey(rawKey));
  return stored === null ? undefined : { receipt: await stored.json<Receipt>(), etag: stored.etag };
}

/** Writes a receipt in the place of `previous` (undefined = there was none). @returns false if another was faster */
export async function putReceipt(
  bucket: R2Bucket,
  receipt: Receipt,
  previous: StoredReceipt | undefined,
): Promise<boolean> {
  const onlyIf = previous === undefined ? { etagDoesNotMatch: "*" } : { etagMatches: previous.etag };
  return (await bucket.put(receiptKey(receipt.rawKey), JSON.stringify(receipt), { onlyIf })) !== null;
}

/** Deliveries of one object that race each other for its receipt; more is a fault. */
const MAX_RECEIPT_ATTEMPTS = 5;

/**
 * Writes the receipt of an object that has been dealt with, and clears what an older one lists and this one does not.
 *
 * @returns false when the object has been run again meanwhile, in a newer generation
 */
export async function writeReceipt(receipt: Receipt, context: JobContext): Promise<boolean> {
  const { R2_DMARC_REPORTS: bucket } = context.env;
  for (let attempt = 1; ; attempt++) {
    const previous = await readReceipt(bucket, receipt.rawKey);
    if (previous !== undefined && previous.receipt.generation > receipt.generation) return false;
    if (previous !== undefined) await clearReplaced(previous.receipt, receipt.outcomes, context);
    if (await putReceipt(bucket, receipt, previous)) break;
    if (attempt === MAX_RECEIPT_ATTEMPTS) {
      throw new Error(`The receipt of ${receipt.rawKey} is changed by others all the time.`);
    }
  }
  await removeAsSaid(bucket, receipt);
  return true;
}

/** Removes the raw object of a receipt that says so: the invocation that wrote it may have ended before. */
export async function removeAsSaid(bucket: R2Bucket, { rawKey, rawRemoved }: Receipt): Promise<void> {
  if (rawRemoved) await bucket.delete(rawKey);
}

/** Says in the receipt of a raw object, if it has one, that one of its outcomes is another now. */
export async function replaceOutcome(bucket: R2Bucket, rawKey: string, outcome: ReceiptOutcome): Promise<void> {
  const previous = await readReceipt(bucket, rawKey);
  if (previous === undefined) return;
  const { receipt } = previous;
  const outcomes = receipt.outcomes.map((each) => (each.id === outcome.id ? outcome : each));
  if (await putReceipt(bucket, { ...receipt, outcomes }, previous)) return;
  throw new Error(`${receiptKey(rawKey)} was written by another consumer at the same time.`);
}
