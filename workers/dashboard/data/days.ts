/** Days as numbers: days since 1970-01-01 UTC. Pure; the current time is an argument. */

import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";

export { isoDay } from "../../../shared/report-day.ts";

/** The day of a moment. */
export function dayOfSeconds(seconds: number): number {
  return Math.floor(seconds / SECONDS_PER_DAY);
}

/** `2026-11-21 14:05 UTC`; "" for 0 and for a number that is not a time. */
export function isoMinute(seconds: number): string {
  const date = new Date(seconds * 1000);
  if (seconds <= 0 || Number.isNaN(date.getTime())) return "";
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** Hours since 1970 UTC → `14:00 UTC`; the day is shown elsewhere. */
export function isoHour(hour: number): string {
  return isoMinute(hour * 3600).slice("YYYY-MM-DD ".length);
}
