/** Support: ingest and process in workerd on their real configuration, with the local Analytics Engine; any binding may be down. */
import { resolve } from "node:path";
import { vi } from "vitest";
import { createTestHarness } from "wrangler";
import { combineStats, type Stats, statsQuery } from "../../shared/analytics/queries.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import type { Inputs, ProcessOperation } from "../../shared/contract/operations.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import type { RegistryEntry } from "../../shared/registry.ts";
import { startTestEngine, type TestEngine } from "../support/local-engine.ts";
import { localWorker } from "../support/local-workers.ts";
import { migrations } from "../support/migrations.ts";

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
  KV_DMARC_REPORTS: { put(key: string, value: string): Promise<void> };
  D1_DMARC_REPORTS: LedgerDatabase;
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
  keys(prefix: string): Promise<string[]>;
  ledger: LedgerDatabase;
  /** Rows of the ledger. */
  rows<T>(sql: string): Promise<T[]>;
  /** Resolves when a query gives `count` rows. */
  waitForRows<T>(sql: string, count: number): Promise<T[]>;
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
  await ledger.batch(migrations().map((sql) => ledger.prepare(sql)));
  const rows = async <T>(sql: string): Promise<T[]> => (await ledger.prepare(sql).all()).results as T[];
  const keys = async (prefix: string): Promise<string[]> =>
    (await env.R2_DMARC_REPORTS.list({ prefix })).objects.map(({ key }) => key);
  const registerText = (rua: string, value: string) => env.KV_DMARC_REPORTS.put(`dmarc:${rua}`, value);
  return {
    engine,
    async operate(name, input) {
      const body = JSON.stringify([name, input, { name: "a test" }]);
      const answer = await server.getWorker("faulty").fetch("http://caller.example/", { method: "POST", body });
      return answer.text();
    },
    keys,
    registerText,
    register: (rua, entry) => registerText(rua, JSON.stringify(entry)),
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
        { timeout: 30_000, interval: 50 },
      ),
    async stats() {
      const { records, events } = statsQuery();
      return combineStats(await answerOf(engine, records), await answerOf(engine, events));
    },
    async close() {
      await server.close();
      await engine.stop();
    },
  };
}

async function answerOf({ connection }: TestEngine, sql: string): Promise<Record<string, unknown>[]> {
  const answer = await querySql({ ...connection, isPageStatement: true }, sql, (url, init) => fetch(url, init));
  if (answer.ok) return answer.value.rows;
  if (answer.error.code === "no_data") return [];
  throw new Error(answer.error.message);
}
