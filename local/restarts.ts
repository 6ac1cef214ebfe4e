/** When a part that dies again and again is given up: this many crashes within this time are not an accident. */

/** Ours. */
const MAX_RESTARTS = 5;
const WINDOW_MS = 5 * 60_000;

/** Counts the restarts of one part. */
export class Restarts {
  #times: number[] = [];

  /** Counts one more. @returns when it is one too many: how many within how long, for a sentence */
  countOne(nowMilliseconds: number): string | undefined {
    this.#times = [...this.#times.filter((time) => nowMilliseconds - time < WINDOW_MS), nowMilliseconds];
    if (this.#times.length <= MAX_RESTARTS) return undefined;
    return `${this.#times.length} times within ${WINDOW_MS / 60_000} minutes`;
  }
}
