/**
 * `report`: read a raw object and commit what is in it. All objects of a batch are read, then decided about together and
 * finished in one transaction of the ledger. Any step may be repeated: nothing is counted twice.
 */
import { findRegistrations, type Registrations } from "../../../shared/ledger/addresses.ts";
import { commitBatch } from "../../../shared/ledger/commit-batch.ts";
import type { ConflictRow } from "../../../shared/ledger/conflicts.ts";
import { type FinishedObject, findObjects } from "../../../shared/ledger/objects.ts";
import type { Outcome } from "../../../shared/ledger/outcomes.ts";
import { BATCH_LIMITS, PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { ReportMessage } from "../../../shared/messages.ts";
import { problem } from "../../../shared/report/problems.ts";
import type { ByteSource } from "../../../shared/report/source.ts";
import { type MailOrigin, parseRawMetadata, type RawMetadata } from "../../../shared/storage.ts";
import { fileDeadLetter, newDeadLetter } from "../dead-letters.ts";
import { type BatchPlan, decide, type ObjectPlan, wasDecided } from "../decide.ts";
import { type Invocation, inShard, type LogEntry } from "../env.ts";
import { nextGeneration } from "../events.ts";
import { lookUp, type ReadObject, referenceOf } from "../lookup.ts";
import { tellFinished, tellOutcomes } from "../outcomes.ts";
import { findRawObject } from "../raw-object.ts";
import { type Finding, HeldRecords, readObject } from "../read-object.ts";
import { WrittenPoints, writePlan } from "../report-points.ts";
import { findDatabases, inDatabaseOfExhausted, type ObjectHome } from "../which-database.ts";
import { messagesToWriteAbove } from "../write-above.ts";
import type { Ending, MessageKind, Received } from "./kind.ts";

export const reportKind: MessageKind<ReportMessage> = {
  async run(received, invocation) {
    const tasks = received.map((one): Task => ({ ...one, ...NOT_BEGUN }));
    const newest = newestOfEachObject(tasks);
    const registrations = await findRegistrations(
      invocation.shards.directory,
      newest.map(({ message }) => message.rua),
    );
    await chooseDatabases(newest, registrations, invocation);
    await readAll(newest, registrations, invocation);
    await commitByDatabase(newest, registrations.addressesOf, invocation);
    return tasks.map((task) => task.ending ?? endingOfOther(task, newest));
  },

  async fileExhausted({ message, attempts }, lastError, given) {
    const registrations = await findRegistrations(given.shards.directory, [message.rua]);
    const invocation = await inDatabaseOfExhausted(message, registrations, given);
    const generation = message.generation ?? 1;
    const { key: rawKey, rua, receivedSeconds } = message;
    const deadLetter = await newDeadLetter(
      {
        reason: problem("retries_exhausted"),
        stage: "queue",
        queueMessage: message,
        attempts,
        receivedSeconds,
        rua,
        rawKey,
        generation,
        lastError,
      },
      invocation.nowSeconds,
    );
    const reference = referenceOf({ message });
    const finished = (await findObjects(invocation.ledger, [reference])).get(rawKey);
    const isKnown =
      finished?.outcomes.some(({ outcome, id }) => outcome === "dead_letter" && id === deadLetter.id) ?? false;
    // Dealt with meanwhile: by another delivery of the same message, or run again.
    if (finished !== undefined && finished.generation >= generation && !isKnown) {
      await afterEarlierCommit(finished, { message, attempts }, invocation);
      return { event: "dead_letter", outcome: "already_done", key: rawKey };
    }
    const outcome: Outcome = { outcome: "dead_letter", part: "", id: deadLetter.id };
    const object = {
      ...reference,
      account: finished?.account ?? "",
      version: finished?.version ?? 0,
      generation,
      records: finished?.records ?? 0,
      outcomes: isKnown ? (finished?.outcomes ?? []) : [...(finished?.outcomes ?? []), outcome],
      rawRemoved: finished?.rawRemoved ?? false,
    };
    const entry = await fileDeadLetter({ ...deadLetter, account: object.account }, { objects: [object] }, invocation);
    if (entry === undefined) throw new Error(`${rawKey} was finished by another consumer at the same time.`);
    return entry;
  },

  async again(message, deadLetter, { env, nowSeconds }) {
    if ((await env.R2_DMARC_REPORTS.head(deadLetter.rawKey)) === null) {
      return { refused: `${deadLetter.rawKey} is no longer in R2.` };
    }
    const { key, rua, receivedSeconds } = message;
    return {
      v: 1,
      kind: "report",
      key,
      rua,
      receivedSeconds,
      generation: nextGeneration(deadLetter.generation, nowSeconds),
      liftsBudget: deadLetter.code === "over_budget" ? true : undefined,
    };
  },
};

type AddressesOf = Registrations["addressesOf"];

/** A message in work. */
interface Task extends Received<ReportMessage> {
  /** Which database it is finished in. */
  place: ObjectHome;
  ending: Ending | undefined;
  read: ReadObject | undefined;
  source: ByteSource | undefined;
}

const NOT_BEGUN = {
  place: { shard: 0, finished: undefined, others: [] },
  ending: undefined,
  read: undefined,
  source: undefined,
};

// A batch may hold several messages about one object: the newest generation is run, the others are done with it.
function newestOfEachObject(tasks: readonly Task[]): Task[] {
  const newest = new Map<string, Task>();
  for (const task of tasks) {
    const known = newest.get(task.message.key);
    if (known === undefined || generationOf(task) > generationOf(known)) newest.set(task.message.key, task);
  }
  return [...newest.values()];
}

function endingOfOther({ message }: Task, newest: readonly Task[]): Ending {
  const same = newest.find((task) => task.message.key === message.key);
  if (same?.ending === undefined) return { error: new Error("The message was not run.") };
  return "error" in same.ending ? same.ending : { entry: logEntry(message, "already_done") };
}

async function chooseDatabases(
  tasks: readonly Task[],
  registrations: Registrations,
  invocation: Invocation,
): Promise<void> {
  const places = await findDatabases(tasks, registrations, invocation);
  for (const task of tasks) {
    const place = places.get(task.message.key);
    if (place === undefined || "error" in place) task.ending = { error: place?.error };
    else task.place = place;
  }
}

/** Reads the objects of a batch, a few at once; a fault in reading one is its alone. */
async function readAll(tasks: readonly Task[], registrations: Registrations, invocation: Invocation): Promise<void> {
  const shared = { registrations, held: new HeldRecords() };
  const waiting = tasks.filter(({ ending }) => ending === undefined);
  const worker = async (): Promise<void> => {
    for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
      try {
        await readTask(task, shared, inShard(invocation, task.place.shard));
      } catch (error) {
        task.ending = { error };
      }
    }
  };
  await Promise.all(Array.from({ length: BATCH_LIMITS.maxConcurrentMessages }, worker));
}

interface SharedByTasks {
  registrations: Registrations;
  held: HeldRecords;
}

async function readTask(task: Task, { registrations, held }: SharedByTasks, invocation: Invocation): Promise<void> {
  const { message, attempts } = task;
  const { R2_DMARC_REPORTS: bucket } = invocation.env;
  const { finished: previous } = task.place;
  if (previous !== undefined && previous.generation >= generationOf(task)) {
    if (mayHaveWritten(task)) await afterEarlierCommit(previous, task, invocation);
    // A mail that came again was stored again.
    else if (previous.rawRemoved) await bucket.delete(message.key);
    task.ending = { entry: logEntry(message, "already_done") };
    return;
  }
  if (attempts >= BATCH_LIMITS.aloneFromAttempt && message.alone !== true) return sendAlone(task, invocation);
  const registration = registrations.byAddress.get(message.rua);
  const object = await findRawObject(bucket, message.key);
  // A sender's retry is a message of its own, about the object that came first. One that does not say when it came is
  // read as of now.
  const receivedSeconds = object?.metadata.receivedSeconds || message.receivedSeconds;
  const origin = {
    receivedSeconds: receivedSeconds || invocation.nowSeconds,
    objectsOfMail: object?.metadata.objectsOfMail ?? 1,
  };
  let findings: Finding[] = [];
  if (object !== undefined && registration === undefined) await object.close();
  if (object !== undefined && registration !== undefined) {
    if (object.sizeBytes > BATCH_LIMITS.maxSharedObjectBytes && message.alone !== true) {
      await object.close();
      return sendAlone(task, invocation);
    }
    task.source = await object.open();
    const { account } = registration.entry;
    findings = await readObject(task.source, { ...origin, account }, held);
  }
  task.read = {
    message: { ...message, receivedSeconds },
    attempts,
    generation: generationOf(task),
    mayHaveWritten: mayHaveWritten(task),
    registration,
    isThere: object !== undefined,
    origin,
    mail: object === undefined ? undefined : mailOf(object.metadata),
    findings,
    isMoving: false,
  };
}

/** Sends a message on to the queue whose batches are one message: it takes nothing from others, nor they from it. */
async function sendAlone(task: Task, { env }: Invocation): Promise<void> {
  const resent = mayHaveWritten(task) ? true : undefined;
  await env.QUEUE_POINTS.send({ ...task.message, alone: true, resent } satisfies ReportMessage);
  task.ending = { entry: logEntry(task.message, "sent_alone") };
}

/** Commits what was read, one transaction for each database; a fault of one is no other's. */
async function commitByDatabase(
  tasks: readonly Task[],
  addressesOf: AddressesOf,
  invocation: Invocation,
): Promise<void> {
  for (const task of tasks) stayWhereDecided(task);
  const commitIn = async (shard: number, group: readonly Task[]): Promise<void> => {
    try {
      await commitTogether(group, addressesOf, inShard(invocation, shard));
    } catch (error) {
      for (const task of group) task.ending ??= { error };
    }
  };
  for (const shard of invocation.shards.all.keys()) {
    // What goes from one database goes before it is finished in another: cut off in between, it is unfinished.
    const moving = tasks.filter(
      ({ ending, place }) => ending === undefined && place.others.some((row) => row.shard === shard),
    );
    const moves = moving.map((task): Task => ({ ...task, read: movingOf(task.read), source: undefined }));
    await commitIn(shard, moves);
    for (const [i, task] of moving.entries()) {
      const ending = moves[i]?.ending;
      if (ending !== undefined && "error" in ending) task.ending = ending;
    }
  }
  for (const shard of new Set(tasks.map(({ place }) => place.shard))) {
    await commitIn(
      shard,
      tasks.filter(({ place }) => place.shard === shard),
    );
  }
}

// What was decided about an object whose bytes have gone stays where it is.
function stayWhereDecided(task: Task): void {
  const decided = task.place.others.find(({ finished }) => wasDecided(finished.outcomes));
  if (task.read?.isThere !== false || decided === undefined) return;
  task.place = { ...decided, others: [] };
}

function movingOf(read: ReadObject | undefined): ReadObject | undefined {
  return read === undefined ? undefined : { ...read, findings: [], isMoving: true };
}

/** Decides about what was read and commits it; again when another consumer was faster, or points of one object failed. */
async function commitTogether(tasks: readonly Task[], addressesOf: AddressesOf, invocation: Invocation): Promise<void> {
  const written = new WrittenPoints();
  for (let decision = 1; ; decision++) {
    const open = tasks.filter(({ ending, read }) => ending === undefined && read !== undefined);
    if (open.length === 0) return;
    const plan = await decideTasks(open, { written, addressesOf }, invocation);
    if (!(await writePoints(open, { plan, written }, invocation))) continue;
    const slices = plan.objects.flatMap((object) => written.slicesOf(object));
    await addMailOrigins(plan.changes.conflicts, invocation);
    const { state } = await commitBatch(invocation.ledger, { ...plan.changes, slices }, invocation.nowSeconds);
    if (state === "committed") return finishTasks(open, plan, invocation);
    if (decision === PROCESS_LIMITS.maxDecisions)
      throw new Error("The ledger is changed by other consumers all the time.");
  }
}

/** Who sent the version accepted first, so that a person can tell the two apart. */
async function addMailOrigins(conflicts: ConflictRow[], { env }: Invocation): Promise<void> {
  for (const { accepted } of conflicts) {
    const stored = await env.R2_DMARC_REPORTS.head(accepted.rawKey);
    if (stored !== null) accepted.mail = mailOf(parseRawMetadata(stored.customMetadata));
  }
}

function mailOf({ sender, from, subject, messageId }: RawMetadata): MailOrigin {
  return { sender, from, subject, messageId };
}

async function decideTasks(
  open: readonly Task[],
  { written, addressesOf }: { written: WrittenPoints; addressesOf: AddressesOf },
  invocation: Invocation,
): Promise<BatchPlan> {
  const { env, nowSeconds } = invocation;
  const objects = open.flatMap(({ read }) => (read === undefined ? [] : [read]));
  const known = await lookUp(objects, addressesOf, invocation);
  const done = open.filter((task) => (known.finished.get(task.message.key)?.generation ?? 0) >= generationOf(task));
  // Settled by another consumer since it was read.
  for (const task of done) {
    const finished = known.finished.get(task.message.key);
    if (finished !== undefined) await afterEarlierCommit(finished, task, invocation);
    task.ending = { entry: logEntry(task.message, "already_done") };
  }
  return decide(
    objects.filter(({ message }) => !done.some((task) => task.message.key === message.key)),
    {
      known,
      budget: { address: Number(env.ADDRESS_RECORDS_PER_DAY), account: Number(env.ACCOUNT_RECORDS_PER_DAY) },
      hasWritten: (rawKey, uid) => written.has(rawKey, uid),
      nowSeconds,
    },
  );
}

/** @returns false when points of an object failed: the others are decided about without it */
async function writePoints(
  open: readonly Task[],
  { plan, written }: { plan: BatchPlan; written: WrittenPoints },
  invocation: Invocation,
): Promise<boolean> {
  let isComplete = true;
  for (const object of plan.objects) {
    const task = open.find(({ read }) => read === object.object);
    if (task === undefined) continue;
    try {
      await writePlan(object, { source: task.source, written }, invocation);
      for (const again of object.again) await invocation.env.QUEUE_REPORTS.send(again);
    } catch (error) {
      task.ending = { error };
      isComplete = false;
    }
  }
  return isComplete;
}

/** What follows the transaction, where another delivery finished the object and may have been cut off before this. */
async function afterEarlierCommit(
  finished: FinishedObject,
  { message, attempts }: Pick<Task, "message" | "attempts">,
  invocation: Invocation,
): Promise<void> {
  const { account, outcomes, rawRemoved } = finished;
  const { QUEUE_REPORTS, R2_DMARC_REPORTS } = invocation.env;
  for (const again of await messagesToWriteAbove(finished, message, invocation)) await QUEUE_REPORTS.send(again);
  await tellFinished({ message, attempts, account, outcomes }, invocation);
  if (rawRemoved) await R2_DMARC_REPORTS.delete(message.key);
}

/** What follows the transaction: what happened is told, and a raw object goes that is not to be kept. */
async function finishTasks(open: readonly Task[], plan: BatchPlan, invocation: Invocation): Promise<void> {
  const filed = {
    deadLetters: new Map(plan.changes.deadLetters.map((deadLetter) => [deadLetter.id, deadLetter])),
    conflicts: new Map(plan.changes.conflicts.map((conflict) => [conflict.id, conflict])),
  };
  for (const object of plan.objects) {
    const task = open.find(({ read }) => read === object.object);
    if (task === undefined) continue;
    try {
      const { message, attempts } = task;
      const account = object.object.registration?.entry.account ?? "";
      await tellOutcomes({ message, attempts, account, outcomes: object.outcomes }, filed, invocation);
      if (object.rawRemoved) await invocation.env.R2_DMARC_REPORTS.delete(message.key);
      task.ending = { entry: { ...logEntry(task.message, summaryOf(object)), counts: countOutcomes(object) } };
    } catch (error) {
      task.ending = { error };
    }
  }
}

function summaryOf(plan: ObjectPlan): string {
  return plan.left ?? Object.keys(countOutcomes(plan)).join(", ");
}

function countOutcomes({ outcomes }: ObjectPlan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

function generationOf({ message }: Pick<Task, "message">): number {
  return message.generation ?? 1;
}

// A delivery that was cut off, or a queue that was lost with it, may have left points behind.
function mayHaveWritten({ message, attempts }: Pick<Task, "message" | "attempts">): boolean {
  return attempts > 1 || message.resent === true;
}

function logEntry({ rua, key }: ReportMessage, outcome: string): LogEntry {
  return { event: "report", rua, key, outcome };
}
