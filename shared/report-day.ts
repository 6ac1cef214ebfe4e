/** The day a report counts for: decided here alone, for pages, documents and statements. Pure. */
import type { Report } from "./report/vocabulary.ts";

export const SECONDS_PER_DAY = 86_400;

/**
 * The UTC day in the middle of a report's period: a reporter's day may begin in any time zone. A failure report counts
 * for the day the reported mail arrived, or it came itself.
 *
 * @param receivedSeconds when the report arrived, seconds since 1970 UTC
 * @returns days since 1970-01-01 UTC
 */
export function dayOf(report: Report, receivedSeconds: number): number {
  switch (report.kind) {
    case "aggregate":
      return middleDay(report.metadata.beginSeconds, report.metadata.endSeconds);
    case "tls":
      return middleDay(report.beginSeconds, report.endSeconds);
    case "failure":
      return Math.floor((report.arrivalSeconds ?? receivedSeconds) / SECONDS_PER_DAY);
  }
}

function middleDay(beginSeconds: number, endSeconds: number): number {
  return Math.floor((beginSeconds + endSeconds) / 2 / SECONDS_PER_DAY);
}
