/**
 * Jobs: reprocess and reconcile go through R2 a page a message. The message names the job and the page; how far the job
 * is stands in R2. A page is counted when the job's object is written over the one that was read, so a redelivery, or a
 * duplicate racing it, counts nothing twice and goes on where it was. Removing the object ends the job.
 */
import { PAGE_LIMITS, QUEUE_LIMITS } from "../../shared/limits.ts";
import type { JobMessage, ReportMessage } from "../../shared/messages.ts";
import type { JobRequest, OperationRefused } from "../../shared/operations.ts";
import { isoDate, JOB_PREFIX, type Job, jobKey, RAW_PREFIX } from "../../shared/storage.ts";
import type { JobContext, LogEntry, ProcessEnv } from "./env.ts";
import { type JobPage, listLedgerPage, listRawPage, listUnfinishedPage } from "./job-pages.ts";

/** Starts a job. @param random tells jobs of the same second apart, in [0, 1) */
export async function startJob(
  kind: Job["kind"],
  { filter = {}, dryRun = false }: JobRequest,
  { env, nowSeconds, random }: { env: ProcessEnv; nowSeconds: number; random: number },
): Promise<Job | OperationRefused> {
  const refused = checkRequest(kind, filter);
  if (refused !== undefined) return { refused };
  const time = new Date(nowSeconds * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
  const id = `${time}-${Math.floor(random * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0")}`;
  const job: Job = {
    ...{ v: 1, id, kind, filter, dryRun, generation: nowSeconds, state: "running", pages: 0, cursor: "" },
    ...{ scanned: 0, enqueued: 0, startedSeconds: nowSeconds, updatedSeconds: nowSeconds },
  };
  await env.R2_DMARC_REPORTS.put(jobKey(id), JSON.stringify(job));
  await sendPage(env, job);
  return job;
}

/** Does one page of a job, then sends itself for the next. */
export async function runJobPage({ jobId, page }: JobMessage, context: JobContext): Promise<LogEntry> {
  const { env } = context;
  const bucket = env.R2_DMARC_REPORTS;
  const stored = await bucket.get(jobKey(jobId));
  if (stored === null) return { event: "job", jobId, page, outcome: "job was removed" };
  const job = await stored.json<Job>();
  if (page < job.pages) return { event: "job", jobId, page, outcome: "already_done" };
  // The message of the page before sent this one and has still to count, or will be delivered again.
  if (page > job.pages) throw new Error(`Page ${page} of job ${jobId} comes too early.`);
  const found = await listPage(env, job);
  if (!job.dryRun) await enqueue(env, found.messages);
  const next: Job = {
    ...job,
    state: found.cursor === undefined ? "done" : "running",
    pages: page + 1,
    cursor: found.cursor ?? "",
    scanned: job.scanned + found.scanned,
    enqueued: job.enqueued + found.messages.length,
    updatedSeconds: context.nowSeconds,
  };
  // Sent before it is counted: a page delivered twice or late has nothing left to do, so chains cannot multiply.
  if (next.state === "running") await sendPage(env, next);
  const written = await bucket.put(jobKey(jobId), JSON.stringify(next), { onlyIf: { etagMatches: stored.etag } });
  const { kind, state, scanned, enqueued } = next;
  const outcome = written === null ? "already_done" : state;
  return { event: "job", jobId, page, kind, outcome, scanned, enqueued };
}

/** The newest jobs, newest first. */
export async function listJobs(bucket: R2Bucket): Promise<Job[]> {
  const keys: string[] = [];
  let startAfter: string | undefined;
  do {
    const page = await bucket.list({ prefix: JOB_PREFIX, ...(startAfter === undefined ? {} : { startAfter }) });
    keys.push(...page.objects.map(({ key }) => key));
    startAfter = page.truncated ? keys.at(-1) : undefined;
  } while (startAfter !== undefined);
  const jobs: Job[] = [];
  for (const key of keys.reverse().slice(0, PAGE_LIMITS.jobs)) {
    const stored = await bucket.get(key);
    if (stored !== null) jobs.push(await stored.json<Job>());
  }
  return jobs;
}

/** undefined when there is no such job. */
export async function getJob(bucket: R2Bucket, id: string): Promise<Job | undefined> {
  const stored = /^\d{14}-[0-9a-f]{8}$/.test(id) ? await bucket.get(jobKey(id)) : null;
  return stored === null ? undefined : stored.json<Job>();
}

/** Enqueues reports, as many a call as Queues takes. */
export async function enqueue(env: ProcessEnv, messages: ReportMessage[]): Promise<void> {
  for (let i = 0; i < messages.length; i += QUEUE_LIMITS.maxBatchMessages) {
    const batch = messages.slice(i, i + QUEUE_LIMITS.maxBatchMessages);
    await env.QUEUE_REPORTS.sendBatch(batch.map((body) => ({ body })));
  }
}

function listPage(env: ProcessEnv, job: Job): Promise<JobPage> {
  if (job.kind === "reconcile") return listUnfinishedPage(env, job);
  return job.filter.domain === undefined ? listRawPage(env, job) : listLedgerPage(env, job);
}

async function sendPage(env: ProcessEnv, { id, pages }: Job): Promise<void> {
  const message: JobMessage = { v: 1, kind: "job", jobId: id, page: pages };
  await env.QUEUE_REPORTS.send(message);
}

/** @returns what is wrong with a request, as a sentence */
function checkRequest(kind: Job["kind"], { key, prefix, domain, since, until }: Job["filter"]): string | undefined {
  for (const day of [since, until]) {
    if (day !== undefined && !isDay(day)) return `'${day}' is not a day; it has to be YYYY-MM-DD.`;
  }
  const places = [key, prefix, domain].filter((place) => place !== undefined);
  if (kind === "reconcile" && places.length > 0) return "A reconcile job takes days only.";
  if (places.length > 1) return "Give one of key, prefix and domain.";
  for (const path of [key, prefix]) {
    if (path !== undefined && !path.startsWith(RAW_PREFIX)) return `'${path}' does not begin with ${RAW_PREFIX}.`;
  }
  return domain === "" ? "The domain is empty." : undefined;
}

/** Whether a text is a day of the calendar as `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  const milliseconds = Date.parse(`${text}T00:00:00Z`);
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(milliseconds) && isoDate(milliseconds / 1000) === text;
}
