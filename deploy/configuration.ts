/**
 * Complete configurations of the three Workers: the TOMLs of the repository with the ids, names and settings of one
 * deployment. The repository's files are read and never changed.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse, stringify } from "smol-toml";
import type { Unstable_RawConfig } from "wrangler";
import { CommandError } from "../cli/command-error.ts";
import { DATASET_NAME } from "../shared/analytics/columns.ts";
import { ledgerDatabases } from "../shared/ledger/shards.ts";
import { D1_LIMITS, FREE_PLAN_LIMITS } from "../shared/limits.ts";
import { type Names, namesOf, type Plan, ruaHostOf, type Settings } from "./settings.ts";

export type WorkerConfig = Omit<Unstable_RawConfig, "env">;

/** In the order of deployment: consumers before producers. */
export const WORKERS = ["process", "dashboard", "ingest"] as const;
export type Worker = (typeof WORKERS)[number];

/** What Cloudflare calls the account and what was made in it. */
export interface Ids {
  accountId: string;
  /** Of the ledger's databases, by number. */
  databaseIds: readonly string[];
  namespaceId: string;
  /** First part of the names of the datasets that it has written to; undefined: none yet. */
  datasets?: string | undefined;
  /** Where the dashboard answers below workers.dev, once that is known. */
  dashboardUrl?: string | undefined;
}

/** First part of the names of the datasets: as it is set, or as it was; of a new deployment its own. */
export function datasetsOf({ vars, prefix }: Settings, { datasets }: Pick<Ids, "datasets">): string {
  return String(vars.DATASET_PREFIX ?? datasets ?? namesOf(prefix).datasets);
}

/** The configuration of a Worker of this deployment; its paths are absolute. @param root the repository */
export function completeConfig(root: string, worker: Worker, settings: Settings, ids: Ids): WorkerConfig {
  // wrangler checks it when it reads the file that is made of it.
  const tracked = parse(readFileSync(join(root, `wrangler.${worker}.toml`), "utf8")) as WorkerConfig;
  const names = namesOf(settings.prefix);
  const { limits, ...config } = rename(tracked, names, worker);
  config.account_id = ids.accountId;
  // People reach the dashboard by it; the two others have no pages.
  config.workers_dev = worker === "dashboard";
  config.preview_urls = false;
  if (config.main !== undefined) config.main = resolve(root, config.main);
  // Ingest asks only the directory, which is in database 0.
  const databaseIds = worker === "ingest" ? ids.databaseIds.slice(0, 1) : ids.databaseIds;
  config.d1_databases = ledgerDatabases(names.database, databaseIds.length).map((database, shard) => ({
    ...database,
    database_id: databaseIds[shard] ?? "",
    migrations_dir: resolve(root, "migrations"),
  }));
  if (config.kv_namespaces !== undefined) {
    config.kv_namespaces = config.kv_namespaces.map(({ binding }) => ({ binding, id: ids.namespaceId }));
  }
  // Analytics Engine belongs to the Cloudflare account: two deployments in one must not write to the same datasets.
  const datasets = datasetsOf(settings, ids);
  if (config.analytics_engine_datasets !== undefined) {
    config.analytics_engine_datasets = config.analytics_engine_datasets.map(({ binding, dataset = "" }) => ({
      binding,
      dataset: dataset.replace(DATASET_NAME, (_, rest: string) => `${datasets}_${rest}`),
    }));
  }
  if (worker === "dashboard") config.vars = { ...config.vars, PREFIX: settings.prefix, DATASET_PREFIX: datasets };
  if (worker === "process") {
    config.vars = {
      ...config.vars,
      PREFIX: settings.prefix,
      RUA_HOST: ruaHostOf(settings),
      // For links in notices; a custom host name is a setting.
      DASHBOARD_URL: ids.dashboardUrl ?? "",
      // The newest, which has the most room.
      NEW_ACCOUNTS_SHARD: ids.databaseIds.length - 1,
    };
  }
  const planned = withVars(forPlan(config, settings.plan), settings.vars);
  return limits !== undefined && settings.plan === "paid" ? { ...planned, limits } : planned;
}

function rename(config: WorkerConfig, names: Names, worker: Worker): WorkerConfig {
  const queueNames: Record<string, string> = {
    "dmarc-reports": names.queues.reports,
    "dmarc-points": names.queues.points,
    "dmarc-dead-letters": names.queues.deadLetters,
  };
  const queueName = (name: string): string => {
    const found = queueNames[name];
    if (found === undefined) throw new Error(`wrangler.${worker}.toml has a queue that is not made: ${name}.`);
    return found;
  };
  const renamed: WorkerConfig = { ...config, name: names.workers[worker] };
  if (config.r2_buckets) renamed.r2_buckets = config.r2_buckets.map((one) => ({ ...one, bucket_name: names.bucket }));
  if (config.services) renamed.services = config.services.map((one) => ({ ...one, service: names.workers.process }));
  if (config.queues) {
    const { producers = [], consumers = [] } = config.queues;
    renamed.queues = {
      producers: producers.map(({ queue = "", ...one }) => ({ ...one, queue: queueName(queue) })),
      consumers: consumers.map(({ dead_letter_queue: deadLetters, ...one }) => ({
        ...one,
        queue: queueName(one.queue),
        ...(deadLetters !== undefined && { dead_letter_queue: queueName(deadLetters) }),
      })),
    };
  }
  return renamed;
}

/** The free plan refuses `[limits]`, and its invocations have 10 ms of CPU and 50 queries: batches are small there. */
function forPlan(config: WorkerConfig, plan: Plan): WorkerConfig {
  if (plan === "paid") return config;
  const free = { ...config };
  if (config.vars?.MAX_REPORT_BYTES !== undefined) {
    const { maxReportBytes, dnsQuestions, watchQueries } = FREE_PLAN_LIMITS;
    free.vars = {
      ...config.vars,
      MAX_REPORT_BYTES: maxReportBytes,
      DNS_QUESTIONS_PER_RUN: dnsQuestions,
      WATCH_QUERIES_PER_RUN: watchQueries,
      MAX_DATABASE_BYTES: D1_LIMITS.maxFreeDatabaseBytes,
    };
  }
  if (config.queues?.consumers !== undefined) {
    const consumers = config.queues.consumers.map((one) => ({
      ...one,
      max_batch_size: Math.min(one.max_batch_size ?? 1, FREE_PLAN_LIMITS.maxBatchSize),
      max_concurrency: FREE_PLAN_LIMITS.maxConcurrency,
    }));
    free.queues = { ...config.queues, consumers };
  }
  return free;
}

/** The user's own settings, in each Worker that has them. */
function withVars(config: WorkerConfig, own: Settings["vars"]): WorkerConfig {
  const { vars } = config;
  if (vars === undefined) return config;
  const changed = Object.entries(own).filter(([name]) => name in vars);
  return { ...config, vars: { ...vars, ...Object.fromEntries(changed) } };
}

/**
 * Writes the configurations where wrangler finds them.
 * @returns the path of each
 * @throws CommandError for a setting that no Worker has, or a database for new accounts that there is not
 */
export function writeConfigs(root: string, folder: string, settings: Settings, ids: Ids): Record<Worker, string> {
  const configs = WORKERS.map((worker) => ({ worker, config: completeConfig(root, worker, settings, ids) }));
  const unknown = Object.keys(settings.vars).find((name) =>
    configs.every(({ config }) => config.vars?.[name] === undefined),
  );
  if (unknown !== undefined)
    throw new CommandError(`vars: no Worker has a setting ${unknown}; wrangler.*.toml have them all.`);
  const shard = Number(settings.vars.NEW_ACCOUNTS_SHARD ?? 0);
  if (ids.databaseIds[shard] === undefined) {
    const last = ids.databaseIds.length - 1;
    throw new CommandError(
      `vars: NEW_ACCOUNTS_SHARD is ${shard}, but the last database of the ledger is number ${last}.`,
    );
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const paths = configs.map(({ worker, config }): [Worker, string] => {
    const path = join(folder, `wrangler.${worker}.toml`);
    const head = `# Made by npm run deploy from wrangler.${worker}.toml: changed there, not here.\n`;
    writeFileSync(path, head + stringify(config));
    return [worker, path];
  });
  return Object.fromEntries(paths) as Record<Worker, string>;
}
