/**
 * Support: the pipeline without workerd: the real code of ingest and process on bindings in memory, and a scheduler in
 * the place of the platform. Why not the real bindings: the fault matrix runs the pipeline thousands of times, and a
 * queue that delivers when and how often the test says cannot be had from them. test/chain runs the same code in workerd.
 */
import { checkPoint } from "../../../local/worker/point.ts";
import type { DataPoint, DatasetId } from "../../../shared/analytics/columns.ts";
import type { LedgerDatabase, LedgerStatement } from "../../../shared/ledger/database.ts";
import { ANALYTICS_LIMITS } from "../../../shared/limits.ts";
import { withoutContent } from "../../../shared/messages.ts";
import type { RegistryEntry } from "../../../shared/registry.ts";
import { mailHandler } from "../../../workers/ingest/handler.ts";
import { RecentAddresses } from "../../../workers/ingest/recent-addresses.ts";
import { consumeBatch } from "../../../workers/process/consumer.ts";
import { newInvocation, type ProcessEnv, type Invocation as ProcessInvocation } from "../../../workers/process/env.ts";
import { MemoryBucket } from "../memory-bucket.ts";
import { MemoryKv } from "../memory-kv.ts";
import { SqliteLedger } from "../sqlite-d1.ts";
import { FaultInjector, type Invocation, IsolateKilled } from "./faults.ts";
import { MemoryQueue, type QueuedMessage } from "./queue.ts";

/** As wrangler.process.toml has them. */
const CONSUMERS = {
  "dmarc-reports": { maxBatchSize: 18, maxRetries: 8 },
  "dmarc-points": { maxBatchSize: 1, maxRetries: 8 },
  "dmarc-dead-letters": { maxBatchSize: 25, maxRetries: 100 },
} as const;

type QueueName = keyof typeof CONSUMERS;

export interface SimulatedMail {
  from: string;
  to: string;
  raw: Uint8Array;
}

/** How the platform behaves. */
export interface Delivery {
  /** Chooses one of `n` messages; absent = first come, first served. */
  pick?: (n: number) => number;
  /** Whether a delivered message is delivered once more later, although it was acknowledged. */
  repeats?: () => boolean;
  /** Whether a message comes without the object it carries, as one of an older ingest. */
  isBare?: () => boolean;
  /** Messages a batch at most; absent = as configured. */
  maxBatchSize?: number;
  /** Invocations of process at once. */
  parallel?: number;
  /** How often to run process; absent = until no message is left. */
  rounds?: number;
}

export class Simulation {
  /** The databases of the ledger; the first holds the directory. */
  readonly ledgers: readonly SqliteLedger[];
  readonly registry = new Map<string, string>();
  readonly points: Record<DatasetId, DataPoint[]> = { records: [], events: [], tls: [], failures: [] };
  readonly clock = { nowMilliseconds: Date.UTC(2026, 10, 20, 12) };
  readonly bucket = new MemoryBucket(this.clock);
  readonly queues: Record<QueueName, MemoryQueue> = {
    "dmarc-reports": new MemoryQueue("dmarc-reports", this.clock),
    "dmarc-points": new MemoryQueue("dmarc-points", this.clock),
    "dmarc-dead-letters": new MemoryQueue("dmarc-dead-letters", this.clock),
  };
  readonly faults = new FaultInjector();
  readonly log: string[] = [];
  /** Whether messages come with the objects they carry; without, process gets them from R2, as those of an older ingest. */
  carriesObjects = true;
  /** What ingest remembers from mail to mail; absent = each mail comes to an isolate that has just started. */
  recentAddresses: RecentAddresses | undefined;
  /** As wrangler.process.toml has them. */
  readonly recordsPerDay = { address: 5_000_000, account: 20_000_000 };
  readonly reportsPerDay = { reporter: 20_000 };
  /** As wrangler.ingest.toml has it; "" as on one machine. */
  authservId = "mx.cloudflare.net";
  /** As wrangler.process.toml has it. */
  dnsUrl = "";
  /** Settings of process. */
  ruaHost = "rua.sim.example";
  maxReportBytes = 0;
  /** The reports of most tests are about a day of 2023. */
  keepDetailDays = 10_000;
  maxDatabaseBytes = 10_000_000_000;
  prefix = "dmarc";
  dnsQuestions = 6000;
  watchQueries = 900;
  /** Mails that process has sent. */
  readonly sentMails: Parameters<ProcessEnv["SEND_EMAIL"]["send"]>[0][] = [];
  /** After which it is a fault that ingest has not stored a mail; 0 = never, for a timer would outlive a killed isolate. */
  answerMilliseconds = 0;
  /** An origin that webhooks may go to. */
  webhookOrigin = "";

  readonly #kv = new MemoryKv(this.registry, this.clock);
  readonly #databases: readonly LedgerDatabase[];
  #bound: number;

  /**
   * @param shards how many databases the ledger has
   * @param database another ledger than those in memory
   */
  constructor({ shards = 1, database }: { shards?: number; database?: LedgerDatabase } = {}) {
    this.ledgers = Array.from({ length: shards }, () => new SqliteLedger());
    this.#databases = database === undefined ? this.ledgers : [database];
    this.#bound = this.#databases.length;
  }

  /** The first database of the ledger. */
  get ledger(): SqliteLedger {
    const [first] = this.ledgers;
    if (first === undefined) throw new Error("A ledger has at least one database.");
    return first;
  }

  /** Registers an address; the first new account lives in database 1 where there is one, the second in 2, and so on. */
  register(rua: string, entry: RegistryEntry): void {
    const { sqlite } = this.ledger;
    sqlite
      .prepare(
        `INSERT OR IGNORE INTO accounts (account, shard, created_seconds)
        VALUES (?, ((SELECT count(*) FROM accounts) + 1) % ?, 0)`,
      )
      .run(entry.account, this.ledgers.length);
    const shard = Number(sqlite.prepare("SELECT shard FROM accounts WHERE account = ?").get(entry.account)?.shard);
    sqlite
      .prepare(
        "INSERT OR REPLACE INTO addresses (rua, account, entry, changed_seconds, version) VALUES (?, ?, ?, 0, 1)",
      )
      .run(rua, entry.account, JSON.stringify(entry));
    this.registry.set(`dmarc:${rua}`, JSON.stringify({ v: 1, shard, ...entry }));
  }

  /** Hands a mail to ingest as often as a sender would. @returns how ingest ended: taken, rejected, or fault to the last */
  async deliver(mail: SimulatedMail, attempts = 10): Promise<"taken" | "rejected" | "fault"> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const outcome = await this.#receive(mail);
      if (outcome !== "fault") return outcome;
      this.clock.nowMilliseconds += 60_000;
    }
    return "fault";
  }

  /** Runs process until no message is left. */
  async drain(delivery: Delivery = {}): Promise<void> {
    for (let round = 0; round < (delivery.rounds ?? 100_000); round++) {
      if (!(await this.runProcess(delivery))) return;
    }
    if (delivery.rounds === undefined) throw new Error("The queues never became empty.");
  }

  /** Runs process once, or waits until a message is due. @returns whether there was any message */
  async runProcess(delivery: Delivery = {}): Promise<boolean> {
    const running = Array.from({ length: delivery.parallel ?? 1 }, () => this.#runOne(delivery));
    const ran = await Promise.all(running);
    if (ran.some(Boolean)) return true;
    const waiting = Object.values(this.queues).flatMap(({ messages }) => messages);
    if (waiting.length === 0) return false;
    this.clock.nowMilliseconds = Math.min(...waiting.map(({ dueMilliseconds }) => dueMilliseconds));
    return true;
  }

  /**
   * Marks all that is, between two invocations, for a ledger in memory.
   *
   * @returns what brings it back, as often as it is called: then what still runs is dead, and marks made after it are gone
   */
  mark(): () => void {
    const parts = [...this.ledgers, this.bucket, ...Object.values(this.queues), this.faults];
    const restores = parts.map((part) => part.mark());
    const registry = [...this.registry];
    const lists = [...Object.values(this.points), this.log, this.sentMails];
    const lengths = lists.map(({ length }) => length);
    const { nowMilliseconds } = this.clock;
    return () => {
      for (const restore of restores) restore();
      this.registry.clear();
      for (const [key, value] of registry) this.registry.set(key, value);
      for (const [place, list] of lists.entries()) list.length = lengths[place] ?? 0;
      this.clock.nowMilliseconds = nowMilliseconds;
    };
  }

  /** What an operation works with, without faults. */
  invocation(): ProcessInvocation {
    return newInvocation(this.#processEnv(new FaultInjector().invocation()), this.clock.nowMilliseconds);
  }

  /** Runs an operation under the faults that are planned. @throws what is injected, also where the isolate ends */
  async operate<T>(run: (invocation: ProcessInvocation) => Promise<T>): Promise<T> {
    const invocation = this.faults.invocation();
    const given = newInvocation(this.#processEnv(invocation), this.clock.nowMilliseconds);
    return Promise.race([invocation.ended, run(given)]);
  }

  /** Process is deployed without the databases from that number on. */
  unbind(shard: number): void {
    this.#bound = shard;
  }

  /** Process is deployed with all databases. */
  bindAll(): void {
    this.#bound = this.#databases.length;
  }

  /** Takes an address out of the registry. */
  unregister(rua: string): void {
    this.ledger.sqlite.prepare("DELETE FROM addresses WHERE rua = ?").run(rua);
    this.registry.delete(`dmarc:${rua}`);
  }

  /** Rows of all databases of the ledger, one after the other; the test's own look, which no fault can hit. */
  rows<T>(sql: string): T[] {
    return this.ledgers.flatMap((ledger) => ledger.compiled(sql).all() as T[]);
  }

  async #receive({ from, to, raw }: SimulatedMail): Promise<"taken" | "rejected" | "fault"> {
    const invocation = this.faults.invocation();
    let rejected = false;
    const behind: Promise<unknown>[] = [];
    const message = {
      from,
      to,
      raw: new Blob([new Uint8Array(raw)]).stream(),
      rawSize: raw.byteLength,
      headers: new Headers(),
      setReject: () => {
        rejected = true;
      },
    };
    const { now } = Date;
    const receivedMilliseconds = this.clock.nowMilliseconds;
    // Ingest asks the platform for the time.
    Date.now = () => receivedMilliseconds;
    try {
      const context = { waitUntil: (promise: Promise<unknown>) => behind.push(promise) };
      const bindings = {
        ...this.#bindings(invocation),
        ...this.#ledgerBindings(invocation),
        AUTHSERV_ID: this.authservId,
      };
      const email = mailHandler(this.recentAddresses ?? new RecentAddresses(), this);
      await Promise.race([invocation.ended, email(standIn(message), standIn(bindings), standIn(context))]);
      await Promise.race([invocation.ended, Promise.all(behind)]);
    } catch {
      return "fault";
    } finally {
      Date.now = now;
    }
    return rejected ? "rejected" : "taken";
  }

  async #runOne(delivery: Delivery): Promise<boolean> {
    for (const [name, queue] of Object.entries(this.queues)) {
      const consumer = CONSUMERS[name as QueueName];
      const size = Math.min(consumer.maxBatchSize, delivery.maxBatchSize ?? consumer.maxBatchSize);
      const messages = queue.take(size, delivery.pick ?? (() => 0));
      if (messages.length === 0) continue;
      const { repeats = () => false, isBare = () => !this.carriesObjects } = delivery;
      await this.#runBatch(queue, messages, { ...consumer, repeats, isBare });
      return true;
    }
    return false;
  }

  async #runBatch(
    queue: MemoryQueue,
    messages: QueuedMessage[],
    { maxRetries, repeats, isBare }: { maxRetries: number; repeats: () => boolean; isBare: () => boolean },
  ): Promise<void> {
    const invocation = this.faults.invocation();
    const settled = new Map<QueuedMessage, number | "ack">();
    const batch = {
      queue: queue.name,
      messages: messages.map((message) => ({
        body: isBare() ? withoutContent(JSON.parse(message.body)) : JSON.parse(message.body),
        attempts: message.attempts,
        timestamp: new Date(message.sentMilliseconds),
        ack: () => void settled.set(message, "ack"),
        retry: ({ delaySeconds }: { delaySeconds: number }) => void settled.set(message, delaySeconds),
      })),
    };
    const host = {
      nowMilliseconds: () => this.clock.nowMilliseconds,
      random: () => 0.5,
      log: (line: string) => void this.log.push(line),
    };
    try {
      await Promise.race([invocation.ended, consumeBatch(batch, this.#processEnv(invocation), host)]);
    } catch (error) {
      if (!(error instanceof IsolateKilled)) throw error;
      // What a killed invocation had acknowledged may or may not count: the worse case is that nothing did.
      settled.clear();
    }
    for (const message of messages) {
      const end = settled.get(message);
      if (end === "ack" && !repeats()) continue;
      const dueMilliseconds = this.clock.nowMilliseconds + (typeof end === "number" ? end * 1000 : 1000);
      if (end !== "ack" && message.attempts > maxRetries && queue.name !== "dmarc-dead-letters") {
        const { body, sentMilliseconds, id } = message;
        this.queues["dmarc-dead-letters"].messages.push({ id, body, attempts: 0, sentMilliseconds, dueMilliseconds });
      } else queue.messages.push({ ...message, dueMilliseconds });
    }
  }

  #bindings(invocation: Invocation) {
    const queueName = (name: string) => (method: string) => `queue.${method} ${name}`;
    return {
      KV_DMARC_REPORTS: invocation.bind(this.#kv, (method) => `kv.${method}`),
      R2_DMARC_REPORTS: invocation.bind(this.bucket, r2CallName),
      QUEUE_REPORTS: invocation.bind(this.queues["dmarc-reports"], queueName("dmarc-reports")),
      QUEUE_POINTS: invocation.bind(this.queues["dmarc-points"], queueName("dmarc-points")),
      QUEUE_DEAD_LETTERS: invocation.bind(this.queues["dmarc-dead-letters"], queueName("dmarc-dead-letters")),
    };
  }

  #ledgerBindings(invocation: Invocation): Record<string, LedgerDatabase> {
    return Object.fromEntries(
      this.#databases.slice(0, this.#bound).map((database, shard) => {
        const suffix = shard === 0 ? "" : `_${shard}`;
        return [`D1_DMARC_REPORTS${suffix}`, faultyLedger(database, `d1${suffix}`, invocation)];
      }),
    );
  }

  #processEnv(invocation: Invocation): ProcessEnv {
    let written = 0;
    const dataset = (id: DatasetId) =>
      invocation.bind(
        {
          writeDataPoint: (point: DataPoint) => {
            const checked = checkPoint(point);
            if (!checked.ok) throw new TypeError(checked.error);
            if (++written > ANALYTICS_LIMITS.maxPointsPerInvocation) {
              throw new Error("Analytics Engine write limit exceeded.");
            }
            this.points[id].push(point);
          },
        },
        () => `analytics.write ${id}`,
      );
    return standIn({
      ...this.#bindings(invocation),
      ...this.#ledgerBindings(invocation),
      DMARC_ANALYTICS: dataset("records"),
      DMARC_EVENTS: dataset("events"),
      DMARC_TLS: dataset("tls"),
      DMARC_FAILURES: dataset("failures"),
      RETRY_BASE_SECONDS: 30,
      KEEP_DETAIL_DAYS: this.keepDetailDays,
      MAX_DATABASE_BYTES: this.maxDatabaseBytes,
      PREFIX: this.prefix,
      NEW_ACCOUNTS_SHARD: 0,
      WATCH_QUERIES_PER_RUN: this.watchQueries,
      ADDRESS_RECORDS_PER_DAY: this.recordsPerDay.address,
      ACCOUNT_RECORDS_PER_DAY: this.recordsPerDay.account,
      REPORTER_REPORTS_PER_DAY: this.reportsPerDay.reporter,
      DNS_OVER_HTTPS_URL: this.dnsUrl,
      RUA_HOST: this.ruaHost,
      MAX_REPORT_BYTES: this.maxReportBytes,
      DNS_QUESTIONS_PER_RUN: this.dnsQuestions,
      SEND_EMAIL: invocation.bind(
        { send: async (mail: (typeof this.sentMails)[number]) => void this.sentMails.push(mail) },
        () => "email.send",
      ),
      NOTICES_FROM: "dmarc@sim.example",
      DASHBOARD_URL: "https://dmarc.sim.example",
      NOTIFY_LOCAL_ORIGIN: this.webhookOrigin,
    });
  }
}

function r2CallName(method: string, argument: unknown): string {
  const place = typeof argument === "string" ? argument : ((argument as { prefix?: string })?.prefix ?? "");
  return `r2.${method} ${place.split("/")[0]}`;
}

/** The ledger with its calls counted and failing as planned: a query is a call, and so is a transaction. */
function faultyLedger(ledger: LedgerDatabase, binding: string, invocation: Invocation): LedgerDatabase {
  const statements = new Map<LedgerStatement, LedgerStatement>();
  const wrap = (statement: LedgerStatement, name: string): LedgerStatement => {
    const calls = invocation.bind({ all: () => statement.all() }, () => `${binding}.all ${name}`);
    const wrapped: LedgerStatement = {
      bind: (...parameters) => wrap(statement.bind(...parameters), name),
      async all() {
        invocation.countQueries(1);
        return calls.all();
      },
    };
    statements.set(wrapped, statement);
    return wrapped;
  };
  const transactions = invocation.bind(
    { batch: (given: LedgerStatement[]) => ledger.batch(given.map((one) => statements.get(one) ?? one)) },
    () => `${binding}.batch`,
  );
  return {
    prepare: (sql) => wrap(ledger.prepare(sql), tableOf(sql)),
    async batch(given) {
      invocation.countQueries(given.length);
      return transactions.batch(given);
    },
  };
}

function tableOf(sql: string): string {
  return /(?:JOIN|FROM|INTO|UPDATE) (?!json_each|asked|wanted|found)([a-z_]+)/.exec(sql)?.[1] ?? "";
}

/** What stands in for a platform type: it has what the code uses of it, and fails loudly where it has not. */
function standIn<T>(value: unknown): T {
  return value as T;
}
