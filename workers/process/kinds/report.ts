/**
 * `report`: read a raw object and commit what is in it. All objects of a batch are read, then decided about together
 * and committed in one transaction of the ledger. Every step can be repeated without counting anything twice.
 */

import { nextGeneration } from "../../../shared/analytics/events.ts";
import { newDeadLetter } from "../../../shared/batch/dead-letter.ts";
import { coveredByBoth } from "../../../shared/batch/write-above.ts";
import { findRegistrations } from "../../../shared/ledger/addresses.ts";
import type { DeadLetterRow } from "../../../shared/ledger/dead-letters.ts";
import { changedRow, findObjects, objectReference } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import { removeReservedSlices } from "../../../shared/ledger/slices.ts";
import { databaseOfExhausted, type FoundDatabases, findDatabases } from "../../../shared/ledger/which-database.ts";
import { type DeliveredReport, messageAbout } from "../../../shared/messages.ts";
import { mailOrigin } from "../../../shared/storage.ts";
import { type Invocation, inShardIfBound } from "../env.ts";
import type { Ending } from "../received.ts";
import { commitTasks } from "../reports/commit-tasks.ts";
import { exhausted, fileDeadLetter } from "../reports/dead-letters.ts";
import { dropForgotten } from "../reports/forgotten-mail.ts";
import { writeEarlierEvents } from "../reports/outcomes.ts";
import { describeRawObject } from "../reports/raw-object.ts";
import { readTasks } from "../reports/read-tasks.ts";
import { skipCancelled } from "../reports/skip-cancelled.ts";
import { generationOf, logEntry, newTask, type Task } from "../reports/task.ts";
import type { MessageKind } from "./kind.ts";

export const reportKind: MessageKind<DeliveredReport> = {
  async run(received, invocation) {
    const tasks = received.map(newTask);
    await skipCancelled(tasks, invocation.shards.directory);
    const newest = newestOfEachObject(tasks.filter(({ ending }) => ending === undefined));
    const { registrations, homes } = await findDatabases(newest, invocation.shards);
    for (const task of newest) setDatabase(task, homes);
    await dropForgotten(newest, registrations, invocation);
    const open = newest.filter(({ ending }) => ending === undefined);
    await readTasks(open, registrations, invocation);
    await commitTasks(open, registrations.addressesOf, invocation);
    return tasks.map((task) => task.ending ?? endingOfOther(task, newest));
  },

  async fileExhausted(received, lastError, given) {
    const task = newTask(received);
    const { message, attempts } = task;
    const registrations = await findRegistrations(given.shards.directory, [message.rua]);
    await dropForgotten([task], registrations, given);
    if (task.ending !== undefined) {
      if ("error" in task.ending) throw task.ending.error;
      return task.ending.entry;
    }
    const invocation = inShardIfBound(given, await databaseOfExhausted(message, registrations, given.shards));
    const generation = message.generation ?? 1;
    const { key: rawKey, rua, receivedSeconds } = message;
    const deadLetter = await newDeadLetter(
      {
        ...exhausted({ ...received, message }, lastError),
        receivedSeconds,
        rua,
        rawKey,
        generation,
        ...(await knownOf(rawKey, invocation)),
      },
      invocation.nowSeconds,
    );
    const reference = objectReference(message);
    const finished = (await findObjects(invocation.ledger, [reference])).get(rawKey);
    const isKnown =
      finished?.outcomes.some(({ outcome, id }) => outcome === "dead_letter" && id === deadLetter.id) ?? false;
    // Handled meanwhile, by another delivery of the same message or by a rerun.
    if (finished !== undefined && finished.generation >= generation && !isKnown) {
      await writeEarlierEvents(finished, { message, attempts }, invocation);
      return { event: "dead_letter", outcome: "already_done", key: rawKey };
    }
    const outcome: Outcome = { outcome: "dead_letter", part: "", id: deadLetter.id };
    const { outcomes, found } = finished ?? { outcomes: [], found: 0 };
    const more = { outcomes: [...outcomes, outcome], found: found === undefined ? undefined : found + 1 };
    const object = changedRow(reference, finished, { generation, ...(isKnown ? {} : more) });
    const entry = await fileDeadLetter(
      { ...deadLetter, account: object.account },
      { objects: [object], others: [removeReservedSlices([rawKey])] },
      invocation,
    );
    if (entry === undefined) throw new Error(`${rawKey} was finished by another consumer at the same time.`);
    return entry;
  },

  async again(message, deadLetter, { env, nowSeconds }) {
    if ((await env.R2_DMARC_REPORTS.head(deadLetter.rawKey)) === null) {
      return { refused: `${deadLetter.rawKey} is no longer in R2.` };
    }
    return messageAbout(
      { ...message, rawKey: message.key },
      {
        generation: nextGeneration(deadLetter.generation, nowSeconds),
        liftsBudget: deadLetter.code === "over_budget" ? true : undefined,
      },
    );
  },
};

/**
 * The mail and file as the raw object's metadata describes them; nothing if R2 does not answer, which may be why it
 * failed.
 */
async function knownOf(key: string, { env }: Invocation): Promise<Pick<DeadLetterRow, "mail" | "file">> {
  const found = await describeRawObject(env.R2_DMARC_REPORTS, key).catch(() => undefined);
  if (found === undefined) return {};
  const { metadata, sizeBytes } = found;
  return { mail: mailOrigin(metadata), file: { name: metadata.fileName, mimeType: metadata.mimeType, sizeBytes } };
}

// A batch may hold several messages about one object: only the newest generation runs, and the others end with it.
function newestOfEachObject(tasks: readonly Task[]): Task[] {
  const newest = new Map<string, Task>();
  for (const task of tasks) {
    const known = newest.get(task.message.key);
    const [one, other] =
      known !== undefined && generationOf(known) >= generationOf(task) ? [known, task] : [task, known];
    newest.set(task.message.key, one);
    // It also outranks the points that the other was meant to outrank.
    if (other !== undefined) one.message = { ...one.message, ...coveredByBoth(one.message, other.message) };
  }
  return [...newest.values()];
}

/** Sets the database of a task, or the fault that keeps it from being known. */
function setDatabase(task: Task, homes: FoundDatabases["homes"]): void {
  const home = homes.get(task.message.key);
  if (home === undefined || "error" in home) task.ending = { error: home?.error };
  else task.home = home;
}

function endingOfOther({ message }: Task, newest: readonly Task[]): Ending {
  const same = newest.find((task) => task.message.key === message.key);
  if (same?.ending === undefined) return { error: new Error("The message was not run.") };
  return "error" in same.ending ? same.ending : { entry: logEntry(message, "already_done") };
}
