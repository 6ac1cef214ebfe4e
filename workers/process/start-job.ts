/** Starts jobs, on request and by the clock. */
import { createJob, type Job, type JobFilter } from "../../shared/ledger/jobs.ts";
import type { JobRequest, OperationRefused } from "../../shared/operations.ts";
import { parseDay } from "../../shared/report-day.ts";
import { RAW_PREFIX } from "../../shared/storage.ts";
import type { Invocation } from "./env.ts";
import { sendPage } from "./kinds/job.ts";

/** What a start needs beside the request. */
export interface JobStart {
  kind: Job["kind"];
  /** Tells jobs of the same second apart, in [0, 1). */
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
  const time = new Date(nowSeconds * 1000).toISOString().replace(/\D/g, "").slice(0, 14);
  const suffix = Math.floor(random * 0x1_0000_0000)
    .toString(16)
    .padStart(8, "0");
  const job: Job = {
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
    graceSeconds,
    startedSeconds: nowSeconds,
    updatedSeconds: nowSeconds,
  };
  await createJob(shards.directory, job);
  await sendPage(env, job);
  return job;
}

/** @returns what is wrong with a request, as a sentence */
function checkRequest(kind: Job["kind"], { key, prefix, domain, since, until }: JobFilter): string | undefined {
  for (const day of [since, until]) {
    if (day !== undefined && parseDay(day) === undefined) return `'${day}' is not a day; it has to be YYYY-MM-DD.`;
  }
  const places = [key, prefix, domain].filter((place) => place !== undefined);
  if (kind === "reconcile" && places.length > 0) return "A reconcile job takes days only.";
  if (places.length > 1) return "Give one of key, prefix and domain.";
  for (const path of [key, prefix]) {
    if (path !== undefined && !path.startsWith(RAW_PREFIX)) return `'${path}' does not begin with ${RAW_PREFIX}.`;
  }
  return domain === "" ? "The domain is empty." : undefined;
}
