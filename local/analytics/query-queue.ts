/**
 * The queue before the engine: some statements run, some wait, the rest are refused at once. Without a bound, each
 * further request delays all answers, and everything that waits is held in memory.
 */

export interface QueueLimits {
  /** Statements that run at once. */
  maxRunning: number;
  /** Statements that wait for them. */
  maxWaiting: number;
}

/** Runs a bounded number of statements at once, and lets a bounded number wait. */
export class QueryQueue {
  readonly #limits: QueueLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Runs `task` when it is its turn. @returns undefined when too many wait already. @throws what the task throws */
  async run<T>(task: () => Promise<T>): Promise<T | undefined> {
    if (this.#running < this.#limits.maxRunning) this.#running++;
    else if (this.#waiting.length >= this.#limits.maxWaiting) return undefined;
    // A query that ends passes its place on.
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    try {
      return await task();
    } finally {
      const begin = this.#waiting.shift();
      if (begin === undefined) this.#running--;
      else begin();
    }
  }
}
