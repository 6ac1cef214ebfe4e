/**
 * The first half of a batch of reports: finds each object's database and reads the object. Results are set on the
 * tasks; a task that is already done, or is re-sent to be read alone, ends here.
 */

import { authenticateMail } from "../../../shared/authentication/authenticate-mail.ts";
import type { MailAuthentication } from "../../../shared/authentication/sender.ts";
import { reporterOf } from "../../../shared/batch/budgets.ts";
import type { ReadObject } from "../../../shared/batch/object.ts";
import { fileOf, type ReadParts, RecordBudget, readObject } from "../../../shared/batch/read-object.ts";
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { findDatabases, type InDirectory } from "../../../shared/ledger/which-database.ts";
import { BATCH_LIMITS } from "../../../shared/limits.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import { problem } from "../../../shared/report/problems.ts";
import { parseRawMetadata } from "../../../shared/storage.ts";
import { type Invocation, inShard } from "../env.ts";
import { writeEarlierEvents } from "./outcomes.ts";
import { type FoundObject, findRawObject, mailOf, openCarried } from "./raw-object.ts";
import { generationOf, logEntry, mayHaveWritten, type Task } from "./task.ts";

/** Reads the objects of a batch. @throws nothing: a fault ends only the task it concerns */
export async function readTasks(
  tasks: readonly Task[],
  inDirectory: InDirectory,
  invocation: Invocation,
): Promise<void> {
  await chooseDatabases(tasks, inDirectory, invocation);
  await readAll(tasks, inDirectory.registrations, invocation);
}

async function chooseDatabases(
  tasks: readonly Task[],
  inDirectory: InDirectory,
  invocation: Invocation,
): Promise<void> {
  const homes = await findDatabases(tasks, inDirectory, invocation.shards);
  for (const task of tasks) {
    const home = homes.get(task.message.key);
    if (home === undefined || "error" in home) task.ending = { error: home?.error };
    else task.home = home;
  }
}

/** Reads the objects of a batch, a few at a time; a fault in one does not affect the others. */
async function readAll(tasks: readonly Task[], registrations: Registrations, invocation: Invocation): Promise<void> {
  const shared = { registrations, held: new RecordBudget() };
  const waiting = tasks.filter(({ ending }) => ending === undefined);
  const worker = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      try {
        await readTask(task, shared, inShard(invocation, task.home.shard));
      } catch (error) {
        task.ending = { error };
      }
    }
  };
  await Promise.all(Array.from({ length: BATCH_LIMITS.maxConcurrentMessages }, worker));
}

interface SharedByTasks {
  registrations: Registrations;
  held: RecordBudget;
}

async function readTask(task: Task, { registrations, held }: SharedByTasks, invocation: Invocation): Promise<void> {
  const { message, attempts } = task;
  const { R2_DMARC_REPORTS: bucket } = invocation.env;
  if (await endIfDone(task, invocation)) return;
  const isAlone = message.alone === true;
  if (attempts >= BATCH_LIMITS.aloneFromAttempt && !isAlone) return sendAlone(task, invocation);
  const registration = registrations.byAddress.get(message.rua);
  const object = (await carriedObject(task, registrations)) ?? (await findRawObject(bucket, message.key));
  // A sender's retry is a separate message about the same object. An object without an arrival time is treated as
  // arriving now.
  const receivedSeconds = object?.metadata.receivedSeconds || message.receivedSeconds;
  const origin = {
    receivedSeconds: receivedSeconds || invocation.nowSeconds,
    objectsOfMail: object?.metadata.objectsOfMail ?? 1,
    file: fileOf(object?.metadata ?? parseRawMetadata(undefined)),
  };
  let content = unread();
  if (object !== undefined && registration === undefined) await object.close();
  if (object !== undefined && registration !== undefined) {
    if (object.sizeBytes > BATCH_LIMITS.maxSharedObjectBytes && !isAlone) {
      await object.close();
      return sendAlone(task, invocation);
    }
    const { account } = registration.entry;
    content = await readContent(task, { object, origin: { ...origin, account }, held }, invocation);
  }
  const { findings, passedOver, authentication } = content;
  task.read = {
    message: { ...message, receivedSeconds },
    attempts,
    generation: generationOf(task),
    mayHaveWritten: mayHaveWritten(task),
    registration,
    isThere: object !== undefined,
    isImported: (object?.metadata.importedFrom ?? "") !== "",
    origin,
    mail: object === undefined ? undefined : mailOf(object.metadata),
    file: object === undefined ? undefined : namedFile(object),
    authentication,
    reporter: await reporterOf({ findings, authentication }),
    findings,
    passedOver: addCounts(object?.metadata.passedOver ?? {}, passedOver),
    isMoving: false,
  };
}

/**
 * The object that came with the message. If the address was registered or changed after the mail came, its raw object may have
 * been deleted with an account that had the address before: only R2 knows.
 */
async function carriedObject(
  { message, carried }: Task,
  { changedSeconds }: Registrations,
): Promise<FoundObject | undefined> {
  const changed = changedSeconds.get(message.rua);
  if (carried === undefined || changed === undefined || changed >= message.receivedSeconds) return undefined;
  return openCarried(message.key, carried);
}

/** Ends the task if this object was already read at least as late as the message asks. @returns whether it did */
async function endIfDone(task: Task, invocation: Invocation): Promise<boolean> {
  const { message } = task;
  const { finished: previous } = task.home;
  if (previous === undefined || previous.generation < generationOf(task)) return false;
  // If it was rerun to outrank other points, the report that counts now takes that over.
  if (mayHaveWritten(task) || message.coversPoints !== undefined) await writeEarlierEvents(previous, task, invocation);
  // A mail that was delivered again was also stored again.
  else if (previous.rawRemoved) await invocation.env.R2_DMARC_REPORTS.delete(message.key);
  task.ending = { entry: logEntry(message, "already_done") };
  return true;
}

/** What the bytes of an object say. */
interface Content extends ReadParts {
  authentication: MailAuthentication;
}

function unread(): Content {
  return { findings: [], passedOver: {}, authentication: { result: "unchecked" } };
}

interface ToRead {
  object: FoundObject;
  origin: Parameters<typeof readObject>[1];
  held: RecordBudget;
}

/** Reads an object and checks who sent its mail; one that is too large for the plan is left unread. */
async function readContent(task: Task, { object, origin, held }: ToRead, invocation: Invocation): Promise<Content> {
  const maxBytes = Number(invocation.env.MAX_REPORT_BYTES);
  if (maxBytes > 0 && object.sizeBytes > maxBytes) {
    await object.close();
    const detail = `${object.sizeBytes} bytes, the limit is ${maxBytes}`;
    return { ...unread(), findings: [{ part: "", problem: problem("too_large_for_plan", detail) }] };
  }
  task.source = await object.open();
  const parts = await readObject(task.source, origin, held);
  const raw = { key: task.message.key, metadata: object.metadata };
  return { ...parts, authentication: await authenticateMail(raw, task.source, invocation.resolver) };
}

function namedFile({ metadata, sizeBytes }: FoundObject): ReadObject["file"] {
  return { name: metadata.fileName, mimeType: metadata.mimeType, sizeBytes };
}

function addCounts(a: Record<string, number>, b: Record<string, number>): Record<string, number> {
  const sums = { ...a };
  for (const [kind, count] of Object.entries(b)) sums[kind] = (sums[kind] ?? 0) + count;
  return sums;
}

/** Re-sends a message to the queue whose batches hold one message, so that it shares no budget with others. */
async function sendAlone(task: Task, { env }: Invocation): Promise<void> {
  const resent = mayHaveWritten(task) ? true : undefined;
  await env.QUEUE_POINTS.send({ ...task.message, alone: true, resent } satisfies ReportMessage);
  task.ending = { entry: logEntry(task.message, "sent_alone") };
}
