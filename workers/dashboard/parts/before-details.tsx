/** What a page does not know: days before the first report, and days of which only the sums are left. */
import type { Extent } from "../../../shared/ledger/domains.ts";
import { isoDay } from "../data/days.ts";
import type { Period } from "../data/period.ts";
import { Note } from "./marks.tsx";

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
