/**
 * One part of the import benchmark: a stack on a state folder of its own, the command as a process of its own, a kill in the
 * middle if the part has one, and the ledger's sums at the end. It leaves no process behind.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import * as v from "valibot";
import { type ApiClient, apiClient } from "../../cli/client.ts";
import { type RunningStack, startStack } from "../../local/stack.ts";
import { IMPORT_LIMITS } from "../../shared/limits.ts";
import { freeStackPorts } from "../../test/support/ports.ts";
import { cpuBetween, cpuByProgram } from "../processes.ts";

/** What is killed in the middle: nothing, the command, the whole stack. */
export type Part = "whole" | "command" | "stack";

/** What the ledger counts. */
export interface Counted {
  reports: number;
  records: number;
  messages: number;
  passed: number;
}

export interface ImportPlan {
  folder: string;
  /** SHA-256 of each file, hex, in the order in which they are imported. */
  sha256s: readonly string[];
  /** What the ledger has to count of all of them. */
  expected: Counted;
}

export interface PartResult {
  part: Part;
  /** What was there when something was killed, of files and of reports. */
  killed?: { afterTaken: number; settled: number };
  /** What the run counted that went to the end. */
  taken: number;
  known: number;
  /** Of the run that went to the end: until the command ended, and until the ledger had everything. */
  takenSeconds: number;
  ledgerSeconds: number;
  /** Processor time meanwhile, by program. */
  cpuSeconds: Record<string, number>;
  counted: Counted;
  isExact: boolean;
}

const RUA = "rua@acme.example";
const LOOK_MS = 100;
/** Ours: nothing has been settled for so long that nothing will. */
const STILL_MS = 60_000;

/** Runs one part. @throws when the stack does not start, the command fails, or nothing moves any more */
export async function runPart(part: Part, stateDir: string, plan: ImportPlan): Promise<PartResult> {
  const run = await ImportRun.start(stateDir, plan);
  try {
    const killed = part === "whole" ? undefined : await run.killInTheMiddle(part);
    return { part, ...(killed === undefined ? {} : { killed }), ...(await run.toTheEnd()) };
  } finally {
    await run.stop();
  }
}

class ImportRun {
  readonly #plan: ImportPlan;
  readonly #options: Parameters<typeof startStack>[0];
  #stack: RunningStack;

  private constructor(plan: ImportPlan, options: Parameters<typeof startStack>[0], stack: RunningStack) {
    this.#plan = plan;
    this.#options = options;
    this.#stack = stack;
  }

  static async start(stateDir: string, plan: ImportPlan): Promise<ImportRun> {
    const ports = await freeStackPorts();
    const options = { stateDir, ...ports, samples: false };
    const run = new ImportRun(plan, options, await startStack(options));
    await run.#client.ask("putRegistration", { rua: RUA, entry: { account: "acme" } });
    return run;
  }

  /** Imports until half of the files are known to the ledger, then kills. @returns what was there then */
  async killInTheMiddle(part: "command" | "stack"): Promise<{ afterTaken: number; settled: number }> {
    const { sha256s } = this.#plan;
    const middle = sha256s[Math.floor(sha256s.length / 2)] ?? "";
    const command = this.#import();
    const ended = new Promise((done) => command.once("close", done));
    while ((await this.#knownOf([middle])) === 0) {
      if (command.exitCode !== null) throw new Error("The command had ended before it was killed.");
      await sleep(LOOK_MS);
    }
    if (part === "stack") {
      this.#stack.kill();
      // Its ports and its state folder are free when it has stopped.
      await this.#stack.stop();
    }
    command.kill("SIGKILL");
    await ended;
    if (part === "stack") this.#stack = await startStack(this.#options);
    return { afterTaken: await this.#knownOf(sha256s), settled: (await this.#client.ask("stats", {})).reports };
  }

  /** Imports all of it, and waits until the ledger has counted it. */
  async toTheEnd(): Promise<Omit<PartResult, "part" | "killed">> {
    const cpuBefore = cpuByProgram("front, this program");
    const start = performance.now();
    const command = this.#import();
    const closed = new Promise<number | null>((done) => command.once("close", done));
    const [stdout, stderr] = await Promise.all([textOf(command.stdout), textOf(command.stderr)]);
    const code = await closed;
    if (code !== 0) throw new Error(`dmarc import ended with ${code}: ${stderr}`);
    const { taken, known } = v.parse(v.object({ taken: v.number(), known: v.number() }), JSON.parse(stdout));
    const takenSeconds = (performance.now() - start) / 1000;
    const counted = await this.#settled();
    const ledgerSeconds = (performance.now() - start) / 1000;
    const cpuSeconds = cpuBetween(cpuBefore, cpuByProgram("front, this program"));
    const isExact = JSON.stringify(counted) === JSON.stringify(this.#plan.expected);
    return { taken, known, takenSeconds, ledgerSeconds, cpuSeconds, counted, isExact };
  }

  stop(): Promise<void> {
    return this.#stack.stop();
  }

  get #client(): ApiClient {
    return apiClient({ url: this.#url, token: this.#stack.token });
  }

  get #url(): string {
    return `http://127.0.0.1:${this.#options.httpPort}`;
  }

  #import(): ChildProcess {
    const program = resolve(import.meta.dirname, "../../cli/dmarc.ts");
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith("DMARC_"));
    return spawn(process.execPath, [program, "import", "--rua", RUA, "--json", this.#plan.folder], {
      env: { ...Object.fromEntries(inherited), DMARC_URL: this.#url, DMARC_TOKEN: this.#stack.token },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  async #knownOf(sha256s: readonly string[]): Promise<number> {
    let known = 0;
    for (let i = 0; i < sha256s.length; i += IMPORT_LIMITS.askedPerCall) {
      const some = sha256s.slice(i, i + IMPORT_LIMITS.askedPerCall);
      known += (await this.#client.ask("knownImports", { sha256s: some })).items.length;
    }
    return known;
  }

  /** The sums, once nothing changes any more or as many reports are there as have to be. */
  async #settled(): Promise<Counted> {
    let seen = -1;
    let since = performance.now();
    for (;;) {
      const { reports, records, messages, passed } = await this.#client.ask("stats", {});
      if (reports >= this.#plan.expected.reports) return { reports, records, messages, passed };
      if (reports !== seen) since = performance.now();
      seen = reports;
      if (performance.now() - since > STILL_MS) return { reports, records, messages, passed };
      await sleep(LOOK_MS);
    }
  }
}

async function textOf(stream: NodeJS.ReadableStream | null): Promise<string> {
  return stream === null ? "" : text(stream);
}
