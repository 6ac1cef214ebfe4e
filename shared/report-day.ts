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

/**
 * @param receivedSeconds when the report came in, seconds since 1970 UTC
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

/** The day of `YYYY-MM-DD`, as days since 1970-01-01 UTC; undefined when no calendar has it. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const date = new Date(`${text}T00:00:00Z`);
  const milliseconds = date.getTime();
  // 2026-02-30 is read as a day of March.
  if (Number.isNaN(milliseconds) || !date.toISOString().startsWith(text)) return undefined;
  return milliseconds / 1000 / SECONDS_PER_DAY;
}

/** The times of a failure report, seconds since 1970 UTC. */
export interface FailureTimes {
  arrivalSeconds: number;
  receivedSeconds: number;
}
