/** How the waiting for the pipeline ends, with a stack that answers as a test wants. */
import { describe, expect, test } from "vitest";
import type { Status } from "../../cli/client.ts";
import { CommandError, UnavailableError } from "../../cli/command-error.ts";
import { waitUntilDone } from "../../cli/wait.ts";

const BOUNDS = { timeoutSeconds: 20, goneSeconds: 0.6, stillSeconds: 0.6 };

function statusOf(unfinished: number, messages: number): Status {
  const queues = [{ queue: "dmarc-reports", messages, bytes: 0, oldestSeconds: 0 }];
  return {
    queues,
    unfinished,
    unfinishedDays: [],
    runningAgain: 0,
    reportsWithDueSlices: 0,
    databases: [],
    outcomes: null,
    parts: null,
  };
}

/** Answers one after the other, the last one for ever. */
function answering(...answers: (Status | Error)[]): () => Promise<Status> {
  let next = 0;
  return async () => {
    const answer = answers[Math.min(next++, answers.length - 1)] ?? statusOf(0, 0);
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

const gone = new UnavailableError("Nothing answers at http://127.0.0.1:1.", { isThere: false });
const starting = new UnavailableError("The Workers are being started.", { isThere: true });

describe("a wait", () => {
  test("ends when nothing is pending twice in a row", async () => {
    const read = answering(statusOf(2, 1), statusOf(0, 0), statusOf(1, 1), statusOf(0, 0));
    expect(await waitUntilDone(read, BOUNDS)).toEqual(statusOf(0, 0));
  });

  test("ends when its time is up", async () => {
    const waiting = waitUntilDone(answering(statusOf(3, 2)), { ...BOUNDS, timeoutSeconds: 0.5 });
    await expect(waiting).rejects.toThrow("Not done after 0.5 s: 3 unfinished, 2 in dmarc-reports.");
  });

  test("ends after the same time if the stack never answers", async () => {
    const hanging = (signal: AbortSignal): Promise<Status> =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(gone)));
    await expect(waitUntilDone(hanging, { ...BOUNDS, timeoutSeconds: 0.5 })).rejects.toBe(gone);
  });

  test("ends when the stack is gone, but not if it comes back in time", async () => {
    await expect(waitUntilDone(answering(gone), BOUNDS)).rejects.toBe(gone);
    await expect(waitUntilDone(answering(statusOf(1, 1), gone), BOUNDS)).rejects.toBe(gone);
    const back = answering(statusOf(1, 1), gone, gone, statusOf(0, 0));
    expect(await waitUntilDone(back, { ...BOUNDS, goneSeconds: 5 })).toEqual(statusOf(0, 0));
  });

  test("goes on if the first answer is that the stack is starting", async () => {
    const back = answering(starting, starting, statusOf(0, 0));
    expect(await waitUntilDone(back, { ...BOUNDS, goneSeconds: 5 })).toEqual(statusOf(0, 0));
    await expect(waitUntilDone(answering(starting), BOUNDS)).rejects.toBe(starting);
  });

  test("ends with advice when nothing changes and nothing is queued", async () => {
    const waiting = waitUntilDone(answering(statusOf(2, 1), statusOf(2, 0)), BOUNDS);
    await expect(waiting).rejects.toThrow(/^Nothing has changed for 0\.6 s.*2 unfinished.*dmarc reconcile/);
  });

  test("goes on while messages wait for their next attempt", async () => {
    const slow = Array.from({ length: 6 }, () => statusOf(2, 1));
    expect(await waitUntilDone(answering(...slow, statusOf(0, 0)), BOUNDS)).toEqual(statusOf(0, 0));
  });

  test("ends at once when it is refused", async () => {
    const refused = new CommandError("The API is for operators.");
    await expect(waitUntilDone(answering(statusOf(1, 1), refused), BOUNDS)).rejects.toBe(refused);
  });
});
