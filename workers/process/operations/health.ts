/**
 * Whether the stores of the pipeline answer: one row of each database, and its size, one value of KV, the backlog of each
 * queue; which databases are not bound, and when cron last ran. Reads only.
 */
import type { Outputs } from "../../../shared/contract/operations.ts";
import { databaseBytes } from "../../../shared/ledger/database.ts";
import { lastRound } from "../../../shared/ledger/domain-verdicts.ts";
import { unboundDatabases } from "../../../shared/ledger/shards.ts";
import { findCopy } from "../../../shared/registry.ts";
import { backlogs } from "../backlog.ts";
import type { Invocation } from "../env.ts";

/** An address that is never registered: KV answers that, or does not answer. */
const NOBODY = "health@invalid";

/** Asks all of them at once. @throws nothing: a store that does not answer is false, or left out */
export async function readHealth({ env, shards, nowSeconds }: Invocation): Promise<Outputs["health"]> {
  const answers = (work: Promise<unknown>): Promise<boolean> => work.then(() => true).catch(() => false);
  const [registry, sizes, unbound, round, queues] = await Promise.all([
    answers(findCopy(env.KV_DMARC_REPORTS, NOBODY)),
    Promise.all(shards.all.map(databaseBytes)).catch(() => undefined),
    unboundDatabases(shards).catch(() => []),
    lastRound(shards.directory, nowSeconds).catch(() => ({ roundSeconds: 0, cronSeconds: 0 })),
    Promise.allSettled(backlogs(env)),
  ]);
  const answered = queues.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  return {
    ledger: sizes !== undefined,
    registry,
    queues: answered.map(({ queue, messages, oldestSeconds }) => ({ queue, messages, oldestSeconds })),
    databases: (sizes ?? []).map((bytes, database) => ({ database, bytes })),
    maxDatabaseBytes: Number(env.MAX_DATABASE_BYTES),
    unboundDatabases: unbound,
    ...round,
  };
}
