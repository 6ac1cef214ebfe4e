/**
 * `job`: do one page of a reprocess or reconcile job, then send the message for the next. The ledger holds a job's
 * progress: a page counts only if the job's row still has the version that was read, so neither a redelivery nor a
 * racing duplicate counts anything twice. Cancelling it, or removing the row, ends the job; the reports a cancelled job
 * has already sent are skipped (skip-cancelled.ts).
 */
import { change, type LedgerDatabase } from "../../../shared/ledger/database.ts";
import { findJob, type Job, updateJob } from "../../../shared/ledger/jobs.ts";
import type { JobMessage, ReportMessage } from "../../../shared/messages.ts";
import { queueBatches } from "../../../shared/queue-batches.ts";
import type { Invocation, LogEntry, ProcessEnv } from "../env.ts";
import { jobPage } from "../jobs/job-pages.ts";
import { sendPage } from "../jobs/start-job.ts";
import type { Received } from "../received.ts";
import {
  clearedEvents,
  exhausted,
  fileFailure,
  findDeadLettersAnywhere,
  removeDeadLettersAnywhere,
} from "../reports/dead-letters.ts";
import { writeEvents } from "../reports/points.ts";
import { type MessageKind, runEach } from "./kind.ts";

export const jobKind: MessageKind<JobMessage> = {
  run: (received, invocation) => runEach(received, (one) => runPage(one, invocation)),

  fileExhausted: (received, lastError, invocation) => fileFailure(exhausted(received, lastError), {}, invocation),

  async again(message, { id }) {
    return { ...message, deadLetterId: id };
  },
};

async function runPage({ message, attempts }: Received<JobMessage>, invocation: Invocation): Promise<LogEntry> {
  const { jobId, page, deadLetterId } = message;
  const entry = await doPage(message, invocation);
  const filed = await findDeadLettersAnywhere(deadLetterId === undefined ? [] : [deadLetterId], invocation);
  const origin = { key: "", reportUid: deadLetterId ?? "", generation: 1, receivedSeconds: invocation.nowSeconds };
  await writeEvents(clearedEvents(filed, attempts), origin, invocation);
  await removeDeadLettersAnywhere(filed);
  return { event: "job", jobId, page, ...entry };
}

async function doPage({ jobId, page }: JobMessage, invocation: Invocation): Promise<LogEntry> {
  const { env, shards, nowSeconds } = invocation;
  // All jobs are kept in the first database.
  const ledger = shards.directory;
  const job = await findJob(ledger, jobId);
  if (job === undefined) return { outcome: "job was removed" };
  if (job.state === "cancelled") return { outcome: "job was cancelled" };
  if (page < job.pages) return { outcome: "already_done" };
  // The previous page's message sent this one but has not counted yet, or will be delivered again.
  if (page > job.pages) throw new Error(`Page ${page} of job ${jobId} comes too early.`);
  const found = await jobPage(job, invocation);
  if (!job.dryRun) {
    await enqueueReports(env, found.messages);
    for (const { place, changes } of found.whenEnqueued) await change(place.ledger, changes);
  }
  const next: Job = {
    ...job,
    // What was forgotten is not named any more.
    filter: job.kind === "forget" && found.cursor === undefined ? {} : job.filter,
    state: found.cursor === undefined ? "done" : "running",
    pages: page + 1,
    cursor: found.cursor ?? "",
    scanned: job.scanned + found.scanned,
    enqueued: job.enqueued + found.messages.length,
    removed: job.removed + (found.removed ?? 0),
    updatedSeconds: nowSeconds,
  };
  // Sent before counting: a page delivered twice or late has nothing left to do, so chains cannot multiply.
  if (next.state === "running") await sendPage(env, next, found.delaySeconds);
  const isWritten = (await updateJob(ledger, next)) || (await countCancelled(ledger, next));
  const { kind, state, scanned, enqueued } = next;
  return { kind, outcome: isWritten ? state : "already_done", scanned, enqueued };
}

/**
 * Counts a page that was enqueued while the job was being cancelled, so that `skipped` never exceeds `enqueued`.
 *
 * @returns false when the page was counted before, or the job has been removed
 */
async function countCancelled(ledger: LedgerDatabase, { id, ...next }: Job): Promise<boolean> {
  const job = await findJob(ledger, id);
  if (job?.state !== "cancelled" || job.pages >= next.pages) return false;
  const { pages, cursor, scanned, enqueued } = next;
  return updateJob(ledger, { ...job, pages, cursor, scanned, enqueued });
}

/** Enqueues reports, as many per call as Queues accepts. */
async function enqueueReports(env: ProcessEnv, messages: readonly ReportMessage[]): Promise<void> {
  for (const batch of queueBatches(messages)) await env.QUEUE_REPORTS.sendBatch(batch);
}
