/**
 * Gathers points that several requests of one isolate write at the same time into one call of the local engine, for a
 * call a point costs more than the point. Every caller waits until its own points are stored, and gets the error of the
 * call they were in. It never drops or repeats a point.
 */

/** Stores the items of one batch, or throws. */
export type Send<Item> = (items: Item[]) => Promise<void>;

interface Batch<Item> {
  items: Item[];
  sent: Promise<void>;
}

/** Ours: most items of one call. */
const MAX_ITEMS = 2000;
/** Ours: a request that was cancelled in the middle of its call must not hold up all others for ever. */
const MAX_WAIT_MS = 10_000;

/**
 * One queue of writes. A batch is gathered while the one before is under way. Its first caller sends it: in workerd a
 * fetch belongs to the request it was made in, which must still be running, and that one waits for it.
 */
export class SharedWrites<Item> {
  #open: Batch<Item> | undefined;
  #before: Promise<unknown> = Promise.resolve();

  /** Resolves when the item is stored; rejects with the error of its batch. @param send used if this call leads a batch */
  write(item: Item, send: Send<Item>): Promise<void> {
    if (this.#open !== undefined && this.#open.items.length < MAX_ITEMS) {
      this.#open.items.push(item);
      return this.#open.sent;
    }
    const items = [item];
    const batch: Batch<Item> = { items, sent: this.#lead(items, send) };
    this.#open = batch;
    // What comes next must not fail for this batch's reason.
    this.#before = batch.sent.catch(() => undefined);
    return batch.sent;
  }

  async #lead(items: Item[], send: Send<Item>): Promise<void> {
    await withinMilliseconds(this.#before, MAX_WAIT_MS);
    // Calls that arrived together are still being read: let them join.
    await pause(1);
    if (this.#open?.items === items) this.#open = undefined;
    await send(items);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function withinMilliseconds(work: Promise<unknown>, milliseconds: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  await Promise.race([work, promise]);
  clearTimeout(timer);
}
