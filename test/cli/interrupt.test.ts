/** Ctrl-C and closed pipes: one sentence that says how to go on, exit code 130, and no stack trace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const DEAD_LETTER = "20260101-000000000000000000000001";
const JOB = {
  id: "20260101-000000000000000000000002",
  kind: "reprocess",
  state: "running",
  filter: {},
  dryRun: false,
  generation: 1,
  pages: 0,
  cursor: "",
  scanned: 0,
  enqueued: 0,
  finished: 0,
  skipped: 0,
  removed: 0,
  total: 0,
  startedSeconds: 1,
  updatedSeconds: 1,
};

/** Path → its answers, one after the other; there is none after the last. */
let answers: Record<string, unknown[]>;
let server: Server;
let waiting: { promise: Promise<void>; resolve(): void };
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmarc-interrupt-"));
  waiting = Promise.withResolvers<void>();
  answers = {};
  server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/^\/api\/v1/, "").replace(/\?.*$/, "");
    const answer = answers[path]?.shift();
    if (answer === undefined) return waiting.resolve();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});

function start(args: string[]) {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DMARC_"));
  const { port } = server.address() as AddressInfo;
  return spawn(process.execPath, [join(ROOT, "cli/dmarc.ts"), ...args], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), DMARC_URL: `http://127.0.0.1:${port}`, DMARC_TOKEN: "secret" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

it.each<[string, string[], string, Record<string, unknown[]>?]>([
  ["a question", ["stats"], "Interrupted.\n"],
  ["a query", ["query", "SELECT 1"], "Interrupted.\n"],
  [
    "an export into a file",
    ["export", "--since", "2026-01-01", "--output", "all.ndjson"],
    "Interrupted. Run it again with --resume to continue.\n",
  ],
  ["an export", ["export", "--since", "2026-01-01"], "Interrupted. What was written is not complete.\n"],
  [
    "an export as Parquet",
    ["export", "--since", "2026-01-01", "--format", "parquet", "--output", "all.parquet"],
    "Interrupted. all.parquet is not complete: remove it, and run the command again.\n",
  ],
  [
    "a round of the watch",
    ["watch", "run"],
    "Interrupted. What was found is kept. Run it again for the rest, or leave that to cron.\n",
    { "/watch/run": [{ domains: 1, computed: 0, skipped: 0, isDone: false }] },
  ],
  [
    "a change of dead letters",
    ["dead-letters", "requeue", "--all"],
    "Interrupted. Run the same command again for the rest.\n",
    { "/dead-letters/requeue": [{ items: [{ id: DEAD_LETTER, code: "empty", result: "requeued" }], cursor: "a" }] },
  ],
  [
    "a job that is followed",
    ["reprocess", "status", JOB.id, "--watch"],
    `Interrupted. The job goes on; see it with: dmarc reprocess status ${JOB.id}\n`,
    { [`/jobs/${JOB.id}`]: [JOB] },
  ],
  ["waiting for the pipeline", ["status", "--wait"], "Interrupted. The pipeline goes on.\n"],
  [
    "an import",
    ["import", "files", join(ROOT, "docs/example-report.xml"), "--rua", "rua@acme.example"],
    "Interrupted. Run the same command again: it continues, and nothing counts twice.\n",
    { "/registry": [{ items: [{ rua: "rua@acme.example", entry: { account: "acme" } }] }] },
  ],
])("Ctrl-C in %s", async (_, args, said, given = {}) => {
  answers = given;
  const child = start(args);
  const outcome = Promise.all([once(child, "close"), text(child.stderr)]);
  await Promise.race([waiting.promise, outcome]);
  child.kill("SIGINT");
  const [[code, signal], stderr] = await outcome;
  expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: said });
});

it("a standard output that nobody reads any more ends the command quietly", async () => {
  answers = { "/jobs": [{ items: Array.from({ length: 99 }, () => JOB) }] };
  const child = start(["reprocess", "status", "--json"]);
  child.stdout.destroy();
  const [[code, signal], stderr] = await Promise.all([once(child, "close"), text(child.stderr)]);
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: "" });
});

it("a standard error that nobody reads any more leaves the command at work", async () => {
  answers = { "/jobs": [{ items: [JOB] }] };
  const child = start(["query", "nonsense("]);
  child.stderr.destroy();
  const [[code, signal], stdout] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    waiting.promise.then(() => server.closeAllConnections()),
  ]);
  expect({ code, signal, stdout }).toEqual({ code: 1, signal: null, stdout: "" });
});
