/** A queue message as it was delivered, and how its processing ended. Types only. */
import type { LogEntry } from "./env.ts";

/** A validated message as the queue delivered it. */
export interface Received<Message> {
  message: Message;
  /** Deliveries so far, this one included. */
  attempts: number;
  /** When the message was sent; the same for every delivery. */
  sentSeconds: number;
}

/** How processing a message ended: done, with a log entry, or in a fault, to be retried. */
export type Ending = { entry: LogEntry } | { error: unknown };
