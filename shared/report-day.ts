/**
 * The days of a report, decided here and nowhere else. Pages, figures, statements and documents all mean these days.
 *
 * `date_range` of an aggregate report and `date-range` of a TLS report are a period that the reporter chose, often a day of its
 * own time zone. Its day, in UTC, is the one that the middle of the period lies in: most of the messages are from that day,
 * whether the end is included or not. A period of more than 36 hours is no day of anybody: what it counts is spread over the
 * days it touches, in proportion to their seconds in it (report-spread.ts). A failure report is about one moment; its day is
 * the one of that moment.
 *
 * Only a point in Analytics Engine has one day in any case, that of the middle: its SQL cannot make several rows of one.
 */
import { READ_LIMITS } from "./limits.ts";
import type { Report } from "./report/vocabulary.ts";

export const SECONDS_PER_DAY = 86_400;

/** Days since 1970-01-01 UTC, both included. */
export interface DayRange {
  firstDay: number;
  lastDay: number;
}

/** What a report covers, seconds since 1970 UTC. */
export interface Period {
  beginSeconds: number;
  endSeconds: number;
}

/** A day that a report counts for, and how much of its period lies in it. */
export interface ReportDay {
  /** Days since 1970-01-01 UTC. */
  day: number;
  seconds: number;
}

/**
 * @param receivedSeconds when the report came in, seconds since 1970 UTC
 * @returns one day, or those that a long period touches, in order
 */
export function daysOf(report: Report, receivedSeconds: number): [ReportDay, ...ReportDay[]] {
  switch (report.kind) {
    case "aggregate":
      return daysOfPeriod(report.metadata);
    case "tls":
      return daysOfPeriod(report);
    case "failure": {
      const day = dayOfFailure({ arrivalSeconds: report.arrivalSeconds ?? 0, receivedSeconds });
      return [{ day, seconds: SECONDS_PER_DAY }];
    }
  }
}

/** Whether a period is too long for one day. */
export function isSpread({ beginSeconds, endSeconds }: Period): boolean {
  return Math.abs(endSeconds - beginSeconds) > READ_LIMITS.maxDayPeriodSeconds;
}

/** The days of a period, whichever of its ends comes first; its end is not in it. */
export function daysOfPeriod(period: Period): [ReportDay, ...ReportDay[]] {
  if (!isSpread(period)) return [{ day: dayOfReport(period), seconds: SECONDS_PER_DAY }];
  const beginSeconds = Math.min(period.beginSeconds, period.endSeconds);
  const endSeconds = Math.max(period.beginSeconds, period.endSeconds);
  const firstDay = Math.floor(beginSeconds / SECONDS_PER_DAY);
  const days: [ReportDay, ...ReportDay[]] = [
    { day: firstDay, seconds: (firstDay + 1) * SECONDS_PER_DAY - beginSeconds },
  ];
  for (let day = firstDay + 1; day * SECONDS_PER_DAY < endSeconds; day++) {
    days.push({ day, seconds: Math.min(SECONDS_PER_DAY, endSeconds - day * SECONDS_PER_DAY) });
  }
  return days;
}

/**
 * The one day of a period that is short enough, and of any point in Analytics Engine.
 *
 * @returns days since 1970-01-01 UTC
 */
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
