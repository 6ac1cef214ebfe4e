/** What is waiting: queue backlogs, and raw objects without an outcome, however old. */
import { accountsByShardQuery } from "../../../shared/ledger/accounts.ts";
import { ask, databaseBytes } from "../../../shared/ledger/database.ts";
import { lastRound } from "../../../shared/ledger/domain-verdicts.ts";
import { countRunningAgain, followJobs, newestJobsQuery } from "../../../shared/ledger/jobs.ts";
import { unfinishedDays } from "../../../shared/ledger/objects.ts";
import { askAll, unboundDatabases } from "../../../shared/ledger/shards.ts";
import { dueSlicesQuery } from "../../../shared/ledger/slices.ts";
import { PAGE_LIMITS, PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { PipelineStatus } from "../../../shared/operations.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { datePath, isoDate, RAW_PREFIX } from "../../../shared/storage.ts";
import { backlogs } from "../backlog.ts";
import type { Invocation } from "../env.ts";
import { withoutOutcome } from "../jobs/job-pages.ts";
import { listObjects } from "../reports/raw-object.ts";

/**
 * Checks the queues, the newest day, and days known to have unfinished objects, within a bounded number of calls; for
 * older days it returns what reconcile counted last.
 */
export async function readStatus(invocation: Invocation): Promise<PipelineStatus> {
  const { env, shards, nowSeconds } = invocation;
  const queues = await Promise.all(backlogs(env));
  const counted = await unfinishedDays(shards.directory);
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY);
  const known = new Map(counted.map((one) => [one.day, one]));
  const days = [...new Set([today, today - 1, ...known.keys()])].sort((a, b) => b - a);
  let pages = PROCESS_LIMITS.statusPages;
  const found: PipelineStatus["unfinishedDays"] = [];
  for (const day of days) {
    const now = await countUnfinished(day, pages, invocation);
    pages -= now.pages;
    const before = known.get(day);
    const objects = now.isComplete ? now.objects : Math.max(now.objects, before?.objects ?? 0);
    const countedSeconds = now.isComplete ? nowSeconds : (before?.seenSeconds ?? nowSeconds);
    if (objects > 0) found.push({ day: isoDate(day * SECONDS_PER_DAY), objects, countedSeconds });
  }
  const jobs = await ask(shards.directory, newestJobsQuery(PAGE_LIMITS.jobsFollowed));
  const due = await askAll(shards.all, dueSlicesQuery(nowSeconds, PAGE_LIMITS.dueSlices));
  return {
    queues,
    unfinished: found.reduce((sum, { objects }) => sum + objects, 0),
    unfinishedDays: found,
    runningAgain: countRunningAgain(await followJobs(shards.all, jobs, nowSeconds)),
    reportsWithDueSlices: due.length,
    databases: await readDatabases(invocation),
    maxDatabaseBytes: Number(env.MAX_DATABASE_BYTES),
    unboundDatabases: await unboundDatabases(shards),
    ...(await lastRound(shards.directory, nowSeconds)),
  };
}

async function readDatabases({ shards }: Invocation): Promise<PipelineStatus["databases"]> {
  const counted = await ask(shards.directory, accountsByShardQuery());
  const accounts = new Map(counted.map((one) => [one.shard, one.accounts]));
  return Promise.all(
    shards.all.map(async (database, shard) => ({
      database: shard,
      accounts: accounts.get(shard) ?? 0,
      bytes: await databaseBytes(database),
    })),
  );
}

async function countUnfinished(
  day: number,
  maxPages: number,
  { env, shards }: Invocation,
): Promise<{ objects: number; pages: number; isComplete: boolean }> {
  const prefix = `${RAW_PREFIX}${datePath(day * SECONDS_PER_DAY)}/`;
  let objects = 0;
  let after: string | undefined = "";
  for (let pages = 0; pages < maxPages; pages++) {
    const page: Awaited<ReturnType<typeof listObjects>> = await listObjects(env, { prefix, after });
    objects += (await withoutOutcome(page.objects, shards)).length;
    if (page.next === undefined) return { objects, pages: pages + 1, isComplete: true };
    after = page.next;
  }
  return { objects, pages: maxPages, isComplete: false };
}
