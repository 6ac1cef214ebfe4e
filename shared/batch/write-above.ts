/**
 * Points are written before the ledger decides which report counts. If a report is not accepted after all, its points
 * and those of the accepted report may share a generation; the accepted report is then rerun under a higher one. Pure.
 */
import type { HeldReport } from "../ledger/reports.ts";
import type { ReportMessage } from "../messages.ts";

/** Points that may have been left behind. */
interface LeftBehind {
  generation: number;
  points: number;
}

/** The message that reruns an accepted report above stray points, and covers as many as there were. */
export function runAbove(
  { rawKey: key, rua, receivedSeconds, ...held }: HeldReport,
  { generation, points: coversPoints }: LeftBehind,
): ReportMessage {
  const above = Math.floor(Math.max(generation, held.generation)) + 1;
  return { v: 1, kind: "report", key, rua, receivedSeconds, generation: above, coversPoints };
}
