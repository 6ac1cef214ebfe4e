/**
 * The last error of a message that is being retried, kept for the dead letter it may end in. Best effort: it never
 * throws, for what broke may be the ledger itself.
 */
import { sha256Text } from "../../shared/identity.ts";
import { change } from "../../shared/ledger/database.ts";
import { findFault, putFault, removeFaults } from "../../shared/ledger/faults.ts";
import { cleanDetail } from "../../shared/report/problems.ts";
import type { Invocation } from "./env.ts";

const MAX_ERROR_CHARS = 1000;
const NO_ERROR_LEFT =
  "No error was left behind: the platform ended the invocation (CPU time or memory exceeded), or the ledger was down too.";

/** Keeps the error of a failed delivery. */
export async function recordFault(
  { body, attempts }: { body: unknown; attempts: number },
  error: unknown,
  { shards: { directory }, nowSeconds }: Invocation,
): Promise<void> {
  const fault = { error: cleanDetail(String(error), MAX_ERROR_CHARS), attempts, atSeconds: nowSeconds };
  await bestEffort(async () => change(directory, [putFault(await hashOf(body), fault)]));
}

/** Forgets the errors of messages that succeeded or were filed. */
export async function clearFaults(bodies: readonly unknown[], { shards: { directory } }: Invocation): Promise<void> {
  await bestEffort(async () => change(directory, [removeFaults(await Promise.all(bodies.map(hashOf)))]));
}

/** One sentence for a dead letter: the last error, or that there is none. */
export async function lastErrorOf(body: unknown, { shards: { directory } }: Invocation): Promise<string> {
  const fault = await bestEffort(async () => findFault(directory, await hashOf(body)));
  if (fault === undefined) return NO_ERROR_LEFT;
  return `Attempt ${fault.attempts}, ${new Date(fault.atSeconds * 1000).toISOString()}: ${fault.error}`;
}

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
