/** Starts jobs, on request and by cron, sends their pages, and cancels them. */
import { domainName } from "../../../shared/domain-name.ts";
import { findAccount } from "../../../shared/ledger/accounts.ts";
import { accountsWithDataQuery } from "../../../shared/ledger/data-extent.ts";
import {
  countRunningAgain,
  createJob,
  findForgetting,
  findJob,
  followJobs,
  type Job,
  type JobFilter,
  updateJob,
} from "../../../shared/ledger/jobs.ts";
import { countObjectsQuery } from "../../../shared/ledger/objects.ts";
import { countObjectsOfDomainQuery } from "../../../shared/ledger/reports.ts";
import { askAll, type Shards } from "../../../shared/ledger/shards.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { JobMessage } from "../../../shared/messages.ts";
import type { JobRequest, OperationRefused } from "../../../shared/operations.ts";
import { parseDay } from "../../../shared/report-day.ts";
import { dayRange, daysOfPrefix, RAW_PREFIX } from "../../../shared/storage.ts";
import type { Invocation, ProcessEnv } from "../env.ts";

/** What starting a job needs besides the request. */
export interface JobStart {
  kind: Job["kind"];
  /** Distinguishes jobs started in the same second, in [0, 1). */
  random: number;
  graceSeconds?: number;
}

/** Starts a job. */
export async function startJob(
  { kind, random, graceSeconds = 0 }: JobStart,
  { filter = {}, dryRun = false }: JobRequest,
  { env, shards, nowSeconds }: Invocation,
): Promise<Job | OperationRefused> {
  const refused = checkRequest(kind, filter);
  if (refused !== undefined) return { refused };
  const total = await countObjects(filter, shards);
  if (filter.domain !== undefined && total === 0) {
    return {
      refused: `No report about '${filter.domain}' is counted from mail of these days: there is nothing to run again.`,
    };
  }
  const job = newJob({ kind, random, graceSeconds }, { filter, dryRun, total }, nowSeconds);
  await createJob(shards.directory, job);
  await sendPage(env, job);
  return job;
}

/** Sends the message for the next page of a job. */
export async function sendPage(env: ProcessEnv, { id, pages }: Job, delaySeconds = 0): Promise<void> {
  const message: JobMessage = { v: 1, kind: "job", jobId: id, page: pages };
  await env.QUEUE_REPORTS.send(message, { delaySeconds });
}

/** A job that has not begun. */
function newJob(
  { kind, random, graceSeconds = 0 }: JobStart,
  { filter, dryRun, total }: Pick<Job, "filter" | "dryRun" | "total">,
  nowSeconds: number,
): Job {
  const time = new Date(nowSeconds * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
  const suffix = Math.floor(random * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0");
  return {
    id: `${time}-${suffix}`,
    kind,
    state: "running",
    version: 1,
    filter,
    dryRun,
    generation: nowSeconds,
    pages: 0,
    cursor: "",
    scanned: 0,
    enqueued: 0,
    removed: 0,
    skipped: 0,
    total,
    graceSeconds,
    startedSeconds: nowSeconds,
    updatedSeconds: nowSeconds,
  };
}

/**
 * Starts forgetting an account. If a job is doing that already, its next page is sent again: the message may have been
 * lost.
 *
 * @returns undefined when there is no such account
 */
export async function startForgetting(
  account: string,
  random: number,
  { env, shards, nowSeconds }: Invocation,
): Promise<Job | undefined> {
  const running = await findForgetting(shards.directory, account);
  if (running !== undefined) {
    await sendPage(env, running);
    return running;
  }
  if ((await findAccount(shards.directory, account)) === undefined) return undefined;
  const job = newJob({ kind: "forget", random }, { filter: { account }, dryRun: false, total: 0 }, nowSeconds);
  await createJob(shards.directory, job);
  await sendPage(env, job);
  return job;
}

/**
 * Ends a job. What it has enqueued is skipped when its turn comes (skip-cancelled.ts).
 * @returns undefined when there is no such job
 */
export async function cancelJob(id: string, { shards, nowSeconds }: Invocation): Promise<Job | undefined> {
  for (let attempt = 1; attempt <= PROCESS_LIMITS.maxDecisions; attempt++) {
    const job = await findJob(shards.directory, id);
    // A half-forgotten account cannot be restored: such a job continues to its end.
    if (job === undefined || job.kind === "forget" || !(await isInWork(job, { shards, nowSeconds }))) return job;
    const cancelled: Job = { ...job, state: "cancelled", updatedSeconds: nowSeconds };
    if (await updateJob(shards.directory, cancelled)) return cancelled;
  }
  throw new Error(`Job ${id} is changed by others all the time.`);
}

/** Whether a job is running, or objects it enqueued are still waiting. */
async function isInWork(job: Job, { shards, nowSeconds }: Pick<Invocation, "shards" | "nowSeconds">): Promise<boolean> {
  if (job.state !== "done") return job.state === "running";
  return countRunningAgain(await followJobs(shards.all, [job], nowSeconds)) > 0;
}

/** Roughly how many raw objects a filter matches, according to the ledger; 0 if unknown. */
async function countObjects(filter: JobFilter, shards: Shards): Promise<number> {
  if (filter.key !== undefined) return 1;
  const sum = (counted: { objects: number }[]): number => counted.reduce((total, { objects }) => total + objects, 0);
  if (filter.domain !== undefined) {
    const accounts = await askAll(shards.all, accountsWithDataQuery());
    const about = { accounts, domain: domainName(filter.domain), ...dayRange(RAW_PREFIX, filter) };
    return sum(await askAll(shards.all, countObjectsOfDomainQuery(about)));
  }
  const days = daysOfPrefix(filter.prefix ?? RAW_PREFIX);
  if (days === undefined) return 0;
  const firstDay = Math.max(days.firstDay, parseDay(filter.since ?? "") ?? days.firstDay);
  const lastDay = Math.min(days.lastDay, parseDay(filter.until ?? "") ?? days.lastDay);
  return sum(await askAll(shards.all, countObjectsQuery({ firstDay, lastDay })));
}

/** @returns what is wrong with a request, as a sentence */
function checkRequest(kind: Job["kind"], { key, prefix, domain, since, until }: JobFilter): string | undefined {
  for (const day of [since, until]) {
    if (day !== undefined && parseDay(day) === undefined) return `'${day}' is not a day; write it as YYYY-MM-DD.`;
  }
  const places = [key, prefix, domain].filter((place) => place !== undefined);
  if (kind === "reconcile" && places.length > 0) return "A reconcile job takes days only.";
  if (places.length > 1) return "Give one of key, prefix and domain.";
  for (const path of [key, prefix]) {
    if (path !== undefined && !path.startsWith(RAW_PREFIX)) return `'${path}' does not begin with ${RAW_PREFIX}.`;
  }
  return domain === "" ? "The domain is empty." : undefined;
}
