/**
 * The TOML files, what is derived from them for one machine, and the code agree: names of queues, bucket, namespace and
 * datasets, bindings, queue values.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { deriveLocalConfig, localConfig, type WorkerName } from "../../local/worker-config.ts";
import { DATASETS, type DatasetId } from "../../shared/analytics/columns.ts";
import { LEDGER_BINDING } from "../../shared/ledger/shards.ts";
import { ANALYTICS_LIMITS, QUEUE_LIMITS, RETRY_LIMITS } from "../../shared/limits.ts";

const consumer = v.strictObject({
  queue: v.string(),
  max_batch_size: v.number(),
  max_batch_timeout: v.number(),
  max_retries: v.number(),
  retry_delay: v.number(),
  dead_letter_queue: v.optional(v.string()),
  max_concurrency: v.optional(v.number()),
});
const bindings = v.object({
  kv_namespaces: v.optional(v.array(v.object({ binding: v.string(), id: v.string() })), []),
  d1_databases: v.optional(
    v.array(v.object({ binding: v.string(), database_name: v.string(), database_id: v.string() })),
    [],
  ),
  r2_buckets: v.optional(v.array(v.object({ binding: v.string(), bucket_name: v.string() })), []),
  queues: v.optional(
    v.object({
      producers: v.optional(v.array(v.object({ binding: v.string(), queue: v.string() })), []),
      consumers: v.optional(v.array(consumer), []),
    }),
    {},
  ),
  analytics_engine_datasets: v.optional(v.array(v.object({ binding: v.string(), dataset: v.string() })), []),
  send_email: v.optional(v.array(v.object({ name: v.string() })), []),
  services: v.optional(
    v.array(
      v.object({
        binding: v.string(),
        service: v.string(),
        entrypoint: v.optional(v.string()),
        props: v.optional(v.object({ dataset: v.string() })),
      }),
    ),
    [],
  ),
  vars: v.optional(v.record(v.string(), v.unknown()), {}),
});
const config = v.object({
  ...bindings.entries,
  name: v.string(),
  main: v.string(),
  compatibility_date: v.string(),
  env: v.optional(v.never()),
});
type Config = v.InferOutput<typeof config>;

function readConfig(worker: WorkerName): Config {
  return v.parse(config, parse(readFileSync(`wrangler.${worker}.toml`, "utf8")));
}

function readLocalConfig(worker: WorkerName): Config {
  return v.parse(config, localConfig(worker));
}

const WORKERS = ["ingest", "process", "dashboard"] as const;
const ingest = readConfig("ingest");
const process = readConfig("process");
const localProcess = readLocalConfig("process");

/** Every Worker in production and on one machine, named for messages. */
const environments: [string, Config][] = WORKERS.flatMap((worker): [string, Config][] => [
  [`${worker}, production`, readConfig(worker)],
  [`${worker}, local`, readLocalConfig(worker)],
]);

/**
 * Binding → what comes after it, by its kind; a local dataset is a service with the dataset as a property, and outgoing mail a
 * service of its own.
 */
function bindingNames(environment: Config): Record<string, string> {
  return Object.fromEntries([
    ...environment.kv_namespaces.map(({ binding }) => [binding, "kv"]),
    ...environment.d1_databases.map(({ binding, database_name }) => [binding, `database ${database_name}`]),
    ...environment.r2_buckets.map(({ binding, bucket_name }) => [binding, `bucket ${bucket_name}`]),
    ...environment.queues.producers.map(({ binding, queue }) => [binding, `queue ${queue}`]),
    ...environment.analytics_engine_datasets.map(({ binding, dataset }) => [binding, `dataset ${dataset}`]),
    ...environment.send_email.map(({ name }) => [name, "mail"]),
    ...environment.services.map(({ binding, service, entrypoint, props }) => [
      binding,
      props === undefined ? serviceName(service, entrypoint) : `dataset ${props.dataset}`,
    ]),
  ]);
}

function serviceName(service: string, entrypoint: string | undefined): string {
  return service === "dmarc-mail-out" ? "mail" : `service ${service}#${entrypoint}`;
}

/** The names of our queues as the Workers' code writes them, for the prefix of the TOML files. */
function queueNamesInCode(): string[] {
  const files = readdirSync("workers", { recursive: true, encoding: "utf8" }).filter((file) =>
    /(?<!\.d)\.ts$/.test(file),
  );
  const texts = files.map((file) => readFileSync(join("workers", file), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(/`\$\{PREFIX\}-([a-z-]+)`/g)].map((match) => `dmarc-${match[1]}`));
}

describe("names", () => {
  test("every Worker binds the same names in production and locally", () => {
    for (const worker of WORKERS) {
      const production = readConfig(worker);
      const local = readLocalConfig(worker);
      expect(Object.keys(bindingNames(production)).length, worker).toBeGreaterThan(0);
      expect(bindingNames(local), worker).toEqual(bindingNames(production));
      expect(local.name, worker).toBe(production.name);
      expect(Object.keys(local.vars), worker).toEqual(Object.keys(production.vars));
    }
  });

  test("a binding means the same in every Worker", () => {
    const shared = Object.entries(bindingNames(ingest));
    const processBindings = bindingNames(process);
    for (const [binding, target] of shared) expect(processBindings[binding]).toBe(target);
    expect(ingest.kv_namespaces).toEqual(process.kv_namespaces);
    expect(readLocalConfig("ingest").kv_namespaces).toEqual(localProcess.kv_namespaces);
  });

  test("process and the dashboard bind every ledger database in order, ingest only the first", () => {
    for (const [name, { d1_databases }] of environments) {
      const all = name.endsWith("local") ? localProcess.d1_databases : process.d1_databases;
      expect(d1_databases, name).toEqual(name.startsWith("ingest") ? all.slice(0, 1) : all);
      const bindings = d1_databases.map(({ binding }) => binding);
      expect(bindings, name).toEqual(
        bindings.map((_, shard) => (shard === 0 ? LEDGER_BINDING : `${LEDGER_BINDING}_${shard}`)),
      );
    }
    expect(process.d1_databases[Number(process.vars.NEW_ACCOUNTS_SHARD)]).toBeDefined();
    // npm start -- --databases 3, and npm run deploy -- --databases 3 the same (test/deploy/configuration.test.ts).
    const bound = (worker: WorkerName) => localConfig(worker, 3).d1_databases?.map(({ binding }) => binding);
    const three = [LEDGER_BINDING, `${LEDGER_BINDING}_1`, `${LEDGER_BINDING}_2`];
    for (const worker of WORKERS) expect(bound(worker), worker).toEqual(three);
    expect(localConfig("process", 3).vars?.NEW_ACCOUNTS_SHARD).toBe(2);
  });

  test("the dashboard has the ledger and process, and nothing else", () => {
    const names = bindingNames(readConfig("dashboard"));
    const others = Object.entries(names).filter(([name]) => !name.startsWith(LEDGER_BINDING));
    expect(Object.fromEntries(others)).toEqual({
      PROCESS: `service ${process.name}#Operations`,
    });
  });

  test("queues in the code and in the TOML files are the same three", () => {
    const consumed = process.queues.consumers.map(({ queue }) => queue).sort();
    expect(consumed).toEqual(["dmarc-dead-letters", "dmarc-points", "dmarc-reports"]);
    expect([...new Set(queueNamesInCode())].sort()).toEqual(consumed);
    for (const [name, { queues }] of environments) {
      for (const { queue } of queues.producers) expect(consumed, name).toContain(queue);
    }
  });

  test("each dataset of the columns table has the binding the code writes it to", async () => {
    const { datasetBinding } = v.parse(
      v.object({ datasetBinding: v.function() }),
      await import(join(import.meta.dirname, "../../workers/process/env.ts")),
    );
    for (const environment of [process, localProcess]) {
      const env = bindingNames(environment);
      for (const [id, { name }] of Object.entries(DATASETS)) {
        expect(datasetBinding(env, id as DatasetId)).toBe(`dataset ${name}`);
      }
    }
  });
});

describe("the local configuration", () => {
  test("differs from production only in ids, datasets, waits and variables", () => {
    expect(
      deriveLocalConfig(
        {
          name: "a",
          main: "src/a.ts",
          compatibility_flags: ["some"],
          secrets: { required: ["SECRET"] },
          vars: { RETRY_BASE_SECONDS: 30, OTHER: 2 },
          kv_namespaces: [{ binding: "KV", id: "0f" }],
          d1_databases: [{ binding: "D1", database_name: "figures", database_id: "1f", migrations_dir: "m" }],
          services: [{ binding: "B", service: "b" }],
          send_email: [{ name: "MAIL" }],
          analytics_engine_datasets: [{ binding: "DATA", dataset: "data" }],
          queues: {
            producers: [{ binding: "Q", queue: "q" }],
            consumers: [{ queue: "q", max_batch_size: 7, max_batch_timeout: 5, retry_delay: 300, max_retries: 3 }],
          },
        },
        "/project",
      ),
    ).toEqual({
      name: "a",
      main: "/project/src/a.ts",
      compatibility_flags: ["some"],
      vars: { RETRY_BASE_SECONDS: 1, OTHER: 2 },
      kv_namespaces: [{ binding: "KV", id: "dmarc-reports" }],
      d1_databases: [{ binding: "D1", database_name: "figures", database_id: "figures" }],
      services: [
        { binding: "B", service: "b" },
        { binding: "DATA", service: "dmarc-analytics", entrypoint: "Dataset", props: { dataset: "data" } },
        { binding: "MAIL", service: "dmarc-mail-out", entrypoint: "MailOut" },
      ],
      queues: {
        producers: [{ binding: "Q", queue: "q" }],
        consumers: [{ queue: "q", max_batch_size: 7, max_batch_timeout: 0.2, retry_delay: 5, max_retries: 3 }],
      },
    });
  });

  test("changes only variables of process", () => {
    expect(localProcess.vars.RETRY_BASE_SECONDS).toBe(1);
    expect(process.vars.RETRY_BASE_SECONDS).toBeGreaterThan(1);
  });
});

describe("the queues", () => {
  test.each(environments)("%s: every setting is written out and within the limits of Queues", (_name, { queues }) => {
    for (const { queue, ...values } of queues.consumers) {
      expect(values.max_batch_size, queue).toBeLessThanOrEqual(QUEUE_LIMITS.maxBatchMessages);
      expect(values.max_batch_timeout, queue).toBeLessThanOrEqual(60);
      expect(values.max_retries, queue).toBeLessThanOrEqual(100);
      expect(values.retry_delay, queue).toBeLessThanOrEqual(RETRY_LIMITS.maxDelaySeconds);
    }
  });

  test("send exhausted messages to dmarc-dead-letters, except the last queue", () => {
    for (const { queues } of [process, localProcess]) {
      for (const { queue, dead_letter_queue } of queues.consumers) {
        expect(dead_letter_queue, queue).toBe(queue === "dmarc-dead-letters" ? undefined : "dmarc-dead-letters");
      }
    }
  });

  test("deliver one slice per invocation, so that it fits the write budget", () => {
    expect(QUEUE_LIMITS.maxPointsPerSlice).toBeLessThanOrEqual(ANALYTICS_LIMITS.maxPointsPerInvocation);
    for (const { queues } of [process, localProcess]) {
      expect(queues.consumers.find(({ queue }) => queue === "dmarc-points")?.max_batch_size).toBe(1);
    }
  });
});

test("process fetches URLs named by others over the public Internet only", () => {
  const flags = v.object({ compatibility_flags: v.array(v.string()) });
  expect(v.parse(flags, parse(readFileSync("wrangler.process.toml", "utf8"))).compatibility_flags).toContain(
    "global_fetch_strictly_public",
  );
});

test("all Workers have the same compatibility date", () => {
  expect(new Set(environments.map(([, { compatibility_date }]) => compatibility_date)).size).toBe(1);
});
