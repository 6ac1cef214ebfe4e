/**
 * How long the dashboard's pages take: `npm run bench:dashboard -- [records] [--json]`, 1,000,000 over 90 days unless told.
 * Fills a ledger in D1 with the ledger's own writes, asks the dashboard in workerd for every page over HTTP, and compares
 * the pages' totals with what was written and with `stats`; exit code 1 when they differ or a page misses its target.
 */
import { FIRST_DAY, type Written, writeOthers, writeReports } from "./page-data.ts";
import { pathsAbout, periodOfDays } from "./page-paths.ts";
import {
  measurePages,
  mergeAllDays,
  type PagesBench,
  type PageTime,
  printTimes,
  readArguments,
  startPages,
} from "./pages.ts";

const DAYS = 90;
const LAST_DAY = FIRST_DAY + DAYS - 1;
const RECORDS_PER_REPORT = 50;
const LARGEST = "big.example";
const DOMAINS = [LARGEST, ...Array.from({ length: 9 }, (_, i) => `domain${i}.example`)];
const TARGET_MILLISECONDS = 400;
/** Reports about the last days still come in, so those are not merged yet. */
const UNMERGED_DAYS = 3;

/** @throws Error when the pages count something else than was written */
async function compareTotals(bench: PagesBench, written: Written): Promise<void> {
  const period = periodOfDays(LAST_DAY + 1, DAYS + 2);
  const rowsOf = async (page: string, table: string): Promise<Record<string, number>[]> =>
    JSON.parse((await bench.get(`${page}?${period}&export=json&table=${table}`)).text);
  const sum = (rows: Record<string, number>[], name: string): number =>
    rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const compare = (what: string, shown: number[], expected: number[]): void => {
    if (shown.join() !== expected.join()) throw new Error(`${what}: ${shown} instead of ${expected}.`);
  };
  const all = JSON.parse((await bench.get("/api/v1/stats")).text);
  compare("stats", [all.records, all.messages, all.passed], [written.records, written.messages, written.passed]);
  const domains = await rowsOf("/", "domains");
  compare("Domains", [sum(domains, "messages"), sum(domains, "passed")], [written.messages, written.passed]);
  const one = JSON.parse((await bench.get(`/api/v1/stats?domain=${LARGEST}`)).text);
  const page = `/domains/${LARGEST}`;
  const days = await rowsOf(page, "days");
  compare("Overview", [sum(days, "messages"), sum(days, "passed")], [one.messages, one.passed]);
  compare("Sources", [sum(await rowsOf(`${page}/sources`, "sources"), "messages")], [one.messages]);
}

async function run(bench: PagesBench, records: number): Promise<PageTime[]> {
  const written = await writeReports(bench.ledger, {
    domains: DOMAINS,
    days: DAYS,
    reports: Math.ceil(records / RECORDS_PER_REPORT),
    recordsPerReport: RECORDS_PER_REPORT,
    sources: 40,
  });
  await writeOthers(bench.ledger, { domain: LARGEST, days: DAYS, tls: 900, failures: 2000 });
  await mergeAllDays(bench, LAST_DAY - UNMERGED_DAYS + 1);
  await compareTotals(bench, written);
  const times: PageTime[] = [];
  for (const days of [30, DAYS]) {
    const measured = await measurePages(bench, await pathsAbout(bench, LARGEST, periodOfDays(LAST_DAY, days)));
    times.push(...measured.map((time) => ({ ...time, page: `${time.page}, ${days} days` })));
  }
  return times;
}

const { records, json } = readArguments(1_000_000);
const bench = await startPages();
try {
  printTimes(await run(bench, records), { milliseconds: TARGET_MILLISECONDS, json });
} finally {
  await bench.close();
}
