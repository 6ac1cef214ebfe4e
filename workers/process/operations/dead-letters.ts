/** What an operator can do with dead letters: retry, discard, restore. One page of dead letters per call. */

import { closedDeadLetter, deadLetterEvent, eventPoint, type PipelineEvent } from "../../../shared/analytics/events.ts";
import type { Change } from "../../../shared/ledger/database.ts";
import {
  type DeadLetterRow,
  deadLetterPageQuery,
  isDiscarded,
  markDiscarded,
  reopen,
} from "../../../shared/ledger/dead-letters.ts";
import type { FinishedObject } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { parseMessage } from "../../../shared/messages.ts";
import {
  type DeadLetterResult,
  type DeadLetterSelection,
  type OperationRefused,
  type Page,
  pageOf,
} from "../../../shared/operations.ts";
import type { Invocation } from "../env.ts";
import { messageAgain } from "../kinds/table.ts";
import { changeOutcomes } from "../reports/change-outcomes.ts";
import { findDeadLettersAnywhere } from "../reports/dead-letters.ts";
import { writeEvents } from "../reports/points.ts";

/** Enqueues the messages of dead letters again. A dead letter stays until its message succeeds. */
export async function requeueDeadLetters(
  selection: DeadLetterSelection,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  const selected = await select(selection, true, invocation);
  if ("refused" in selected) return selected;
  const results = selected.missing.map(missingDeadLetter);
  for (const deadLetter of selected.deadLetters) results.push(await requeue(deadLetter, selection, invocation));
  return { items: inAskedOrder(results, selection), cursor: selected.cursor };
}

async function requeue(
  deadLetter: DeadLetterRow,
  { dryRun }: DeadLetterSelection,
  invocation: Invocation,
): Promise<DeadLetterResult> {
  const { id, code } = deadLetter;
  if (isDiscarded(deadLetter)) return { id, code, result: "refused", reason: ALREADY_DISCARDED };
  const parsed = parseMessage(deadLetter.queueMessage);
  if (!parsed.ok) {
    const reason = "Its message is not valid here, so there is nothing to send again.";
    return { id, code, result: "refused", reason };
  }
  const message = await messageAgain(parsed.value, deadLetter, invocation);
  if ("refused" in message) return { id, code, result: "refused", reason: message.refused };
  if (dryRun) return { id, code, result: "selected" };
  const { QUEUE_POINTS, QUEUE_REPORTS } = invocation.env;
  await (message.kind === "points" ? QUEUE_POINTS : QUEUE_REPORTS).send(message);
  return { id, code, result: "requeued" };
}

/** Discards dead letters: they are no longer open, and the same failure is not filed again. Raw objects stay. */
export function discardDeadLetters(
  selection: DeadLetterSelection,
  by: string,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  return changeSelected(
    selection,
    { result: "discarded", change: (some, place) => discard(some, by, place) },
    invocation,
  );
}

/** Reopens discarded dead letters. */
export function restoreDeadLetters(
  selection: DeadLetterSelection,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  return changeSelected(selection, { result: "restored", change: restore }, invocation);
}

interface SelectedChange {
  result: "discarded" | "restored";
  /** Changes dead letters of one database. */
  change(deadLetters: readonly DeadLetterRow[], place: Invocation): Promise<void>;
}

async function changeSelected(
  selection: DeadLetterSelection,
  { result, change }: SelectedChange,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  const isOpen = result === "discarded";
  const selected = await select(selection, isOpen, invocation);
  if ("refused" in selected) return selected;
  const results = selected.missing.map(missingDeadLetter);
  const changed = selected.deadLetters.filter((one) => isDiscarded(one) !== isOpen);
  if (!selection.dryRun) {
    const ids = changed.map(({ id }) => id);
    for (const filed of await findDeadLettersAnywhere(ids, invocation)) await change(filed.deadLetters, filed.place);
  }
  for (const { id, code } of changed) results.push({ id, code, result: selection.dryRun ? "selected" : result });
  for (const { id, code } of selected.deadLetters.filter((one) => isDiscarded(one) === isOpen)) {
    results.push({ id, code, result: "refused", reason: isOpen ? ALREADY_DISCARDED : "It is open already." });
  }
  return { items: inAskedOrder(results, selection), cursor: selected.cursor };
}

const ALREADY_DISCARDED = "It is discarded: open it again first.";

/** Discards dead letters of one database. */
async function discard(deadLetters: readonly DeadLetterRow[], by: string, invocation: Invocation): Promise<void> {
  const { nowSeconds } = invocation;
  const events = deadLetters.map((deadLetter) => closedDeadLetter(deadLetter, "discarded"));
  const mark = markDiscarded(
    deadLetters.map(({ id }) => id),
    by,
    nowSeconds,
  );
  await changeWithObjects({ deadLetters, events, mark, outcome: "discarded" }, invocation);
}

/** Reopens dead letters of one database, with a generation that outranks the events since they were discarded. */
async function restore(deadLetters: readonly DeadLetterRow[], invocation: Invocation): Promise<void> {
  const above = deadLetters.map((one) => ({
    ...one,
    generation: Math.max(invocation.nowSeconds, Math.floor(one.generation)) + 1,
  }));
  const events = above.map(deadLetterEvent);
  await changeWithObjects({ deadLetters, events, mark: reopen(above), outcome: "dead_letter" }, invocation);
}

interface MarkedChange {
  deadLetters: readonly DeadLetterRow[];
  events: PipelineEvent[];
  mark: Change;
  /** The outcome that the objects record for these parts from now on. */
  outcome: "discarded" | "dead_letter";
}

/** Writes the events, then updates the dead letters and their objects' outcomes in one transaction. */
async function changeWithObjects(
  { deadLetters, events, mark, outcome: name }: MarkedChange,
  invocation: Invocation,
): Promise<void> {
  const { nowSeconds } = invocation;
  const points = events.map((event, i) => eventPoint(event, deadLetters[i]?.attempts ?? 1, nowSeconds));
  const reportUid = deadLetters[0]?.id ?? "";
  await writeEvents(points, { key: "", reportUid, generation: nowSeconds, receivedSeconds: nowSeconds }, invocation);
  const ids = new Set(deadLetters.map(({ id }) => id));
  // The object remembers what was discarded.
  const outcomesOf = ({ outcomes }: FinishedObject): Outcome[] | undefined =>
    outcomes.some(({ id }) => ids.has(id))
      ? outcomes.map((one) => (ids.has(one.id) ? { outcome: name, part: one.part, id: one.id } : one))
      : undefined;
  const references = deadLetters.filter(({ rawKey }) => rawKey !== "");
  await changeOutcomes({ references, outcomesOf, others: [mark] }, invocation);
}

interface Selected {
  deadLetters: DeadLetterRow[];
  /** Ids that have no dead letter. */
  missing: string[];
  cursor: string | undefined;
}

async function select(
  { ids, filter, cursor }: DeadLetterSelection,
  isOpen: boolean,
  invocation: Invocation,
): Promise<Selected | OperationRefused> {
  if ((ids === undefined) === (filter === undefined)) return { refused: "Give either ids or a filter." };
  if (ids === undefined) {
    const question = deadLetterPageQuery({ ...filter, isDiscarded: !isOpen, cursor });
    if (!question.ok) return { refused: question.error };
    const page = pageOf(await askAll(invocation.shards.all, question.value), PAGE_LIMITS.deadLetters);
    return { deadLetters: page.items, missing: [], cursor: page.cursor };
  }
  if (ids.length > PAGE_LIMITS.deadLetters) return { refused: `Give at most ${PAGE_LIMITS.deadLetters} ids.` };
  const deadLetters = (await findDeadLettersAnywhere(ids, invocation)).flatMap((filed) => filed.deadLetters);
  const found = new Set(deadLetters.map(({ id }) => id));
  return { deadLetters, missing: ids.filter((id) => !found.has(id)), cursor: undefined };
}

function missingDeadLetter(id: string): DeadLetterResult {
  return { id, code: "", result: "refused", reason: `There is no dead letter '${id}'.` };
}

// For dead letters given by id, results keep the order given.
function inAskedOrder(results: DeadLetterResult[], { ids }: DeadLetterSelection): DeadLetterResult[] {
  const places = new Map(ids?.map((id, place) => [id, place]));
  return results.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0));
}
