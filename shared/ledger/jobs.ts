/** Reprocess and reconcile jobs: what they are about and how far they are. */
import * as v from "valibot";
import { PAGE_LIMITS } from "../limits.ts";
import { ask, change, jsonColumn, type LedgerDatabase, type Query, query } from "./database.ts";
import { objectHash, objectsRunAgainQuery } from "./objects.ts";
import { askAll } from "./shards.ts";

/** Which raw objects a job is about; all fields given must hold. Days are `YYYY-MM-DD`, UTC, when the mail arrived. */
const jobFilter = v.object({
  /** One raw key. */
  key: v.optional(v.string()),
  /** Start of raw keys, such as `raw/2026/11/`. */
  prefix: v.optional(v.string()),
  /** Policy domain: reports accepted about it, found by the ledger. */
  domain: v.optional(v.string()),
  /** First and last day, both included. */
  since: v.optional(v.string()),
  until: v.optional(v.string()),
});

export type JobFilter = v.InferOutput<typeof jobFilter>;

export const JOB_KINDS = ["reprocess", "reconcile"] as const;

/** cancelled: a person ended it; what it had enqueued and nobody has looked at yet is skipped. */
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
});

/** A job that goes through what came in, a page a message. */
export interface Job {
  id: string;
  kind: (typeof JOB_KINDS)[number];
  state: JobState;
  /** Rises with every page. */
  version: number;
  filter: JobFilter;
  dryRun: boolean;
  /** Written to every point of a report it runs again: the second the job was started. */
  generation: number;
  /** Pages finished. */
  pages: number;
  /** Where the next page begins; "" = at the start. */
  cursor: string;
  /** Keys looked at, and reports enqueued (of a dry run: that would be). */
  scanned: number;
  enqueued: number;
  /** Of a cancelled one: objects that it had enqueued and that were not looked at. */
  skipped: number;
  /** About how many raw objects it is about, by the ledger; 0 = not known. */
  total: number;
  /** Of reconcile: what arrived less long ago is left alone, seconds. */
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

const COLUMNS = `id, kind, state, version, started_seconds AS startedSeconds, updated_seconds AS updatedSeconds,
  (SELECT count(*) FROM skipped_objects s WHERE s.job_id = jobs.id) AS skipped, job`;

function bodyOf({ filter, dryRun, generation, pages, cursor, scanned, enqueued, graceSeconds, total }: Job): string {
  return JSON.stringify({ filter, dryRun, generation, pages, cursor, scanned, enqueued, graceSeconds, total });
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
 * Writes how far a job is over the version it was read in.
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
  return query(`SELECT ${COLUMNS} FROM jobs ORDER BY id DESC LIMIT ?1`, [limit], row);
}

/** A job, and how many of the objects it enqueued have been run; undefined where that is not known. */
export interface FollowedJob extends Job {
  finished: number | undefined;
}

const KNOWN_FOR_SECONDS = 86_400;

/**
 * Tells how far jobs are: of the newest ones that run objects again, by the generation the objects were run in. What was
 * run again later counts too.
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

/** Objects that jobs have enqueued and that have not come to their end yet. */
export function countRunningAgain(jobs: readonly FollowedJob[]): number {
  return jobs.reduce(
    (sum, { enqueued, finished, skipped }) => sum + (finished === undefined ? 0 : enqueued - finished - skipped),
    0,
  );
}

/** An object that a job has sent. */
interface SentObject {
  jobId: string;
  rawKey: string;
}

/** Of objects that jobs have sent, those whose job has been cancelled, and whether each is noted as skipped already. */
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

/** Notes objects of cancelled jobs that were not looked at; noted again, they count once. */
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
