/**
 * Waits until the pipeline has processed everything. Always ends: when that is done, when the time is up, when the
 * stack is gone, or when there is no more progress.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isIdle } from "../shared/operations.ts";
import type { Status } from "./client.ts";
import { CommandError, UnavailableError } from "./command-error.ts";

export interface WaitBounds {
  /** How long to wait at most. */
  timeoutSeconds: number;
  /** How long the stack may be unreachable; a local one is back within seconds after restarting its Workers. */
  goneSeconds: number;
  /** How long there may be no progress while the queues are empty. */
  stillSeconds: number;
}

/** Ours. The longest wait between two attempts of a message is 128 s locally, and such a message is in its queue. */
export const WAIT_BOUNDS = { goneSeconds: 30, stillSeconds: 120 };

/** Between two polls; locally a batch is delivered after 0.2 s. */
const POLL_MS = 250;
/** A single poll is not enough: see isIdle. */
const QUIET_LOOKS = 2;
/** Poll at least once, however short the time. */
const MIN_LOOK_MS = 3000;

/**
 * Resolves with the last status when everything has been processed.
 *
 * @param readStatus reads the status, aborted by the signal
 * @throws CommandError with a sentence when waiting ended otherwise
 */
export async function waitUntilDone(
  readStatus: (signal: AbortSignal) => Promise<Status>,
  bounds: WaitBounds,
): Promise<Status> {
  const deadline = performance.now() + bounds.timeoutSeconds * 1000;
  let quiet = 0;
  let last: Status | undefined;
  let answeredAt = performance.now();
  let movedAt = answeredAt;
  for (;;) {
    const status = await readOrMiss(readStatus, { deadline, isFirst: last === undefined });
    const now = performance.now();
    if ("missed" in status) {
      if (now - answeredAt > bounds.goneSeconds * 1000) throw status.missed;
    } else {
      answeredAt = now;
      if (last === undefined || hasMoved(last, status)) movedAt = now;
      last = status;
      quiet = isIdle(status) ? quiet + 1 : 0;
      if (quiet >= QUIET_LOOKS) return status;
      if (!isWaiting(status) && now - movedAt > bounds.stillSeconds * 1000) throw stillError(status, bounds);
    }
    if (now > deadline) throw timeoutError(last, bounds);
    await sleep(POLL_MS);
  }
}

interface Look {
  /** By performance.now(). */
  deadline: number;
  /** If the stack is unreachable from the start, do not wait for it. */
  isFirst: boolean;
}

async function readOrMiss(
  readStatus: (signal: AbortSignal) => Promise<Status>,
  { deadline, isFirst }: Look,
): Promise<Status | { missed: UnavailableError }> {
  try {
    const restMilliseconds = Math.max(MIN_LOOK_MS, Math.ceil(deadline - performance.now()));
    return await readStatus(AbortSignal.timeout(restMilliseconds));
  } catch (error) {
    if (!(error instanceof UnavailableError) || (isFirst && !error.isThere)) throw error;
    return { missed: error };
  }
}

function isWaiting({ queues }: Status): boolean {
  return queues.some(({ messages }) => messages > 0);
}

function hasMoved(before: Status, after: Status): boolean {
  const figures = ({ unfinished, queues, outcomes }: Status): string =>
    JSON.stringify([unfinished, queues.map(({ messages }) => messages), outcomes]);
  return figures(before) !== figures(after);
}

function timeoutError(last: Status | undefined, { timeoutSeconds }: WaitBounds): CommandError {
  return new CommandError(`Not done after ${timeoutSeconds} s: ${last === undefined ? "no answer" : render(last)}.`);
}

function stillError(status: Status, { stillSeconds }: WaitBounds): CommandError {
  return new CommandError(
    `Nothing has changed for ${stillSeconds} s, and no queue holds a message: ${render(status)}. dmarc reconcile ` +
      "enqueues unfinished files again.",
  );
}

function render({ queues, unfinished }: Status): string {
  return [`${unfinished} unfinished`, ...queues.map(({ queue, messages }) => `${messages} in ${queue}`)].join(", ");
}
