/**
 * How many requests may be answered with data at once in one isolate: beyond, a request is refused at once, so that the
 * others cost what they always cost and memory stays within the isolate's. Nothing waits here.
 */
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { ApiError } from "./errors.ts";

interface Limits {
  maxRequests: number;
  maxSeconds: number;
}

/** A taken place, to be released. */
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
   * Takes a place. One that was not released in time is free again: when a client goes away, nothing more of its request
   * runs, not even its end.
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
