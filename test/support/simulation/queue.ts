/**
 * Support: a queue in memory: at least once, in any order, retries with a delay, then the dead letter queue. Limits of a
 * message and of a batch are enforced as Queues does.
 */
import { QUEUE_LIMITS } from "../../../shared/limits.ts";

export interface QueuedMessage {
  id: number;
  /** As JSON: what is enqueued cannot be changed afterwards. */
  body: string;
  attempts: number;
  sentMilliseconds: number;
  /** Not delivered before. */
  dueMilliseconds: number;
}

/** Messages waiting; a scheduler takes them out and puts back what was not acknowledged. */
export class MemoryQueue {
  readonly name: string;
  readonly messages: QueuedMessage[] = [];
  readonly #clock: { nowMilliseconds: number };
  #sent = 0;

  constructor(name: string, clock: { nowMilliseconds: number }) {
    this.name = name;
    this.#clock = clock;
  }

  async send(body: unknown, { delaySeconds = 0 }: { delaySeconds?: number } = {}): Promise<void> {
    if (delaySeconds > QUEUE_LIMITS.maxDelaySeconds) throw new Error(`A delay of ${delaySeconds} s is too long.`);
    const text = JSON.stringify(body);
    checkMessage(bytesOf(body));
    const now = this.#clock.nowMilliseconds;
    this.messages.push({
      id: ++this.#sent,
      body: text,
      attempts: 0,
      sentMilliseconds: now,
      dueMilliseconds: now + 1000 * delaySeconds,
    });
  }

  async sendBatch(batch: Iterable<{ body: unknown }>): Promise<void> {
    const bodies = [...batch].map(({ body }) => body);
    const sizes = bodies.map(bytesOf);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    if (bodies.length === 0) throw new TypeError("sendBatch() requires at least one message");
    if (bodies.length > QUEUE_LIMITS.maxBatchMessages)
      throw new Error(`A batch of ${bodies.length} is too many. (10206)`);
    // One that is too large refuses all of them.
    checkMessage(Math.max(...sizes));
    if (bytes > QUEUE_LIMITS.maxBatchBytes) {
      throw new Error(`batch size of ${bytes} bytes exceeds limit of ${QUEUE_LIMITS.maxBatchBytes} bytes (10205)`);
    }
    for (const body of bodies) await this.send(body);
  }

  /** Marks what waits. @returns what brings that back */
  mark(): () => void {
    const messages = [...this.messages];
    const sent = this.#sent;
    return () => {
      this.messages.splice(0, this.messages.length, ...messages);
      this.#sent = sent;
    };
  }

  async metrics() {
    const oldest = Math.min(...this.messages.map(({ sentMilliseconds }) => sentMilliseconds));
    return {
      backlogCount: this.messages.length,
      backlogBytes: this.messages.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
      oldestMessageTimestamp: this.messages.length === 0 ? undefined : new Date(oldest),
    };
  }

  /** Takes up to `count` messages that are due. `pick` chooses among `n`: 0 = first come, first served. */
  take(count: number, pick: (n: number) => number): QueuedMessage[] {
    const taken: QueuedMessage[] = [];
    while (taken.length < count) {
      const due = this.messages.filter(({ dueMilliseconds }) => dueMilliseconds <= this.#clock.nowMilliseconds);
      const chosen = due[pick(due.length)];
      if (chosen === undefined) break;
      this.messages.splice(this.messages.indexOf(chosen), 1);
      taken.push({ ...chosen, attempts: chosen.attempts + 1 });
    }
    return taken;
  }
}

function bytesOf(body: unknown): number {
  return Buffer.byteLength(JSON.stringify(body)) + QUEUE_LIMITS.metadataBytes;
}

function checkMessage(bytes: number): void {
  if (bytes > QUEUE_LIMITS.maxMessageBytes) throw new Error(`A message of ${bytes} bytes is too large. (10204)`);
}
