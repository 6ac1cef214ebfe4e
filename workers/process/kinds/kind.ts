/** What a kind of queue message has: how it is run, what it means when its retries are exhausted, how it is run again. */
import type { DeadLetterRow } from "../../../shared/ledger/dead-letters.ts";
import type { QueueMessage } from "../../../shared/messages.ts";
import type { OperationRefused } from "../../../shared/operations.ts";
import type { Invocation, LogEntry } from "../env.ts";

/** A validated message as the queue delivered it. */
export interface Received<Message> {
  message: Message;
  /** Deliveries so far, this one included. */
  attempts: number;
  /** When the message was sent; the same for every delivery. */
  sentSeconds: number;
}

/** How the work on a message ended: done, with what the log says of it, or in a fault that makes it due again. */
export type Ending = { entry: LogEntry } | { error: unknown };

export interface MessageKind<Message> {
  /** Runs the messages of one batch. @returns their endings, in the same order; @throws a fault that all of them share */
  run(received: Received<Message>[], invocation: Invocation): Promise<Ending[]>;
  /** What a message that the platform gave up leaves behind, its last error given as a sentence. */
  fileExhausted(received: Received<Message>, lastError: string, invocation: Invocation): Promise<LogEntry>;
  /** The message that does again what a dead letter is about. */
  again(message: Message, deadLetter: DeadLetterRow, invocation: Invocation): Promise<QueueMessage | OperationRefused>;
}

/** Runs messages one after the other, where they have nothing to gain from each other. */
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
