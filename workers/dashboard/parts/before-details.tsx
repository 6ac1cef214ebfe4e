/**
 * What a page does not know: days before the first report, days of which only the sums are left, and that all reports are
 * about days outside the period, with the link to those.
 */
import type { Extent } from "../../../shared/ledger/data-extent.ts";
import { isoDay } from "../data/days.ts";
import type { Period } from "../data/period.ts";
import { linkWith } from "./links.ts";
import { Note } from "./marks.tsx";

interface BeforeProps {
  url: URL;
  period: Period;
  extent: Extent;
}

/** Ours: as long as the period that a page begins with. */
const NEWEST_DAYS = 30;

/** Whether there are reports, but none about a day of the period. */
export function isOutsidePeriod({ firstDay, lastDay }: Extent, period: Period): boolean {
  return firstDay !== undefined && lastDay !== undefined && (lastDay < period.firstDay || firstDay > period.lastDay);
}

/** Says from when on there is data, and from when on details, where the period begins before; leads to the data where it has none. */
export function BeforeDetails({ url, period, extent }: BeforeProps) {
  const { firstDay, lastDay, lastFinalDay } = extent;
  const isBeforeAll = firstDay !== undefined && period.firstDay < firstDay;
  const isBeforeDetails = lastFinalDay !== undefined && period.firstDay <= lastFinalDay;
  const isOutside = isOutsidePeriod(extent, period);
  if (!isBeforeAll && !isBeforeDetails && !isOutside) return null;
  return (
    <Note>
      {isBeforeAll && (
        <>
          The first report is for <span class="nowrap">{isoDay(firstDay)}</span>: there is no data before that.{" "}
        </>
      )}
      {isOutside && lastDay !== undefined && <NewestReports url={url} lastDay={lastDay} />}
      {isBeforeDetails && (
        <>
          Up to <span class="nowrap">{isoDay(lastFinalDay)}</span> only daily totals are kept; sources, dispositions,
          overrides and single reports begin after that day.
        </>
      )}
    </Note>
  );
}

function NewestReports({ url, lastDay }: { url: URL; lastDay: number }) {
  const period = { from: isoDay(lastDay - NEWEST_DAYS + 1), to: isoDay(lastDay) };
  return (
    <>
      No report is about this period; the newest one is for <span class="nowrap">{isoDay(lastDay)}</span>.{" "}
      <a href={linkWith(url, { ...period, days: undefined })}>Show the {NEWEST_DAYS} days up to it</a>.{" "}
    </>
  );
}
