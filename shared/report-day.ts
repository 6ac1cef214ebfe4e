/**
 * The day of a report, decided here and nowhere else. Pages, figures, statements and documents all mean this day.
 *
 * `date_range` of an aggregate report and `date-range` of a TLS report are a period that the reporter chose, often a day of its
 * own time zone. Its day, in UTC, is the one that the middle of the period lies in: most of the messages are from that day,
 * whether the end is included or not. A failure report is about one moment; its day is the one of that moment.
 */
import type { Report } from "./report/vocabulary.ts";

export const SECONDS_PER_DAY = 86_400;

/** What a report covers, seconds since 1970 UTC. */
export interface Period {
  beginSeconds: number;
  endSeconds: number;
}

/** @returns days since 1970-01-01 UTC */
export function dayOfReport({ beginSeconds, endSeconds }: Period): number {
  return Math.floor((beginSeconds + endSeconds) / (2 * SECONDS_PER_DAY));
}

/**
 * @param arrivalSeconds when the reported message arrived; 0 where the report does not say
 * @param receivedSeconds when the report itself came in
 * @returns days since 1970-01-01 UTC
 */
export function dayOfFailure({ arrivalSeconds, receivedSeconds }: FailureTimes): number {
  return Math.floor((arrivalSeconds > 0 ? arrivalSeconds : receivedSeconds) / SECONDS_PER_DAY);
}

/** The times of a failure report, seconds since 1970 UTC. */
export interface FailureTimes {
  arrivalSeconds: number;
  receivedSeconds: number;
}

/**
 * The day a report of any kind counts for.
 *
 * @param receivedSeconds when the report arrived, seconds since 1970 UTC
 * @returns days since 1970-01-01 UTC
 */
export function dayOf(report: Report, receivedSeconds: number): number {
  switch (report.kind) {
    case "aggregate":
      return dayOfReport(report.metadata);
    case "tls":
      return dayOfReport(report);
    case "failure":
      return dayOfFailure({ arrivalSeconds: report.arrivalSeconds ?? 0, receivedSeconds });
  }
}
