/**
 * The configuration of each Worker on one machine, derived from the TOML it is deployed with: the same Worker with local
 * ids, the local Analytics Engine in place of the datasets, and short waits. It reads the TOML and changes no file.
 */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "smol-toml";
import type { Unstable_RawConfig } from "wrangler";
import { ledgerDatabases } from "../shared/ledger/shards.ts";

export type WorkerConfig = Omit<Unstable_RawConfig, "env">;

const REPOSITORY = join(import.meta.dirname, "..");

/** Worker → its TOML. The last two stand in for Cloudflare and are never deployed. */
const TOML_FILES = {
  dashboard: "wrangler.dashboard.toml",
  ingest: "wrangler.ingest.toml",
  process: "wrangler.process.toml",
  analytics: "local/worker/wrangler.analytics.toml",
  "mail-out": "local/worker/wrangler.mail-out.toml",
};

export type WorkerName = keyof typeof TOML_FILES;

/** Name of the ledger's first database. */
const LOCAL_DATABASE = "dmarc-reports";

/** The id of the KV namespace on one machine. A database is named by its `database_name` there. */
const LOCAL_KV_ID = "dmarc-reports";

/** The Worker that has a dataset's method, and the class in it. */
const ANALYTICS = { service: "dmarc-analytics", entrypoint: "Dataset" };

/** The Worker that has the method of a `send_email` binding, and the class in it. */
const MAIL_OUT = { service: "dmarc-mail-out", entrypoint: "MailOut" };

/** Ours: nobody waits five seconds for a batch to fill on one machine. */
const MAX_BATCH_TIMEOUT_SECONDS = 0.2;
/** Ours: what waits a minute in production waits a second here. */
const RETRY_DELAY_DIVISOR = 60;
/** Variables with another value on one machine. Each must be in the TOML. */
const LOCAL_VARS: Record<string, number | string> = {
  RETRY_BASE_SECONDS: 1,
  // Mail comes by SMTP from anybody: no receiver has authenticated it before.
  AUTHSERV_ID: "",
  // Nobody is asked unless a person says where.
  DNS_OVER_HTTPS_URL: "",
  // The SMTP server takes mail for every domain.
  RUA_HOST: "rua.example.com",
  NOTICES_FROM: "dmarc@localhost",
};

/** The Workers that have every database of the ledger: on one machine, ingest applies their migrations. */
const HAVE_ALL_DATABASES: readonly WorkerName[] = ["process", "dashboard", "ingest"];

/**
 * A Worker's configuration on one machine; paths in it are absolute.
 *
 * @param databases of the ledger; new accounts go to the last
 * @throws when there is no such TOML
 */
export function localConfig(worker: WorkerName, databases = 1): WorkerConfig {
  const path = join(REPOSITORY, TOML_FILES[worker]);
  // wrangler checks it when it starts the Worker.
  const production = parse(readFileSync(path, "utf8")) as WorkerConfig;
  const local = deriveLocalConfig(production, dirname(path));
  if (HAVE_ALL_DATABASES.includes(worker)) {
    const all = ledgerDatabases(LOCAL_DATABASE, databases);
    local.d1_databases = all.map((database) => ({ ...database, database_id: database.database_name }));
  }
  if (worker === "process") local.vars = { ...local.vars, NEW_ACCOUNTS_SHARD: databases - 1 };
  return local;
}

/** @param folder what the paths in `production` are relative to */
export function deriveLocalConfig(production: WorkerConfig, folder: string): WorkerConfig {
  // With `secrets`, wrangler would read only those named there from the file of variables.
  const { analytics_engine_datasets: datasets = [], send_email: mail = [], secrets: _secrets, ...local } = production;
  if (local.main !== undefined) local.main = resolve(folder, local.main);
  if (local.kv_namespaces !== undefined) {
    local.kv_namespaces = local.kv_namespaces.map(({ binding }) => ({ binding, id: LOCAL_KV_ID }));
  }
  if (local.d1_databases !== undefined) local.d1_databases = local.d1_databases.map(localDatabase);
  if (datasets.length > 0) local.services = [...(local.services ?? []), ...datasets.map(localDataset)];
  if (mail.length > 0) {
    local.services = [...(local.services ?? []), ...mail.map(({ name }) => ({ binding: name, ...MAIL_OUT }))];
  }
  if (local.queues?.consumers !== undefined) {
    local.queues = { ...local.queues, consumers: local.queues.consumers.map(localConsumer) };
  }
  if (local.vars !== undefined) local.vars = localVars(local.vars);
  return local;
}

type List<Key extends keyof WorkerConfig> = NonNullable<WorkerConfig[Key]> extends (infer Item)[] ? Item : never;
type Consumer = NonNullable<NonNullable<WorkerConfig["queues"]>["consumers"]>[number];

function localDatabase({ binding, database_name }: List<"d1_databases">): List<"d1_databases"> {
  if (database_name === undefined) throw new Error(`${binding} has no database_name.`);
  return { binding, database_name, database_id: database_name };
}

function localDataset({ binding, dataset }: List<"analytics_engine_datasets">): List<"services"> {
  if (dataset === undefined) throw new Error(`${binding} has no dataset.`);
  return { binding, service: ANALYTICS.service, entrypoint: ANALYTICS.entrypoint, props: { dataset } };
}

function localConsumer(consumer: Consumer): Consumer {
  const { max_batch_timeout = 0, retry_delay = 0 } = consumer;
  return {
    ...consumer,
    max_batch_timeout: Math.min(max_batch_timeout, MAX_BATCH_TIMEOUT_SECONDS),
    retry_delay: Math.ceil(retry_delay / RETRY_DELAY_DIVISOR),
  };
}

function localVars(vars: NonNullable<WorkerConfig["vars"]>): NonNullable<WorkerConfig["vars"]> {
  return Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, LOCAL_VARS[name] ?? value]));
}
