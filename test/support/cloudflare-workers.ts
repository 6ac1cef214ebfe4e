/**
 * Support: runs in workerd what was uploaded to the stand-in of Cloudflare's API, with the databases, buckets, namespaces and
 * queues that were made there, by their ids.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createTestHarness, type TestHarness } from "wrangler";
import type { WorkerConfig } from "../../local/worker-config.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";

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

/** The parts of a bucket and of a queue that the API writes to. */
interface ObjectStore {
  put(key: string, content: Uint8Array): Promise<unknown>;
}
interface MessageQueue {
  send(body: unknown): Promise<unknown>;
}
interface HolderEnv {
  [binding: string]: unknown;
}

const HOLDER = "holder";

/**
 * workerd with what is uploaded; started when it is first needed, and anew when something was uploaded since. SQL that the API
 * runs is kept by a SQLite of its own and run again in workerd's D1 when that starts: what Workers wrote before is gone then.
 */
export class UploadedWorkers {
  readonly #folder = mkdtempSync(join(tmpdir(), "dmarc-uploaded-"));
  readonly #read: () => Uploaded;
  readonly #databases = new Map<string, { sqlite: DatabaseSync; changes: string[] }>();
  readonly #objects = new Map<string, { bucket: string; key: string; content: Uint8Array }>();
  #server: TestHarness | undefined;
  #isStale = false;

  constructor(read: () => Uploaded) {
    this.#read = read;
  }

  /** Something was made or uploaded. */
  changed(): void {
    this.#isStale = true;
  }

  /** Runs SQL as the API does: several statements are one transaction. @throws what SQLite throws */
  query(databaseId: string, statements: string[], parameters: string[]): unknown[][] {
    const known = this.#databases.get(databaseId) ?? { sqlite: new DatabaseSync(":memory:"), changes: [] };
    this.#databases.set(databaseId, known);
    const before = stateOf(known.sqlite);
    known.sqlite.exec("BEGIN");
    try {
      const results = statements.map((sql) => known.sqlite.prepare(sql).all(...parameters));
      known.sqlite.exec("COMMIT");
      if (stateOf(known.sqlite) !== before) {
        known.changes.push(...statements);
        this.changed();
      }
      return results;
    } catch (error) {
      known.sqlite.exec("ROLLBACK");
      throw error;
    }
  }

  async putObject(bucket: string, key: string, content: Uint8Array): Promise<void> {
    const object = { bucket, key, content };
    this.#objects.set(`${bucket}/${key}`, object);
    await this.#putInto(await this.#env(), object);
  }

  async send(queue: string, body: unknown): Promise<void> {
    const env = await this.#env();
    await (env[`QUEUE_${this.#read().queues.indexOf(queue)}`] as MessageQueue).send(body);
  }

  /** Asks a Worker over HTTP. */
  async fetch(script: string, url: string, init: RequestInit): Promise<Response> {
    const server = await this.#running();
    return (await server.getWorker(script).fetch(url, init as never)) as unknown as Response;
  }

  /** Lines that the Workers logged. */
  logs(): string[] {
    return (this.#server?.getLogs() ?? []).map(({ message }) => String(message));
  }

  async close(): Promise<void> {
    await this.#server?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #putInto(
    env: HolderEnv,
    { bucket, key, content }: { bucket: string; key: string; content: Uint8Array },
  ): Promise<void> {
    await (env[`R2_${this.#read().buckets.indexOf(bucket)}`] as ObjectStore).put(key, content);
  }

  async #env(): Promise<HolderEnv> {
    return (await (await this.#running()).getWorker(HOLDER).getEnv()) as unknown as HolderEnv;
  }

  async #running(): Promise<TestHarness> {
    if (this.#server !== undefined && !this.#isStale) return this.#server;
    await this.#server?.close();
    this.#isStale = false;
    const uploaded = this.#read();
    writeFileSync(
      join(this.#folder, "holder.js"),
      "export default { fetch: () => new Response(null, { status: 404 }) };\n",
    );
    const workers = [holder(uploaded), ...uploaded.scripts.map((script) => this.#config(script, uploaded))];
    const server = createTestHarness({ root: this.#folder, workers: workers.map((config) => ({ config })) });
    this.#server = server;
    await server.listen();
    const env = (await server.getWorker(HOLDER).getEnv()) as unknown as HolderEnv;
    for (const [i, id] of uploaded.databases.entries()) {
      const database = env[`D1_${i}`] as LedgerDatabase;
      const { changes = [] } = this.#databases.get(id) ?? {};
      if (changes.length > 0) await database.batch(changes.map((sql) => database.prepare(sql)));
    }
    for (const object of this.#objects.values()) {
      if (uploaded.buckets.includes(object.bucket)) await this.#putInto(env, object);
    }
    return server;
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

/** Differs after SQL that changed anything. */
function stateOf(sqlite: DatabaseSync): string {
  return JSON.stringify([
    sqlite.prepare("PRAGMA schema_version").all(),
    sqlite.prepare("SELECT total_changes()").all(),
  ]);
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
