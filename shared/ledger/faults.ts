/** The last error of a message that is being retried: the platform moves it to the dead letter queue without a reason. */
import * as v from "valibot";
import { ask, type Change, type LedgerDatabase, query } from "./database.ts";

export interface Fault {
  error: string;
  /** Deliveries so far. */
  attempts: number;
  atSeconds: number;
}

/** Keeps the error of a failed delivery. @param messageHash SHA-256 of the message's body, hex */
export function putFault(messageHash: string, { error, attempts, atSeconds }: Fault): Change {
  return {
    sql: `INSERT INTO faults (message_hash, error, attempts, at_seconds) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (message_hash) DO UPDATE SET error = excluded.error, attempts = excluded.attempts,
        at_seconds = excluded.at_seconds`,
    parameters: [messageHash, error, attempts, atSeconds],
  };
}

/** Forgets the errors of messages that succeeded or were filed. */
export function removeFaults(messageHashes: readonly string[]): Change {
  return {
    sql: "DELETE FROM faults WHERE message_hash IN (SELECT value FROM json_each(?1))",
    parameters: [JSON.stringify(messageHashes)],
  };
}

/** Forgets errors of messages that never came back: their queue was purged. */
export function removeOldFaults(beforeSeconds: number): Change {
  return { sql: "DELETE FROM faults WHERE at_seconds < ?1", parameters: [beforeSeconds] };
}

/** @returns undefined when none is kept */
export async function findFault(database: LedgerDatabase, messageHash: string): Promise<Fault | undefined> {
  const [fault] = await ask(
    database,
    query(
      "SELECT error, attempts, at_seconds AS atSeconds FROM faults WHERE message_hash = ?1",
      [messageHash],
      v.object({ error: v.string(), attempts: v.number(), atSeconds: v.number() }),
    ),
  );
  return fault;
}
