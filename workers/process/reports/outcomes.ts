/**
 * Writes the events of an object's outcomes, built from what the ledger holds, except those that are written with a
 * report's points. Runs after the transaction, and again when a delivery may have been interrupted; the events are the
 * same each time.
 */
import type { DataPoint } from "../../../shared/analytics/columns.ts";
import { conflictEvent, deadLetterEvent, eventPoint, type PipelineEvent } from "../../../shared/analytics/events.ts";
import { reportOf } from "../../../shared/batch/object.ts";
import { coveredPoints, runAbove } from "../../../shared/batch/write-above.ts";
import { eventId } from "../../../shared/identity.ts";
import { type ConflictRow, findConflicts } from "../../../shared/ledger/conflicts.ts";
import { type DeadLetterRow, findDeadLetters } from "../../../shared/ledger/dead-letters.ts";
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import { findReports } from "../../../shared/ledger/reports.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import type { Invocation } from "../env.ts";
import { writeEvents } from "./points.ts";
import { mayHaveWritten, type Task } from "./task.ts";

/** The outcomes of one object. */
export interface Committed {
  message: ReportMessage;
  attempts: number;
  account: string;
  outcomes: readonly Outcome[];
}

/** The dead letters and conflicts that outcomes refer to. */
export interface Filed {
  deadLetters: ReadonlyMap<string, DeadLetterRow>;
  conflicts: ReadonlyMap<string, ConflictRow>;
}

/** Ids of the outcomes of one name. */
export function idsOf(outcomes: readonly Outcome[], name: Outcome["outcome"]): string[] {
  return outcomes.filter(({ outcome }) => outcome === name).map(({ id }) => id);
}

/** The dead letters and conflicts with these ids. */
export async function findFiled(
  ids: Record<keyof Filed, readonly string[]>,
  ledger: Invocation["ledger"],
): Promise<Filed> {
  const deadLetters = await findDeadLetters(ledger, ids.deadLetters);
  const conflicts = await findConflicts(ledger, ids.conflicts);
  return {
    deadLetters: new Map(deadLetters.map((deadLetter) => [deadLetter.id, deadLetter])),
    conflicts: new Map(conflicts.map((conflict) => [conflict.id, conflict])),
  };
}

/** Writes the events of an object's outcomes. @throws whatever Analytics Engine or the queue throws */
export async function writeOutcomeEvents(committed: Committed, filed: Filed, invocation: Invocation): Promise<void> {
  const points: DataPoint[] = [];
  for (const outcome of committed.outcomes) {
    const event = await eventOf(outcome, committed, filed);
    if (event !== undefined) points.push(eventPoint(event, committed.attempts, invocation.nowSeconds));
  }
  const { key, generation = 1, receivedSeconds } = committed.message;
  await writeEvents(points, { key, generation, receivedSeconds }, invocation);
}

/** Repeats what follows the transaction, when another delivery committed the object and may have been interrupted. */
export async function writeEarlierEvents(
  finished: FinishedObject,
  { message, attempts }: Pick<Committed, "message" | "attempts">,
  invocation: Invocation,
): Promise<void> {
  const { account, outcomes, rawRemoved } = finished;
  const { QUEUE_REPORTS, R2_DMARC_REPORTS } = invocation.env;
  const above = await messagesToWriteAbove(finished, { message, attempts }, invocation);
  for (const again of above) await QUEUE_REPORTS.send(again);
  await writeFinishedEvents({ message, attempts, account, outcomes }, invocation);
  if (rawRemoved) await R2_DMARC_REPORTS.delete(message.key);
}

/**
 * The messages that rerun them, for the duplicates and conflicts of a committed object: all of those if this delivery is
 * not the first, else those whose points its message was to cover.
 */
async function messagesToWriteAbove(
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

/** Writes the events of an object from what the ledger holds. */
async function writeFinishedEvents(committed: Committed, invocation: Invocation): Promise<void> {
  const { outcomes } = committed;
  const ids = { deadLetters: idsOf(outcomes, "dead_letter"), conflicts: idsOf(outcomes, "conflict") };
  await writeOutcomeEvents(committed, await findFiled(ids, invocation.ledger), invocation);
}

async function eventOf(
  outcome: Outcome,
  { message, account }: Committed,
  { deadLetters, conflicts }: Filed,
): Promise<PipelineEvent | undefined> {
  const { key: rawKey, rua, receivedSeconds, generation = 1 } = message;
  const { id, part } = outcome;
  switch (outcome.outcome) {
    case "dead_letter": {
      const deadLetter = deadLetters.get(id);
      return deadLetter === undefined ? undefined : deadLetterEvent(deadLetter);
    }
    case "conflict": {
      const conflict = conflicts.get(id);
      return conflict === undefined ? undefined : conflictEvent(conflict);
    }
    case "duplicate": {
      const { kind, domain } = outcome;
      const duplicate = await eventId(rawKey, part, "duplicate");
      const place = { rawKey, part, generation, receivedSeconds, account, rua };
      return { id: duplicate, outcome: "duplicate", ...place, kind, domain };
    }
    case "discarded":
      return { id, outcome: "discarded", rawKey, part, generation, receivedSeconds, account, rua };
    default:
      // The events of accepted reports are written with their points; those of reports taken back, when it happened.
      return undefined;
  }
}
