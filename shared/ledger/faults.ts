/**
 * Keeps the last error of a message that is being retried, for the dead letter it may end in: the platform moves it to
 * the dead letter queue without a reason. Best effort, never throws, since the ledger itself may be what failed.
 */
import * as v from "valibot";
import { sha256Text } from "../identity.ts";
import { cleanDetail } from "../report/problems.ts";
import { ask, type Change, change, type LedgerDatabase, query } from "./database.ts";

/** Ours: characters kept of an error. */
const MAX_ERROR_CHARS = 1000;
const NO_ERROR_LEFT =
  "No error was left behind: the platform ended the invocation (CPU time or memory exceeded), or the ledger was down too.";

/** Stores the error of a failed delivery. */
export async function recordFault(
  directory: LedgerDatabase,
  { body, attempts }: { body: unknown; attempts: number },
  error: unknown,
  nowSeconds: number,
): Promise<void> {
  const text = cleanDetail(String(error), MAX_ERROR_CHARS);
  await bestEffort(async () =>
    change(directory, [
      {
        sql: `INSERT INTO faults (message_hash, error, attempts, at_seconds) VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (message_hash) DO UPDATE SET error = excluded.error, attempts = excluded.attempts,
            at_seconds = excluded.at_seconds`,
        parameters: [await hashOf(body), text, attempts, nowSeconds],
      },
    ]),
  );
}

/** Removes the errors of messages that succeeded or were filed. */
export async function clearFaults(directory: LedgerDatabase, bodies: readonly unknown[]): Promise<void> {
  await bestEffort(async () =>
    change(directory, [
      {
        sql: "DELETE FROM faults WHERE message_hash IN (SELECT value FROM json_each(?1))",
        parameters: [JSON.stringify(await Promise.all(bodies.map(hashOf)))],
      },
    ]),
  );
}

/** Removes errors of messages that never returned because their queue was purged. */
export function removeOldFaults(beforeSeconds: number): Change {
  return { sql: "DELETE FROM faults WHERE at_seconds < ?1", parameters: [beforeSeconds] };
}

/** A sentence for a dead letter: the message's last error, or that no error was kept. */
export async function lastErrorOf(directory: LedgerDatabase, body: unknown): Promise<string> {
  const [fault] = (await bestEffort(async () => ask(directory, faultQuery(await hashOf(body))))) ?? [];
  if (fault === undefined) return NO_ERROR_LEFT;
  return `Attempt ${fault.attempts}, ${new Date(fault.atSeconds * 1000).toISOString()}: ${fault.error}`;
}

function faultQuery(messageHash: string) {
  return query(
    "SELECT error, attempts, at_seconds AS atSeconds FROM faults WHERE message_hash = ?1",
    [messageHash],
    v.object({ error: v.string(), attempts: v.number(), atSeconds: v.number() }),
  );
}

// SHA-256 of the message body, hex.
function hashOf(body: unknown): Promise<string> {
  return sha256Text(JSON.stringify(body) ?? "undefined");
}

async function bestEffort<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch {
    return undefined;
  }
}
