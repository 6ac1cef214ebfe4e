/**
 * What reports take of the platform and what that costs: runs ordinary reports through the code of ingest and process,
 * counts every operation that Cloudflare bills, and multiplies by its prices. docs/capacity.md shows its figures.
 *
 * usage: npm run --silent capacity -- [--reports N] [--records N|mixed] [--batch-size N] [--earlier N] [--json]
 * Exit code: 0 within the goals, 1 beyond them or the run failed.
 */
import { Command } from "commander";
import { numberBetween } from "../cli/option-values.ts";
import { renderTable } from "../cli/terminal.ts";
import { STORAGE_LIMITS, UPKEEP_LIMITS } from "../shared/limits.ts";
import { type CapacityPlan, type Counts, countOperations, measureCpu, type UpkeepCounts } from "./capacity/count.ts";
import type { WorkerCpu } from "./capacity/cpu.ts";
import { furtherMillionDollars, monthDollars, PLAN_DOLLARS, PRICES, STORAGE, type Usage } from "./capacity/prices.ts";

const MILLION = 1e6;
/** What the first million of a month may cost, the plan included, and each further million; without points. */
const GOALS = { firstMillion: 7, furtherMillion: 10 };
/** What is reckoned for each millisecond that workerd takes: the platform's machines, and its work on each call, are not known. */
const CPU_SAFETY = 3;
/** Assumed: what Workers Logs adds to each event, and the invocation's own event without a line of ours. */
const LOG_ATTRIBUTE_BYTES = 1000;
const LOG_RETENTION_DAYS = 7;
const GIGABYTE = 1e9;

interface Capacity {
  plan: CapacityPlan;
  counts: Counts;
  upkeep: UpkeepCounts;
  /** Measured in workerd, milliseconds a report. */
  cpu: WorkerCpu;
  /** Of one report. */
  usage: Usage;
  storedBytes: { r2: number; d1: number };
  /** US dollars by kind of usage. */
  dollars: Record<keyof Usage, { firstMillion: number; furtherMillion: number }>;
  totals: { firstMillion: number; furtherMillion: number; firstMillionWithPoints: number; furtherWithPoints: number };
}

async function measure(plan: CapacityPlan): Promise<Capacity> {
  const { counts, upkeep } = await countOperations(plan);
  const cpu = await measureCpu(plan);
  const usage = usageOf(counts, upkeep, cpu.ingest.main + cpu.process.main);
  const kinds = Object.keys(PRICES) as (keyof Usage)[];
  const dollars = Object.fromEntries(
    kinds.map((kind) => [
      kind,
      {
        firstMillion: monthDollars(kind, usage[kind], MILLION),
        furtherMillion: furtherMillionDollars(kind, usage[kind]),
      },
    ]),
  ) as Capacity["dollars"];
  const sum = (pick: (one: Capacity["dollars"]["points"]) => number): number =>
    kinds.filter((kind) => kind !== "points").reduce((total, kind) => total + pick(dollars[kind]), 0);
  const firstMillion = PLAN_DOLLARS + sum((one) => one.firstMillion);
  const furtherMillion = sum((one) => one.furtherMillion);
  return {
    plan,
    counts,
    upkeep,
    cpu,
    usage,
    storedBytes: { r2: counts.rawBytes / counts.reports, d1: counts.databaseBytes / counts.reports },
    dollars,
    totals: {
      firstMillion,
      furtherMillion,
      firstMillionWithPoints: firstMillion + dollars.points.firstMillion,
      furtherWithPoints: furtherMillion + dollars.points.furtherMillion,
    },
  };
}

function usageOf(counts: Counts, upkeep: UpkeepCounts, cpuMilliseconds: number): Usage {
  const { reports } = counts;
  const invocations = counts.mails + counts.batches + counts.sliceBatches;
  // Ingest's invocations have none: `invocation_logs` is off (wrangler.ingest.toml).
  const logEvents = counts.logLines + invocations - counts.mails;
  const logBytes = counts.logBytes + logEvents * LOG_ATTRIBUTE_BYTES;
  // Every object is looked at by reconcile on each of the days that it looks back, a page of keys at a time.
  const listings = UPKEEP_LIMITS.reconciledDays / STORAGE_LIMITS.maxListKeys;
  return {
    requests: invocations / reports,
    cpuMilliseconds: CPU_SAFETY * cpuMilliseconds,
    kvReads: counts.kvReads / reports,
    r2ClassA: counts.r2ClassA / reports + listings,
    r2ClassB: counts.r2ClassB / reports,
    queueOperations: counts.queueOperations / reports + 3 * listings,
    d1RowsWritten: (counts.rowsWritten + upkeep.mergedRowsWritten + upkeep.removedRowsWritten) / reports,
    d1RowsRead: counts.rowsRead / reports + UPKEEP_LIMITS.reconciledDays,
    logGigabytes: logBytes / reports / GIGABYTE,
    logGigabyteMonths: (logBytes / reports / GIGABYTE) * (LOG_RETENTION_DAYS / 30),
    points: counts.points / reports,
  };
}

function print({ counts, upkeep, cpu, usage, storedBytes, dollars, totals }: Capacity): void {
  const { reports } = counts;
  const a = (count: number): string => (count / reports).toFixed(2);
  const lines = Object.entries(PRICES).map(([kind, { name, included, dollars: price, per }]) => {
    const key = kind as keyof Usage;
    return [
      name,
      significant(usage[key]),
      included.toLocaleString("en-US"),
      `${price} / ${per === 1 ? "1" : "million"}`,
      dollars[key].firstMillion.toFixed(2),
      dollars[key].furtherMillion.toFixed(2),
    ];
  });
  const head = ["", "A report", "Included a month", "$", "First million, $", "Each further, $"];
  const total = (name: string, first: number, further: number): string[] => [
    ...[name, "", "", ""],
    first.toFixed(2),
    further.toFixed(2),
  ];
  console.log(
    [
      `${reports} reports of ${a(counts.records)} records, ${(counts.mailBytes / reports / 1000).toFixed(1)} KB a mail; ${counts.batches} batches, ${counts.sliceBatches} slices.`,
      `CPU in workerd: ingest ${cpu.ingest.main.toFixed(2)} ms, process ${cpu.process.main.toFixed(2)} ms; with all threads ` +
        `${cpu.ingest.all.toFixed(2)} and ${cpu.process.all.toFixed(2)}. Reckoned: ${CPU_SAFETY} times the first two.`,
      `D1: ${counts.d1Queries + counts.d1Transactions} calls, of them ${counts.d1Transactions} of several statements, of ${(counts.transactionMilliseconds / counts.d1Transactions).toFixed(2)} ms of SQL.`,
      `D1 rows written a report: ${a(counts.rowsWritten)} when it comes, ${a(upkeep.mergedRowsWritten)} when its ` +
        `day is merged, ${a(upkeep.removedRowsWritten)} when it is removed.`,
      "",
      renderTable(head, [
        ...lines.filter(([name]) => name !== PRICES.points.name),
        total(`Together, with the plan's $${PLAN_DOLLARS}`, totals.firstMillion, totals.furtherMillion),
        ...lines.filter(([name]) => name === PRICES.points.name),
        total("Together, with points", totals.firstMillionWithPoints, totals.furtherWithPoints),
      ]),
      "",
      `Stored: ${storedBytes.r2.toFixed(0)} bytes a report in R2, ${storedBytes.d1.toFixed(0)} in D1. A million ` +
        `reports: $${storageDollars("r2", storedBytes.r2)} a month for R2, ` +
        `$${storageDollars("d1", storedBytes.d1)} for D1, beyond what is included.`,
      `Goals: $${GOALS.firstMillion} for the first million, $${GOALS.furtherMillion} for each further one: ` +
        `${verdict(totals.firstMillion, GOALS.firstMillion)}, ` +
        `${verdict(totals.furtherMillion, GOALS.furtherMillion)}.`,
    ].join("\n"),
  );
}

function storageDollars(store: keyof typeof STORAGE, bytes: number): string {
  return (((bytes * MILLION) / GIGABYTE) * STORAGE[store].dollars).toFixed(2);
}

function verdict(dollars: number, goal: number): string {
  return dollars <= goal ? "met" : `missed by $${(dollars - goal).toFixed(2)}`;
}

function significant(value: number): string {
  return value >= 0.01 ? value.toFixed(2) : value.toExponential(1);
}

const { json, ...plan } = new Command("npm run capacity --")
  .description("Counts what ordinary reports take of the platform, and what that costs")
  .option("--reports <n>", "how many reports", numberBetween(1), 504)
  .option(
    "--records <n>",
    "records of each, or 'mixed': ten on average",
    (text) => (text === "mixed" ? text : numberBetween(1)(text)),
    "mixed" as "mixed" | number,
  )
  .option("--batch-size <n>", "messages a batch of dmarc-reports", numberBetween(1), 18)
  .option("--earlier <n>", "objects of the same account and day that came before", numberBetween(0), 0)
  .option("--json", "JSON for programs")
  .parse()
  .opts<CapacityPlan & { json?: true }>();
const capacity = await measure(plan);
if (json) console.log(JSON.stringify(capacity, undefined, 2));
else print(capacity);
const { firstMillion, furtherMillion } = capacity.totals;
if (firstMillion > GOALS.firstMillion || furtherMillion > GOALS.furtherMillion) process.exitCode = 1;
