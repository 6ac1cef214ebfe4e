/** `npm start` as a process: how it starts, ends and fails, and that nothing is left behind. The real Workers run in it. */
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, cpSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { startAnalytics } from "../../local/analytics/start.ts";
import { INGEST_HOST } from "../../local/ask-ingest.ts";
import { buildSamples } from "../../local/samples/samples.ts";
import { readLocalSecret } from "../../local/secret.ts";
import { freePorts } from "../support/ports.ts";
import { readSamples } from "./read-samples.ts";
import {
  askRows,
  commandLines,
  listeningAddresses,
  pidsOf,
  processesNaming,
  TOKEN,
  testFolder,
  write,
} from "./support.ts";

interface Started {
  child: ChildProcess;
  output: () => string;
  exited: Promise<number | null>;
}

/** Some 300 mails and up to three starts: minutes on a busy machine. */
const SAMPLES = { timeout: 180_000 };

const running: Started[] = [];

afterEach(async () => {
  for (const { child, exited } of running.splice(0)) {
    child.kill("SIGTERM");
    await exited;
  }
});

const REPOSITORY = join(import.meta.dirname, "../..");

/** Starts it with flags; the state folder and ports are the test's. */
function start(flags: string[], repository = REPOSITORY, env: NodeJS.ProcessEnv = process.env): Started {
  const child = spawn(process.execPath, [join(repository, "local/start.ts"), ...flags], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const started = { child, output: () => output, exited };
  running.push(started);
  return started;
}

/** A copy of the repository with all its packages but one, as after a `git pull` without `npm ci`. */
function copyWithout(missing: string): string {
  const copy = testFolder();
  for (const name of readdirSync(REPOSITORY)) {
    if (/^(node_modules|\..*|test|bench)$/.test(name)) continue;
    cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  }
  mkdirSync(join(copy, "node_modules"));
  for (const name of readdirSync(join(REPOSITORY, "node_modules"))) {
    if (name !== missing) symlinkSync(join(REPOSITORY, "node_modules", name), join(copy, "node_modules", name));
  }
  return copy;
}

/** A stack that has read some of its samples, and is still sending others. */
async function startedAmidSamples(folder: string) {
  const { flags, ports } = await flagsFor(folder);
  const started = start(flags);
  await untilReady(started);
  const token = readLocalSecret(folder)?.apiToken ?? "";
  const sqlUrl = `http://127.0.0.1:${ports[2]}`;
  const some = "SELECT count(DISTINCT blob1) AS n FROM dmarc_records";
  const untilSome = async () => expect(Number((await askRows(sqlUrl, some, token))[0]?.n)).toBeGreaterThan(20);
  await vi.waitFor(untilSome, { timeout: 120_000 });
  expect(started.output()).not.toContain("sample mails");
  return { started, sqlUrl, token };
}

async function flagsFor(folder: string): Promise<{ flags: string[]; ports: number[] }> {
  const ports = await freePorts(3);
  const names = ["--http", "--smtp", "--sql"];
  return { ports, flags: ["--state", folder, ...names.flatMap((name, place) => [name, String(ports[place])])] };
}

const untilReady = (started: Started) =>
  vi.waitUntil(() => started.output().includes("Ready.") || started.child.exitCode !== null, { timeout: 120_000 });

const untilSent = (started: Started) =>
  vi.waitUntil(() => started.output().includes("sample mails"), { timeout: 120_000 });

/** Every sample report that has records is in the dataset. */
async function untilAllRead(sqlUrl: string, token: string): Promise<void> {
  const { accepted } = await readSamples(await buildSamples(Date.now() / 1000));
  const n = accepted.filter(({ records }) => records.length > 0).length;
  const reports = "SELECT count(DISTINCT blob1) AS n FROM dmarc_records";
  await vi.waitFor(async () => expect(await askRows(sqlUrl, reports, token)).toEqual([{ n: String(n) }]), {
    timeout: 120_000,
  });
}

const untilGone = (folder: string) =>
  vi.waitFor(() => expect(processesNaming(folder).length).toBe(0), { timeout: 120_000, interval: 200 });

describe("npm start", () => {
  test(
    "ends at Ctrl-C while samples are sent, and the next start sends them; kill -9 loses none",
    SAMPLES,
    async () => {
      const folder = testFolder();
      const { flags, ports } = await flagsFor(folder);
      const early = start(flags);
      await untilReady(early);
      early.child.kill("SIGINT");
      expect(await early.exited).toBe(0);
      expect(early.output()).not.toMatch(/sample mails|error/);

      const first = start(flags);
      await untilReady(first);
      await untilSent(first);
      const token = readLocalSecret(folder)?.apiToken ?? "";
      expect(first.output()).toContain(`sent ${(await buildSamples(Date.now() / 1000)).length} sample mails`);
      expect(first.output()).not.toMatch(/WARN|ENOTFOUND|\n {4}at /);
      expect(first.output()).not.toContain(token);
      expect(commandLines().some((line) => line.includes(token))).toBe(false);
      first.child.kill("SIGKILL");
      await first.exited;

      const second = start(flags);
      await untilReady(second);
      expect(second.output()).toContain("Ready.");
      // What was enqueued and not read when it was killed is enqueued again.
      await untilAllRead(`http://127.0.0.1:${ports[2]}`, token);
      expect(second.output()).not.toContain("sample mails");
      second.child.kill("SIGINT");
      second.child.kill("SIGINT");
      expect(await second.exited).toBe(0);
      await untilGone(folder);
    },
  );

  test.each(["local/start.ts", "analytics/server.ts", "wrangler-dev.ts", "esbuild", "workerd serve"])(
    "ends at a signal during the start, as soon as %s runs",
    async (part) => {
      const folder = testFolder();
      const { flags } = await flagsFor(folder);
      const started = start([...flags, "--no-samples"]);
      await vi.waitUntil(() => started.output().includes("starting"), { timeout: 120_000 });
      const isRunning = (): boolean => processesNaming(folder).some((line) => line.includes(part));
      await vi.waitUntil(isRunning, { timeout: 120_000, interval: 20 });
      started.child.kill("SIGINT");
      expect(await started.exited).toBe(0);
      expect(started.output()).not.toContain("    at ");
      await untilGone(folder);
    },
  );

  test("what waits in the queues when wrangler reloads is enqueued again", SAMPLES, async () => {
    const folder = testFolder();
    const { flags, ports } = await flagsFor(folder);
    const started = start([...flags, "--watch"]);
    await untilReady(started);
    await untilSent(started);
    // A change of a configuration file has the Workers reloaded, as a change of their source has. The watcher may miss
    // one that comes right after the start.
    const change = () => appendFileSync(join(folder, "run/analytics/wrangler.json"), "\n");
    change();
    const again = setInterval(change, 5000);
    await vi.waitUntil(() => started.output().includes("enqueued again"), { timeout: 120_000 });
    clearInterval(again);
    await vi.waitUntil(() => /process {3}(reconcile|job)/.test(started.output()), { timeout: 120_000 });
    await untilAllRead(`http://127.0.0.1:${ports[2]}`, readLocalSecret(folder)?.apiToken ?? "");
  });

  test("an engine that is killed is started again, and has every point", SAMPLES, async () => {
    const folder = testFolder();
    const { started, sqlUrl, token } = await startedAmidSamples(folder);
    for (const pid of pidsOf(folder, "analytics/server.ts")) process.kill(pid, "SIGKILL");
    await vi.waitUntil(() => started.output().includes("the local Analytics Engine is running again"), {
      timeout: 120_000,
    });
    expect(started.output()).toContain("Engine stopped unexpectedly (signal SIGKILL); restarting it");
    await untilSent(started);
    await untilAllRead(sqlUrl, token);
    started.child.kill("SIGINT");
    expect(await started.exited).toBe(0);
    await untilGone(folder);
  });

  test("an engine that dies again and again is given up with a sentence", async () => {
    const folder = testFolder();
    const { flags } = await flagsFor(folder);
    const started = start([...flags, "--no-samples"]);
    await untilReady(started);
    const kill = setInterval(() => {
      for (const pid of pidsOf(folder, "analytics/server.ts")) process.kill(pid, "SIGKILL");
    }, 300);
    expect(await started.exited).toBe(1);
    clearInterval(kill);
    expect(started.output()).toMatch(/The local Analytics Engine stopped unexpectedly .*Stopping\. The log is /);
    expect(started.output()).not.toContain("    at ");
    await untilGone(folder);
  });

  test("a runtime that is killed is started again, and no mail that was taken is lost", SAMPLES, async () => {
    const folder = testFolder();
    const { started, sqlUrl, token } = await startedAmidSamples(folder);
    for (const pid of pidsOf(folder, "workerd serve")) process.kill(pid, "SIGKILL");
    await vi.waitUntil(() => started.output().includes("the Workers are running again"), { timeout: 120_000 });
    expect(started.output()).toMatch(/the Workers stopped unexpectedly \(.*\); restarting them/);
    await untilSent(started);
    await untilAllRead(sqlUrl, token);
  });

  test("a runtime that dies again and again is given up with a sentence", async () => {
    const folder = testFolder();
    const { flags } = await flagsFor(folder);
    const started = start([...flags, "--no-samples"]);
    await untilReady(started);
    const kill = setInterval(() => {
      for (const pid of pidsOf(folder, "workerd serve")) process.kill(pid, "SIGKILL");
    }, 300);
    expect(await started.exited).toBe(1);
    clearInterval(kill);
    expect(started.output()).toMatch(/The Workers stopped unexpectedly .*Stopping\. The log is /);
    expect(started.output()).not.toContain("    at ");
    await untilGone(folder);
  });

  test("it listens on this machine only, for no debugger, and wrangler's own ports serve nobody", async () => {
    const folder = testFolder();
    const { flags, ports } = await flagsFor(folder);
    const started = start([...flags, "--no-samples"]);
    await untilReady(started);
    const addresses = listeningAddresses(folder);
    expect(addresses).toEqual(expect.arrayContaining(ports.map((port) => `127.0.0.1:${port}`)));
    for (const address of addresses) expect(address).toMatch(/^127\.0\.0\.1:/);
    const host = `127.0.0.1:${ports[0]}`;
    const forged = { "mf-original-url": `http://${host}/`, "x-forwarded-host": host };
    const hosts = [host, "evil.example", INGEST_HOST];
    for (const port of addresses.map((address) => Number(address.split(":")[1])).filter((port) => port !== ports[1])) {
      for (const path of ["/", "/json/list", "/api/v1/status", "/domains/example.com"]) {
        for (const headers of hosts.flatMap((name) => [{ host: name }, { host: name, ...forged }])) {
          const { status, text } = await askPort(port, path, headers);
          expect({ port, path, headers, isServed: status < 400 }).toEqual({ port, path, headers, isServed: false });
          expect(text).not.toContain("webSocketDebuggerUrl");
        }
      }
    }
  });

  test("what it keeps can be read by its owner only", SAMPLES, async () => {
    const folder = testFolder();
    const { flags } = await flagsFor(folder);
    const started = start(flags);
    await untilReady(started);
    await untilSent(started);
    started.child.kill("SIGINT");
    expect(await started.exited).toBe(0);
    const open = readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile() || entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => ((lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0);
    expect(open).toEqual([]);
  });

  test.each(["/dev/null/state", "/proc/state"])(
    "a state folder that cannot be written is one sentence: %s",
    async (folder) => {
      const { flags } = await flagsFor(folder);
      const started = start(flags);
      expect(await started.exited).toBe(1);
      expect(started.output()).toMatch(
        new RegExp(
          `^[^\n]*starting[^\n]*\nThe state folder ${folder} cannot be written \\(.*\\)\\. Make it writable[^\n]*\n$`,
        ),
      );
    },
  );

  test("data of the engine that cannot be opened is one sentence", async () => {
    const folder = testFolder();
    const engine = await startAnalytics({ stateDir: folder, port: 0, token: TOKEN });
    await write(engine.url, "points", [{}]);
    await engine.stop();
    const files = readdirSync(join(folder, "analytics"), { withFileTypes: true, recursive: true });
    for (const { parentPath, name } of files.filter(({ name }) => name.endsWith(".sql"))) {
      writeFileSync(join(parentPath, name), "garbage");
    }
    const { flags } = await flagsFor(folder);
    const started = start(flags);
    expect(await started.exited).toBe(1);
    expect(started.output()).toMatch(
      /^[^\n]*starting[^\n]*\nThe data of the local Analytics Engine in [^\n]*analytics cannot be opened \([^\n]*garbage[^\n]*\)\. Move [^\n]*reprocess --all[^\n]*\n$/,
    );
    await untilGone(folder);
  });

  test("a package missing from a Worker is reported with what to do, and nothing keeps running", async () => {
    const folder = testFolder();
    const { flags } = await flagsFor(folder);
    const started = start(flags, copyWithout("d3-scale"));
    expect(await started.exited).toBe(1);
    expect(started.output()).toMatch(
      /\nThe Workers cannot be bundled: Could not resolve "d3-scale" \([^\n]*, line \d+\)[^\n]*: run npm ci, and start again\.\n$/,
    );
    await untilGone(folder);
  });

  test("needs no home folder, as a user of a service has none", async () => {
    const { XDG_CONFIG_HOME: _, ...env } = process.env;
    const { flags } = await flagsFor(testFolder());
    const started = start(flags, REPOSITORY, { ...env, HOME: "/dev/null/home" });
    await untilReady(started);
    expect(started.output()).toContain("Ready.");
  });

  test("a busy port is one sentence", async () => {
    const folder = testFolder();
    const { flags, ports } = await flagsFor(folder);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(ports[1], "127.0.0.1", resolve));
    const started = start(flags);
    expect(await started.exited).toBe(1);
    await new Promise((resolve) => other.close(resolve));
    expect(started.output()).toMatch(
      new RegExp(
        `^[^\n]*starting[^\n]*\nPort ${ports[1]} for mail is already in use; choose another one with --smtp\\.\n$`,
      ),
    );
  });

  test("a wrong flag value is one sentence", async () => {
    const started = start(["--smtp", "post"]);
    expect(await started.exited).toBe(1);
    expect(started.output()).toBe("--smtp: 'post' is not a port; give a number from 1 to 65535.\n");
  });
});

/** Asks a port by hand: `fetch` does not let one choose the host. No HTTP at all is status 599. */
function askPort(
  port: number,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const call = request({ host: "127.0.0.1", port, path, headers, timeout: 5000 }, async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode ?? 0, text });
    });
    call.once("error", () => resolve({ status: 599, text: "" }));
    call.end();
  });
}
