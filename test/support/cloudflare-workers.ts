/**
 * Support: runs in workerd what was uploaded to the stand-in of Cloudflare's API, with the databases, buckets, namespaces and
 * queues that were made there, by their ids. It keeps what is stored in them when something is uploaded or made.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createTestHarness, type TestHarness } from "wrangler";
import type { WorkerConfig } from "../../local/worker-config.ts";
import type { LedgerDatabase, LedgerResult } from "../../shared/ledger/database.ts";

/** A binding as an upload names it (Workers API, multipart upload metadata). */
export interface Binding {
  type: string;
  name: string;
  id?: string;
  namespace_id?: string;
  bucket_name?: string;
  queue_name?: string;
  service?: string;
  entrypoint?: string;
  dataset?: string;
  text?: string;
  json?: unknown;
}

/** An uploaded Worker. */
export interface Script {
  name: string;
  mainModule: string;
  modules: { name: string; type: string; content: Uint8Array }[];
  bindings: Binding[];
  compatibilityDate: string;
  compatibilityFlags: string[];
  secrets: Record<string, string>;
}

/** A queue's consumer, as wrangler sets it. */
export interface Consumer {
  queue: string;
  script: string;
  deadLetterQueue: string | undefined;
  batchSize: number;
}

/** What there is to run. */
export interface Uploaded {
  scripts: Script[];
  consumers: Consumer[];
  databases: string[];
  buckets: string[];
  queues: string[];
}

/** The part of a bucket and of a queue that the API writes to. */
interface HolderEnv {
  [binding: string]: unknown;
}

const HOLDER = "holder";

/** workerd with what is uploaded; started when it is first needed. */
export class UploadedWorkers {
  readonly #folder = mkdtempSync(join(tmpdir(), "dmarc-uploaded-"));
  readonly #read: () => Uploaded;
  #server: TestHarness | undefined;
  #isStale = true;

  constructor(read: () => Uploaded) {
    this.#read = read;
  }

  /** Something was made or uploaded. */
  changed(): void {
    this.#isStale = true;
  }

  /** Runs SQL as the API does: several statements are one transaction. @throws what D1 throws */
  async query(databaseId: string, statements: string[], parameters: string[]): Promise<LedgerResult[]> {
    const env = await this.#env();
    const database = env[`D1_${this.#read().databases.indexOf(databaseId)}`] as LedgerDatabase;
    const [only] = statements;
    if (statements.length === 1 && only !== undefined)
      return [
        await database
          .prepare(only)
          .bind(...parameters)
          .all(),
      ];
    return database.batch(statements.map((sql) => database.prepare(sql)));
  }

  async putObject(bucket: string, key: string, content: Uint8Array): Promise<void> {
    const env = await this.#env();
    await (env[`R2_${this.#read().buckets.indexOf(bucket)}`] as R2Bucket).put(key, content);
  }

  async send(queue: string, body: unknown): Promise<void> {
    const env = await this.#env();
    await (env[`QUEUE_${this.#read().queues.indexOf(queue)}`] as Queue).send(body);
  }

  /** Asks a Worker over HTTP. */
  async fetch(script: string, url: string, init: RequestInit): Promise<Response> {
    const server = await this.#running();
    return (await server.getWorker(script).fetch(url, init as never)) as unknown as Response;
  }

  async close(): Promise<void> {
    await this.#server?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #env(): Promise<HolderEnv> {
    return (await (await this.#running()).getWorker(HOLDER).getEnv()) as unknown as HolderEnv;
  }

  async #running(): Promise<TestHarness> {
    if (this.#server !== undefined && !this.#isStale) return this.#server;
    this.#isStale = false;
    const uploaded = this.#read();
    const workers = [holder(uploaded), ...uploaded.scripts.map((script) => this.#config(script, uploaded))];
    const options = { root: this.#folder, workers: workers.map((config) => ({ config })) };
    writeFileSync(
      join(this.#folder, "holder.js"),
      "export default { fetch: () => new Response(null, { status: 404 }) };\n",
    );
    if (this.#server === undefined) {
      this.#server = createTestHarness(options);
      await this.#server.listen();
    } else {
      await this.#server.update(options);
    }
    return this.#server;
  }

  #config(script: Script, { consumers }: Uploaded): WorkerConfig {
    const folder = join(this.#folder, script.name);
    for (const { name, content } of script.modules) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
    const texts = script.modules
      .filter(({ type }) => type.startsWith("text/plain"))
      .map(({ name }) => `**/${name.replace(/^\.\//, "")}`);
    const of = (type: string): Binding[] => script.bindings.filter((binding) => binding.type === type);
    return {
      name: script.name,
      main: join(folder, script.mainModule),
      no_bundle: true,
      find_additional_modules: true,
      base_dir: folder,
      rules: [{ type: "Text", globs: texts, fallthrough: true }],
      compatibility_date: script.compatibilityDate,
      compatibility_flags: script.compatibilityFlags,
      vars: {
        ...Object.fromEntries(of("plain_text").map(({ name, text = "" }) => [name, text])),
        ...Object.fromEntries(of("json").map(({ name, json }) => [name, json as string])),
        ...script.secrets,
      },
      d1_databases: of("d1").map(({ name, id = "" }) => ({ binding: name, database_id: id, database_name: id })),
      kv_namespaces: of("kv_namespace").map(({ name, namespace_id: id = "" }) => ({ binding: name, id })),
      r2_buckets: of("r2_bucket").map(({ name, bucket_name = "" }) => ({ binding: name, bucket_name })),
      analytics_engine_datasets: of("analytics_engine").map(({ name, dataset = "" }) => ({ binding: name, dataset })),
      services: of("service").map(({ name, service = "", entrypoint }) => ({
        binding: name,
        service,
        ...(entrypoint !== undefined && { entrypoint }),
      })),
      queues: {
        producers: of("queue").map(({ name, queue_name: queue = "" }) => ({ binding: name, queue })),
        consumers: consumers
          .filter((one) => one.script === script.name)
          .map(({ queue, batchSize, deadLetterQueue }) => ({
            queue,
            max_batch_size: batchSize,
            max_batch_timeout: 0.2,
            ...(deadLetterQueue !== undefined && { dead_letter_queue: deadLetterQueue }),
          })),
      },
    };
  }
}

/** Has everything that is made, so that the API can reach it. */
function holder({ databases, buckets, queues }: Uploaded): WorkerConfig {
  return {
    name: HOLDER,
    main: "holder.js",
    compatibility_date: "2026-11-01",
    d1_databases: databases.map((id, i) => ({ binding: `D1_${i}`, database_id: id, database_name: id })),
    r2_buckets: buckets.map((name, i) => ({ binding: `R2_${i}`, bucket_name: name })),
    queues: { producers: queues.map((queue, i) => ({ binding: `QUEUE_${i}`, queue })), consumers: [] },
  };
}
