/**
 * Gathers the writes that are in flight together into one insert, and answers each caller only when its points are
 * stored: many small inserts would each cost a file on disk. It never drops a write: it stores it or rejects it.
 */

/** Stores everything of one batch, or throws. */
export type Store<Item> = (items: Item[]) => Promise<void>;

interface Waiting<Item> {
  items: Item[];
  stored: () => void;
  failed: (error: unknown) => void;
}

/** One queue of writes; a batch is gathered while the one before is being stored. */
export class WriteBatches<Item> {
  readonly #store: Store<Item>;
  readonly #maxItems: number;
  #waiting: Waiting<Item>[] = [];
  #running = false;

  /** @param maxItems most items of one batch; a single write may be larger */
  constructor(store: Store<Item>, maxItems: number) {
    this.#store = store;
    this.#maxItems = maxItems;
  }

  /** Resolves when these items are stored; rejects with the store's error when their batch failed. */
  write(items: Item[]): Promise<void> {
    return new Promise((stored, failed) => {
      this.#waiting.push({ items, stored, failed });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Requests that arrived together are still being read: let them join.
    await new Promise((resolve) => setTimeout(resolve, 2));
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#store(batch.flatMap(({ items }) => items));
        for (const { stored } of batch) stored();
      } catch (error) {
        for (const { failed } of batch) failed(error);
      }
    }
    this.#running = false;
  }

  #take(): Waiting<Item>[] {
    let items = 0;
    let writes = 0;
    for (const waiting of this.#waiting) {
      if (writes > 0 && items + waiting.items.length > this.#maxItems) break;
      items += waiting.items.length;
      writes++;
    }
    return this.#waiting.splice(0, writes);
  }
}
