/**
 * Messages of a job that was cancelled since it sent them: they are acknowledged without a look at their objects, and
 * counted. One query of the ledger tells for a whole batch.
 */
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { findCancelled, putSkipped } from "../../shared/ledger/jobs.ts";
import { logEntry, mayHaveWritten, type Task } from "./report-task.ts";

/**
 * Ends the tasks of cancelled jobs. One that was delivered before, and not skipped then, is run all the same: what it may
 * have written of the job's generation must not stay without the ledger knowing of it.
 *
 * @throws nothing: a fault is the ending of the tasks it is about
 */
export async function skipCancelled(tasks: readonly Task[], directory: LedgerDatabase): Promise<void> {
  const ofJobs = tasks.flatMap((task) => {
    const { jobId, key: rawKey } = task.message;
    return jobId === undefined ? [] : [{ task, jobId, rawKey }];
  });
  try {
    const cancelled = await findCancelled(directory, ofJobs);
    const skipped = ofJobs.filter(({ task, jobId, rawKey }) => {
      const found = cancelled.find((one) => one.jobId === jobId && one.rawKey === rawKey);
      return found !== undefined && (found.isSkipped || !mayHaveWritten(task));
    });
    await putSkipped(directory, skipped);
    for (const { task } of skipped) task.ending = { entry: logEntry(task.message, "job was cancelled") };
  } catch (error) {
    for (const { task } of ofJobs) task.ending = { error };
  }
}
