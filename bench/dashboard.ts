/**
 * How long the dashboard's pages take: `npm run bench:dashboard -- [records] [--json]`, 1,000,000 of ten domains over 90 days
 * by default; `npm run bench:year` is the same about a year of one busy domain with 4,000,000. Fills a ledger in D1 with the
 * ledger's own writes, asks the dashboard in workerd for every page over HTTP, and compares the pages' totals with what was
 * written and with `stats`; exit code 1 when they differ or a page misses its target.
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

/** What is written, and what is asked of it. */
interface Plan {
  /** The first is the one the pages are about. */
  domains: readonly [string, ...string[]];
  days: number;
  records: number;
  reports: number;
  sources: number;
  tls: number;
  failures: number;
  /** Reports about the last days still come in, so those are not merged yet. */
  unmergedDays: number;
  /** Lengths of the periods. */
  periods: readonly number[];
  targetMilliseconds: number;
}

const MILLION = 1_000_000;

function ninetyDays(records = MILLION): Plan {
  return {
    domains: ["big.example", ...Array.from({ length: 9 }, (_, i) => `domain${i}.example`)],
    days: 90,
    records,
    reports: Math.ceil(records / 50),
    sources: 40,
    tls: 900,
    failures: 2000,
    unmergedDays: 3,
    periods: [30, 90],
    targetMilliseconds: 400,
  };
}

function year(records = 4 * MILLION): Plan {
  const days = 365;
  const reportersADay = 12;
  return {
    domains: ["busy.example"],
    days,
    records,
    reports: days * reportersADay,
    sources: 400,
    tls: 0,
    failures: 0,
    unmergedDays: 3,
    periods: [30, 90, days],
    targetMilliseconds: 1000,
  };
}

/** @throws Error when the pages count something else than was written */
async function compareTotals(bench: PagesBench, { domains, days }: Plan, written: Written): Promise<void> {
  const [domain] = domains;
  const period = periodOfDays(FIRST_DAY + days, days + 2);
  const rowsOf = async (page: string, table: string): Promise<Record<string, number>[]> =>
    JSON.parse((await bench.get(`${page}?${period}&export=json&table=${table}`)).text);
  const sum = (rows: Record<string, number>[], name: string): number =>
    rows.reduce((total, row) => total + (row[name] ?? 0), 0);
  const compare = (what: string, shown: number[], expected: number[]): void => {
    if (shown.join() !== expected.join()) throw new Error(`${what}: ${shown} instead of ${expected}.`);
  };
  const all = JSON.parse((await bench.get("/api/v1/stats")).text);
  compare("stats", [all.records, all.messages, all.passed], [written.records, written.messages, written.passed]);
  const listed = await rowsOf("/", "domains");
  compare("Domains", [sum(listed, "messages"), sum(listed, "passed")], [written.messages, written.passed]);
  const one = JSON.parse((await bench.get(`/api/v1/stats?domain=${domain}`)).text);
  const page = `/domains/${domain}`;
  const byDay = await rowsOf(page, "days");
  compare("Overview", [sum(byDay, "messages"), sum(byDay, "passed")], [one.messages, one.passed]);
  compare("Sources", [sum(await rowsOf(`${page}/sources`, "sources"), "messages")], [one.messages]);
}

async function run(bench: PagesBench, plan: Plan): Promise<PageTime[]> {
  const { domains, days, records, reports, sources, tls, failures, unmergedDays } = plan;
  const [domain] = domains;
  const lastDay = FIRST_DAY + days - 1;
  const recordsPerReport = Math.ceil(records / reports);
  const written = await writeReports(bench.ledger, { domains, days, reports, recordsPerReport, sources });
  await writeOthers(bench.ledger, { domain, days, tls, failures });
  await mergeAllDays(bench, lastDay - unmergedDays + 1);
  await compareTotals(bench, plan, written);
  const times: PageTime[] = [];
  for (const period of plan.periods) {
    const measured = await measurePages(bench, await pathsAbout(bench, domain, periodOfDays(lastDay, period)));
    times.push(...measured.map((time) => ({ ...time, page: `${time.page}, ${period} days` })));
  }
  return times;
}

const { count, json } = readArguments();
const plan = process.argv.includes("--year") ? year(count) : ninetyDays(count);
const bench = await startPages();
try {
  printTimes([{ targetMilliseconds: plan.targetMilliseconds, times: await run(bench, plan) }], json);
} finally {
  await bench.close();
}
