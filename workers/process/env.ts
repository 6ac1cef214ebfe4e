/** The bindings of process as its code uses them, and the context of one invocation. */
import { PointBudget } from "../../shared/analytics/budget.ts";
import type { DataPoint, DatasetId } from "../../shared/analytics/columns.ts";
import type { Caller } from "../../shared/contract/rpc.ts";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { boundedResolver, type Resolver } from "../../shared/dns/resolver.ts";
import { findAccount } from "../../shared/ledger/accounts.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { type Shards, shardsOf } from "../../shared/ledger/shards.ts";
import { DNS_LIMITS } from "../../shared/limits.ts";
import type { MailPicture } from "../../shared/notify/mail.ts";

/** Analytics Engine in production; on one machine a service with the same method, whose promise must be awaited. */
export interface DatasetBinding {
  writeDataPoint(point: DataPoint): unknown;
}

/** The `send_email` binding as it is used; on one machine a service with the same method. */
export interface MailBinding {
  send(mail: {
    from: string;
    to: string;
    subject: string;
    text: string;
    html: string;
    /** Only those that Email Service takes: Message-ID is not among them, names that begin with X- are. */
    headers: Record<string, string>;
    attachments: MailPicture[];
  }): Promise<unknown>;
}

type Datasets = "DMARC_ANALYTICS" | "DMARC_EVENTS" | "DMARC_TLS" | "DMARC_FAILURES";
type Texts = "PREFIX" | "DNS_OVER_HTTPS_URL" | "RUA_HOST" | "NOTICES_FROM" | "DASHBOARD_URL" | "NOTIFY_LOCAL_ORIGIN";
type Settings =
  | "RETRY_BASE_SECONDS"
  | "ADDRESS_RECORDS_PER_DAY"
  | "ACCOUNT_RECORDS_PER_DAY"
  | "REPORTER_REPORTS_PER_DAY"
  | "KEEP_DETAIL_DAYS"
  | "MAX_DATABASE_BYTES"
  | "MAX_REPORT_BYTES"
  | "DNS_QUESTIONS_PER_RUN"
  | "WATCH_QUERIES_PER_RUN"
  | "NEW_ACCOUNTS_SHARD";

export type ProcessEnv = Omit<ProcessBindings, Datasets | Settings | Texts | "SEND_EMAIL"> & {
  SEND_EMAIL: MailBinding;
} & Record<Datasets, DatasetBinding> &
  Record<Settings, number> &
  Record<Texts, string>;

/** The context of one invocation: bindings, the ledger, its write budget, and the time. */
export interface Invocation {
  env: ProcessEnv;
  shards: Shards;
  /** The database of the ledger in use; the first unless another is chosen. */
  shard: number;
  ledger: LedgerDatabase;
  budget: PointBudget;
  /** Answers a bounded number of DNS questions; undefined if no resolver is configured. */
  resolver: Resolver | undefined;
  nowSeconds: number;
}

/** One call of an operation. */
export interface Call {
  invocation: Invocation;
  caller: Caller;
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
    resolver: resolverOf(env),
    nowSeconds: Math.floor(nowMilliseconds / 1000),
  };
}

function resolverOf({ DNS_OVER_HTTPS_URL: url, DNS_QUESTIONS_PER_RUN: questions }: ProcessEnv): Resolver | undefined {
  if (url === "") return undefined;
  const most = Math.min(DNS_LIMITS.maxLookupsPerBatch, Number(questions));
  return boundedResolver(
    httpsResolver(url, (address, init) => fetch(address, init), most),
    most,
  );
}

/** The same invocation on another database of the ledger. @throws Error when no such database is bound */
export function inShard(invocation: Invocation, shard: number): Invocation {
  return { ...invocation, shard, ledger: invocation.shards.of(shard) };
}

/**
 * The invocation on a database, or on the first one if that is no longer bound: a dead letter must be filed somewhere.
 */
export function inShardIfBound(invocation: Invocation, shard: number): Invocation {
  return inShard(invocation, invocation.shards.all[shard] === undefined ? 0 : shard);
}

/** The invocation on the database of an account; undefined if there is no such account. */
export async function inShardIfKnown(account: string, invocation: Invocation): Promise<Invocation | undefined> {
  const found = await findAccount(invocation.shards.directory, account);
  return found === undefined ? undefined : inShard(invocation, found.shard);
}

/** Whether an account may be named: there is one, or it is "", the pipeline itself. */
export async function isAccountOrPipeline(account: string, { shards }: Invocation): Promise<boolean> {
  return account === "" || (await findAccount(shards.directory, account)) !== undefined;
}

/** The invocation on the database of an account, or on the first one if there is no such account. */
export async function inShardOf(account: string, invocation: Invocation): Promise<Invocation> {
  return (await inShardIfKnown(account, invocation)) ?? inShard(invocation, 0);
}

/** The same invocation on each database of the ledger, the first one first. */
export function inEachShard(invocation: Invocation): Invocation[] {
  return invocation.shards.all.map((_, shard) => inShard(invocation, shard));
}

/** The database whose turn it is, for work that a run of cron cannot do in all: another one each minute. Undefined without any. */
export function inTurn<T>(databases: readonly T[], nowSeconds: number): T | undefined {
  return databases[Math.floor(nowSeconds / 60) % databases.length];
}

/** Random bytes that nobody can guess. */
export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/** A log entry: figures and names, never content. */
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
