/**
 * The second half of a batch of reports: decides about everything that was read, writes the points, and commits in one
 * transaction per database. Every step can be repeated without counting anything twice.
 */
import { decide } from "../../../shared/batch/decide.ts";
import type { ReadObject } from "../../../shared/batch/object.ts";
import type { BatchPlan, ObjectPlan } from "../../../shared/batch/plan.ts";
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { commitBatch } from "../../../shared/ledger/commit-batch.ts";
import type { ConflictRow } from "../../../shared/ledger/conflicts.ts";
import type { Change } from "../../../shared/ledger/database.ts";
import { wasDecided } from "../../../shared/ledger/outcomes.ts";
import { removeReservedSlices } from "../../../shared/ledger/slices.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import { queueBatches } from "../../../shared/queue-batches.ts";
import { mailOrigin, parseRawMetadata } from "../../../shared/storage.ts";
import { type Invocation, inShard } from "../env.ts";
import { carryDiscarded } from "./carry-discarded.ts";
import { filedById } from "./filed.ts";
import { lookUp } from "./lookup.ts";
import { writeEarlierEvents, writeOutcomeEvents } from "./outcomes.ts";
import { readOthersAgain } from "./read-others.ts";
import { isReadAgain, WrittenPoints, writePlan } from "./report-points.ts";
import { generationOf, logEntry, type Task } from "./task.ts";

type AddressesOf = Registrations["addressesOf"];

/** Commits what was read, one transaction per database; a fault of one database does not affect the others. */
export async function commitTasks(
  tasks: readonly Task[],
  addressesOf: AddressesOf,
  invocation: Invocation,
): Promise<void> {
  for (const task of tasks) stayWhereDecided(task);
  const commitIn: CommitIn = async (shard, group) => {
    try {
      await commitTogether(group, addressesOf, inShard(invocation, shard));
    } catch (error) {
      for (const task of group) task.ending ??= { error };
    }
  };
  for (const shard of invocation.shards.all.keys()) await moveAway(tasks, shard, { commitIn, invocation });
  for (const [shard, group] of Map.groupBy(tasks, ({ home }) => home.shard)) await commitIn(shard, group);
}

/** Commits tasks in one database; a fault becomes the ending of those that have none. */
type CommitIn = (shard: number, group: readonly Task[]) => Promise<void>;

/**
 * Removes the rows of objects that belong to another database by now from a database that has some. This comes before the new
 * one commits: interrupted in between, an object is simply unfinished.
 */
async function moveAway(
  tasks: readonly Task[],
  shard: number,
  { commitIn, invocation }: { commitIn: CommitIn; invocation: Invocation },
): Promise<void> {
  const isOpen = ({ ending }: Task): boolean => ending === undefined;
  const moving = tasks.filter((task) => isOpen(task) && task.home.others.some((row) => row.shard === shard));
  await carryAll(moving, shard, invocation);
  const moves = new Map(
    moving.filter(isOpen).map((task) => [task, { ...task, read: movingOf(task.read), source: undefined }]),
  );
  await commitIn(shard, [...moves.values()]);
  for (const [task, { ending }] of moves) if (ending !== undefined && "error" in ending) task.ending = ending;
}

/** Copies discards to the new database before the old rows are removed; a fault becomes the ending of its task. */
async function carryAll(moving: readonly Task[], shard: number, invocation: Invocation): Promise<void> {
  for (const task of moving) {
    try {
      await carryDiscarded(task, shard, invocation);
    } catch (error) {
      task.ending = { error };
    }
  }
}

// If the raw object has gone, its outcomes stay in the old database.
function stayWhereDecided(task: Task): void {
  const decided = task.home.others.find(({ finished }) => wasDecided(finished.outcomes));
  if (task.read?.isThere !== false || decided === undefined) return;
  task.home = { ...decided, others: [] };
}

function movingOf(read: ReadObject | undefined): ReadObject | undefined {
  return read === undefined ? undefined : { ...read, findings: [], isMoving: true };
}

/** Decides and commits; starts over when another consumer was faster, or when writing one object's points failed. */
async function commitTogether(tasks: readonly Task[], addressesOf: AddressesOf, invocation: Invocation): Promise<void> {
  const written = new WrittenPoints();
  for (let decision = 1; ; decision++) {
    const open = tasks.filter(({ ending, read }) => ending === undefined && read !== undefined);
    if (open.length === 0) return;
    const plan = await decideTasks(open, { written, addressesOf }, invocation);
    if (!(await writePoints(open, { plan, written }, invocation))) continue;
    const slices = plan.objects.flatMap((object) => written.slicesOf(object));
    await addMailOrigins(plan.changes.conflicts, invocation);
    await readOthersAgain(
      { reports: plan.retracted, orphans: plan.orphans },
      PROCESS_LIMITS.readOthersAfterSeconds,
      invocation,
    );
    const others = [...plan.changes.others, ...withoutReserved(plan, decision)];
    const { state } = await commitBatch(invocation.ledger, { ...plan.changes, slices, others }, invocation.nowSeconds);
    if (state === "committed") return finishTasks(open, plan, invocation);
    if (decision === PROCESS_LIMITS.maxDecisions)
      throw new Error("The ledger is changed by other consumers all the time.");
  }
}

/**
 * Slices that an earlier delivery or decision reserved, and that are not committed now, are for nobody to write: its report
 * was read otherwise, or the object was refused.
 */
function withoutReserved({ objects }: BatchPlan, decision: number): Change[] {
  const keys = objects
    .map(({ object }) => object)
    .filter((object) => decision > 1 || object.mayHaveWritten)
    .map(({ message }) => message.key);
  return keys.length === 0 ? [] : [removeReservedSlices(keys)];
}

/** Adds who sent each version, so that a person can tell them apart. */
async function addMailOrigins(conflicts: ConflictRow[], { env }: Invocation): Promise<void> {
  for (const version of conflicts.flatMap(({ accepted, other }) => [accepted, other])) {
    if (version.mail !== undefined) continue;
    const stored = await env.R2_DMARC_REPORTS.head(version.rawKey);
    if (stored !== null) version.mail = mailOrigin(parseRawMetadata(stored.customMetadata));
  }
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
  // Committed by another consumer since it was read.
  for (const task of done) {
    const finished = known.finished.get(task.message.key);
    if (finished !== undefined) await writeEarlierEvents(finished, task, invocation);
    task.ending = { entry: logEntry(task.message, "already_done") };
  }
  return decide(
    objects.filter(({ message }) => !done.some((task) => task.message.key === message.key)),
    {
      known,
      budget: {
        address: Number(env.ADDRESS_RECORDS_PER_DAY),
        account: Number(env.ACCOUNT_RECORDS_PER_DAY),
        reporter: Number(env.REPORTER_REPORTS_PER_DAY),
      },
      hasWritten: (rawKey, uid) => written.has(rawKey, uid),
      nowSeconds,
    },
  );
}

/**
 * Writes the points of all objects, concurrently where they are in memory.
 *
 * @returns false when writing an object's points failed: the batch is then decided again without it
 */
async function writePoints(
  open: readonly Task[],
  { plan, written }: { plan: BatchPlan; written: WrittenPoints },
  invocation: Invocation,
): Promise<boolean> {
  const write = async (object: ObjectPlan): Promise<boolean> => {
    const task = open.find(({ read }) => read === object.object);
    if (task === undefined) return true;
    try {
      await writePlan(object, { source: task.source, written }, invocation);
      for (const batch of queueBatches(object.again)) await invocation.env.QUEUE_REPORTS.sendBatch(batch);
      return true;
    } catch (error) {
      task.ending = { error };
      return false;
    }
  };
  const isComplete = await Promise.all(plan.objects.filter((object) => !isReadAgain(object)).map(write));
  for (const object of plan.objects.filter(isReadAgain)) isComplete.push(await write(object));
  return !isComplete.includes(false);
}

/** After the transaction: writes the events, and deletes raw objects that must not be kept. */
async function finishTasks(open: readonly Task[], plan: BatchPlan, invocation: Invocation): Promise<void> {
  const filed = filedById(plan.changes);
  for (const object of plan.objects) {
    const task = open.find(({ read }) => read === object.object);
    if (task === undefined) continue;
    try {
      const { message, attempts } = task;
      const account = object.object.registration?.entry.account ?? "";
      await writeOutcomeEvents({ message, attempts, account, outcomes: object.outcomes }, filed, invocation);
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
