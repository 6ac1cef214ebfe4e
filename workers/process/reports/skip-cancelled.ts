/**
 * Skips messages whose job was cancelled after it sent them: they are acknowledged and counted without reading their
 * objects. One query covers a whole batch.
 */
import type { LedgerDatabase } from "../../../shared/ledger/database.ts";
import { findCancelled, putSkipped } from "../../../shared/ledger/jobs.ts";
import { logEntry, mayHaveWritten, type Task } from "./task.ts";

/**
 * Ends the tasks of cancelled jobs. A message that was delivered before and not skipped then is still run: points it may
 * have written under the job's generation must be matched by a commit.
 *
 * @throws nothing: a fault becomes the ending of the tasks it concerns
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
