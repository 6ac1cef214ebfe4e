/**
 * The queue consumer: one batch is one invocation, with one write budget. Each message is acknowledged or retried by
 * itself, a few of them in work at once. Bad input is filed as a dead letter and acknowledged; a fault is retried with
 * backoff, and its error kept for the dead letter it may end in.
 */
import { PointBudget } from "../../shared/analytics/budget.ts";
import { BATCH_LIMITS } from "../../shared/limits.ts";
import { parseMessage, type QueueMessage } from "../../shared/messages.ts";
import { retryDelaySeconds } from "./backoff.ts";
import { clearLetter } from "./clearing.ts";
import type { JobContext, LogEntry, ProcessEnv } from "./env.ts";
import { fileExhausted, fileInvalid } from "./exhausted.ts";
import { clearFault, recordFault } from "./faults.ts";
import { finishReceipt } from "./finish.ts";
import { runJobPage } from "./jobs.ts";
import { writeSlice } from "./points.ts";
import { processReport } from "./report.ts";

const DEAD_LETTER_QUEUE = "dmarc-dead-letters";

/** The part of a MessageBatch that is used. */
export interface Batch {
  queue: string;
  messages: readonly Delivery[];
}

/** One message as the queue delivers it. */
export interface Delivery {
  body: unknown;
  attempts: number;
  timestamp: Date;
  ack(): void;
  retry(options: { delaySeconds: number }): void;
}

/** What is outside of the code: time, chance and the log. */
export interface Surroundings {
  nowMilliseconds(): number;
  /** In [0, 1). */
  random(): number;
  log(line: string): void;
}

/** Works off one batch; never throws. */
export async function consumeBatch(batch: Batch, env: ProcessEnv, surroundings: Surroundings): Promise<void> {
  const budget = new PointBudget();
  const waiting = [...batch.messages];
  const worker = async (): Promise<void> => {
    for (let delivery = waiting.shift(); delivery !== undefined; delivery = waiting.shift()) {
      await consume(delivery, { queue: batch.queue, env, budget, surroundings });
    }
  };
  await Promise.all(Array.from({ length: BATCH_LIMITS.maxConcurrentMessages }, worker));
}

interface Invocation {
  queue: string;
  env: ProcessEnv;
  budget: PointBudget;
  surroundings: Surroundings;
}

async function consume(delivery: Delivery, { queue, env, budget, surroundings }: Invocation): Promise<void> {
  const { attempts } = delivery;
  const startedMilliseconds = surroundings.nowMilliseconds();
  const log = (entry: LogEntry): void => {
    const milliseconds = surroundings.nowMilliseconds() - startedMilliseconds;
    surroundings.log(JSON.stringify({ ...entry, attempts, milliseconds }));
  };
  const context: JobContext = {
    env,
    budget,
    nowSeconds: Math.floor(startedMilliseconds / 1000),
    attempts,
    sentSeconds: Math.floor(delivery.timestamp.getTime() / 1000),
  };
  try {
    log(await run(delivery.body, queue, context));
    if (attempts > 1 && queue !== DEAD_LETTER_QUEUE) await clearFault(env, delivery.body);
    delivery.ack();
  } catch (error) {
    const delaySeconds = retryDelaySeconds(attempts, Number(env.RETRY_BASE_SECONDS), surroundings.random());
    log({ event: "fault", queue, error: String(error), delaySeconds });
    // In the dead letter queue the error that brought the message there is the one to keep.
    if (queue !== DEAD_LETTER_QUEUE) await recordFault(context, delivery.body, error);
    delivery.retry({ delaySeconds });
  }
}

async function run(body: unknown, queue: string, context: JobContext): Promise<LogEntry> {
  if (queue === DEAD_LETTER_QUEUE) return fileExhausted(body, context);
  const parsed = parseMessage(body);
  if (!parsed.ok) return fileInvalid(body, parsed.error, context);
  const entry = await runJob(parsed.value, context);
  // A report's receipt tells which dead letters it clears; other messages name theirs.
  if ("deadLetterId" in parsed.value && parsed.value.deadLetterId !== undefined) {
    await clearLetter(parsed.value.deadLetterId, context);
  }
  return entry;
}

function runJob(message: QueueMessage, context: JobContext): Promise<LogEntry> {
  switch (message.kind) {
    case "report":
      return processReport(message, context);
    case "points":
      return writeSlice(message, context);
    case "finish":
      return finishReceipt(message, context);
    case "job":
      return runJobPage(message, context);
  }
}
