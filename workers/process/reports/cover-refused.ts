/**
 * Points of an object that was refused as a whole, although an earlier delivery may have written some: the budget of its
 * day was used up in between. They are covered after the transaction, so that whatever counts later outranks the cover.
 */
import { eventPoint, supersedingGeneration } from "../../../shared/analytics/events.ts";
import { datasetOf, stalePoints } from "../../../shared/analytics/points.ts";
import { claimOf, reportEvent } from "../../../shared/batch/claim.ts";
import { claimReference, type ReadObject, reportsOf, wasDecided } from "../../../shared/batch/object.ts";
import type { FoundReport } from "../../../shared/batch/read-object.ts";
import { workOf } from "../../../shared/batch/report-writes.ts";
import { screenFindings } from "../../../shared/batch/screen-findings.ts";
import { runAbove } from "../../../shared/batch/write-above.ts";
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import { findReports } from "../../../shared/ledger/reports.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { Invocation } from "../env.ts";
import { writePoints } from "./points.ts";
import { mayHaveWritten, type Task } from "./task.ts";

/** Whether an object was refused as a whole, and a delivery may have written points before that. */
export function mayNeedCover({ outcomes }: Pick<FinishedObject, "outcomes">, task: Task): boolean {
  return mayHaveWritten(task) && !wasDecided(outcomes) && outcomes.some(({ part }) => part === "");
}

/** Covers them; a report that counts from another object is rerun above them instead. @throws what the platform throws */
export async function coverRefused(
  task: Task,
  finished: Pick<FinishedObject, "account" | "outcomes">,
  invocation: Invocation,
): Promise<void> {
  const { read } = task;
  if (read === undefined || !mayNeedCover(finished, task)) return;
  // For another account, another delivery has read it: what that one left is not known here.
  if (read.registration?.entry.account !== finished.account) return;
  const findings = screenFindings(read, () => ({ accepted: [], counted: [] }));
  const found = reportsOf({ findings });
  const { reports } = await findReports(
    invocation.ledger,
    found.map((one) => claimReference(one, read)),
  );
  for (const one of found) {
    const held = reports.get(one.uid);
    if (held?.state !== "accepted") await coverReport(one, read, invocation);
    else await invocation.env.QUEUE_REPORTS.send(runAbove(held, { generation: read.generation, points: one.points }));
  }
}

async function coverReport(found: FoundReport, read: ReadObject, invocation: Invocation): Promise<void> {
  const generation = supersedingGeneration(read.generation);
  const claim = claimOf(found, read, { reference: claimReference(found, read), stored: undefined });
  const { label, ...work } = workOf({ ...claim, generation, highestPoints: found.points });
  const origin = { key: work.rawKey, reportUid: work.uid, generation, receivedSeconds: work.receivedSeconds };
  const dataset = datasetOf(label);
  for (let from = 0; from < found.points; from += PROCESS_LIMITS.stalePointsAtOnce) {
    const to = Math.min(found.points, from + PROCESS_LIMITS.stalePointsAtOnce);
    await writePoints([{ dataset, points: stalePoints(label, { from, to }, work) }], origin, invocation);
  }
  const event = { ...reportEvent(found, read, { outcome: "retracted", id: work.uid }), generation };
  const points = [eventPoint(event, read.attempts, invocation.nowSeconds)];
  await writePoints([{ dataset: "events", points }], origin, invocation);
}
