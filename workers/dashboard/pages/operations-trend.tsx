/** The trend of operations, asked of Analytics Engine where it is configured. No other figure of the page depends on it. */
import type { Child } from "hono/jsx";
import { latencyByDay, outcomesByStep } from "../../../shared/analytics/statements.ts";
import { stepOf } from "../data/outcome-history.ts";
import type { Period } from "../data/period.ts";
import { Note } from "../parts/marks.tsx";
import type { PageRequest } from "../parts/page-request.ts";
import type { BoundTable } from "../parts/table-view.tsx";
import { latencyTable, OutcomesChart, outcomesTable } from "./outcomes.tsx";

interface Trend {
  tables: BoundTable[];
  view: Child;
}

/** Points of slices are not an outcome of a report. */
const NO_REPORT = "slice";

/** Outcomes and latency from the points; a sentence where there is no engine to ask. */
export async function askTrend(request: PageRequest, period: Period): Promise<Trend> {
  const { firstDay, lastDay } = period;
  const step = stepOf(period);
  const [outcomes, latency] = await Promise.all([
    request.askEngine(outcomesByStep({ firstDay, lastDay }, step)),
    request.askEngine(latencyByDay({ firstDay, lastDay })),
  ]);
  if (!outcomes.ok) return noTrend(outcomes.error);
  if (!latency.ok) return noTrend(latency.error);
  const rows = outcomes.value
    .filter(({ outcome }) => outcome !== NO_REPORT)
    .map(({ step: at, outcome, events }) => ({ at, outcome, events }));
  const tables = [
    latencyTable({ id: "trend-latency", caption: "Trend of processing time", rows: latency.value }),
    outcomesTable({ id: "trend", caption: "Trend of outcomes", rows, step }),
  ];
  const view = (
    <>
      <OutcomesChart id="trend" caption="Trend of outcomes" rows={rows} period={period} table="Trend of outcomes">
        From Analytics Engine: every outcome by processing date, including those replaced later. The engine may sample,
        and keeps three months; the figures above are exact.
      </OutcomesChart>
      <div class="columns">{tables.map((table) => table.view(request.url))}</div>
    </>
  );
  return { tables, view };
}

function noTrend(reason: string): Trend {
  const view = (
    <Note>
      {reason}, so the trend from Analytics Engine is not shown. Everything else on this page comes from the ledger.
    </Note>
  );
  return { tables: [], view };
}
