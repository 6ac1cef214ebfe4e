/**
 * The last error of a message that is being retried, in R2 under the hash of its body: the platform moves a message to
 * the dead letter queue without a reason, and this is where the dead letter finds it. Best effort: it never throws, for
 * what broke may be R2 itself.
 */
import { textHash } from "../../shared/identity.ts";
import { cleanDetail } from "../../shared/report/problems.ts";
import { faultKey } from "../../shared/storage.ts";
import type { JobContext, ProcessEnv } from "./env.ts";

interface Fault {
  error: string;
  attempts: number;
  /** ISO 8601. */
  at: string;
}

const NO_ERROR_LEFT =
  "No error was left behind: the platform ended the invocation (CPU time or memory exceeded), or R2 was down too.";

/** Keeps the error of a failed delivery. */
export async function recordFault({ env, attempts, nowSeconds }: JobContext, body: unknown, error: unknown) {
  const at = new Date(nowSeconds * 1000).toISOString();
  const fault: Fault = { error: cleanDetail(String(error), 1000), attempts, at };
  await bestEffort(async () => env.R2_DMARC_REPORTS.put(await keyOf(body), JSON.stringify(fault)));
}

/** Forgets the error of a message that succeeded or was filed. */
export async function clearFault(env: ProcessEnv, body: unknown): Promise<void> {
  await bestEffort(async () => env.R2_DMARC_REPORTS.delete(await keyOf(body)));
}

/** One sentence for a dead letter: the last error, or that there is none. */
export async function lastErrorOf(env: ProcessEnv, body: unknown): Promise<string> {
  const fault = await bestEffort(async () => {
    const stored = await env.R2_DMARC_REPORTS.get(await keyOf(body));
    return stored === null ? undefined : stored.json<Fault>();
  });
  return fault === undefined ? NO_ERROR_LEFT : `Attempt ${fault.attempts}, ${fault.at}: ${fault.error}`;
}

async function keyOf(body: unknown): Promise<string> {
  return faultKey(await textHash(JSON.stringify(body) ?? "undefined"));
}

async function bestEffort<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch {
    return undefined;
  }
}
