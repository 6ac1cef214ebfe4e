/**
 * The Worker that workerd.ts measures: it reads the report it is sent as often as it is asked to. Time does not move inside
 * a Worker while it computes, so it measures nothing itself.
 */
import { recordPoints } from "../shared/analytics/points.ts";
import { readReports } from "../shared/report/read.ts";
import { RecordShapes } from "../shared/report/shapes/record-shapes.ts";
import { bytesSource } from "../shared/report/source.ts";
import type { AggregateReport } from "../shared/report/vocabulary.ts";

const shapes = new RecordShapes();

export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const bytes = new Uint8Array(await request.arrayBuffer());
    const report = await readOnce(bytes, undefined);
    for (let i = 0; i < Number(url.searchParams.get("times")); i++) {
      await readOnce(bytes, url.searchParams.has("points") ? report : undefined);
    }
    return Response.json({ records: report.totals.records });
  },
};

/** Reads the one report; builds the points of its records when its frame is known already. */
async function readOnce(bytes: Uint8Array, known: AggregateReport | undefined): Promise<AggregateReport> {
  const context = { uid: "0".repeat(32), account: "acme", generation: 1, receivedSeconds: 1_700_000_000 };
  for await (const event of readReports(bytesSource(bytes), { nowSeconds: 1_900_000_000, shapes })) {
    if (event.type === "records" && known !== undefined) recordPoints(known, event, context);
    if (event.type === "report" && event.report.kind === "aggregate") return event.report;
  }
  throw new Error("no aggregate report");
}
