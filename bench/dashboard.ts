/**
 * How long the dashboard's statements take on the local engine: `node bench/dashboard.ts [records]`, 1,000,000 unless
 * told. Writes generated records into a folder of its own, asks every page's statements as the page does, and compares
 * the totals with those of `dmarc stats`. It never touches another stack's data.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { startAnalytics } from "../local/analytics/start.ts";
import type { Query, Scope } from "../shared/analytics/collapse.ts";
import { buildPoint, DATASETS, type RowInput } from "../shared/analytics/columns.ts";
import { combineStats, statsQuery } from "../shared/analytics/queries.ts";
import {
  type DomainTotals,
  dayGroupsQuery,
  domainProblemsQuery,
  domainReportsQuery,
  domainsQuery,
  domainTrendQuery,
  policiesQuery,
  reasonsQuery,
  totalsByDay,
} from "../shared/analytics/queries-domains.ts";
import { reportsQuery } from "../shared/analytics/queries-reports.ts";
import {
  sourceDaysQuery,
  sourceDetailQuery,
  sourceRecordsQuery,
  sourceReportsQuery,
  sourcesQuery,
} from "../shared/analytics/queries-sources.ts";
import { querySql, type SqlConnection } from "../shared/analytics/sql.ts";

const DAYS = 90;
const FIRST_DAY = 20_000;
const LAST_DAY = FIRST_DAY + DAYS - 1;
const RECORDS_PER_REPORT = 50;
const SOURCES = 40;
/** Sources from this one on authenticate nothing. */
const FIRST_UNKNOWN_SOURCE = 30;
const BATCH = 10_000;
const RUNS = 3;
/** The largest of ten domains has four records in ten. */
const LARGEST = "big.example";

/** A repeatable number of a record, spread evenly enough. */
function spread(place: number, salt: number): number {
  let mixed = Math.imul(place + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

function domainOf(report: number): string {
  const share = spread(report, 1) % 15;
  return share < 6 ? LARGEST : `domain${share}.example`;
}

function recordAt(place: number): RowInput<"records"> {
  const report = Math.floor(place / RECORDS_PER_REPORT);
  const domain = domainOf(report);
  const source = spread(place, 2) % SOURCES;
  const isKnown = source < FIRST_UNKNOWN_SOURCE;
  const isDkim = isKnown && spread(place, 3) % 10 < 9;
  const isSpf = isKnown && spread(place, 4) % 10 < 7;
  const isPass = isDkim || isSpf;
  const begin = (FIRST_DAY + (spread(report, 5) % DAYS)) * 86_400;
  const failed = source % 2 === 0 ? "quarantine" : "reject";
  return {
    ...{ reportUid: spread(report, 6).toString(16).padStart(8, "0") + report.toString(16).padStart(24, "0") },
    ...{ account: "acme", domain, reporter: `reporter${report % 25}.example`, reportId: `${begin}.${report}` },
    ...{ sourceIp: `192.0.2.${source}`, disposition: isPass ? "none" : failed, headerFrom: domain, envelopeTo: "" },
    ...{ dkim: isDkim ? "pass" : "fail", spf: isSpf ? "pass" : "fail", envelopeFrom: `bounce.${domain}` },
    dkimResults: isKnown ? `service${source}.example s1 ${isDkim ? "pass" : "fail"}\n${domain} k1 fail` : "",
    spfResults: `bounce${source}.example mfrom ${isSpf ? "pass" : "fail"}`,
    reasons: !isPass && source % 5 === 0 ? "forwarded looks like a mailing list" : "",
    policy: "p=quarantine; sp=quarantine; np=quarantine; adkim=r; aspf=r; pct=100",
    ...{ authDomain: isPass ? `service${source}.example` : "", passed: isPass ? 1 : 0, live: 1, generation: 1 },
    ...{ ordinal: place % RECORDS_PER_REPORT, count: 1 + (spread(place, 7) % 20) },
    ...{ beginSeconds: begin, endSeconds: begin + 86_399, receivedSeconds: begin + 90_000 },
  };
}

async function writeRecords(records: number, { url, token }: { url: string; token: string }): Promise<void> {
  for (let from = 0; from < records; from += BATCH) {
    const points = Array.from({ length: Math.min(BATCH, records - from) }, (_, i) => {
      const { indexes, blobs, doubles } = buildPoint("records", recordAt(from + i));
      return { index: indexes[0] ?? "", blobs, doubles };
    });
    const body = JSON.stringify({ dataset: DATASETS.records.name, points });
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/local/points`, { method: "POST", headers, body });
    if (!response.ok) throw new Error(await response.text());
  }
}

/** The steps of each page: the statements of a step are asked together. */
function pagesOf(days: number): Record<string, Query<unknown>[][]> {
  const period = { firstDay: LAST_DAY - days + 1, lastDay: LAST_DAY };
  const accounts = ["acme"];
  const all: Scope = { accounts, domains: [LARGEST] };
  const scope: Scope = { ...all, ...period };
  const before = period.firstDay - days;
  const source = { domain: "service7.example" };
  const domains = [LARGEST, ...Array.from({ length: 9 }, (_, i) => `domain${i + 6}.example`)];
  return {
    Domains: [
      [
        domainsQuery({ accounts, ...period }, { beforeFirstDay: before }),
        domainReportsQuery({ accounts, ...period }),
        domainProblemsQuery({ accounts }),
      ],
      [domainTrendQuery({ accounts, domains, ...period })],
    ],
    Overview: [
      [dayGroupsQuery({ ...scope, firstDay: before }), reasonsQuery(scope), policiesQuery(all), sourcesQuery(scope)],
    ],
    Sources: [[sourcesQuery(scope), policiesQuery(all)]],
    Source: [
      [sourceDetailQuery, sourceDaysQuery, sourceRecordsQuery, sourceReportsQuery].map(
        (build) => build(scope, source) as Query<unknown>,
      ),
    ],
    Reports: [[reportsQuery(scope)]],
  };
}

/** CPU time of a process so far, in milliseconds, as Linux tells it; NaN elsewhere. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function ask<Row>(connection: SqlConnection, { sql, read }: Query<Row>): Promise<Row[]> {
  const answer = await querySql(connection, sql, fetch);
  if (!answer.ok) throw new Error(`${answer.error.message}\n${sql}`);
  return answer.value.rows.map(read);
}

async function measure(steps: Query<unknown>[][], { connection, pid }: { connection: SqlConnection; pid: number }) {
  const runs: { wall: number; cpu: number }[] = [];
  for (let run = 0; run < RUNS; run++) {
    const cpu = await cpuMs(pid);
    const start = performance.now();
    for (const step of steps) await Promise.all(step.map((query) => ask(connection, query)));
    runs.push({ wall: performance.now() - start, cpu: (await cpuMs(pid)) - cpu });
  }
  const best = (name: "wall" | "cpu"): string => Math.min(...runs.map((run) => run[name])).toFixed(0);
  return { "wall, ms": best("wall"), "CPU of the engine, ms": best("cpu") };
}

async function compareTotals(connection: SqlConnection): Promise<void> {
  const one = { read: (row: Record<string, unknown>) => row };
  const stats = combineStats(await ask(connection, { ...one, sql: statsQuery().records }), []);
  const sum = (totals: DomainTotals[], name: "messages" | "passed"): number =>
    totals.reduce((total, row) => total + row[name], 0);
  const domains = await ask(connection, domainsQuery({}));
  const days = totalsByDay(await ask(connection, dayGroupsQuery({})));
  const messages = days.reduce((total, day) => total + day.messages, 0);
  const isSame = sum(domains, "messages") === stats.messages && messages === stats.messages;
  if (!isSame || sum(domains, "passed") !== stats.passed) throw new Error("The pages' totals differ from stats.");
  console.log(`Totals equal those of stats: ${stats.records} records, ${stats.messages} messages.`);
}

async function main(records: number): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), "dmarc-bench-"));
  const token = "bench";
  const engine = await startAnalytics({ stateDir, port: 0, token });
  try {
    await writeRecords(records, { url: engine.url, token });
    const event = buildPoint("events", EVENT);
    const points = [{ index: event.indexes[0] ?? "", blobs: event.blobs, doubles: event.doubles }];
    const body = JSON.stringify({ dataset: DATASETS.events.name, points });
    await fetch(`${engine.url}/local/points`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });
    const connection = { baseUrl: `${engine.url}/client/v4`, accountId: "local", token };
    const rows: Record<string, Record<string, string>> = {};
    for (const days of [30, DAYS]) {
      for (const [page, steps] of Object.entries(pagesOf(days))) {
        rows[`${page}, ${days} days`] = await measure(steps, { connection, pid: engine.pid });
      }
    }
    console.table(rows);
    await compareTotals(connection);
    console.log(`Load of the machine: ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    await engine.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

const EVENT: RowInput<"events"> = {
  ...{ eventId: "e", account: "acme", rua: "", outcome: "accepted", kind: "aggregate", code: "", domain: LARGEST },
  ...{ reporter: "", rawKey: "", part: "", generation: 1, receivedSeconds: 0, processedSeconds: 0, records: 0 },
  ...{ skippedRecords: 0, messages: 0, attempts: 1, latencySeconds: 0 },
};

await main(Number(process.argv[2] ?? 1_000_000));
