/**
 * The days of a report. Only decided here: pages, figures, statements and documents all use these days.
 *
 * `date_range` of an aggregate report and `date-range` of a TLS report are a period chosen by the reporter, often a day
 * in its own time zone. The report's day is the UTC day that contains the middle of the period: most of the messages
 * are from that day, whether the end is inclusive or not. A period over 36 hours is not a single day in any time zone:
 * its counts are spread over the days it touches, in proportion to the seconds in each (report-spread.ts). A failure
 * report is about one moment and belongs to the day of that moment.
 *
 * A point in Analytics Engine always has a single day, that of the middle: its SQL cannot turn one row into several.
 */
import { READ_LIMITS } from "./limits.ts";
import type { Report } from "./report/vocabulary.ts";

export const SECONDS_PER_DAY = 86_400;

/** Days since 1970-01-01 UTC, both included. */
export interface DayRange {
  firstDay: number;
  lastDay: number;
}

/** The period a report covers, seconds since 1970 UTC. */
export interface Period {
  beginSeconds: number;
  endSeconds: number;
}

/** A day that a report counts for, and how much of its period is on that day. */
export interface ReportDay {
  /** Days since 1970-01-01 UTC. */
  day: number;
  seconds: number;
}

/**
 * @param receivedSeconds when the report came in, seconds since 1970 UTC
 * @returns one day, or all days that a long period touches, in order
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

/** The days of a period, in whichever order its ends are given; the end is exclusive. */
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
 * The single day of a short period, and of any point in Analytics Engine.
 *
 * @returns days since 1970-01-01 UTC
 */
export function dayOfReport({ beginSeconds, endSeconds }: Period): number {
  return Math.floor((beginSeconds + endSeconds) / (2 * SECONDS_PER_DAY));
}

/**
 * @param arrivalSeconds when the reported message arrived; 0 if the report does not say
 * @param receivedSeconds when the report itself came in
 * @returns days since 1970-01-01 UTC
 */
export function dayOfFailure({ arrivalSeconds, receivedSeconds }: FailureTimes): number {
  return Math.floor((arrivalSeconds > 0 ? arrivalSeconds : receivedSeconds) / SECONDS_PER_DAY);
}

/** The day `YYYY-MM-DD` as days since 1970-01-01 UTC; undefined if it does not exist. */
export function parseDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const date = new Date(`${text}T00:00:00Z`);
  const milliseconds = date.getTime();
  // Date accepts 2026-02-30 as a day in March.
  if (Number.isNaN(milliseconds) || !date.toISOString().startsWith(text)) return undefined;
  return milliseconds / 1000 / SECONDS_PER_DAY;
}

/** `2026-11-21`; "" for a number that is not a day. @param day days since 1970-01-01 UTC */
export function isoDay(day: number): string {
  const date = new Date(day * SECONDS_PER_DAY * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}

/** The times of a failure report, seconds since 1970 UTC. */
export interface FailureTimes {
  arrivalSeconds: number;
  receivedSeconds: number;
}
