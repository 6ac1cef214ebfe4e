/** The bindings of process as its code uses them, and what is handed to everything that runs in one invocation. */
import { PointBudget } from "../../shared/analytics/budget.ts";
import type { DataPoint, DatasetId } from "../../shared/analytics/columns.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { type Shards, shardsOf } from "../../shared/ledger/shards.ts";

/** Analytics Engine in production; on one machine a service with the same method, whose promise must be awaited. */
export interface DatasetBinding {
  writeDataPoint(point: DataPoint): unknown;
}

type Datasets = "DMARC_ANALYTICS" | "DMARC_EVENTS" | "DMARC_TLS" | "DMARC_FAILURES";
type Settings =
  | "RETRY_BASE_SECONDS"
  | "ADDRESS_RECORDS_PER_DAY"
  | "ACCOUNT_RECORDS_PER_DAY"
  | "KEEP_DETAIL_DAYS"
  | "NEW_ACCOUNTS_SHARD";

type Texts = "DNS_OVER_HTTPS_URL";

export type ProcessEnv = Omit<ProcessBindings, Datasets | Settings | Texts> &
  Record<Datasets, DatasetBinding> &
  Record<Settings, number> &
  Record<Texts, string>;

/** What one invocation works with: bindings, the ledger, its write budget, and the time. */
export interface Invocation {
  env: ProcessEnv;
  shards: Shards;
  /** Which database of the ledger is worked on; the first where nothing else is said. */
  shard: number;
  ledger: LedgerDatabase;
  budget: PointBudget;
  nowSeconds: number;
}

/** A new invocation, on the first database of the ledger. */
export function newInvocation(env: ProcessEnv, nowMilliseconds: number): Invocation {
  const shards = shardsOf(env);
  return {
    env,
    shards,
    shard: 0,
    ledger: shards.directory,
    budget: new PointBudget(),
    nowSeconds: Math.floor(nowMilliseconds / 1000),
  };
}

/** The same invocation on another database of the ledger. @throws Error when no such database is bound */
export function inShard(invocation: Invocation, shard: number): Invocation {
  return { ...invocation, shard, ledger: invocation.shards.of(shard) };
}

/** The same invocation on each database of the ledger, the first one first. */
export function inEachShard(invocation: Invocation): Invocation[] {
  return invocation.shards.all.map((_, shard) => inShard(invocation, shard));
}

/** What is told of a piece of work, for the log: figures and names, never content. */
export type LogEntry = Record<string, unknown>;

/** The binding of a dataset. */
export function datasetBinding(env: ProcessEnv, dataset: DatasetId): DatasetBinding {
  switch (dataset) {
    case "records":
      return env.DMARC_ANALYTICS;
    case "events":
      return env.DMARC_EVENTS;
    case "tls":
      return env.DMARC_TLS;
    case "failures":
      return env.DMARC_FAILURES;
  }
}
