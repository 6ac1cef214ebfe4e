/**
 * Points are written before the ledger decides which report counts. If a report is not accepted after all, its points
 * and those of the accepted report may share a generation; the accepted report is then rerun under a higher one.
 */
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import { findReports, type HeldReport } from "../../../shared/ledger/reports.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import type { Invocation } from "../env.ts";
import { reportOf } from "./lookup.ts";

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

/** Such messages for the duplicates and conflicts of a committed object. */
export async function messagesToWriteAbove(
  { outcomes }: FinishedObject,
  { key, generation = 1, coversPoints = 0 }: ReportMessage,
  { ledger }: Invocation,
): Promise<ReportMessage[]> {
  const strays = outcomes.filter((outcome) => outcome.outcome === "duplicate" || outcome.outcome === "conflict");
  const { reports } = await findReports(ledger, strays.map(reportOf));
  return strays.flatMap((stray) => {
    const held = reports.get(reportOf(stray).uid);
    if (held === undefined || held.rawKey === key || held.state !== "accepted") return [];
    return [runAbove(held, { generation, points: Math.max(stray.points, coversPoints) })];
  });
}
