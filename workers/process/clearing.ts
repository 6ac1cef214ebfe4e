/**
 * What is solved goes: dead letters and conflicts that a later run no longer gave, and reports it no longer accepts. The
 * event is written first, so that a repeat after a fault meets the object again and tells the same.
 */
import type { PointGroup } from "../../shared/analytics/budget.ts";
import { datasetOf, stalePoints } from "../../shared/analytics/points.ts";
import {
  type Conflict,
  conflictKey,
  type DeadLetter,
  deadLetterKey,
  type LedgerEntry,
  type Receipt,
  type ReceiptOutcome,
} from "../../shared/storage.ts";
import type { JobContext } from "./env.ts";
import { type EventOutcome, eventPoint, type PipelineEvent, supersedingGeneration } from "./events.ts";
import { changeEntry } from "./ledger.ts";
import { writePoints } from "./points.ts";

/** Clears what the old receipt of an object lists and its new outcomes do not. */
export async function clearReplaced(old: Receipt, outcomes: ReceiptOutcome[], context: JobContext): Promise<void> {
  const kept = new Set(outcomes.map(({ id }) => id));
  for (const outcome of old.outcomes) {
    if (kept.has(outcome.id)) continue;
    if (outcome.outcome === "dead_letter") await clearLetter(outcome.id, context);
    else if (outcome.outcome === "conflict") await clearConflict(outcome.id, context);
    else if (outcome.outcome === "accepted") await retractReport(old.rawKey, outcome, context);
  }
}

/** Removes a dead letter; one that is not there was removed before. */
export async function clearLetter(id: string, context: JobContext, outcome: EventOutcome = "cleared"): Promise<void> {
  const key = deadLetterKey(id);
  const stored = await context.env.R2_DMARC_REPORTS.get(key);
  if (stored === null) return;
  const letter = await stored.json<DeadLetter>();
  await writeClosing({ ...letter, outcome, code: letter.reason.code }, context);
  await context.env.R2_DMARC_REPORTS.delete(key);
}

/** Removes a conflict; one that is not there was removed before. */
export async function clearConflict(id: string, context: JobContext, outcome: EventOutcome = "cleared"): Promise<void> {
  const key = conflictKey(id);
  const stored = await context.env.R2_DMARC_REPORTS.get(key);
  if (stored === null) return;
  const conflict = await stored.json<Conflict>();
  const { rawKey, part, receivedSeconds } = conflict.other;
  await writeClosing({ ...conflict, outcome, rawKey, part, receivedSeconds }, context);
  await context.env.R2_DMARC_REPORTS.delete(key);
}

/**
 * Takes back a report that its object no longer gives: points that count nothing over all it had. The ledger entry stays
 * and says so, because whoever claims the report next has to write above these points.
 */
async function retractReport(rawKey: string, { key }: ReceiptOutcome, context: JobContext): Promise<void> {
  const bucket = context.env.R2_DMARC_REPORTS;
  const stored = await bucket.get(key);
  if (stored === null) return;
  const entry = await stored.json<LedgerEntry>();
  if (entry.rawKey !== rawKey || entry.retracted === true) return;
  const { uid, account, rua, part, report, receivedSeconds } = entry;
  const generation = supersedingGeneration(entry.generation);
  const place = { uid, account, generation, receivedSeconds };
  const stale = stalePoints(report, { from: 0, to: entry.highestPointCount }, place);
  const event = eventPoint(context, {
    ...{ id: uid, rawKey, part, account, rua, report, generation, receivedSeconds },
    outcome: "retracted",
  });
  const groups: PointGroup[] = [
    { dataset: datasetOf(report), points: stale },
    { dataset: "events", points: [event] },
  ];
  const origin = { key: rawKey, reportUid: uid, generation, receivedSeconds };
  await writePoints(groups, { origin, context });
  await changeEntry(bucket, { ...entry, generation, retracted: true }, stored.etag);
}

/** Writes the event that closes `opened`: the same id, a generation above. */
async function writeClosing(opened: PipelineEvent, context: JobContext): Promise<void> {
  const event = { ...opened, generation: supersedingGeneration(opened.generation) };
  const { id, rawKey, generation, receivedSeconds } = event;
  const origin = { key: rawKey, reportUid: id, generation, receivedSeconds };
  await writePoints([{ dataset: "events", points: [eventPoint(context, event)] }], { origin, context });
}
