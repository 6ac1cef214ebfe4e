/**
 * Slices that a receipt waits for. A report cut into slices is done when each of them has been written, or filed as a
 * dead letter; each leaves a mark in R2, and the receipt is written when all marks are there. Until then reconcile finds
 * the raw object without a receipt: a queue that was purged or lost takes nothing with it.
 */
import type { PointsMessage } from "../../shared/messages.ts";
import { type ReceiptOutcome, type SliceCount, sliceKey, slicePrefix } from "../../shared/storage.ts";

/** The slices of one raw object's reports. */
export class AwaitedSlices {
  readonly #counts = new Map<string, SliceCount>();

  /** Notes how many slices a report has so far. */
  add({ reportUid, generation, slices }: SliceCount): void {
    this.#counts.set(slicePrefix({ reportUid, generation }), { reportUid, generation, slices });
  }

  get counts(): SliceCount[] {
    return [...this.#counts.values()];
  }
}

/** Marks a slice as dealt with; `deadLetterId` when it was filed and not written. */
export async function markSlice(bucket: R2Bucket, message: PointsMessage, deadLetterId = ""): Promise<void> {
  await bucket.put(sliceKey(message), "", { customMetadata: { deadLetterId } });
}

/**
 * Looks for the marks of a report's slices.
 *
 * @returns undefined while some are missing; else the outcomes of those that were filed as dead letters
 */
export async function outcomesOfSlices(bucket: R2Bucket, count: SliceCount): Promise<ReceiptOutcome[] | undefined> {
  const outcomes: ReceiptOutcome[] = [];
  let marks = 0;
  for await (const { key, customMetadata } of listMarks(bucket, count)) {
    marks++;
    const id = customMetadata?.deadLetterId ?? "";
    const part = `points ${count.reportUid} ${count.generation} ${Number(key.slice(key.lastIndexOf("/") + 1))}`;
    // No key: requeued, the letter goes by itself.
    if (id !== "") outcomes.push({ outcome: "dead_letter", id, part, key: "" });
  }
  return marks < count.slices ? undefined : outcomes;
}

/** Removes the marks of a report whose receipt is written. */
export async function removeMarks(bucket: R2Bucket, count: SliceCount): Promise<void> {
  const keys: string[] = [];
  for await (const { key } of listMarks(bucket, count)) keys.push(key);
  for (let i = 0; i < keys.length; i += MAX_DELETED_KEYS) await bucket.delete(keys.slice(i, i + MAX_DELETED_KEYS));
}

/** R2 deletes at most 1,000 keys a call. */
const MAX_DELETED_KEYS = 1000;

async function* listMarks(bucket: R2Bucket, count: SliceCount): AsyncGenerator<R2Object> {
  const prefix = slicePrefix(count);
  let cursor: string | undefined;
  do {
    const page: R2Objects = await bucket.list({
      prefix,
      include: ["customMetadata"],
      ...(cursor === undefined ? {} : { cursor }),
    });
    yield* page.objects;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
}
