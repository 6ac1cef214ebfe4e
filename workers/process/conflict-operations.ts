/** What an operator decides about two versions of one report: keep the first, replace it, or count both. */

import { closedConflict, eventPoint, nextGeneration } from "../../shared/analytics/events.ts";
import { commitBatch, noChanges } from "../../shared/ledger/commit-batch.ts";
import {
  type ConflictRow,
  type DecisionRow,
  findConflicts,
  putDecision,
  removeConflicts,
} from "../../shared/ledger/conflicts.ts";
import { change } from "../../shared/ledger/database.ts";
import { findObjects, type ObjectRow } from "../../shared/ledger/objects.ts";
import type { Outcome } from "../../shared/ledger/outcomes.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import type { ConflictDecision, DecisionNote, OperationRefused } from "../../shared/operations.ts";
import { type Invocation, inEachShard } from "./env.ts";
import { writePoints } from "./points.ts";

/** A conflict, and the invocation on the database it is in. */
async function findConflict(
  id: string,
  invocation: Invocation,
): Promise<{ conflict: ConflictRow; place: Invocation } | undefined> {
  const found = await Promise.all(
    inEachShard(invocation).map(async (place) =>
      (await findConflicts(place.ledger, [id])).map((conflict) => ({ conflict, place })),
    ),
  );
  return found.flat()[0];
}

/** Notes a decision; where the other version is to count, its object is run again. */
export async function decideConflict(
  id: string,
  { decision, note }: { decision: ConflictDecision; note: DecisionNote },
  invocation: Invocation,
): Promise<ConflictRow | OperationRefused> {
  const found = await findConflict(id, invocation);
  if (found === undefined) return { refused: `There is no conflict '${id}'.` };
  const { conflict, place } = found;
  if (decision === "keep") {
    await keep(conflict, note, place);
    return conflict;
  }
  const { env, ledger, nowSeconds } = place;
  const { rawKey: key, rua, receivedSeconds, generation } = conflict.other;
  if ((await env.R2_DMARC_REPORTS.head(key)) === null) return { refused: `${key} is no longer in R2.` };
  const rows = [
    decisionOf(
      conflict,
      { version: "other", decision: decision === "replace" ? "replaces" : "counts" },
      note,
      nowSeconds,
    ),
  ];
  if (decision === "replace")
    rows.push(decisionOf(conflict, { version: "accepted", decision: "refused" }, note, nowSeconds));
  await change(ledger, rows.map(putDecision));
  await env.QUEUE_REPORTS.send({
    v: 1,
    kind: "report",
    key,
    rua,
    receivedSeconds,
    generation: nextGeneration(generation, nowSeconds),
  });
  return conflict;
}

/** The other version counts as a duplicate from now on; its raw object stays. */
async function keep(conflict: ConflictRow, note: DecisionNote, invocation: Invocation): Promise<void> {
  const { ledger, nowSeconds } = invocation;
  const { id, other } = conflict;
  const points = [eventPoint(closedConflict(conflict, "discarded"), 1, nowSeconds)];
  const origin = { key: other.rawKey, reportUid: id, generation: nowSeconds, receivedSeconds: other.receivedSeconds };
  await writePoints([{ dataset: "events", points }], origin, invocation);
  const refused = putDecision(decisionOf(conflict, { version: "other", decision: "refused" }, note, nowSeconds));
  for (let attempt = 1; attempt <= PROCESS_LIMITS.maxDecisions; attempt++) {
    const objects = await objectsAsDuplicate(conflict, ledger);
    const { state } = await commitBatch(
      ledger,
      { ...noChanges(), objects, others: [refused, removeConflicts([id])] },
      nowSeconds,
    );
    if (state === "committed") return;
  }
  throw new Error(`${other.rawKey} is changed by others all the time.`);
}

async function objectsAsDuplicate({ id, uid, other }: ConflictRow, ledger: Invocation["ledger"]): Promise<ObjectRow[]> {
  const { rua, receivedSeconds } = other;
  const finished = await findObjects(ledger, [other]);
  return [...finished.values()].map((object) => ({
    ...object,
    rua,
    receivedSeconds,
    outcomes: object.outcomes.map((outcome): Outcome => {
      if (outcome.outcome !== "conflict" || outcome.id !== id) return outcome;
      const { part, points, account, kind, domain, day } = outcome;
      return { outcome: "duplicate", part, id: uid, points, account, kind, domain, day };
    }),
  }));
}

function decisionOf(
  conflict: ConflictRow,
  { version, decision }: { version: "accepted" | "other"; decision: DecisionRow["decision"] },
  { by, reason = "" }: DecisionNote,
  nowSeconds: number,
): DecisionRow {
  return {
    uid: conflict.uid,
    contentHash: conflict[version].contentHash,
    decision,
    decidedBy: by,
    reason,
    decidedSeconds: nowSeconds,
  };
}
