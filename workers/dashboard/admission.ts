/**
 * Limits how many requests with data one isolate answers at once. Any more are refused immediately, so that the others
 * stay as fast as usual and memory stays within the isolate's limit. Nothing waits here.
 */
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { ApiError } from "./errors.ts";

interface Limits {
  maxRequests: number;
  maxSeconds: number;
}

/** A place that was taken, to be released. */
export type Leave = () => void;

/** The places for requests in one isolate. */
export class Admission {
  readonly #limits: Limits;
  /** When each place was taken, milliseconds. */
  readonly #taken = new Map<symbol, number>();

  constructor(limits: Limits = { maxRequests: DASHBOARD_LIMITS.maxRequests, maxSeconds: DASHBOARD_LIMITS.maxSeconds }) {
    this.#limits = limits;
  }

  /**
   * Takes a place. One that is not released in time becomes free again: when a client disconnects, nothing more of its
   * request runs, not even its end.
   *
   * @throws ApiError (503) when there is none
   */
  enter(nowMilliseconds: number): Leave {
    const { maxRequests, maxSeconds } = this.#limits;
    for (const [place, since] of this.#taken) {
      if (nowMilliseconds - since >= maxSeconds * 1000) this.#taken.delete(place);
    }
    if (this.#taken.size >= maxRequests) {
      const { retryAfterSeconds } = DASHBOARD_LIMITS;
      throw new ApiError("busy", "The dashboard is answering too many requests right now.", retryAfterSeconds);
    }
    const place = Symbol("request");
    this.#taken.set(place, nowMilliseconds);
    return () => this.#taken.delete(place);
  }
}
