/** When digests are due: at a fixed local hour of a channel's time zone, every day, every Monday or every first of a month. Pure. */
import { NOTIFY_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import type { Channel } from "./channel.ts";

/**
 * The day of the digest that is due now.
 *
 * @param nowSeconds seconds since 1970 UTC
 * @returns the local day `YYYY-MM-DD`, of a weekly digest that of its Monday, of a monthly one the first; undefined if
 * no digest has been due since the
 *   channel was created
 */
export function dueDigestDay(
  { digest, timeZone, createdSeconds }: Pick<Channel, "digest" | "timeZone" | "createdSeconds">,
  nowSeconds: number,
): string | undefined {
  if (digest === "none") return undefined;
  const day = lastDigestDay(digest, timeZone, nowSeconds);
  return day === lastDigestDay(digest, timeZone, createdSeconds) ? undefined : day;
}

function lastDigestDay(digest: "daily" | "weekly" | "monthly", timeZone: string, seconds: number): string {
  // Going back by the hour makes the day before the digest's hour the previous one.
  const { day, weekday } = localDay(timeZone, seconds - NOTIFY_LIMITS.digestHour * 3600);
  if (digest === "daily") return day;
  if (digest === "monthly") return `${day.slice(0, 7)}-01`;
  return new Date((Date.parse(day) / 1000 - weekday * SECONDS_PER_DAY) * 1000).toISOString().slice(0, 10);
}

/** @returns the local day, and its weekday, Monday = 0 */
function localDay(timeZone: string, seconds: number): { day: string; weekday: number } {
  const format = new Intl.DateTimeFormat("en-CA", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" });
  const day = format.format(new Date(seconds * 1000));
  return { day, weekday: (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7 };
}
