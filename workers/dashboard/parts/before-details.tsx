/** What a page does not know: days before the first report, and days of which only the sums are left. */
import type { Extent } from "../../../shared/ledger/domains.ts";
import { isoDay } from "../data/days.ts";
import { daysOf, type Period } from "../data/period.ts";
import { Note } from "./marks.tsx";

/** The first day whose details are kept. */
export function detailsSince({ firstDay, lastFinalDay }: Extent): number {
  return lastFinalDay === undefined ? (firstDay ?? Number.POSITIVE_INFINITY) : lastFinalDay + 1;
}

/** The days of a period from the first report on: what lies before is not known, so it is not zero. */
export function daysWithData(period: Period, { firstDay }: Extent): number[] {
  if (firstDay === undefined) return daysOf(period);
  return firstDay > period.lastDay ? [] : daysOf({ ...period, firstDay: Math.max(period.firstDay, firstDay) });
}

interface BeforeProps {
  period: Period;
  extent: Extent;
}

/** Says from when on there is data, and from when on details, where the period begins before. */
export function BeforeDetails({ period, extent }: BeforeProps) {
  const { firstDay, lastFinalDay } = extent;
  const isBeforeAll = firstDay !== undefined && period.firstDay < firstDay;
  const isBeforeDetails = lastFinalDay !== undefined && period.firstDay <= lastFinalDay;
  if (!isBeforeAll && !isBeforeDetails) return null;
  return (
    <Note>
      {isBeforeAll && (
        <>
          The first report is for <span class="nowrap">{isoDay(firstDay)}</span>: there is no data before that.{" "}
        </>
      )}
      {isBeforeDetails && (
        <>
          Up to <span class="nowrap">{isoDay(lastFinalDay)}</span> only daily totals are kept; sources, dispositions,
          overrides and single reports begin after that day.
        </>
      )}
    </Note>
  );
}
