/**
 * What the round over all domains takes: `npm run bench:watch -- [--domains N] [--json]`, 1,000 domains by default, each with three
 * reports a day for five weeks, of 20 records of a dozen sources. The real round on SQLite in memory, at WATCH_QUERIES_PER_RUN of
 * wrangler.process.toml: how many domains one run does when all have something new, so how many an hour of runs; what a run takes of
 * CPU for one domain besides the database; and a round in which nothing is new.
 */
import { parseArgs } from "node:util";
import { localConfig } from "../local/worker-config.ts";
import type { LedgerDatabase } from "../shared/ledger/database.ts";
import type { AggregateRecord } from "../shared/report/vocabulary.ts";
import { countingLedger } from "../test/support/counting-ledger.ts";
import { aggregateReport, commitSamples, type Sample, sampleRecord } from "../test/support/ledger-fill.ts";
import { Simulation } from "../test/support/simulation/simulation.ts";
import { SqliteLedger } from "../test/support/sqlite-d1.ts";
import { watchDomains } from "../workers/process/watch/round.ts";

const DAYS = 35;
const REPORTERS = ["google.com", "Outlook.com", "Yahoo"];
const SOURCES = 12;
const RECORDS = 20;
/** Cron runs every minute. */
const RUNS_PER_HOUR = 60;
/** Runs on the free plan that are measured together: one is too short for the clock. */
const FREE_RUNS = 50;
const TEMPLATE = "domain0.example";

interface Answer {
  domains: number;
  queriesPerRun: number;
  /** A round in which every domain has something new. */
  runs: number;
  mostQueriesOfARun: number;
  domainsPerHour: number;
  /** Milliseconds of CPU: of a run besides the database, by domain; and of the database. */
  workerMillisecondsPerDomain: number;
  databaseMillisecondsPerDomain: number;
  /** A round in which nothing is new. */
  quietRuns: number;
  quietQueries: number;
  /** With 24 statements a run, which the free plan takes. */
  freePlan: { domainsPerRun: number; workerMilliseconds: number };
}

function records(day: number): AggregateRecord[] {
  return Array.from({ length: RECORDS }, (_, i) => {
    const name = `mailer${i % SOURCES}.example`;
    const spf = {
      domain: `bounce.${name}`,
      scope: "mfrom",
      result: "pass",
      rawResult: "pass",
      humanResult: "",
    } as const;
    const isOwn = i < 5;
    return sampleRecord(TEMPLATE, {
      count: 10 + ((i * 7 + day) % 30),
      sourceIp: `192.0.2.${i + 1}`,
      ...(isOwn ? {} : { dkim: "fail", dkimResults: [], spfResults: i % 2 === 0 ? [spf] : [] }),
    });
  });
}

/** One domain by settling its reports, the others as copies: figures leave the domain's name out. */
async function fill(
  { sqlite }: SqliteLedger,
  database: LedgerDatabase,
  { domains, today }: { domains: number; today: number },
) {
  const samples: Sample[] = [];
  for (let day = today - DAYS; day < today; day++) {
    for (const reporter of REPORTERS) {
      const rows = records(day);
      const uid = `${samples.length}`.padStart(32, "0");
      const report = aggregateReport(TEMPLATE, { day, records: rows, reporter });
      samples.push({ account: "account0", uid, report, records: rows, receivedSeconds: (day + 1) * 86_400 });
    }
  }
  for (let i = 0; i < samples.length; i += 25) {
    await commitSamples(database, samples.slice(i, i + 25), { nowSeconds: today * 86_400 });
  }
  for (const table of ["reports", "domain_days"]) {
    const names = sqlite
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => String(name));
    const values = names.map((name) => {
      if (name === "account") return "'account' || (n % 100)";
      if (name === "domain") return "'domain' || n || '.example'";
      return name === "uid" ? "randomblob(16)" : name;
    });
    sqlite
      .prepare(
        `WITH RECURSIVE places(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM places WHERE n + 1 < CAST(? AS INTEGER))
        INSERT INTO ${table} (${names.join(", ")}) SELECT ${values.join(", ")} FROM places CROSS JOIN ${table} WHERE domain = ?`,
      )
      .run(domains, TEMPLATE);
  }
}

/** CPU of this thread in milliseconds. */
function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A database that adds up the CPU its statements take. */
function timedDatabase(database: LedgerDatabase): { database: LedgerDatabase; milliseconds(): number } {
  let spent = 0;
  const timed = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = cpuMilliseconds();
    const running = work();
    spent += cpuMilliseconds() - before;
    return running;
  };
  const originals = new WeakMap<object, ReturnType<LedgerDatabase["prepare"]>>();
  const wrap = (statement: ReturnType<LedgerDatabase["prepare"]>): ReturnType<LedgerDatabase["prepare"]> => {
    const wrapper = {
      bind: (...parameters: (string | number | null)[]) => wrap(statement.bind(...parameters)),
      all: () => timed(() => statement.all()),
    };
    originals.set(wrapper, statement);
    return wrapper;
  };
  return {
    milliseconds: () => spent,
    database: {
      prepare: (sql) => wrap(database.prepare(sql)),
      batch: (statements) => timed(() => database.batch(statements.map((one) => originals.get(one) ?? one))),
    },
  };
}

async function run(domains: number): Promise<Answer> {
  const sqlite = new SqliteLedger();
  const timed = timedDatabase(sqlite);
  const counting = countingLedger(timed.database);
  const simulation = new Simulation({ database: counting.ledger });
  const today = Math.floor(simulation.clock.nowMilliseconds / 86_400_000);
  await fill(sqlite, sqlite, { domains, today });
  simulation.watchQueries = Number(localConfig("process").vars?.WATCH_QUERIES_PER_RUN);
  const rounds = async (isWanted: boolean) => {
    const start = { cpu: cpuMilliseconds(), database: timed.milliseconds(), queries: counting.queries };
    let [runs, computed, most, isDone] = [0, 0, 0, false];
    while (!isDone) {
      const before = counting.queries;
      const done = await watchDomains(simulation.invocation(), isWanted);
      runs += 1;
      computed += done.computed;
      most = Math.max(most, counting.queries - before);
      isDone = done.isDone;
    }
    const database = timed.milliseconds() - start.database;
    return {
      runs,
      computed,
      most,
      database,
      worker: cpuMilliseconds() - start.cpu - database,
      queries: counting.queries - start.queries,
    };
  };
  const first = await rounds(true);
  if (first.computed !== domains) throw new Error(`${first.computed} of ${domains} domains were judged.`);
  // The next day all are judged again, with a verdict before.
  simulation.clock.nowMilliseconds += 86_400_000;
  const full = await rounds(true);
  const quiet = await rounds(true);
  simulation.clock.nowMilliseconds += 86_400_000;
  simulation.watchQueries = 24;
  await watchDomains(simulation.invocation(), true);
  const free = { cpu: cpuMilliseconds(), database: timed.milliseconds() };
  let freeDomains = 0;
  for (let i = 0; i < FREE_RUNS; i++) freeDomains += (await watchDomains(simulation.invocation())).computed;
  const freeWorker = cpuMilliseconds() - free.cpu - (timed.milliseconds() - free.database);
  return {
    domains,
    queriesPerRun: Number(localConfig("process").vars?.WATCH_QUERIES_PER_RUN),
    runs: full.runs,
    mostQueriesOfARun: Math.max(full.most, first.most),
    domainsPerHour: Math.floor((RUNS_PER_HOUR * domains) / full.runs),
    workerMillisecondsPerDomain: full.worker / domains,
    databaseMillisecondsPerDomain: full.database / domains,
    quietRuns: quiet.runs,
    quietQueries: quiet.queries,
    freePlan: { domainsPerRun: freeDomains / FREE_RUNS, workerMilliseconds: freeWorker / FREE_RUNS },
  };
}

const { values } = parseArgs({
  options: { domains: { type: "string", default: "1000" }, json: { type: "boolean", default: false } },
});
const domains = Number(values.domains);
if (!Number.isInteger(domains) || domains < 10) {
  console.error("bench:watch: --domains takes a whole number from 10.");
  process.exitCode = 1;
} else {
  const answer = await run(domains);
  console.log(values.json ? JSON.stringify(answer) : answer);
}
