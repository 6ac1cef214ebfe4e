/** From when on there are reports about a domain, and their details. Pure. */
import type { Extent } from "../../../shared/ledger/data-extent.ts";
import { daysOf, type Period } from "./period.ts";

/** The first day whose details are kept. */
export function detailsSince({ firstDay, lastFinalDay }: Extent): number {
  return lastFinalDay === undefined ? (firstDay ?? Number.POSITIVE_INFINITY) : lastFinalDay + 1;
}

/** The days of a period from the first report on: what lies before is not known, so it is not zero. */
export function daysWithData(period: Period, { firstDay }: Extent): number[] {
  if (firstDay === undefined) return daysOf(period);
  return firstDay > period.lastDay ? [] : daysOf({ ...period, firstDay: Math.max(period.firstDay, firstDay) });
}
