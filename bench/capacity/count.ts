/**
 * Counts what ordinary reports take of the platform: the code of ingest and process as the simulation runs it, with the
 * ledger in workerd's own D1, whose `meta` says which rows it bills.
 */
import { gzipSync } from "node:zlib";
import { putAddress } from "../../shared/ledger/addresses.ts";
import type { LedgerDatabase, LedgerResult, LedgerStatement } from "../../shared/ledger/database.ts";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import { validRegistration } from "../../shared/registry.ts";
import { migrate } from "../../test/support/migrations.ts";
import { mailOf, reportBytes, STYLES, seeded } from "../../test/support/seeded-reports.ts";
import { Simulation } from "../../test/support/simulation/simulation.ts";
import { runUpkeep } from "../../workers/process/upkeep.ts";
import { measureCpu as cpuOfMails, type WorkerCpu } from "./cpu.ts";
import { withEmptyDatabase } from "./empty-database.ts";

/** Reports about one domain and day, of as many reporters. */
const REPORTS_PER_DAY = 12;
const RUA = "dmarc@acme.example";
const DAY_MILLISECONDS = 86_400_000;
const KEEP_DETAIL_DAYS = 400;

/** What was counted, over all reports of a run. */
export interface Counts {
  reports: number;
  records: number;
  mailBytes: number;
  rawBytes: number;
  /** Invocations of ingest and of process; of the latter, of slices. */
  mails: number;
  batches: number;
  sliceBatches: number;
  kvReads: number;
  r2ClassA: number;
  r2ClassB: number;
  queueOperations: number;
  d1Queries: number;
  d1Transactions: number;
  rowsRead: number;
  rowsWritten: number;
  /** Time of the SQL alone, as D1 says it, of all transactions and of all queries. */
  transactionMilliseconds: number;
  queryMilliseconds: number;
  databaseBytes: number;
  points: number;
  logLines: number;
  logBytes: number;
}

/** What cron adds for the same reports: merging their days, and removing them once they are old. */
export interface UpkeepCounts {
  mergedRowsWritten: number;
  removedRowsWritten: number;
}

export interface CapacityPlan {
  reports: number;
  /** Records of each report; "mixed" = from 1 up, most of them few, ten on average. */
  records: number | "mixed";
  batchSize: number;
  /** Objects of the same account and day that came before. */
  earlier: number;
}

/** Runs the reports through ingest and process, then what cron does with them. */
export async function countOperations(plan: CapacityPlan): Promise<{ counts: Counts; upkeep: UpkeepCounts }> {
  return withEmptyDatabase(async (directory) => {
    await migrate(directory);
    const ledger = new CountedLedger(directory);
    const place = { directory, copy: { get: async () => null, put: async () => {}, delete: async () => {} } };
    await putAddress(validRegistration(RUA, { account: "acme" }), { ...place, newAccountShard: 0 }, 0);
    const simulation = new Simulation({ database: ledger });
    await addEarlier(directory, plan.earlier, Math.floor(simulation.clock.nowMilliseconds / DAY_MILLISECONDS));
    return runAll(plan, simulation, ledger);
  });
}

/** CPU milliseconds a report of ingest and of process, of so many reports of which the first half is not counted. */
export function measureCpu(plan: CapacityPlan): Promise<WorkerCpu> {
  return cpuOfMails({ rua: RUA, mails: mailsOf(plan).map(({ raw }) => raw), batchSize: plan.batchSize });
}

/** Adds objects of one day, of one record each by one of a hundred reporters. */
async function addEarlier(ledger: LedgerDatabase, objects: number, day: number): Promise<void> {
  await ledger
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= ?1)
      INSERT INTO objects (rua, day, object_hash, account, version, generation, received_seconds, settled_seconds, records,
        outcomes, reporter, reports)
      SELECT ?2, CAST(?3 AS INTEGER), randomblob(16), 'acme', 1, 1, CAST(?3 AS INTEGER) * 86400, CAST(?3 AS INTEGER) * 86400, 1,
        '[]', -2 - i % 100, 1 FROM n WHERE i <= ?1`,
    )
    .bind(objects, RUA, day)
    .all();
}

async function runAll(
  plan: CapacityPlan,
  simulation: Simulation,
  ledger: CountedLedger,
): Promise<{ counts: Counts; upkeep: UpkeepCounts }> {
  simulation.register(RUA, { account: "acme" });
  const queues = countQueues(simulation);
  const mails = mailsOf(plan);
  const lines: string[] = [];
  const emptyBytes = ledger.databaseBytes;
  await collectingLog(lines, async () => {
    for (const { raw } of mails) {
      const outcome = await simulation.deliver({ from: "dmarc@reporter.example", to: RUA, raw });
      if (outcome !== "taken") throw new Error(`A mail was not taken: ${outcome}.`);
    }
    await simulation.drain({ maxBatchSize: plan.batchSize });
  });
  const accepted = await ledger.accepted();
  if (accepted !== plan.reports) throw new Error(`${accepted} reports were accepted, not ${plan.reports}.`);
  lines.push(...simulation.log);
  const { calls } = simulation.faults;
  const called = (pattern: RegExp): number => calls.filter((name) => pattern.test(name)).length;
  const counts: Counts = {
    reports: plan.reports,
    records: mails.reduce((sum, { records }) => sum + records, 0),
    mailBytes: mails.reduce((sum, { raw }) => sum + raw.byteLength, 0),
    rawBytes: simulation.bucket.keys().reduce((sum, key) => sum + (simulation.bucket.describe(key)?.size ?? 0), 0),
    mails: mails.length,
    batches: queues.batches("dmarc-reports"),
    sliceBatches: queues.batches("dmarc-points"),
    kvReads: called(/^kv\.get/),
    r2ClassA: called(/^r2\.(put|list)/),
    r2ClassB: called(/^r2\.(get|head)/),
    queueOperations: queues.operations(),
    d1Queries: called(/^d1\.all/),
    d1Transactions: called(/^d1\.batch/),
    rowsRead: ledger.rowsRead,
    rowsWritten: ledger.rowsWritten,
    transactionMilliseconds: ledger.transactionMilliseconds,
    queryMilliseconds: ledger.queryMilliseconds,
    databaseBytes: ledger.databaseBytes - emptyBytes,
    points: called(/^analytics\.write/),
    logLines: lines.length,
    logBytes: lines.reduce((sum, line) => sum + Buffer.byteLength(line), 0),
  };
  return { counts, upkeep: await countUpkeep(simulation, ledger) };
}

/** Cron's work on these reports: once soon after, and once when they are older than KEEP_DETAIL_DAYS. */
async function countUpkeep(simulation: Simulation, ledger: CountedLedger): Promise<UpkeepCounts> {
  const rowsOf = async (days: number, keepDetailDays: number): Promise<number> => {
    simulation.clock.nowMilliseconds += days * DAY_MILLISECONDS;
    const before = ledger.rowsWritten;
    const invocation = simulation.invocation();
    const env = { ...invocation.env, KEEP_DETAIL_DAYS: keepDetailDays };
    await runUpkeep({ ...invocation, env }, 0.5);
    return ledger.rowsWritten - before;
  };
  // The reports are about days of 2023: the first run must not find them too old.
  const mergedRowsWritten = await rowsOf(1, 100_000);
  return { mergedRowsWritten, removedRowsWritten: await rowsOf(2 * KEEP_DETAIL_DAYS, KEEP_DETAIL_DAYS) };
}

/** Mails of one report each: the reports of one batch are about different days, those of one day come one round apart. */
function mailsOf({ reports, records }: CapacityPlan): { raw: Uint8Array; records: number }[] {
  const days = Math.ceil(reports / REPORTS_PER_DAY);
  return Array.from({ length: reports }, (_, i) => {
    const seed = (i % days) + 365 * Math.floor(i / days);
    const style = STYLES[i % STYLES.length];
    if (style === undefined) throw new Error("no styles");
    const count = records === "mixed" ? mixedRecords(seeded(i)()) : records;
    const content = gzipSync(reportBytes({ records: count, seed, style }));
    const mail = mailOf(`reporter${seed}!acme.example.xml.gz`, content);
    return { raw: Buffer.concat([verified(style.email), mail]), records: count };
  });
}

/** What Email Routing prepends to most mails: the report alone is stored, and it counts as its sender's. */
function verified(email: string): Uint8Array {
  const domain = email.replace(/^.*@/, "");
  return Buffer.from(`Authentication-Results: mx.cloudflare.net; dmarc=pass header.from=${domain}\r\n`);
}

/** Exponential, from 1 up, with a mean of ten. */
function mixedRecords(chance: number): number {
  return 1 + Math.floor(-9.5 * Math.log(1 - chance));
}

/** Runs with what is logged collected, not printed. */
async function collectingLog<T>(lines: string[], run: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = (line: string) => void lines.push(line);
  try {
    return await run();
  } finally {
    console.log = log;
  }
}

/** Counts what is written to the queues and read from them. */
function countQueues(simulation: Simulation): { batches(name: string): number; operations(): number } {
  const batches = new Map<string, number>();
  let operations = 0;
  for (const queue of Object.values(simulation.queues)) {
    const [send, take] = [queue.send.bind(queue), queue.take.bind(queue)];
    queue.send = async (body, options) => {
      operations += operationsOf(JSON.stringify(body));
      await send(body, options);
    };
    queue.take = (count, pick) => {
      const taken = take(count, pick);
      if (taken.length > 0) batches.set(queue.name, (batches.get(queue.name) ?? 0) + 1);
      // Read, and deleted once it is acknowledged: nothing is retried here.
      for (const { body } of taken) operations += 2 * operationsOf(body);
      return taken;
    };
  }
  return { batches: (name) => batches.get(name) ?? 0, operations: () => operations };
}

function operationsOf(text: string): number {
  return Math.ceil((Buffer.byteLength(text) + QUEUE_LIMITS.metadataBytes) / QUEUE_LIMITS.billedBytes);
}

/** What D1 says besides of an answer: bytes of the database, and milliseconds of SQL. */
type Meta = LedgerResult["meta"] & { size_after?: number; duration?: number };

/** The ledger, with what D1 says each answer cost. */
class CountedLedger implements LedgerDatabase {
  rowsRead = 0;
  rowsWritten = 0;
  databaseBytes = 0;
  transactionMilliseconds = 0;
  queryMilliseconds = 0;
  readonly #database: LedgerDatabase;
  readonly #statements = new Map<LedgerStatement, LedgerStatement>();

  constructor(database: LedgerDatabase) {
    this.#database = database;
  }

  prepare(sql: string): LedgerStatement {
    return this.#wrap(this.#database.prepare(sql));
  }

  async batch(statements: LedgerStatement[]): Promise<LedgerResult[]> {
    const results = await this.#database.batch(statements.map((one) => this.#statements.get(one) ?? one));
    for (const result of results) this.transactionMilliseconds += this.#count(result);
    return results;
  }

  /** Reports the ledger has accepted; the run's own look, which is not counted. */
  async accepted(): Promise<number> {
    const { results } = await this.#database
      .prepare("SELECT count(*) AS reports FROM reports WHERE state = 'accepted'")
      .all();
    return (results as { reports: number }[])[0]?.reports ?? 0;
  }

  #wrap(statement: LedgerStatement): LedgerStatement {
    const wrapped: LedgerStatement = {
      bind: (...parameters) => this.#wrap(statement.bind(...parameters)),
      all: async () => {
        const result = await statement.all();
        this.queryMilliseconds += this.#count(result);
        return result;
      },
    };
    this.#statements.set(wrapped, statement);
    return wrapped;
  }

  /** @returns milliseconds the SQL took */
  #count({ meta }: LedgerResult): number {
    const { rows_read = 0, rows_written = 0, size_after = 0, duration = 0 }: Meta = meta;
    this.rowsRead += rows_read;
    this.rowsWritten += rows_written;
    this.databaseBytes = Math.max(this.databaseBytes, size_after);
    return duration;
  }
}
