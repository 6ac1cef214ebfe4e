/**
 * Plausibility bounds for reports, so that an impossible period or count never distorts figures. Pure: the time is an
 * argument.
 */
import { READ_LIMITS } from "../limits.ts";
import { reject } from "./rejection.ts";
import type { WarningLog } from "./warnings.ts";

/** The bounds for one report. */
export interface Bounds {
  /** When the mail arrived, or now; seconds since 1970 UTC. */
  nowSeconds: number;
  /**
   * For viewing a file: a long period, or a count up to READ_LIMITS.maxShownCount, is only a warning.
   */
  isLenient: boolean;
}

/**
 * Checks a period, in whichever order its ends are given; warns if it is too long for one day (shared/report-day.ts).
 *
 * @param path its location, for the warning
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
  if (Math.max(beginSeconds, endSeconds) < FIRST_REPORTS_SECONDS) {
    warnings.add("invalid_value", path, `${isoTime(endSeconds)} is before there were such reports`);
  }
  const periodSeconds = Math.abs(endSeconds - beginSeconds);
  if (periodSeconds <= READ_LIMITS.maxDayPeriodSeconds) return;
  if (periodSeconds <= READ_LIMITS.maxPeriodSeconds) {
    const hours = Math.round(periodSeconds / 3600);
    warnings.add("period_spread", path, `${hours} hours: its counts are spread over its days in proportion`);
    return;
  }
  const detail = `it has ${Math.round(periodSeconds / 86_400)} days`;
  if (!bounds.isLenient) reject("implausible_period", detail);
  warnings.add("invalid_value", path, `${detail}: too long to be counted`);
}

/** 2010-01-01: DMARC was tried out between a few companies in that year. A clock that was never set says 1970, or 2000. */
const FIRST_REPORTS_SECONDS = 1_262_304_000;

/** Whether a time is further ahead than clocks and time zones explain. */
export function isFuture(seconds: number, { nowSeconds }: Bounds): boolean {
  return seconds > nowSeconds + READ_LIMITS.maxFutureSeconds;
}

/** How a count is treated: accepted, accepted with a warning, or refused. */
export function judgeCount(count: number, { isLenient }: Bounds): "plausible" | "doubtful" | "implausible" {
  if (count <= READ_LIMITS.maxCount) return "plausible";
  return isLenient && count <= READ_LIMITS.maxShownCount ? "doubtful" : "implausible";
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}
