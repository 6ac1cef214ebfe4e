/** How reports over several days are marked where their figures are shown by day. */

import { daysOfPeriod, isSpread, type Period } from "../../../shared/report-day.ts";
import { countText } from "../../../shared/watch/words.ts";
import { isoDay } from "../data/days.ts";
import { formatCount } from "../data/numbers.ts";
import type { ViewColumn } from "./table-view.tsx";

/** Says that days of a chart show shares of longer reports; nothing where none does. */
export function SpreadNote({ days, unit }: { days: readonly { spread: number }[]; unit: string }) {
  const spread = days.reduce((sum, day) => sum + day.spread, 0);
  if (spread === 0) return null;
  const number = days.filter((day) => day.spread > 0).length;
  return (
    <p class="small muted">
      <SpreadMark /> {formatCount(spread)} {unit} of {countText(number, "day")} come from reports over several days:
      each day has its share, in proportion to the hours.
    </p>
  );
}

/** The mark of figures that are a share of a longer report's. */
export function SpreadMark() {
  return <span class="tag">spread</span>;
}

/** Of a day's figures, what comes from reports over several days. */
export function spreadColumn<Row extends { spread: number }>(): ViewColumn<Row> {
  return { key: "spread", label: "Spread", term: "Spread", align: "end", value: ({ spread }) => spread };
}

/** The days that a report counts for, in words. */
export function countedDays(period: Period): string {
  const days = daysOfPeriod(period);
  const [first, last] = [isoDay(days[0].day), isoDay(days.at(-1)?.day ?? 0)];
  return days.length === 1 ? first : `${first} to ${last}, spread in proportion to the hours`;
}

/** Beside the period of a report in a list. */
export function PeriodMark({ beginSeconds, endSeconds }: Period) {
  if (!isSpread({ beginSeconds, endSeconds })) return null;
  return (
    <span class="small muted nowrap">
      <SpreadMark /> over {daysOfPeriod({ beginSeconds, endSeconds }).length} days
    </span>
  );
}
