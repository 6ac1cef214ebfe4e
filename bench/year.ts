/**
 * What a year of one busy domain costs to ask for: `npm run bench:year -- [records]`, 1,000,000 unless told. Writes 365 days
 * of generated reports into a local engine of its own, asks each statement of the pages and of `dmarc stats`, and checks
 * the totals against what was written. Analytics Engine keeps three months: a year is there only if it was written again.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningAnalytics, startAnalytics } from "../local/analytics/start.ts";
import type { Scope } from "../shared/analytics/collapse.ts";
import type { RowInput } from "../shared/analytics/columns.ts";
import { type AnswerRow, statsQuery } from "../shared/analytics/queries.ts";
import {
  dayGroupsQuery,
  domainReportsQuery,
  domainsQuery,
  policiesQuery,
  reasonsQuery,
} from "../shared/analytics/queries-domains.ts";
import { reportsQuery } from "../shared/analytics/queries-reports.ts";
import {
  sourceDaysQuery,
  sourceDetailQuery,
  sourceRecordsQuery,
  sourceReportsQuery,
  sourcesQuery,
} from "../shared/analytics/queries-sources.ts";
import { querySql } from "../shared/analytics/sql.ts";
import { partsOfPeriod } from "../workers/dashboard/data/period.ts";
import { processCpuMilliseconds, writeRows } from "./engine.ts";
import { watchProcess } from "./large-mail/memory.ts";
import { seeded } from "./reports.ts";

const DOMAIN = "busy.example";
const TOKEN = "bench";
const DAYS = 365;
const REPORTERS = 12;
const FIRST_DAY = 20_000;
const LAST_DAY = FIRST_DAY + DAYS - 1;
const SOURCES = 400;
const RUNS = 3;

/** What was written, for comparison. */
interface Written {
  records: number;
  messages: number;
  passed: number;
}

/** The records of one reporter's report about one day: a source each, the known ones first. */
function* reportRecords(day: number, reporter: number, count: number): Generator<RowInput<"records">> {
  const random = seeded(day * REPORTERS + reporter);
  const begin = day * 86_400;
  const reportUid = `${day.toString(16)}${reporter.toString(16)}`.padStart(32, "0");
  for (let ordinal = 0; ordinal < count; ordinal++) {
    const source = Math.floor(random() ** 2 * SOURCES);
    const isKnown = source < SOURCES * 0.75;
    const dkim = isKnown && random() < 0.9 ? "pass" : "fail";
    const spf = isKnown && random() < 0.7 ? "pass" : "fail";
    const isPass = dkim === "pass" || spf === "pass";
    const service = `service${source % 40}.example`;
    yield {
      ...{ reportUid, ordinal, account: "acme", domain: DOMAIN, reporter: `reporter${reporter}.example` },
      ...{ reportId: `${begin}.${reporter}`, generation: 1, live: 1, headerFrom: DOMAIN, envelopeTo: "" },
      ...{ sourceIp: `192.0.${source >> 8}.${source & 255}`, disposition: isPass ? "none" : "quarantine", dkim, spf },
      ...{ envelopeFrom: `bounce.${DOMAIN}`, dkimResults: `${service} s1 ${dkim}\n${DOMAIN} k1 fail` },
      ...{
        spfResults: `bounce.${service} mfrom ${spf}`,
        reasons: isPass || source % 5 > 0 ? "" : "forwarded by a list",
      },
      ...{ policy: "p=quarantine; sp=quarantine; np=quarantine; adkim=r; aspf=r; pct=100" },
      ...{ authDomain: isPass ? service : "", passed: isPass ? 1 : 0, count: 1 + Math.floor(random() * 20) },
      ...{ beginSeconds: begin, endSeconds: begin + 86_399, receivedSeconds: begin + 90_000 },
    };
  }
}

/** The records of the year, added to `written` as they are handed out. */
function* yearRecords(records: number, written: Written): Generator<RowInput<"records">> {
  const perReport = Math.ceil(records / (DAYS * REPORTERS));
  for (let report = 0; report < DAYS * REPORTERS; report++) {
    const day = FIRST_DAY + Math.floor(report / REPORTERS);
    for (const row of reportRecords(day, report % REPORTERS, perReport)) {
      written.records++;
      written.messages += row.count;
      if (row.passed === 1) written.passed += row.count;
      yield row;
    }
  }
}

/** Each statement of the pages of one domain, and that of `dmarc stats`. */
function statementsOf(days: number): Record<string, string> {
  const period = { firstDay: LAST_DAY - days + 1, lastDay: LAST_DAY };
  const scope: Scope = { accounts: ["acme"], domains: [DOMAIN], ...period };
  const match = { domain: "service7.example" };
  return {
    stats: statsQuery({ domain: DOMAIN }).records,
    domains: domainsQuery(scope, { parts: partsOfPeriod(period) }).sql,
    "reports of domains": domainReportsQuery(scope).sql,
    days: dayGroupsQuery(scope).sql,
    reasons: reasonsQuery(scope).sql,
    policies: policiesQuery(scope).sql,
    sources: sourcesQuery(scope).sql,
    "source: totals": sourceDetailQuery(scope, match).sql,
    "source: days": sourceDaysQuery(scope, match).sql,
    "source: records": sourceRecordsQuery(scope, match).sql,
    "source: reports": sourceReportsQuery(scope, match).sql,
    reports: reportsQuery(scope).sql,
  };
}

async function ask(sql: string, { url }: RunningAnalytics): Promise<AnswerRow[]> {
  const connection = { baseUrl: `${url}/client/v4`, accountId: "local", token: TOKEN, isPageStatement: true };
  const answer = await querySql(connection, sql, fetch);
  if (!answer.ok) throw new Error(`${answer.error.message}\n${sql}`);
  return answer.value.rows;
}

/** The best of a few runs; of memory the most. */
async function measure(sql: string, engine: RunningAnalytics) {
  const best = { milliseconds: Number.POSITIVE_INFINITY, cpu: Number.POSITIVE_INFINITY, bytes: 0, rows: 0 };
  for (let run = 0; run < RUNS; run++) {
    const cpu = await processCpuMilliseconds(engine.pid);
    const start = performance.now();
    const { anonymousPeak } = await watchProcess(engine.pid, async () => {
      best.rows = (await ask(sql, engine)).length;
    });
    best.milliseconds = Math.min(best.milliseconds, performance.now() - start);
    best.cpu = Math.min(best.cpu, (await processCpuMilliseconds(engine.pid)) - cpu);
    best.bytes = Math.max(best.bytes, anonymousPeak);
  }
  const { milliseconds, cpu, bytes, rows } = best;
  return { ms: Math.round(milliseconds), "CPU, ms": cpu, "memory, MB": `+${(bytes / 1e6).toFixed(0)}`, rows };
}

async function checkTotals(written: Written, engine: RunningAnalytics): Promise<void> {
  const scope: Scope = { accounts: ["acme"], domains: [DOMAIN], firstDay: FIRST_DAY, lastDay: LAST_DAY };
  const query = domainsQuery(scope);
  const [totals] = (await ask(query.sql, engine)).map(query.read);
  if (totals?.messages !== written.messages || totals.passed !== written.passed) {
    throw new Error(`The engine says ${JSON.stringify(totals)}; written was ${JSON.stringify(written)}.`);
  }
  console.log(`Totals are those written: ${written.records} records, ${written.messages} messages.`);
}

async function main(records: number): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-bench-"));
  const engine = await startAnalytics({ stateDir, port: 0, token: TOKEN });
  try {
    const written = { records: 0, messages: 0, passed: 0 };
    await writeRows({ url: engine.url, token: TOKEN }, "records", yearRecords(records, written));
    await checkTotals(written, engine);
    for (const days of [30, 90, DAYS]) {
      const rows: Record<string, Awaited<ReturnType<typeof measure>>> = {};
      for (const [name, sql] of Object.entries(statementsOf(days))) rows[name] = await measure(sql, engine);
      console.log(`\n${days} days (stats: always all)`);
      console.table(rows);
    }
    console.log(`Load of the machine: ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    await engine.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

await main(Number(process.argv[2] ?? 1_000_000));
