/**
 * `npm run fuzz -- --cases N --seed S`: reads N mutated fixtures; only reports and problems may come out, each case in its
 * time. `--case K` runs one case alone. A separate thread reads, so that a hang is reported like a failure.
 * A failure prints the seed, the case and a smallest input, and leaves that as a file.
 */
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { makeCase, minimise, runCase } from "../test/support/fuzz/cases.ts";
import { printHelp } from "./help.ts";

const USAGE = `usage: npm run fuzz -- [--cases N] [--seed S] [--case K]

Reads N mutated fixtures (3000 by default); only reports and problems may come out. --case reads one of them alone.`;

const HANG_MS = 20_000;
const TELL_EVERY = 10_000;

interface Run {
  seed: number;
  from: number;
  to: number;
}

type Message = { at: number; heapBytes: number } | { failed: number; what: string } | { done: true };

async function readCases({ seed, from, to }: Run): Promise<void> {
  const tell = (message: Message) => parentPort?.postMessage(message);
  for (let number = from; number < to; number++) {
    if (number % 50 === 0 || to - from === 1) tell({ at: number, heapBytes: process.memoryUsage().heapUsed });
    const what = await runCase(makeCase(seed, number));
    if (what !== undefined) return tell({ failed: number, what });
  }
  tell({ done: true });
}

function watch(run: Run): void {
  const started = performance.now();
  let at = run.from;
  let heapBytes = 0;
  const worker = new Worker(new URL(import.meta.url), { workerData: run });
  const hang = () => {
    void worker.terminate();
    finish(1, `hangs in a case from ${at} to ${at + 49}: seed ${run.seed}; try each with --case`);
  };
  let timer = setTimeout(hang, HANG_MS);
  worker.on("message", async (message: Message) => {
    clearTimeout(timer);
    if ("done" in message) {
      const seconds = Math.round((performance.now() - started) / 100) / 10;
      return finish(
        0,
        `${run.to - run.from} cases, seed ${run.seed}: nothing but reports and problems, ${seconds} s, ${figures(heapBytes)}`,
      );
    }
    if ("failed" in message) return tellFailure(run.seed, message.failed, message.what);
    at = message.at;
    heapBytes = Math.max(heapBytes, message.heapBytes);
    if (at > run.from && at % TELL_EVERY === 0) process.stdout.write(`${at} cases, ${figures(message.heapBytes)}\n`);
    timer = setTimeout(hang, HANG_MS);
  });
  worker.on("error", (error) => finish(1, `the fuzzer itself failed after case ${at}: ${error.message}`));
}

function figures(heapBytes: number): string {
  const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
  return `heap ${mib(heapBytes)}, resident ${mib(process.memoryUsage().rss)}`;
}

async function tellFailure(seed: number, number: number, what: string): Promise<void> {
  const smallest = await minimise(makeCase(seed, number));
  const file = join(tmpdir(), `fuzz-${seed}-${number}.bin`);
  writeFileSync(file, smallest);
  const content = smallest.byteLength <= 3000 ? `\n${Buffer.from(smallest).toString("base64")}` : "";
  finish(
    1,
    `FAILED: seed ${seed}, case ${number}: ${what}\nsmallest input: ${smallest.byteLength} bytes, ${file}${content}`,
  );
}

function finish(code: number, text: string): void {
  process.stdout.write(`${text}\n`);
  process.exit(code);
}

function readArguments(): Run {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "3000" },
      seed: { type: "string", default: "1" },
      case: { type: "string" },
    },
  });
  const only = values.case === undefined ? undefined : Number(values.case);
  const run = { seed: Number(values.seed), from: only ?? 0, to: only === undefined ? Number(values.cases) : only + 1 };
  if (Object.values(run).every(Number.isSafeInteger)) return run;
  process.stderr.write(`${USAGE}\n`);
  return process.exit(2);
}

if (isMainThread && printHelp(USAGE)) process.exit(0);
if (isMainThread) watch(readArguments());
else await readCases(workerData as Run);
