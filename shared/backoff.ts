/** When to try again after a fault, or after something outside did not answer. Pure. */
import { isFull, isUsedUpForToday } from "./ledger/database.ts";
import { QUEUE_LIMITS, RETRY_LIMITS } from "./limits.ts";
import { SECONDS_PER_DAY } from "./report-day.ts";

/**
 * How long something outside is left alone: twice as long each time.
 *
 * @param failures in a row, the last one included
 * @returns seconds
 */
export function growingDelaySeconds(
  failures: number,
  { firstRetrySeconds, maxRetrySeconds }: { firstRetrySeconds: number; maxRetrySeconds: number },
): number {
  return Math.min(maxRetrySeconds, firstRetrySeconds * 2 ** Math.min(Math.max(0, failures - 1), 20));
}

/**
 * Exponential backoff with jitter: between half and all of `baseSeconds · 2^(attempts-1)`, at most six hours.
 *
 * @param attempts deliveries so far, 1 for the first
 * @param random a number in [0, 1)
 * @returns whole seconds, within what Queues accepts (0 to 86,400)
 */
function retryDelaySeconds(attempts: number, baseSeconds: number, random: number): number {
  const ceiling = Math.min(RETRY_LIMITS.maxDelaySeconds, QUEUE_LIMITS.maxDelaySeconds);
  const full = Math.min(ceiling, baseSeconds * 2 ** Math.min(attempts - 1, 30));
  return Math.round(full * (0.5 + random / 2));
}

/** As many as have the longest delay. */
const MANY_ATTEMPTS = 30;

/**
 * When a message is delivered again after a fault. What D1 refuses for the rest of the day is tried early on the next one, and what a
 * full database refuses after hours, in which somebody makes room: tried sooner, a message would be a dead letter long before.
 *
 * @param random a number in [0, 1)
 * @returns whole seconds, within what Queues accepts
 */
export function delayAfterFault(
  error: unknown,
  { attempts, nowSeconds }: { attempts: number; nowSeconds: number },
  baseSeconds: number,
  random: number,
): number {
  if (isFull(error)) return retryDelaySeconds(MANY_ATTEMPTS, baseSeconds, random);
  if (!isUsedUpForToday(error)) return retryDelaySeconds(attempts, baseSeconds, random);
  const { nextDaySpreadSeconds } = RETRY_LIMITS;
  const untilMidnight = SECONDS_PER_DAY - (nowSeconds % SECONDS_PER_DAY);
  return Math.min(QUEUE_LIMITS.maxDelaySeconds, untilMidnight + Math.round(nextDaySpreadSeconds * random));
}
