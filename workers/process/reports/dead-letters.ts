/** Builds dead letters, and files those of messages that could not be processed at all. */
import type { DataPoint } from "../../../shared/analytics/columns.ts";
import { closedDeadLetter, deadLetterEvent, eventPoint } from "../../../shared/analytics/events.ts";
import { domainOfFileName } from "../../../shared/domain-name.ts";
import { deadLetterId } from "../../../shared/identity.ts";
import { type BatchChanges, commitBatch, noChanges } from "../../../shared/ledger/commit-batch.ts";
import { change } from "../../../shared/ledger/database.ts";
import {
  type DeadLetterFile,
  type DeadLetterMail,
  type DeadLetterRow,
  findDeadLetters,
  removeDeadLetters,
} from "../../../shared/ledger/dead-letters.ts";
import { type Problem, problem } from "../../../shared/report/problems.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { dayOfRawKey, isoDate } from "../../../shared/storage.ts";
import { type Invocation, inEachShard, type LogEntry } from "../env.ts";
import { writePoints } from "./points.ts";

/** What is known about a failure. */
export interface Failure {
  reason: Problem;
  stage: DeadLetterRow["stage"];
  queueMessage: unknown;
  attempts: number;
  /** When the mail arrived; when the message was sent, if it names no mail. Seconds since 1970 UTC. */
  receivedSeconds: number;
  account?: string;
  rua?: string;
  domain?: string;
  /** "" for a message that names no raw object; its content then identifies it. */
  rawKey?: string;
  part?: string;
  generation?: number;
  lastError?: string;
  mail?: DeadLetterMail | undefined;
  file?: DeadLetterFile | undefined;
}

/** Builds the dead letter of a failure. The same failure of the same part has the same id. */
export async function newDeadLetter(failure: Failure, nowSeconds: number): Promise<DeadLetterRow> {
  const { reason, stage, queueMessage, attempts, receivedSeconds, rawKey = "", part = "", lastError } = failure;
  const day = dayOfRawKey(rawKey) ?? isoDate(receivedSeconds);
  const { mail, file, domain = "" } = failure;
  const guess = domain === "" ? domainOfFileName(part) || domainOfFileName(file?.name ?? "") : "";
  return {
    id: await deadLetterId(day, { rawKey: rawKey || JSON.stringify(queueMessage), part, code: reason.code }),
    day: Math.floor(receivedSeconds / SECONDS_PER_DAY),
    account: failure.account ?? "",
    rua: failure.rua ?? "",
    domain: domain || guess,
    isDomainGuessed: guess === "" ? undefined : true,
    code: reason.code,
    message: reason.message,
    stage,
    rawKey,
    part,
    generation: failure.generation ?? 1,
    receivedSeconds,
    filedSeconds: nowSeconds,
    attempts,
    queueMessage,
    lastError,
    counts: reason.counts,
    mail,
    file,
  };
}

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
  const origin = { key: rawKey, reportUid: id, generation, receivedSeconds };
  await writePoints([{ dataset: "events", points: [event] }], origin, invocation);
  const changes = { ...noChanges(), ...others, deadLetters: [deadLetter] };
  const { state } = await commitBatch(invocation.ledger, changes, invocation.nowSeconds);
  return state === "changed" ? undefined : { event: "dead_letter", outcome: "dead_letter", id, rua, key: rawKey, code };
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

/** Files a message that is not one of ours: it is kept whole and not retried. */
export async function fileInvalid(
  { body, attempts, timestamp }: { body: unknown; attempts: number; timestamp: Date },
  error: string,
  invocation: Invocation,
): Promise<LogEntry> {
  const deadLetter = await newDeadLetter(
    {
      reason: problem("invalid_message", error),
      stage: "queue",
      queueMessage: body,
      attempts,
      receivedSeconds: Math.floor(timestamp.getTime() / 1000),
    },
    invocation.nowSeconds,
  );
  const entry = await fileDeadLetter(deadLetter, {}, invocation);
  if (entry === undefined) throw new Error("A dead letter without an object cannot have changed.");
  return entry;
}
