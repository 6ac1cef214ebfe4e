/**
 * A dataset's binding for one invocation on one machine: points that the code writes side by side go to the stand-in in one
 * call, since each call from Worker to Worker costs more than the point. Each caller learns the outcome of its own point.
 */

import type { InvocationLimits } from "./limited.ts";

/** The stand-in's method for many points (dataset.ts). */
export interface PointsWriter {
  /** @returns for each point why it was refused; undefined = stored */
  writeDataPoints(points: unknown[]): Promise<(string | undefined)[]>;
}

interface Waiting {
  point: unknown;
  stored: () => void;
  failed: (error: unknown) => void;
}

/** Has the method of a dataset's binding, except that it returns a promise. */
export class GatheredPoints {
  readonly #writer: PointsWriter;
  readonly #limits: InvocationLimits;
  #open: Waiting[] | undefined;

  /** @param limits of the invocation, over all datasets */
  constructor(writer: PointsWriter, limits: InvocationLimits) {
    this.#writer = writer;
    this.#limits = limits;
  }

  /**
   * Writes one point, together with all that are written before the code next waits for anything.
   *
   * @throws TypeError with the runtime's message when the point exceeds a limit; Error when the engine refuses it,
   *   or when the invocation has written as many as it may
   */
  writeDataPoint(point?: unknown): Promise<void> {
    this.#limits.takePoint();
    return new Promise((stored, failed) => {
      const waiting = { point, stored, failed };
      if (this.#open !== undefined) this.#open.push(waiting);
      else {
        const batch = [waiting];
        this.#open = batch;
        queueMicrotask(() => this.#send(batch));
      }
    });
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    this.#open = undefined;
    try {
      const refusals = await this.#writer.writeDataPoints(batch.map(({ point }) => point));
      for (const [place, { stored, failed }] of batch.entries()) {
        const refusal = refusals[place];
        if (refusal === undefined) stored();
        else failed(new TypeError(refusal));
      }
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
}
