/** A message about a raw object while it is processed, from delivery to commit. Pure. */
import type { ReadObject } from "../../../shared/batch/object.ts";
import type { ObjectHome } from "../../../shared/ledger/which-database.ts";
import type { CarriedObject, DeliveredReport, ReportMessage } from "../../../shared/messages.ts";
import type { ByteSource } from "../../../shared/report/source.ts";
import type { LogEntry } from "../env.ts";
import type { Ending, Received } from "../received.ts";

/** A message being processed. */
export interface Task extends Received<ReportMessage> {
  /** The raw object, if the message came with it. Only here: the message itself may be kept. */
  carried: CarriedObject | undefined;
  /** Which database it belongs to. */
  home: ObjectHome;
  /** Set once it is done or has failed; nothing more happens to it then. */
  ending: Ending | undefined;
  read: ReadObject | undefined;
  source: ByteSource | undefined;
}

/** A task that has not been started. */
export function newTask({ message: delivered, ...received }: Received<DeliveredReport>): Task {
  const { object: carried, ...message } = delivered;
  const home = { shard: 0, finished: undefined, others: [] };
  return { ...received, message, carried, home, ending: undefined, read: undefined, source: undefined };
}

/** 1 for the first reading. */
export function generationOf({ message }: Pick<Task, "message">): number {
  return message.generation ?? 1;
}

/** Whether an interrupted delivery, or a queue that was purged, may have left points behind. */
export function mayHaveWritten({ message, attempts }: Pick<Task, "message" | "attempts">): boolean {
  return attempts > 1 || message.resent === true;
}

/** The log entry of a message. */
export function logEntry({ rua, key }: ReportMessage, outcome: string): LogEntry {
  return { event: "report", rua, key, outcome };
}
