/** Which accepted reports are rerun above points that an earlier delivery may have left behind (shared/batch/write-above.ts). */
import { reportOf } from "../../../shared/batch/object.ts";
import { coveredPoints, runAbove } from "../../../shared/batch/write-above.ts";
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import { findReports } from "../../../shared/ledger/reports.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import type { Invocation } from "../env.ts";
import { mayHaveWritten, type Task } from "./task.ts";

/**
 * The messages that rerun them, for the duplicates and conflicts of a committed object: all of those if this delivery is
 * not the first, else those whose points its message was to cover.
 */
export async function messagesToWriteAbove(
  { outcomes }: FinishedObject,
  delivery: Pick<Task, "message" | "attempts">,
  { ledger }: Invocation,
): Promise<ReportMessage[]> {
  const { message } = delivery;
  const { key, generation = 1 } = message;
  const strays = outcomes.filter((outcome) => outcome.outcome === "duplicate" || outcome.outcome === "conflict");
  const { reports } = await findReports(ledger, strays.map(reportOf));
  return strays.flatMap((stray) => {
    const { uid } = reportOf(stray);
    const covered = coveredPoints(message, uid);
    if (covered === undefined && !mayHaveWritten(delivery)) return [];
    const held = reports.get(uid);
    if (held === undefined || held.rawKey === key || held.state !== "accepted") return [];
    return [runAbove(held, { generation, points: Math.max(stray.points, covered ?? 0) })];
  });
}
