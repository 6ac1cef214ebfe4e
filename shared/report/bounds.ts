/**
 * What no report can truthfully say: figures are never stretched by a period nobody has lived through or a count no mail
 * server has seen. Pure: the time is an argument.
 */
import { READ_LIMITS } from "../limits.ts";
import { reject } from "./rejection.ts";
import type { WarningLog } from "./warnings.ts";

/** What a report is held against. */
export interface Bounds {
  /** When the mail came, or now; seconds since 1970 UTC. */
  nowSeconds: number;
  /**
   * For a person who wants to see what is in a file: a long period, and a count up to READ_LIMITS.maxShownCount, are
   * reported as a warning only.
   */
  isLenient: boolean;
}

/**
 * Holds a period against the bounds, whichever of its ends comes first; of one too long for one day it warns
 * (shared/report-day.ts).
 *
 * @param path where it stands, for the warning
 * @throws Rejection implausible_period
 */
export function checkPeriod(
  { beginSeconds, endSeconds }: { beginSeconds: number; endSeconds: number },
  path: string,
  { bounds, warnings }: { bounds: Bounds; warnings: WarningLog },
): void {
  if (isFuture(Math.max(beginSeconds, endSeconds), bounds)) {
    reject("implausible_period", `it ends ${isoTime(Math.max(beginSeconds, endSeconds))}, after it was reported`);
  }
  const periodSeconds = Math.abs(endSeconds - beginSeconds);
  if (periodSeconds <= READ_LIMITS.maxDayPeriodSeconds) return;
  if (periodSeconds <= READ_LIMITS.maxPeriodSeconds) {
    const hours = Math.round(periodSeconds / 3600);
    warnings.add("period_spread", path, `${hours} hours: what it counts is spread over its days in proportion`);
    return;
  }
  const told = `it has ${Math.round(periodSeconds / 86_400)} days`;
  if (!bounds.isLenient) reject("implausible_period", told);
  warnings.add("invalid_value", path, `${told}: too long to be counted`);
}

/** Whether a time lies further ahead than clocks and time zones explain. */
export function isFuture(seconds: number, { nowSeconds }: Bounds): boolean {
  return seconds > nowSeconds + READ_LIMITS.maxFutureSeconds;
}

/** What becomes of a count: it is taken, taken and told of, or not taken. */
export function judgeCount(count: number, { isLenient }: Bounds): "plausible" | "doubtful" | "implausible" {
  if (count <= READ_LIMITS.maxCount) return "plausible";
  return isLenient && count <= READ_LIMITS.maxShownCount ? "doubtful" : "implausible";
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
