/** What an operator does with dead letters: send again, discard. A page of dead letters a call. */

import { closedDeadLetter, eventPoint } from "../../shared/analytics/events.ts";
import { commitBatch, noChanges } from "../../shared/ledger/commit-batch.ts";
import { type DeadLetterRow, deadLetterPageQuery } from "../../shared/ledger/dead-letters.ts";
import { findObjects, type ObjectRow } from "../../shared/ledger/objects.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { PAGE_LIMITS, PROCESS_LIMITS } from "../../shared/limits.ts";
import { parseMessage } from "../../shared/messages.ts";
import {
  type DeadLetterResult,
  type DeadLetterSelection,
  type OperationRefused,
  type Page,
  pageOf,
} from "../../shared/operations.ts";
import { findDeadLettersAnywhere } from "./dead-letters.ts";
import type { Invocation } from "./env.ts";
import { messageAgain } from "./kinds/table.ts";
import { writePoints } from "./points.ts";

/** Sends the messages of dead letters again. A dead letter stays until its message succeeds. */
export async function requeueDeadLetters(
  selection: DeadLetterSelection,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  const selected = await select(selection, invocation);
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
  const parsed = parseMessage(deadLetter.queueMessage);
  if (!parsed.ok) {
    const reason = "Its message is none of this pipeline's: there is nothing to send again.";
    return { id, code, result: "refused", reason };
  }
  const message = await messageAgain(parsed.value, deadLetter, invocation);
  if ("refused" in message) return { id, code, result: "refused", reason: message.refused };
  if (dryRun) return { id, code, result: "selected" };
  const { QUEUE_POINTS, QUEUE_REPORTS } = invocation.env;
  await (message.kind === "points" ? QUEUE_POINTS : QUEUE_REPORTS).send(message);
  return { id, code, result: "requeued" };
}

/** Removes dead letters for good: what they are about stays discarded when it is run again. The raw objects stay. */
export async function discardDeadLetters(
  selection: DeadLetterSelection,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  const selected = await select(selection, invocation);
  if ("refused" in selected) return selected;
  const { deadLetters } = selected;
  if (!selection.dryRun) {
    const ids = deadLetters.map(({ id }) => id);
    for (const filed of await findDeadLettersAnywhere(ids, invocation)) await discard(filed.deadLetters, filed.place);
  }
  const result = selection.dryRun ? "selected" : "discarded";
  const results = [
    ...selected.missing.map(missingDeadLetter),
    ...deadLetters.map(({ id, code }) => ({ id, code, result }) as const),
  ];
  return { items: inAskedOrder(results, selection), cursor: selected.cursor };
}

/** Discards dead letters of one database. */
async function discard(deadLetters: readonly DeadLetterRow[], invocation: Invocation): Promise<void> {
  const { ledger, nowSeconds } = invocation;
  const [first] = deadLetters;
  const points = deadLetters.map((deadLetter) =>
    eventPoint(closedDeadLetter(deadLetter, "discarded"), deadLetter.attempts, nowSeconds),
  );
  const origin = { key: "", reportUid: first?.id ?? "", generation: nowSeconds, receivedSeconds: nowSeconds };
  await writePoints([{ dataset: "events", points }], origin, invocation);
  const closedDeadLetters = deadLetters.map(({ id }) => id);
  for (let attempt = 1; attempt <= PROCESS_LIMITS.maxDecisions; attempt++) {
    const objects = await objectsWithout(deadLetters, ledger);
    const { state } = await commitBatch(ledger, { ...noChanges(), closedDeadLetters, objects }, nowSeconds);
    if (state === "committed") return;
  }
  throw new Error("The objects of these dead letters are changed by others all the time.");
}

// An object remembers what was discarded.
async function objectsWithout(
  deadLetters: readonly DeadLetterRow[],
  ledger: Invocation["ledger"],
): Promise<ObjectRow[]> {
  const ids = new Set(deadLetters.map(({ id }) => id));
  const named = new Map(
    deadLetters.filter(({ rawKey }) => rawKey !== "").map((deadLetter) => [deadLetter.rawKey, deadLetter]),
  );
  const finished = await findObjects(ledger, [...named.values()]);
  return [...finished.values()].flatMap((object) => {
    const deadLetter = named.get(object.rawKey);
    if (deadLetter === undefined || !object.outcomes.some(({ id }) => ids.has(id))) return [];
    const { rua, receivedSeconds } = deadLetter;
    const outcomes = object.outcomes.map((outcome) =>
      ids.has(outcome.id) ? { outcome: "discarded" as const, part: outcome.part, id: outcome.id } : outcome,
    );
    return [{ ...object, rua, receivedSeconds, outcomes }];
  });
}

interface Selected {
  deadLetters: DeadLetterRow[];
  /** Ids of which there is no dead letter. */
  missing: string[];
  cursor: string | undefined;
}

async function select(
  { ids, filter, cursor }: DeadLetterSelection,
  invocation: Invocation,
): Promise<Selected | OperationRefused> {
  if ((ids === undefined) === (filter === undefined)) return { refused: "Give either ids or a filter." };
  if (ids === undefined) {
    const question = deadLetterPageQuery({ ...filter, cursor });
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

// Of dead letters named by id the results are in the order they were named in.
function inAskedOrder(results: DeadLetterResult[], { ids }: DeadLetterSelection): DeadLetterResult[] {
  const places = new Map(ids?.map((id, place) => [id, place]));
  return results.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0));
}
