/** Files dead letters of messages that could not be processed at all, and finds and removes dead letters in any database. */
import type { DataPoint } from "../../../shared/analytics/columns.ts";
import { closedDeadLetter, deadLetterEvent, eventPoint } from "../../../shared/analytics/events.ts";
import { type Failure, newDeadLetter } from "../../../shared/batch/dead-letter.ts";
import { type BatchChanges, commitBatch, noChanges } from "../../../shared/ledger/commit-batch.ts";
import { change } from "../../../shared/ledger/database.ts";
import { type DeadLetterRow, findDeadLetters, removeDeadLetters } from "../../../shared/ledger/dead-letters.ts";
import { type QueueMessage, withoutContent } from "../../../shared/messages.ts";
import { problem } from "../../../shared/report/problems.ts";
import { type Invocation, inEachShard, type LogEntry } from "../env.ts";
import type { Received } from "../received.ts";
import { writeEvents } from "./points.ts";

/**
 * Files one dead letter together with related changes.
 *
 * @returns undefined when the ledger has changed since it was read
 */
export async function fileDeadLetter(
  deadLetter: DeadLetterRow,
  others: Partial<BatchChanges>,
  invocation: Invocation,
): Promise<LogEntry | undefined> {
  const { id, rua, rawKey, code, generation, receivedSeconds, attempts } = deadLetter;
  const event = eventPoint(deadLetterEvent(deadLetter), attempts, invocation.nowSeconds);
  await writeEvents([event], { key: rawKey, reportUid: id, generation, receivedSeconds }, invocation);
  const changes = { ...noChanges(), ...others, deadLetters: [deadLetter] };
  const { state } = await commitBatch(invocation.ledger, changes, invocation.nowSeconds);
  return state === "changed" ? undefined : { event: "dead_letter", outcome: "dead_letter", id, rua, key: rawKey, code };
}

/** The failure of a message that the platform gave up on. */
export function exhausted({ message, attempts, sentSeconds }: Received<QueueMessage>, lastError: string): Failure {
  const reason = problem("retries_exhausted");
  return { reason, stage: "queue", queueMessage: message, attempts, receivedSeconds: sentSeconds, lastError };
}

/** Files the dead letter of a failure that changes no object, together with related changes. */
export async function fileFailure(
  failure: Failure,
  others: Partial<BatchChanges>,
  invocation: Invocation,
): Promise<LogEntry> {
  const deadLetter = await newDeadLetter(failure, invocation.nowSeconds);
  const entry = await fileDeadLetter(deadLetter, others, invocation);
  if (entry === undefined) throw new Error("A dead letter without an object cannot have changed.");
  return entry;
}

/** Dead letters of one database, and the invocation bound to it. */
export interface FiledDeadLetters {
  deadLetters: DeadLetterRow[];
  place: Invocation;
}

/** Finds dead letters by id, in any database. @returns only databases that have some */
export async function findDeadLettersAnywhere(
  ids: readonly string[],
  invocation: Invocation,
): Promise<FiledDeadLetters[]> {
  if (ids.length === 0) return [];
  const found = await Promise.all(
    inEachShard(invocation).map(async (place) => ({ deadLetters: await findDeadLetters(place.ledger, ids), place })),
  );
  return found.filter(({ deadLetters }) => deadLetters.length > 0);
}

/** The events that close dead letters. */
export function clearedEvents(filed: readonly FiledDeadLetters[], attempts: number): DataPoint[] {
  return filed.flatMap(({ deadLetters, place }) =>
    deadLetters.map((deadLetter) => eventPoint(closedDeadLetter(deadLetter, "cleared"), attempts, place.nowSeconds)),
  );
}

/** Removes dead letters that have been cleared. @throws whatever D1 throws; safe to repeat */
export async function removeDeadLettersAnywhere(filed: readonly FiledDeadLetters[]): Promise<void> {
  for (const { deadLetters, place } of filed)
    await change(place.ledger, [removeDeadLetters(deadLetters.map(({ id }) => id))]);
}

/** Files a message of an unknown form: it is kept, except what may be a report's content, and not retried. */
export async function fileInvalid(
  { body, attempts, timestamp }: { body: unknown; attempts: number; timestamp: Date },
  error: string,
  invocation: Invocation,
): Promise<LogEntry> {
  const failure: Failure = {
    reason: problem("invalid_message", error),
    stage: "queue",
    queueMessage: withoutContent(body),
    attempts,
    receivedSeconds: Math.floor(timestamp.getTime() / 1000),
  };
  return fileFailure(failure, {}, invocation);
}
