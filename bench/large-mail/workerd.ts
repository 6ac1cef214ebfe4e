/**
 * One Worker, bundled as it is deployed, alone in a workerd process: its bindings are in another process, so what the
 * process grows by is the Worker's own. Memory is what Linux tells.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import * as v from "valibot";
import { unstable_readConfig } from "wrangler";
import { BINDING_HEADER } from "./bindings.ts";
import { cpuSeconds, type Growth, watchProcess } from "./memory.ts";

export type WorkerName = "ingest" | "process";

export interface RunningWorker {
  /** Of its process. */
  pid: number;
  /** Sends it a body; resolves with its answer. */
  send(path: string, body: Readable): Promise<unknown>;
  /** Measures its process while something runs. */
  watch(run: () => Promise<void>): Promise<Growth>;
  /** Processor time it has used, seconds; 0 when it has ended. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export interface WorkerSetting {
  /** For the bundle and the configuration. */
  folder: string;
  /** Where the bindings answer. */
  bindingsPort: number;
  v8Flags: string[];
  /** Whether what the Worker logs is not to be seen. */
  quiet?: boolean;
}

/** Bundles a Worker from its TOML, with an entry file that passes it mails or messages. */
export function bundleWorker(worker: WorkerName, folder: string): void {
  const entry = join(import.meta.dirname, `${worker}.js`);
  const args = ["deploy", entry, "--dry-run", "-c", tomlOf(worker), "--outdir", join(folder, worker)];
  execFileSync("wrangler", args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" },
  });
}

function tomlOf(worker: WorkerName): string {
  return resolve(import.meta.dirname, `../../wrangler.${worker}.toml`);
}

/** Starts a bundled Worker in a separate process. */
export async function startWorker(worker: WorkerName, setting: WorkerSetting): Promise<RunningWorker> {
  const file = join(setting.folder, `${worker}.capnp`);
  writeFileSync(file, workerdConfig(worker, setting));
  const child = spawn(workerdBinary(), ["serve", "--control-fd=3", file], {
    stdio: setting.quiet ? ["ignore", "ignore", "ignore", "pipe"] : ["ignore", "inherit", "inherit", "pipe"],
  });
  const exited = new Promise<void>((done) => child.once("exit", () => done()));
  const port = await listeningPort(child, exited);
  const { pid = 0 } = child;
  return {
    pid,
    send: (path, body) => Promise.race([post(port, path, body), exited.then(() => fail(`${worker} has ended.`))]),
    watch: (run) => watchProcess(pid, run),
    cpuSeconds: () => cpuSeconds(pid),
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

function fail(message: string): never {
  throw new Error(message);
}

// workerd comes with wrangler; its package exports the path of the binary.
function workerdBinary(): string {
  const fromWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler"));
  return fromWrangler("workerd").default;
}

/** The part of a Worker's TOML that workerd needs. */
const workerConfig = v.object({
  compatibility_date: v.string(),
  compatibility_flags: v.array(v.string()),
  kv_namespaces: v.array(v.object({ binding: v.string() })),
  r2_buckets: v.array(v.object({ binding: v.string() })),
  d1_databases: v.array(v.object({ binding: v.string() })),
  queues: v.object({ producers: v.array(v.object({ binding: v.string(), queue: v.string() })) }),
  vars: v.record(v.string(), v.union([v.string(), v.number()])),
});

/** Nobody outside is asked here. */
const SILENT = new Set(["DNS_OVER_HTTPS_URL"]);

function variableOf(name: string, value: string | number): string {
  if (typeof value === "number") return `(name = "${name}", json = "${value}")`;
  return `(name = "${name}", text = ${JSON.stringify(SILENT.has(name) ? "" : value)})`;
}

function workerdConfig(worker: WorkerName, { bindingsPort, v8Flags }: WorkerSetting): string {
  const config = v.parse(workerConfig, unstable_readConfig({ config: tomlOf(worker) }));
  const kv = config.kv_namespaces.map(({ binding }) => ({ name: binding, type: "kvNamespace", target: "kv" }));
  const r2 = config.r2_buckets.map(({ binding }) => ({ name: binding, type: "r2Bucket", target: "r2" }));
  const sent = config.queues.producers.map(({ binding, queue }) => ({ name: binding, type: "queue", target: queue }));
  const d1 = config.d1_databases.map(({ binding }) => binding);
  const all = [...kv, ...r2, ...sent];
  const variables = Object.entries(config.vars).map(([name, value]) => variableOf(name, value));
  const bindings = [
    ...all.map(({ name, type, target }) => `(name = "${name}", ${type} = "${target}")`),
    ...d1.map(
      (name) => `(name = "${name}", wrapped = (moduleName = "cloudflare-internal:d1-api",
      innerBindings = [(name = "fetcher", service = "d1")]))`,
    ),
    ...variables,
  ];
  const services = [...new Set([...all.map(({ target }) => target), "d1"])].map(
    (target) => `(name = "${target}", external = (address = "127.0.0.1:${bindingsPort}",
      http = (injectRequestHeaders = [(name = "${BINDING_HEADER}", value = "${target}")])))`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ${JSON.stringify(v8Flags)},
  sockets = [(name = "entry", address = "127.0.0.1:0", http = (), service = "main")],
  services = [(name = "main", worker = (
    modules = [(name = "${worker}.js", esModule = embed "${worker}/${worker}.js")],
    compatibilityDate = "${config.compatibility_date}",
    compatibilityFlags = ${JSON.stringify(config.compatibility_flags)},
    bindings = [${bindings.join(", ")}]
  )), ${services.join(", ")}]
);
`;
}

/** workerd tells on its control descriptor where it listens. */
async function listeningPort(child: ChildProcess, exited: Promise<void>): Promise<number> {
  const control = child.stdio[3];
  if (control === null || control === undefined) throw new Error("no control descriptor");
  const told = new Promise<number>((done) => {
    control.once("data", (line: Buffer) => done(JSON.parse(line.toString()).port));
  });
  return Promise.race([told, exited.then(() => fail("workerd did not start."))]);
}

function post(port: number, path: string, body: Readable): Promise<unknown> {
  return new Promise((done, failed) => {
    const call = request({ host: "127.0.0.1", port, path, method: "POST" }, async (response) => {
      const text = (await response.toArray()).join("");
      if (response.statusCode === 200) done(JSON.parse(text));
      else failed(new Error(`${response.statusCode} ${text}`));
    });
    call.once("error", failed);
    body.once("error", failed);
    body.pipe(call);
  });
}
