/** Support: all Workers in workerd on their real configuration, with the local Analytics Engine, and the dashboard's API. */
import { resolve } from "node:path";
import { expect, vi } from "vitest";
import { createTestHarness } from "wrangler";
import { type ContractClient, contractClient } from "../../shared/contract/client.ts";
import type { OperationName, Outputs } from "../../shared/contract/operations.ts";
import type { Answer } from "../../shared/contract/problems.ts";
import type { Caller } from "../../shared/contract/rpc.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { LEDGER_BINDING } from "../../shared/ledger/shards.ts";
import { isIdle } from "../../shared/operations.ts";
import { startTestEngine } from "../support/local-engine.ts";
import { localWorker } from "../support/local-workers.ts";
import { migrate } from "../support/migrations.ts";
import { ledgerWorker, outsideLedger } from "../support/outside-ledger.ts";
import { sampleMail } from "../support/sample-report.ts";
import { API_TOKEN } from "./harness.ts";

export interface Pipeline {
  /** Where the dashboard listens. */
  origin: string;
  /** The API's JSON answer. @throws Error with status and text when it refuses */
  ask<T>(path: string, method?: string, body?: unknown): Promise<T>;
  /** A mail with these files to an address; it is taken, or the test fails. */
  deliver(rua: string, files: Record<string, string>): Promise<void>;
  /** A mail as it is; it is taken, or the test fails. */
  deliverMail(mail: { from: string; to: string; raw: string }): Promise<void>;
  /** A page's text, or the file it answers with. */
  page(path: string): Promise<{ status: number; text: string }>;
  /** Asks process by RPC, as any caller. */
  call(name: OperationName, input: object, caller: Caller): Promise<Answer<unknown>>;
  /** Ends the engine while everything else goes on. */
  stopEngine(): Promise<void>;
  /** Status once nothing waits and the outcomes named have these counts. */
  settled(outcomes: Record<string, number>, timeoutMs?: number): Promise<Outputs["status"]>;
  /** Rows of the ledger. */
  rows<T>(sql: string): Promise<T[]>;
  ledger: LedgerDatabase;
  /** The API by its client. */
  client: ContractClient;
  close(): Promise<void>;
}

interface PipelineSettings {
  /** Where DNS is asked; absent = nowhere. */
  dnsUrl?: string;
  /** Mail address of the identity that Cloudflare Access asserts; absent = Access is off. */
  accessEmail?: string;
}

/** Starts everything. */
export async function startPipeline({ dnsUrl = "", accessEmail }: PipelineSettings = {}): Promise<Pipeline> {
  const engine = await startTestEngine();
  const { baseUrl, token } = engine.connection;
  const analytics = { LOCAL_ANALYTICS_URL: new URL(baseUrl).origin, LOCAL_ANALYTICS_TOKEN: token };
  const dashboard = { API_TOKEN, ...engine.variables };
  const processWorker = localWorker("process", { vars: { DNS_OVER_HTTPS_URL: dnsUrl } });
  const server = createTestHarness({
    root: resolve(import.meta.dirname, "../.."),
    workers: [
      localWorker("dashboard", { vars: dashboard, accessEmail }),
      localWorker("ingest"),
      processWorker,
      ledgerWorker(processWorker.config),
      localWorker("mail-out", { vars: { LOCAL_MAIL_URL: "", LOCAL_MAIL_TOKEN: "" } }),
      localWorker("analytics", { vars: analytics }),
      {
        config: {
          name: "rpc-caller",
          main: resolve(import.meta.dirname, "rpc-caller.js"),
          compatibility_date: "2026-11-01",
          services: [{ binding: "PROCESS", service: "dmarc-process", entrypoint: "Operations" }],
        },
      },
    ],
  });
  const { origin } = (await server.listen()).url;
  const ledger = outsideLedger(server, LEDGER_BINDING);
  await migrate(ledger);
  const ask = <T>(path: string, method = "GET", body?: unknown): Promise<T> => askApi(origin, { path, method, body });
  const deliverMail: Pipeline["deliverMail"] = async (mail) => {
    expect(await server.getWorker("dmarc-ingest").email(mail)).toMatchObject({ outcome: "ok" });
  };
  const client = contractClient({ url: origin, token: API_TOKEN, fetch: (url, init) => fetch(url, init) });
  let isStopped = false;
  const stopEngine = async (): Promise<void> => {
    if (!isStopped) await engine.stop();
    isStopped = true;
  };
  return {
    origin,
    ask,
    client,
    ledger,
    rows: async <T>(sql: string) => (await ledger.prepare(sql).all()).results as T[],
    async call(name, input, caller) {
      const body = JSON.stringify({ name, input, caller });
      const answer = await server.getWorker("rpc-caller").fetch("http://rpc.test/", { method: "POST", body });
      return (await answer.json()) as Answer<unknown>;
    },
    deliverMail,
    stopEngine,
    deliver(rua, files) {
      const parts = Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
      return deliverMail({ from: "a@b.example", to: rua, raw: sampleMail(parts).toString() });
    },
    async page(path) {
      const headers = { authorization: `Bearer ${API_TOKEN}`, accept: "text/html" };
      const response = await fetch(origin + path, { headers });
      return { status: response.status, text: await response.text() };
    },
    settled: (outcomes, timeoutMs = 90_000) =>
      vi.waitUntil(
        async () => {
          const seen = await client.ask("status", {});
          if (!seen.ok) throw new Error(seen.error.message);
          const { outcomes: counts } = seen.value;
          const isThere = Object.entries(outcomes).every(([name, count]) => (counts?.[name] ?? 0) === count);
          return isIdle(seen.value) && isThere ? seen.value : undefined;
        },
        { timeout: timeoutMs, interval: 100 },
      ),
    async close() {
      await server.close();
      await stopEngine();
    },
  };
}

async function askApi<T>(
  origin: string,
  { path, method, body }: { path: string; method: string; body: unknown },
): Promise<T> {
  const response = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${API_TOKEN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? (undefined as T) : JSON.parse(text);
}
