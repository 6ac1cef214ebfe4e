/**
 * How long pages about a year of one busy domain take: `npm run bench:year -- [records] [--json]`, 4,000,000 over 365 days
 * unless told. As bench:dashboard; days are merged as cron does it.
 */
import { FIRST_DAY, writeReports } from "./page-data.ts";
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

const DOMAIN = "busy.example";
const DAYS = 365;
const REPORTERS = 12;
const LAST_DAY = FIRST_DAY + DAYS - 1;
const TARGET_MILLISECONDS = 1000;

async function run(bench: PagesBench, records: number): Promise<PageTime[]> {
  const reports = DAYS * REPORTERS;
  const written = await writeReports(bench.ledger, {
    domains: [DOMAIN],
    days: DAYS,
    reports,
    recordsPerReport: Math.ceil(records / reports),
    sources: 400,
  });
  await mergeAllDays(bench, LAST_DAY - 2);
  const stats = JSON.parse((await bench.get("/api/v1/stats")).text);
  if (stats.messages !== written.messages || stats.passed !== written.passed) {
    throw new Error(`stats say ${JSON.stringify(stats)}; written was ${JSON.stringify(written)}.`);
  }
  const times: PageTime[] = [];
  for (const days of [30, 90, DAYS]) {
    const measured = await measurePages(bench, await pathsAbout(bench, DOMAIN, periodOfDays(LAST_DAY, days)));
    times.push(...measured.map((time) => ({ ...time, page: `${time.page}, ${days} days` })));
  }
  return times;
}

const { records, json } = readArguments(4_000_000);
const bench = await startPages();
try {
  printTimes(await run(bench, records), { milliseconds: TARGET_MILLISECONDS, json });
} finally {
  await bench.close();
}
