/**
 * Support of the benchmarks of pages: the dashboard Worker in workerd on its real configuration with a ledger in D1, and how long
 * it takes to answer. Only process is a stand-in: what it answers is not measured here.
 */
import { availableParallelism, loadavg } from "node:os";
import { resolve } from "node:path";
import type { LedgerDatabase } from "../shared/ledger/database.ts";
import { mergeDays } from "../shared/ledger/merge-days.ts";
import { UPKEEP_LIMITS } from "../shared/limits.ts";
import { localWorker } from "../test/support/local-workers.ts";
import { migrate } from "../test/support/migrations.ts";
import { createOfflineHarness } from "../test/support/offline-harness.ts";

const TOKEN = "bench";
const RUNS = 7;

/** A running dashboard. */
export interface PagesBench {
  ledger: LedgerDatabase;
  /** @throws Error when the answer is not 200 */
  get(path: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  text: string;
  milliseconds: number;
  /** As D1's meta counts them. */
  rowsRead: number;
  statements: number;
}

/** Starts it with an empty ledger. */
export async function startPages(): Promise<PagesBench> {
  const server = createOfflineHarness({
    root: resolve(import.meta.dirname, ".."),
    workers: [
      localWorker("dashboard", { vars: { API_TOKEN: TOKEN } }),
      {
        config: {
          name: "dmarc-process",
          main: resolve(import.meta.dirname, "process-stand-in.js"),
          compatibility_date: "2026-11-01",
        },
      },
    ],
  });
  const { url } = await server.listen();
  const worker = server.getWorker<{ D1_DMARC_REPORTS: LedgerDatabase }>("dmarc-dashboard");
  const { D1_DMARC_REPORTS: ledger } = await worker.getEnv();
  await migrate(ledger);
  return {
    ledger,
    async get(path) {
      const headers = { authorization: `Bearer ${TOKEN}`, accept: "text/html" };
      const start = performance.now();
      const response = await fetch(url.origin + path, { headers });
      const text = await response.text();
      const milliseconds = performance.now() - start;
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 500)}`);
      const [, statements = "0", rowsRead = "0"] =
        /"(\d+) statements, (\d+) rows read"/.exec(response.headers.get("server-timing") ?? "") ?? [];
      return { text, milliseconds, statements: Number(statements), rowsRead: Number(rowsRead) };
    },
    close: () => server.close(),
  };
}

/** What cron does at night, for all days. @param beforeDay days before this one are merged */
export async function mergeAllDays({ ledger }: PagesBench, beforeDay: number): Promise<void> {
  const { daysPerRun: limit, daysAtOnce: days, mergedRecordsAtOnce: records } = UPKEEP_LIMITS;
  while ((await mergeDays(ledger, { beforeDay, minReports: 2, limit, atOnce: { days, records } })) >= limit);
}

/** What one page took. */
export interface PageTime {
  page: string;
  medianMilliseconds: number;
  slowestMilliseconds: number;
  statements: number;
  rowsRead: number;
  kilobytes: number;
}

/** Asks for every page several times. @param paths page → path */
export async function measurePages(bench: Pick<PagesBench, "get">, paths: Record<string, string>): Promise<PageTime[]> {
  const times: PageTime[] = [];
  for (const [page, path] of Object.entries(paths)) {
    const answers: Answer[] = [];
    for (let run = 0; run < RUNS; run++) answers.push(await bench.get(path));
    const sorted = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
    const last = answers.at(-1);
    times.push({
      page,
      medianMilliseconds: Math.round(sorted[Math.floor(RUNS / 2)] ?? Number.NaN),
      slowestMilliseconds: Math.round(sorted.at(-1) ?? Number.NaN),
      statements: last?.statements ?? 0,
      rowsRead: last?.rowsRead ?? 0,
      kilobytes: Math.round(Buffer.byteLength(last?.text ?? "") / 1000),
    });
  }
  return times;
}

/** Times that have the same target. */
export interface TimedPages {
  targetMilliseconds: number;
  times: readonly PageTime[];
}

/** Prints times as tables, or all as one JSON document, with the target beside; sets the exit code when a page misses it. */
export function printTimes(measured: readonly TimedPages[], json: boolean): void {
  const machine = { cores: availableParallelism(), load: loadavg()[0] };
  if (json) console.log(JSON.stringify({ ...machine, measured }, undefined, 2));
  for (const { targetMilliseconds, times } of measured) {
    const isMissed = ({ medianMilliseconds }: PageTime): boolean => medianMilliseconds > targetMilliseconds;
    if (times.some(isMissed)) process.exitCode = 1;
    if (json) continue;
    console.table(times.map((time) => ({ ...time, target: isMissed(time) ? "missed" : "met" })));
    console.log(
      `Target: median of at most ${targetMilliseconds} ms. Load ${machine.load?.toFixed(1)} on ${machine.cores} cores.`,
    );
  }
}

/** A number and flags of the command line: `[count] [--json]`. */
export function readArguments(): { count: number | undefined; json: boolean } {
  const [given] = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  return { count: given === undefined ? undefined : Number(given), json: process.argv.includes("--json") };
}
