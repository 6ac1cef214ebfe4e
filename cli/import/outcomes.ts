/** Waits until the ledger has an outcome for what was imported. */
import { setTimeout as sleep } from "node:timers/promises";
import { IMPORT_LIMITS } from "../../shared/limits.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { patiently } from "./import-page.ts";

/** Between two looks. */
const LOOK_MS = 1000;

/** Outcome → parts of files that have it. */
export type OutcomeCounts = Record<string, number>;

/**
 * Resolves when all files have an outcome.
 *
 * @param sha256s of imported files, hex
 * @param onDone called as more of them have one, with how many
 * @returns outcomes over all of them
 * @throws CommandError when nothing has changed for `stillSeconds`
 */
export async function waitForOutcomes(
  sha256s: readonly string[],
  client: ApiClient,
  { stillSeconds, onDone }: { stillSeconds: number; onDone: (done: number) => void },
): Promise<OutcomeCounts> {
  const outcomes: OutcomeCounts = {};
  let waiting = [...sha256s];
  let movedAt = performance.now();
  for (;;) {
    const left: string[] = [];
    for (let i = 0; i < waiting.length; i += IMPORT_LIMITS.askedPerCall) {
      const some = waiting.slice(i, i + IMPORT_LIMITS.askedPerCall);
      const done = await findDone(some, client);
      for (const sha256 of some) if (!done.has(sha256)) left.push(sha256);
      for (const counts of done.values())
        for (const [outcome, count] of Object.entries(counts)) outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
      // The others are behind these in the queue.
      if (left.length >= IMPORT_LIMITS.askedPerCall) {
        left.push(...waiting.slice(i + some.length));
        break;
      }
    }
    if (left.length < waiting.length) movedAt = performance.now();
    waiting = left;
    onDone(sha256s.length - waiting.length);
    if (waiting.length === 0) return outcomes;
    if (performance.now() - movedAt > stillSeconds * 1000) {
      throw new CommandError(
        `${waiting.length} of ${sha256s.length} files have no outcome yet, and nothing has changed for ` +
          `${stillSeconds} s: see dmarc status.`,
      );
    }
    await sleep(LOOK_MS);
  }
}

async function findDone(sha256s: string[], client: ApiClient): Promise<Map<string, OutcomeCounts>> {
  const { items } = await patiently(() => client.ask("knownImports", { sha256s }));
  const done = new Map<string, OutcomeCounts>();
  const waiting = new Set(items.filter(({ isDone }) => !isDone).map(({ sha256 }) => sha256));
  for (const { sha256, outcomes } of items) if (!waiting.has(sha256)) done.set(sha256, outcomes);
  return done;
}
