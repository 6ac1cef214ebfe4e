/** What an operator decides about two versions of one report: keep the first, replace it, or count both. */

import { closedConflict, eventPoint, nextGeneration } from "../../../shared/analytics/events.ts";
import type { Outputs } from "../../../shared/contract/operations.ts";
import { findAddresses } from "../../../shared/ledger/addresses.ts";
import {
  type ConflictRow,
  type DecisionRow,
  type DoubtedGroup,
  findConflicts,
  findDoubted,
  putDecisions,
  refuseChosen,
  removeConflicts,
} from "../../../shared/ledger/conflicts.ts";
import { change } from "../../../shared/ledger/database.ts";
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { messageAbout } from "../../../shared/messages.ts";
import type { ConflictDecision, DecisionNote, OperationRefused } from "../../../shared/operations.ts";
import { acceptsDomain } from "../../../shared/registry.ts";
import { type Invocation, inEachShard, inShardOf } from "../env.ts";
import { changeOutcomes } from "../reports/change-outcomes.ts";
import { writeEvents } from "../reports/points.ts";
import { compareVersions } from "./compare-versions.ts";

/** How the versions of a conflict differ; undefined when there is no such conflict. */
export async function compareConflict(
  id: string,
  invocation: Invocation,
): Promise<Outputs["compareConflict"] | undefined> {
  const found = await findConflict(id, invocation);
  return found === undefined ? undefined : compareVersions(found.conflict, invocation.env.R2_DMARC_REPORTS);
}

/** A conflict, and the invocation bound to its database. */
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

/** Stores a decision; if the other version is to count, its object is rerun. */
export async function decideConflict(
  id: string,
  { decision, note }: { decision: ConflictDecision; note: DecisionNote },
  invocation: Invocation,
): Promise<ConflictRow | OperationRefused> {
  const found = await findConflict(id, invocation);
  if (found === undefined) return { refused: `There is no conflict '${id}'.` };
  const { conflict, place } = found;
  if (decision === "keep") {
    await keep([conflict], note, place);
    return conflict;
  }
  const { env, ledger, nowSeconds } = place;
  const { rawKey: key, rua, generation } = conflict.other;
  if ((await env.R2_DMARC_REPORTS.head(key)) === null) return { refused: `${key} is no longer in R2.` };
  const [registration] = await findAddresses(place.shards.directory, [rua]);
  // Read again, it would stay as it is, or be counted for somebody else.
  if (registration?.entry.account !== conflict.account) {
    return { refused: `${rua} is no longer an address of ${conflict.account}: register it again, or keep the first.` };
  }
  // It would be a dead letter. A TLS report may be accepted for another of its domains.
  if (conflict.kind !== "tls" && !acceptsDomain(registration.entry, conflict.domain)) {
    return {
      refused: `${rua} no longer accepts ${conflict.domain}: add the domain to it again, or keep the first.`,
    };
  }
  if (decision === "replace") {
    const chosen = decisionOf(conflict, { version: "other", decision: "replaces" }, note, nowSeconds);
    const refused = decisionOf(conflict, { version: "accepted", decision: "refused" }, note, nowSeconds);
    await change(ledger, [refuseChosen(chosen), putDecisions([refused, chosen])]);
  } else {
    await change(ledger, [
      putDecisions([decisionOf(conflict, { version: "other", decision: "counts" }, note, nowSeconds)]),
    ]);
  }
  await env.QUEUE_REPORTS.send(messageAbout(conflict.other, { generation: nextGeneration(generation, nowSeconds) }));
  return conflict;
}

/**
 * Keeps the verified reports of a group of conflicts, up to the limit of one call.
 *
 * @returns how many were decided, and whether any is left
 */
export async function keepVerified(
  group: DoubtedGroup,
  note: DecisionNote,
  given: Invocation,
): Promise<{ kept: number; isComplete: boolean }> {
  const invocation = await inShardOf(group.account, given);
  const found = await findDoubted(invocation.ledger, group, PAGE_LIMITS.keptConflicts + 1);
  const some = found.slice(0, PAGE_LIMITS.keptConflicts);
  if (some.length > 0) await keep(some, note, invocation);
  return { kept: some.length, isComplete: found.length === some.length };
}

/** The other versions become duplicates; their raw objects stay. */
async function keep(conflicts: readonly ConflictRow[], note: DecisionNote, invocation: Invocation): Promise<void> {
  const { nowSeconds } = invocation;
  const [first] = conflicts;
  if (first === undefined) return;
  const points = conflicts.map((conflict) => eventPoint(closedConflict(conflict, "discarded"), 1, nowSeconds));
  const { rawKey: key, receivedSeconds } = first.other;
  await writeEvents(points, { key, reportUid: first.id, generation: nowSeconds, receivedSeconds }, invocation);
  const refused = conflicts.map((conflict) =>
    decisionOf(conflict, { version: "other", decision: "refused" }, note, nowSeconds),
  );
  const ids = new Set(conflicts.map(({ id }) => id));
  const others = [putDecisions(refused), removeConflicts([...ids])];
  const outcomesOf = ({ outcomes }: FinishedObject): Outcome[] =>
    outcomes.map((outcome) => {
      if (outcome.outcome !== "conflict" || !ids.has(outcome.id)) return outcome;
      const { uid: id, part, points, account, kind, domain, day } = outcome;
      return { outcome: "duplicate", part, id, points, account, kind, domain, day };
    });
  await changeOutcomes({ references: conflicts.map(({ other }) => other), outcomesOf, others }, invocation);
}

function decisionOf(
  conflict: ConflictRow,
  { version, decision }: { version: "accepted" | "other"; decision: DecisionRow["decision"] },
  { by, reason = "" }: DecisionNote,
  nowSeconds: number,
): DecisionRow {
  return {
    account: conflict.account,
    uid: conflict.uid,
    contentHash: conflict[version].contentHash,
    decision,
    decidedBy: by,
    reason,
    decidedSeconds: nowSeconds,
  };
}
