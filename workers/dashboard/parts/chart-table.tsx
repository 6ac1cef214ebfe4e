/** The figures of a chart as a table, folded up below it: for people who cannot see the chart, and for files. */
import { chartDaySum, type Series } from "./chart-view.tsx";
import type { ChartDay } from "./charts.ts";
import { dayColumn } from "./columns.tsx";
import { type BoundTable, bindTable } from "./table-view.tsx";

/** One row a day, one column a series. */
export function chartTable(
  caption: string,
  { days, series }: { days: readonly ChartDay[]; series: readonly Series[] },
) {
  return bindTable<ChartDay>({
    id: "days",
    caption,
    rows: days,
    sort: "-day",
    empty: "No day has a figure.",
    columns: [
      dayColumn("day", "Day (UTC)", ({ day }) => day),
      { key: "all", label: "All", align: "end", value: (row) => chartDaySum(row, series) },
      ...series.map(({ name, label }) => ({
        key: name,
        label,
        align: "end" as const,
        value: ({ values }: ChartDay) => values[name] ?? 0,
      })),
    ],
  });
}

/** The table, folded up. */
export function FoldedTable({ table, url, label }: { table: BoundTable; url: URL; label: string }) {
  return (
    <details class="stack" open={[...url.searchParams.keys()].some((name) => name.startsWith(`${table.id}.`))}>
      <summary>{label}</summary>
      {table.view(url)}
    </details>
  );
}
