/** Reprocess, reconcile and forget jobs: their filter and progress. */
import * as v from "valibot";
import { PAGE_LIMITS } from "../limits.ts";
import { ask, type Change, change, jsonColumn, knows, type LedgerDatabase, type Query, query } from "./database.ts";
import { objectHash, objectsRunAgainQuery } from "./objects.ts";
import { askAll } from "./shards.ts";

/** The raw objects a job covers; all given fields must match. Days are `YYYY-MM-DD`, UTC, when the mail arrived. */
const jobFilter = v.object({
  /** One raw key. */
  key: v.optional(v.string()),
  /** Prefix of raw keys, such as `raw/2026/11/`. */
  prefix: v.optional(v.string()),
  /** Policy domain: objects with accepted reports about it, according to the ledger. */
  domain: v.optional(v.string()),
  /** First and last day, both included. */
  since: v.optional(v.string()),
  until: v.optional(v.string()),
  /** Of `forget`, while it runs: the account. */
  account: v.optional(v.string()),
});

export type JobFilter = v.InferOutput<typeof jobFilter>;

export const JOB_KINDS = ["reprocess", "reconcile", "forget"] as const;

/** cancelled: a person ended it; files it had enqueued that were not read yet are skipped. */
export const JOB_STATES = ["running", "done", "cancelled"] as const;

export type JobState = (typeof JOB_STATES)[number];

const body = v.object({
  filter: jobFilter,
  dryRun: v.boolean(),
  generation: v.number(),
  pages: v.number(),
  cursor: v.string(),
  scanned: v.number(),
  enqueued: v.number(),
  graceSeconds: v.number(),
  total: v.optional(v.number(), 0),
  removed: v.optional(v.number(), 0),
});

/** A job that goes through raw objects, one page per message. */
export interface Job {
  id: string;
  kind: (typeof JOB_KINDS)[number];
  state: JobState;
  /** Rises with every page. */
  version: number;
  filter: JobFilter;
  dryRun: boolean;
  /** The generation of everything it reruns: the second the job was started. */
  generation: number;
  /** Pages finished. */
  pages: number;
  /** The start of the next page; "" = the beginning. */
  cursor: string;
  /** Keys scanned, and reports enqueued (in a dry run: that would be). */
  scanned: number;
  enqueued: number;
  /** Raw objects and rows that a `forget` job has removed. */
  removed: number;
  /** Objects a cancelled job had enqueued and that were not read. */
  skipped: number;
  /** Roughly how many raw objects it covers, according to the ledger; 0 = unknown. */
  total: number;
  /** For reconcile: objects younger than this are left alone, seconds. */
  graceSeconds: number;
  startedSeconds: number;
  updatedSeconds: number;
}

const row = v.pipe(
  v.object({
    id: v.string(),
    kind: v.picklist(JOB_KINDS),
    state: v.picklist(JOB_STATES),
    version: v.number(),
    startedSeconds: v.number(),
    updatedSeconds: v.number(),
    skipped: v.number(),
    job: jsonColumn(body),
  }),
  v.transform(({ job, ...columns }): Job => ({ ...columns, ...job })),
);

/** The condition that this version knows what a job does. */
const KNOWS_JOB = `${knows("kind", JOB_KINDS)} AND ${knows("state", JOB_STATES)}`;

const COLUMNS = `id, kind, state, version, started_seconds AS startedSeconds, updated_seconds AS updatedSeconds,
  (SELECT count(*) FROM skipped_objects s WHERE s.job_id = jobs.id) AS skipped, job`;

function bodyOf(job: Job): string {
  const { filter, dryRun, generation, pages, cursor, scanned, enqueued, graceSeconds, total, removed } = job;
  return JSON.stringify({ filter, dryRun, generation, pages, cursor, scanned, enqueued, graceSeconds, total, removed });
}

/** Writes a new job. */
export async function createJob(database: LedgerDatabase, job: Job): Promise<void> {
  const { id, kind, state, version, startedSeconds, updatedSeconds } = job;
  await ask(
    database,
    query(
      `INSERT INTO jobs (id, kind, state, version, started_seconds, updated_seconds, job)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING`,
      [id, kind, state, version, startedSeconds, updatedSeconds, bodyOf(job)],
      v.unknown(),
    ),
  );
}

/**
 * Stores a job's progress if its row still has the version that was read.
 *
 * @returns false when another delivery of its message was faster, or the job has been removed
 */
export async function updateJob(database: LedgerDatabase, job: Job): Promise<boolean> {
  const { id, state, version, updatedSeconds } = job;
  const written = await ask(
    database,
    query(
      `UPDATE jobs SET state = ?2, version = ?3 + 1, updated_seconds = ?4, job = ?5
      WHERE id = ?1 AND version = ?3 RETURNING id`,
      [id, state, version, updatedSeconds, bodyOf(job)],
      v.object({ id: v.string() }),
    ),
  );
  return written.length > 0;
}

/** One job; no row when there is none. */
export function jobQuery(id: string): Query<Job> {
  return query(`SELECT ${COLUMNS} FROM jobs WHERE id = ?1`, [id], row);
}

/** @returns undefined when there is none */
export async function findJob(database: LedgerDatabase, id: string): Promise<Job | undefined> {
  const [job] = await ask(database, jobQuery(id));
  return job;
}

/** The newest jobs, newest first. */
export function newestJobsQuery(limit: number): Query<Job> {
  return query(`SELECT ${COLUMNS} FROM jobs WHERE ${KNOWS_JOB} ORDER BY id DESC LIMIT ?1`, [limit], row);
}

/** A job, and how many of the objects it enqueued have been processed; undefined if unknown. */
export interface FollowedJob extends Job {
  finished: number | undefined;
}

/** Ours: a day after its last page, the progress of a job is of no interest any more. */
const KNOWN_FOR_SECONDS = 86_400;

/**
 * Adds progress to the newest reprocess jobs, from the generation of their objects. Objects rerun later count, too.
 */
export async function followJobs(
  databases: readonly LedgerDatabase[],
  jobs: readonly Job[],
  nowSeconds: number,
): Promise<FollowedJob[]> {
  const followed = jobs
    .filter(({ kind, dryRun, enqueued, updatedSeconds }) => {
      return kind === "reprocess" && !dryRun && enqueued > 0 && updatedSeconds > nowSeconds - KNOWN_FOR_SECONDS;
    })
    .slice(0, PAGE_LIMITS.jobsFollowed);
  const generations = [...new Set(followed.map(({ generation }) => generation))];
  const counted = generations.length === 0 ? [] : await askAll(databases, objectsRunAgainQuery(generations));
  return jobs.map((job): FollowedJob => {
    if (!followed.includes(job)) return { ...job, finished: undefined };
    const objects = counted
      .filter(({ generation }) => generation === job.generation)
      .reduce((sum, one) => sum + one.objects, 0);
    return { ...job, finished: Math.min(job.enqueued - job.skipped, objects) };
  });
}

/** Objects that jobs have enqueued and that are not finished yet. */
export function countRunningAgain(jobs: readonly FollowedJob[]): number {
  return jobs.reduce(
    (sum, { enqueued, finished, skipped }) => sum + (finished === undefined ? 0 : enqueued - finished - skipped),
    0,
  );
}

/** An object enqueued by a job. */
interface SentObject {
  jobId: string;
  rawKey: string;
}

/** The objects whose job has been cancelled, and whether each has been recorded as skipped before. */
export async function findCancelled(
  directory: LedgerDatabase,
  objects: readonly SentObject[],
): Promise<(SentObject & { isSkipped: boolean })[]> {
  if (objects.length === 0) return [];
  const cancelled = query(
    `SELECT w.value ->> 0 AS jobId, w.value ->> 2 AS rawKey, EXISTS (SELECT 1 FROM skipped_objects s
        WHERE s.job_id = w.value ->> 0 AND s.object_hash = unhex(w.value ->> 1)) AS isSkipped
    FROM json_each(?1) w JOIN jobs ON jobs.id = w.value ->> 0 WHERE jobs.state = 'cancelled'`,
    [JSON.stringify(await Promise.all(objects.map(named)))],
    v.object({
      jobId: v.string(),
      rawKey: v.string(),
      isSkipped: v.pipe(
        v.number(),
        v.transform((value) => value === 1),
      ),
    }),
  );
  return ask(directory, cancelled);
}

/** Records objects of cancelled jobs as skipped; recording one again changes nothing. */
export async function putSkipped(directory: LedgerDatabase, objects: readonly SentObject[]): Promise<void> {
  if (objects.length === 0) return;
  await change(directory, [
    {
      sql: `INSERT INTO skipped_objects (job_id, object_hash) SELECT value ->> 0, unhex(value ->> 1)
        FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING`,
      parameters: [JSON.stringify(await Promise.all(objects.map(named)))],
    },
  ]);
}

async function named({ jobId, rawKey }: SentObject): Promise<[string, string, string]> {
  return [jobId, await objectHash(rawKey), rawKey];
}

/** The running job that forgets an account; undefined if there is none. */
export async function findForgetting(directory: LedgerDatabase, account: string): Promise<Job | undefined> {
  const sql = `SELECT ${COLUMNS} FROM jobs WHERE kind = 'forget' AND state = 'running' AND job ->> '$.filter.account' = ?1`;
  const [job] = await ask(directory, query(sql, [account], row));
  return job;
}

/** Removes up to `limit` objects that old cancelled jobs skipped. @returns how many rows were removed */
export async function removeOldSkipped(
  directory: LedgerDatabase,
  { beforeSeconds, limit }: { beforeSeconds: number; limit: number },
): Promise<number> {
  const [removed] = await change(directory, [
    {
      sql: `DELETE FROM skipped_objects WHERE (job_id, object_hash) IN (SELECT s.job_id, s.object_hash
        FROM skipped_objects s LEFT JOIN jobs j ON j.id = s.job_id
        WHERE j.id IS NULL OR (j.state <> 'running' AND j.updated_seconds < ?1) LIMIT ?2) RETURNING 1 AS gone`,
      parameters: [beforeSeconds, limit],
    },
  ]);
  return removed?.results.length ?? 0;
}

/** Removes jobs that ended before a time, once what they skipped has been removed. */
export function removeOldJobs(beforeSeconds: number): Change {
  return {
    sql: `DELETE FROM jobs WHERE state <> 'running' AND updated_seconds < ?1
      AND NOT EXISTS (SELECT 1 FROM skipped_objects s WHERE s.job_id = jobs.id)`,
    parameters: [beforeSeconds],
  };
}
