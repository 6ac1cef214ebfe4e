/**
 * The TOML files, the code and package.json agree: names of queues, bucket, namespace and datasets, bindings of both
 * environments, every queue value written out.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { experimental_readRawConfig } from "wrangler";
import { DATASETS, type DatasetId } from "../../shared/analytics/columns.ts";
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
  r2_buckets: v.optional(v.array(v.object({ binding: v.string(), bucket_name: v.string() })), []),
  queues: v.optional(
    v.object({
      producers: v.optional(v.array(v.object({ binding: v.string(), queue: v.string() })), []),
      consumers: v.optional(v.array(consumer), []),
    }),
    {},
  ),
  analytics_engine_datasets: v.optional(v.array(v.object({ binding: v.string(), dataset: v.string() })), []),
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
  env: v.object({ local: v.object({ ...bindings.entries, name: v.string() }) }),
});
type Bindings = v.InferOutput<typeof bindings>;

function readConfig(worker: string): v.InferOutput<typeof config> {
  return v.parse(config, experimental_readRawConfig({ config: `wrangler.${worker}.toml` }).rawConfig);
}

const WORKERS = ["ingest", "process", "dashboard"];
const configs = new Map(WORKERS.map((worker) => [worker, readConfig(worker)]));
const ingest = readConfig("ingest");
const process = readConfig("process");

/** Every environment of every Worker, named for messages. */
const environments: [string, Bindings][] = [...configs].flatMap(([worker, toml]): [string, Bindings][] => [
  [`${worker}, production`, toml],
  [`${worker}, local`, toml.env.local],
]);

/** Binding → what stands behind it, by its kind; a local dataset is a service with the dataset as a property. */
function bindingNames(environment: Bindings): Record<string, string> {
  return Object.fromEntries([
    ...environment.kv_namespaces.map(({ binding }) => [binding, "kv"]),
    ...environment.r2_buckets.map(({ binding, bucket_name }) => [binding, `bucket ${bucket_name}`]),
    ...environment.queues.producers.map(({ binding, queue }) => [binding, `queue ${queue}`]),
    ...environment.analytics_engine_datasets.map(({ binding, dataset }) => [binding, `dataset ${dataset}`]),
    ...environment.services.map(({ binding, service, entrypoint, props }) => [
      binding,
      props === undefined ? `service ${service}#${entrypoint}` : `dataset ${props.dataset}`,
    ]),
  ]);
}

/** The names of our queues as the Workers' code writes them. */
function queueNamesInCode(): string[] {
  const files = readdirSync("workers", { recursive: true, encoding: "utf8" }).filter((file) =>
    /(?<!\.d)\.ts$/.test(file),
  );
  const texts = files.map((file) => readFileSync(join("workers", file), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(/"(dmarc-[a-z-]+)"/g)].map((match) => match[1] ?? ""));
}

describe("names", () => {
  test("every Worker binds the same names in production and locally", () => {
    for (const [worker, toml] of configs) {
      const production = bindingNames(toml);
      expect(Object.keys(production).length, worker).toBeGreaterThan(0);
      expect(bindingNames(toml.env.local), worker).toEqual(production);
      expect(toml.env.local.name, worker).toBe(toml.name);
      expect(
        Object.keys(toml.env.local.vars).filter((name) => !(name in toml.vars)),
        worker,
      ).toEqual([]);
    }
  });

  test("a binding stands for the same thing in every Worker", () => {
    const shared = Object.entries(bindingNames(ingest));
    const processBindings = bindingNames(process);
    for (const [binding, target] of shared) expect(processBindings[binding]).toBe(target);
    expect(ingest.kv_namespaces).toEqual(process.kv_namespaces);
    expect(ingest.env.local.kv_namespaces).toEqual(process.env.local.kv_namespaces);
  });

  test("the dashboard holds no data bindings and speaks to process", () => {
    expect(bindingNames(readConfig("dashboard"))).toEqual({ PROCESS: `service ${process.name}#Operations` });
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
    for (const environment of [process, process.env.local]) {
      const env = bindingNames(environment);
      for (const [id, { name }] of Object.entries(DATASETS)) {
        expect(datasetBinding(env, id as DatasetId)).toBe(`dataset ${name}`);
      }
    }
  });
});

describe("queues", () => {
  test.each(environments)("%s: every value is written out, and within what Queues takes", (_name, { queues }) => {
    for (const { queue, ...values } of queues.consumers) {
      expect(values.max_batch_size, queue).toBeLessThanOrEqual(QUEUE_LIMITS.maxBatchMessages);
      expect(values.max_batch_timeout, queue).toBeLessThanOrEqual(60);
      expect(values.max_retries, queue).toBeLessThanOrEqual(100);
      expect(values.retry_delay, queue).toBeLessThanOrEqual(RETRY_LIMITS.maxDelaySeconds);
    }
  });

  test("every queue but the last hands its exhausted messages to dmarc-dead-letters", () => {
    for (const { queues } of [process, process.env.local]) {
      for (const { queue, dead_letter_queue } of queues.consumers) {
        expect(dead_letter_queue, queue).toBe(queue === "dmarc-dead-letters" ? undefined : "dmarc-dead-letters");
      }
    }
  });

  test("one slice an invocation, so that it fits the write budget", () => {
    expect(QUEUE_LIMITS.maxPointsPerSlice).toBeLessThanOrEqual(ANALYTICS_LIMITS.maxPointsPerInvocation);
    for (const { queues } of [process, process.env.local]) {
      expect(queues.consumers.find(({ queue }) => queue === "dmarc-points")?.max_batch_size).toBe(1);
    }
  });
});

test("all Workers have one compatibility date", () => {
  expect(new Set([...configs.values()].map(({ compatibility_date }) => compatibility_date)).size).toBe(1);
});
