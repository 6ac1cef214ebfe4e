/** Which accepted reports are rerun above points that an earlier delivery may have left behind (shared/batch/write-above.ts). */
import { reportOf } from "../../../shared/batch/object.ts";
import { runAbove } from "../../../shared/batch/write-above.ts";
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import { findReports } from "../../../shared/ledger/reports.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import type { Invocation } from "../env.ts";

/** The messages that rerun them, for the duplicates and conflicts of a committed object. */
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
