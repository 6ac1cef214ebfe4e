/**
 * The queue consumer: one batch is one invocation with one write budget. Messages are acknowledged or retried
 * individually. Bad input is filed as a dead letter and acknowledged; a fault is retried with backoff, and its error is
 * kept for the dead letter it may end in.
 */

import { delayAfterFault } from "../../shared/backoff.ts";
import { clearFaults, lastErrorOf, recordFault } from "../../shared/ledger/faults.ts";
import { parseMessage, type QueueMessage } from "../../shared/messages.ts";
import { type Invocation, type LogEntry, newInvocation, type ProcessEnv } from "./env.ts";
import { fileExhausted, runMessages } from "./kinds/table.ts";
import type { Ending, Received } from "./received.ts";
import { fileInvalid } from "./reports/dead-letters.ts";

/** How the queue's name ends; how it begins may be chosen when the pipeline is deployed. */
const DEAD_LETTER_QUEUE = "-dead-letters";

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

/** Time, chance and the log. */
export interface Host {
  nowMilliseconds(): number;
  /** In [0, 1). */
  random(): number;
  log(line: string): void;
}

/** Consumes one batch; never throws. */
export async function consumeBatch(batch: Batch, env: ProcessEnv, host: Host): Promise<void> {
  const startedMilliseconds = host.nowMilliseconds();
  const invocation = newInvocation(env, startedMilliseconds);
  const { directory } = invocation.shards;
  const isDeadLetters = batch.queue.endsWith(DEAD_LETTER_QUEUE);
  const endings = await (isDeadLetters ? fileBatch : runBatch)(batch.messages, invocation);
  const succeeded: unknown[] = [];
  const ordinary: LogEntry[] = [];
  for (const [delivery, ending] of endings) {
    const { attempts } = delivery;
    const milliseconds = host.nowMilliseconds() - startedMilliseconds;
    if ("entry" in ending) {
      if (attempts === 1 && isOrdinary(ending.entry)) ordinary.push(ending.entry);
      else host.log(JSON.stringify({ ...ending.entry, attempts, milliseconds }));
      if (attempts > 1 && !isDeadLetters) succeeded.push(delivery.body);
      delivery.ack();
      continue;
    }
    const { nowSeconds } = invocation;
    const times = { attempts, nowSeconds };
    const delaySeconds = delayAfterFault(ending.error, times, Number(env.RETRY_BASE_SECONDS), host.random());
    const error = String(ending.error);
    host.log(JSON.stringify({ event: "fault", queue: batch.queue, error, delaySeconds, attempts, milliseconds }));
    // In the dead letter queue, keep the error that brought the message there.
    if (!isDeadLetters) await recordFault(directory, delivery, ending.error, nowSeconds);
    delivery.retry({ delaySeconds });
  }
  if (ordinary.length > 0) {
    const milliseconds = host.nowMilliseconds() - startedMilliseconds;
    host.log(JSON.stringify({ ...inOneLine(ordinary), milliseconds }));
  }
  if (succeeded.length > 0) await clearFaults(directory, succeeded);
}

/** An object of which nothing but accepted reports came: nobody looks for it, and most are such. */
function isOrdinary({ event, outcome }: LogEntry): boolean {
  return event === "report" && outcome === "accepted";
}

/** One line for all ordinary objects of a batch, since each line costs; each is still found by its key. */
function inOneLine(entries: readonly LogEntry[]): LogEntry {
  const ruas = [...new Set(entries.map(({ rua }) => rua))];
  return { event: "report", outcome: "accepted", ruas, keys: entries.map(({ key }) => key) };
}

async function runBatch(messages: readonly Delivery[], invocation: Invocation): Promise<Map<Delivery, Ending>> {
  const endings = new Map<Delivery, Ending>();
  const valid = new Map<Delivery, Received<QueueMessage>>();
  for (const delivery of messages) {
    const parsed = parseMessage(delivery.body);
    if (parsed.ok) valid.set(delivery, receivedOf(delivery, parsed.value));
    else endings.set(delivery, await ending(() => fileInvalid(delivery, parsed.error, invocation)));
  }
  const ran = await runMessages([...valid.values()], invocation);
  for (const [delivery, received] of valid) {
    endings.set(delivery, ran.get(received) ?? { error: new Error("The message was not run.") });
  }
  return endings;
}

/** Files messages that the platform moved to the dead letter queue, with their last error. */
async function fileBatch(messages: readonly Delivery[], invocation: Invocation): Promise<Map<Delivery, Ending>> {
  const { directory } = invocation.shards;
  const endings = new Map<Delivery, Ending>();
  for (const delivery of messages) {
    const file = async (): Promise<LogEntry> => {
      const parsed = parseMessage(delivery.body);
      if (!parsed.ok) return fileInvalid(delivery, parsed.error, invocation);
      const lastError = await lastErrorOf(directory, delivery.body);
      const entry = await fileExhausted(receivedOf(delivery, parsed.value), lastError, invocation);
      await clearFaults(directory, [delivery.body]);
      return entry;
    };
    endings.set(delivery, await ending(file));
  }
  return endings;
}

async function ending(run: () => Promise<LogEntry>): Promise<Ending> {
  try {
    return { entry: await run() };
  } catch (error) {
    return { error };
  }
}

function receivedOf({ attempts, timestamp }: Delivery, message: QueueMessage): Received<QueueMessage> {
  return { message, attempts, sentSeconds: Math.floor(timestamp.getTime() / 1000) };
}
