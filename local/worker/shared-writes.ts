/**
 * Combines points that several requests of one isolate write at the same time into one call to the local engine,
 * because a call per point is expensive. Every caller waits until its own points are stored, and gets the error of
 * their call. Never drops or repeats a point.
 *
 * In workerd, code after an `await` runs in the request that created the promise. So no request awaits another's
 * promise: each caller creates its own, which another request resolves, and a timer keeps the caller's request alive.
 */

/** Stores the items of one batch, or throws. */
export type Send<Item> = (items: Item[]) => Promise<void>;

interface Waiting<Item> {
  item: Item;
  stored: () => void;
  failed: (error: unknown) => void;
}

/** Ours: most items of one call. */
const MAX_ITEMS = 2000;
/** Ours: how long to collect a batch; the calls of one invocation arrive together. */
const GATHER_MS = 5;
/** Ours: a request cancelled during its call must not block others forever. */
const MAX_WAIT_MS = 60_000;

/**
 * The writes to one dataset. A batch is collected for a moment and sent by its first caller, because a fetch belongs to
 * its request. Batches do not wait for each other.
 */
export class SharedWrites<Item> {
  #open: Waiting<Item>[] | undefined;

  /**
   * Resolves when the item is stored.
   *
   * @param send used if this call leads a batch
   * @throws the error of its batch; Error when its batch did not finish
   */
  async write(item: Item, send: Send<Item>): Promise<void> {
    const own = Promise.withResolvers<void>();
    const waiting = { item, stored: own.resolve, failed: own.reject };
    if (this.#open !== undefined && this.#open.length < MAX_ITEMS) {
      this.#open.push(waiting);
      if (await endsWithin(own.promise, MAX_WAIT_MS)) return;
      throw new Error("The request this point travelled with was cancelled.");
    }
    const batch = [waiting];
    this.#open = batch;
    await this.#lead(batch, send);
    await own.promise;
  }

  async #lead(batch: Waiting<Item>[], send: Send<Item>): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    if (this.#open === batch) this.#open = undefined;
    try {
      await send(batch.map(({ item }) => item));
      for (const { stored } of batch) stored();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
}

/** @returns false on timeout */
async function endsWithin(work: Promise<void>, milliseconds: number): Promise<boolean> {
  const isOver = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => isOver.resolve(false), milliseconds);
  try {
    return await Promise.race([work.then(() => true), isOver.promise]);
  } finally {
    clearTimeout(timer);
  }
}
