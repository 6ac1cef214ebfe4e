/** Support: ingest and process in workerd on their real configuration, with the local Analytics Engine; any binding may be down. */
import { resolve } from "node:path";
import { vi } from "vitest";
import { createTestHarness } from "wrangler";
import { querySql } from "../../shared/analytics/sql.ts";
import { type MessagesOfDay, messagesByDay } from "../../shared/analytics/statements.ts";
import type { Inputs, ProcessOperation } from "../../shared/contract/operations.ts";
import { ask, type LedgerDatabase } from "../../shared/ledger/database.ts";
import { type Stats, statsQuery } from "../../shared/ledger/stats.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { OPERATOR } from "../../shared/people.ts";
import type { RegistryEntry, RegistryStore } from "../../shared/registry.ts";
import { startTestEngine, type TestEngine } from "../support/local-engine.ts";
import { localWorker } from "../support/local-workers.ts";
import { migrate } from "../support/migrations.ts";

export const RUA = "dmarc@acme.example";

const root = resolve(import.meta.dirname, "../..");

/** Bindings that are down, by their names. */
export interface Faults {
  ingest?: string[];
  process?: string[];
}

export interface MailOutcome {
  outcome: string;
  rejectReason?: string | null;
}

/** What the tests use of R2 and KV, through workerd. */
interface ChainBindings {
  KV_DMARC_REPORTS: Pick<RegistryStore, "put">;
  D1_DMARC_REPORTS: LedgerDatabase;
  QUEUE_REPORTS: { send(message: ReportMessage): Promise<unknown> };
  R2_DMARC_REPORTS: {
    list(options: { prefix: string }): Promise<{ objects: { key: string }[] }>;
    get(key: string): Promise<{ text(): Promise<string> } | null>;
  };
}

export interface Chain {
  engine: TestEngine;
  /** Calls an operation by RPC. @returns its output as JSON, or the bytes it gave, as text */
  operate<Name extends ProcessOperation>(name: Name, input: Inputs[Name]): Promise<string>;
  register(rua: string, entry: RegistryEntry): Promise<void>;
  /** Stores a registry value as it is, valid or not. */
  registerText(rua: string, value: string): Promise<void>;
  send(mail: { raw: Uint8Array; to?: string }): Promise<MailOutcome>;
  /** Puts a message on the queue of reports. */
  enqueue(message: ReportMessage): Promise<unknown>;
  keys(prefix: string): Promise<string[]>;
  ledger: LedgerDatabase;
  /** Rows of the ledger. */
  rows<T>(sql: string): Promise<T[]>;
  /** Resolves when a query gives `count` rows. */
  waitForRows<T>(sql: string, count: number): Promise<T[]>;
  /** The ledger's, with records, messages and passed as the engine counts the points. */
  stats(): Promise<Stats>;
  close(): Promise<void>;
}

export async function startChain(faults: Faults = {}): Promise<Chain> {
  const engine = await startTestEngine();
  const server = createTestHarness({
    root,
    workers: [
      localWorker("ingest", { replaced: { bindings: faults.ingest ?? [], service: "faulty" } }),
      localWorker("process", {
        // Retries follow at once.
        vars: { RETRY_BASE_SECONDS: 0 },
        replaced: { bindings: faults.process ?? [], service: "faulty" },
      }),
      localWorker("mail-out", { vars: { LOCAL_MAIL_URL: "", LOCAL_MAIL_TOKEN: "" } }),
      localWorker("analytics", {
        vars: {
          LOCAL_ANALYTICS_URL: engine.connection.baseUrl.replace(/\/client\/v4$/, ""),
          LOCAL_ANALYTICS_TOKEN: engine.connection.token,
        },
      }),
      {
        config: {
          name: "faulty",
          main: resolve(import.meta.dirname, "faulty.js"),
          compatibility_date: "2026-11-01",
          // As the dashboard has it.
          services: [{ binding: "PROCESS", service: "dmarc-process", entrypoint: "Operations" }],
        },
      },
    ],
  });
  await server.listen();
  // Process has the same bucket and namespace; its bindings are never replaced in these tests.
  const env = (await server.getWorker("dmarc-process").getEnv()) as unknown as ChainBindings;
  const { D1_DMARC_REPORTS: ledger } = env;
  await migrate(ledger);
  const rows = async <T>(sql: string): Promise<T[]> => (await ledger.prepare(sql).all()).results as T[];
  const keys = async (prefix: string): Promise<string[]> =>
    (await env.R2_DMARC_REPORTS.list({ prefix })).objects.map(({ key }) => key);
  const registerText = (rua: string, value: string) => env.KV_DMARC_REPORTS.put(`dmarc:${rua}`, value);
  const operate: Chain["operate"] = async (name, input) => {
    const body = JSON.stringify([name, input, { name: "a test", authority: OPERATOR }]);
    const answer = await server.getWorker("faulty").fetch("http://caller.example/", { method: "POST", body });
    return answer.text();
  };
  return {
    engine,
    operate,
    enqueue: (message) => env.QUEUE_REPORTS.send(message),
    keys,
    registerText,
    register: async (rua, entry) => void (await operate("putRegistration", { rua, entry })),
    async send({ raw, to = RUA }) {
      const stream = new Blob([new Uint8Array(raw)]).stream();
      return server.getWorker("dmarc-ingest").email({ from: "dmarc@reporter.example", to, raw: stream });
    },
    ledger,
    rows,
    waitForRows: <T>(sql: string, count: number) =>
      vi.waitUntil(
        async () => {
          const found = await rows<T>(sql);
          return found.length >= count ? found : false;
        },
        { timeout: 120_000, interval: 50 },
      ),
    async stats() {
      const [ofLedger] = await ask(ledger, statsQuery({ accounts: ["acme"] }));
      if (ofLedger === undefined) throw new Error("Stats always have a row.");
      return { ...ofLedger, ...(await sumOfEngine(engine)) };
    },
    async close() {
      await server.close();
      await engine.stop();
    },
  };
}

async function sumOfEngine({
  connection,
}: TestEngine): Promise<Pick<MessagesOfDay, "records" | "messages" | "passed">> {
  const { sql, read } = messagesByDay({ writtenInLastDays: 1 });
  const answer = await querySql(connection, sql, (url, init) => fetch(url, init));
  if (!answer.ok && answer.error.code !== "no_data") throw new Error(answer.error.message);
  const days = answer.ok ? answer.value.rows.map(read) : [];
  return days.reduce(
    (sum, { records, messages, passed }) => ({
      records: sum.records + records,
      messages: sum.messages + messages,
      passed: sum.passed + passed,
    }),
    { records: 0, messages: 0, passed: 0 },
  );
}
