/**
 * What a report takes of an isolate that has just been started, as on the free plan, where an invocation has 10 ms of CPU: process,
 * bundled as it is deployed, alone in a new workerd process for each run, its bindings in another one.
 *
 * usage: npm run bench:cold -- [--runs N] [--records N[,N…]] [--json]
 * Exit code: 0 within the goal for 10 records, 1 beyond it, or a report was not accepted.
 */
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Command, InvalidArgumentError } from "commander";
import { renderTable } from "../cli/terminal.ts";
import { encodeBase64 } from "../shared/base64.ts";
import { sha256Hex } from "../shared/identity.ts";
import type { DeliveredReport } from "../shared/messages.ts";
import { buildRawMetadata, rawKey } from "../shared/storage.ts";
import { reportBytes, STYLES } from "../test/support/seeded-reports.ts";
import { serveBindings } from "./large-mail/bindings.ts";
import { Chain, handle } from "./large-mail/chain.ts";
import { type Cpu, cpuOf } from "./large-mail/cpu.ts";
import { bundleWorker, startWorker } from "./large-mail/workerd.ts";
import { median } from "./measure.ts";

const ADDRESS = { rua: "rua@acme.example", entry: { account: "acme" } };
/** Milliseconds that a report of ten records may take, its calls included: 2 below the free plan's limit. */
const GOAL = { records: 10, milliseconds: 8 };
/** Reports in a row of one isolate. */
const REPORTS = 10;
/** Until a started workerd is idle. */
const SETTLE_MILLISECONDS = 300;

interface Row {
  records: number;
  bytes: number;
  cold: Cpu;
  /** The last of REPORTS in the same isolate. */
  warm: Cpu;
}

/** The same calls of bindings by a Worker that does nothing else. */
async function measureCalls(folder: string): Promise<{ cold: Cpu; warm: Cpu }> {
  const bindings = await serveBindings();
  const worker = await startWorker("process", { folder, bindingsPort: bindings.port, v8Flags: [], quiet: true });
  try {
    await sleep(SETTLE_MILLISECONDS);
    const figures: Cpu[] = [];
    for (let i = 0; i < REPORTS; i++) {
      const before = cpuOf(worker.pid);
      await handle(worker, { queue: "dmarc-reports", bodies: [{}] });
      figures.push(spent(before, cpuOf(worker.pid)));
    }
    return firstAndLast(figures);
  } finally {
    await worker.stop();
    bindings.close();
  }
}

async function measureOne(folder: string, records: number, seed: number): Promise<Row> {
  const bindings = await serveBindings();
  const worker = await startWorker("process", { folder, bindingsPort: bindings.port, v8Flags: [], quiet: true });
  try {
    await Chain.open(bindings, ADDRESS);
    await sleep(SETTLE_MILLISECONDS);
    const figures: Cpu[] = [];
    let bytes = 0;
    for (let i = 0; i < REPORTS; i++) {
      const style = STYLES[(seed + i) % STYLES.length];
      if (style === undefined) throw new Error("no styles");
      const content = new Uint8Array(gzipSync(reportBytes({ records, seed: seed * 100 + i, style })));
      bytes = content.byteLength;
      const key = rawKey(1_735_000_000, await sha256Hex(content), `${i}.xml.gz`);
      const object = { content: encodeBase64(content), metadata: metadata(`${i}.xml.gz`) };
      const receivedSeconds = 1_735_000_000;
      const body: DeliveredReport = { v: 1, kind: "report", key, rua: ADDRESS.rua, receivedSeconds, object };
      const before = cpuOf(worker.pid);
      const { answer, points } = await handle(worker, { queue: "dmarc-reports", bodies: [body] });
      const after = cpuOf(worker.pid);
      if (answer !== "ack" || points.length !== records + 1)
        throw new Error(`The report was not accepted: ${JSON.stringify(points[0])}`);
      figures.push(spent(before, after));
    }
    return { records, bytes, ...firstAndLast(figures) };
  } finally {
    await worker.stop();
    bindings.close();
  }
}

function spent(before: Cpu, after: Cpu): Cpu {
  return { main: after.main - before.main, all: after.all - before.all };
}

function firstAndLast(figures: readonly Cpu[]): { cold: Cpu; warm: Cpu } {
  const [cold] = figures;
  const warm = figures.at(-1);
  if (cold === undefined || warm === undefined) throw new Error("nothing was measured");
  return { cold, warm };
}

function metadata(fileName: string): Record<string, string> {
  return buildRawMetadata({
    rua: ADDRESS.rua,
    sender: "dmarc@reporter.example",
    from: "dmarc@reporter.example",
    subject: "Report domain: acme.example",
    messageId: "<1@reporter.example>",
    receivedSeconds: 1_735_000_000,
    fileName,
    mimeType: "application/gzip",
    tlsReportDomain: "",
    objectsOfMail: 1,
    passedOver: {},
    authentication: "",
    importedFrom: "",
  });
}

async function measureAll(runs: number, counts: number[]): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "cold-start-"));
  try {
    bundleWorker("process", folder);
    const calls = join(folder, "calls");
    await mkdir(join(calls, "process"), { recursive: true });
    await cp(join(import.meta.dirname, "large-mail/calls.js"), join(calls, "process/process.js"));
    const rows: Row[] = [];
    const empty: { cold: Cpu; warm: Cpu }[] = [];
    for (let i = 0; i < runs; i++) empty.push(await measureCalls(calls));
    rows.push({ records: 0, bytes: 0, ...middleOf(empty) });
    for (const records of counts) {
      const all: Row[] = [];
      for (let i = 0; i < runs; i++) all.push(await measureOne(folder, records, i + 1));
      rows.push({ records, bytes: median(all.map(({ bytes }) => bytes)), ...middleOf(all) });
    }
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function middleOf(all: readonly { cold: Cpu; warm: Cpu }[]): { cold: Cpu; warm: Cpu } {
  const middle = (pick: (one: { cold: Cpu; warm: Cpu }) => number): number => median(all.map(pick));
  return {
    cold: { main: middle(({ cold }) => cold.main), all: middle(({ cold }) => cold.all) },
    warm: { main: middle(({ warm }) => warm.main), all: middle(({ warm }) => warm.all) },
  };
}

function numbers(text: string): number[] {
  const all = text.split(",").map(Number);
  if (all.every((count) => Number.isInteger(count) && count > 0)) return all;
  throw new InvalidArgumentError("Whole numbers from 1, with commas between them.");
}

const options = new Command("npm run bench:cold --")
  .description("CPU that a report takes in an isolate that has just been started")
  .option("--runs <n>", "isolates for each figure; the median is shown", (text) => numbers(text)[0] ?? 1, 15)
  .option("--records <n,…>", "records of the reports", numbers, [1, 10, 50, 100])
  .option("--json", "JSON for programs")
  .parse()
  .opts<{ runs: number; records: number[]; json?: true }>();
const rows = await measureAll(options.runs, options.records);
if (options.json) console.log(JSON.stringify(rows, undefined, 2));
else {
  const head = ["Records", "Bytes", "Cold, ms", "all threads", `Report ${REPORTS}, ms`, "all threads"];
  const ms = (value: number): string => value.toFixed(1);
  console.log(
    renderTable(
      head,
      rows.map(({ records, bytes, cold, warm }) => [
        ...[
          records === 0 ? "none, the calls alone" : `${records}`,
          `${bytes}`,
          ms(cold.main),
          ms(cold.all),
          ms(warm.main),
          ms(warm.all),
        ],
      ]),
    ),
  );
}
const goal = rows.find(({ records }) => records === GOAL.records);
if (goal !== undefined) {
  const milliseconds = goal.cold.main;
  const verdict = milliseconds > GOAL.milliseconds ? "missed" : "met";
  if (!options.json) {
    console.log(
      `${GOAL.records} records take ${milliseconds.toFixed(1)} ms, their calls included; the goal of ` +
        `${GOAL.milliseconds} ms is ${verdict}.`,
    );
  }
  if (milliseconds > GOAL.milliseconds) process.exitCode = 1;
}
