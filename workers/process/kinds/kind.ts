/**
 * A kind of queue message: how it is processed, what to do when its retries are exhausted, and how to retry its dead
 * letters.
 */
import type { DeadLetterRow } from "../../../shared/ledger/dead-letters.ts";
import type { QueueMessage } from "../../../shared/messages.ts";
import type { OperationRefused } from "../../../shared/operations.ts";
import type { Invocation, LogEntry } from "../env.ts";
import type { Ending, Received } from "../received.ts";

export interface MessageKind<Message> {
  /**
   * Processes the messages of one batch.
   *
   * @returns their endings, in the same order;
   * @throws a fault that affects all of them
   */
  run(received: Received<Message>[], invocation: Invocation): Promise<Ending[]>;
  /** Files a message that the platform gave up on, with its last error as a sentence. */
  fileExhausted(received: Received<Message>, lastError: string, invocation: Invocation): Promise<LogEntry>;
  /** The message that retries a dead letter. */
  again(message: Message, deadLetter: DeadLetterRow, invocation: Invocation): Promise<QueueMessage | OperationRefused>;
}

/** Processes messages one by one, for kinds that gain nothing from batching. */
export async function runEach<Message>(
  received: Received<Message>[],
  run: (received: Received<Message>) => Promise<LogEntry>,
): Promise<Ending[]> {
  const endings: Ending[] = [];
  for (const one of received) {
    try {
      endings.push({ entry: await run(one) });
    } catch (error) {
      endings.push({ error });
    }
  }
  return endings;
}
