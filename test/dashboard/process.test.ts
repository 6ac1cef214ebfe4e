/** The dashboard with the real process Worker behind it: the contract of shared/operations.ts holds on both sides. */
import { resolve } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import type { Status } from "../../cli/client.ts";
import { startTestEngine, type TestEngine } from "../analytics/local-engine.ts";
import { sampleMail, sampleReport } from "../cli/sample-report.ts";
import { API_TOKEN } from "./harness.ts";

let engine: TestEngine;
let server: TestHarness;
let origin: string;

beforeAll(async () => {
  engine = await startTestEngine();
  const { baseUrl, accountId, token } = engine.connection;
  const root = resolve(import.meta.dirname, "../..");
  const analytics = { LOCAL_ANALYTICS_URL: new URL(baseUrl).origin, LOCAL_ANALYTICS_TOKEN: token };
  const dashboard = {
    API_TOKEN,
    ANALYTICS_SQL_URL: baseUrl,
    ANALYTICS_ACCOUNT_ID: accountId,
    ANALYTICS_API_TOKEN: token,
  };
  server = createTestHarness({
    root,
    workers: [
      { configPath: "wrangler.dashboard.toml", env: "local", vars: dashboard },
      { configPath: "wrangler.ingest.toml", env: "local" },
      { configPath: "wrangler.process.toml", env: "local" },
      { configPath: "wrangler.analytics.toml", env: "local", vars: analytics },
    ],
  });
  origin = (await server.listen()).url.origin;
});

afterAll(async () => {
  await server.close();
  await engine.stop();
});

async function ask<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const response = await fetch(`${origin}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${API_TOKEN}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? (undefined as T) : JSON.parse(text);
}

it("registers an address, takes its mail, and tells what became of it", async () => {
  const entry = { account: "acme", domains: ["acme.example"] };
  const rua = "reports@acme.example";
  expect(await ask("/registry/Reports%40ACME.example", "PUT", entry)).toEqual({ rua, entry });
  expect(await ask(`/registry/${rua}`)).toEqual({ rua, entry });
  expect(await ask("/registry")).toEqual({ items: [{ rua, entry }] });

  const mail = sampleMail([
    { name: "good.xml", content: Buffer.from(sampleReport()) },
    { name: "foreign.xml", content: Buffer.from(sampleReport({ domain: "foreign.example" })) },
  ]);
  const taken = await server.getWorker("dmarc-ingest").email({ from: "a@b.example", to: rua, raw: mail.toString() });
  expect(taken).toMatchObject({ outcome: "ok" });

  const status = await vi.waitUntil(
    async () => {
      const seen = await ask<Status>("/status");
      const isDone = seen.unfinished === 0 && seen.queues.every(({ messages }) => messages === 0);
      return isDone && seen.outcomes?.accepted === 1 && seen.outcomes?.dead_letter === 1 ? seen : undefined;
    },
    { timeout: 30_000, interval: 100 },
  );
  expect(status.queues.map(({ queue }) => queue)).toEqual(["dmarc-reports", "dmarc-points", "dmarc-dead-letters"]);
  expect(await ask("/stats")).toEqual({
    reports: 1,
    records: 3,
    messages: 8,
    passed: 6,
    sources: 2,
    deadLetters: 1,
  });
  expect(await ask("/stats?domain=foreign.example")).toMatchObject({ reports: 0, messages: 0 });
  expect(await ask("/dead-letters")).toMatchObject({
    items: [{ reason: { code: "foreign_domain" }, rua, account: "acme", rawKey: expect.stringMatching(/^raw\//) }],
  });

  expect(await ask("/reconcile", "POST")).toEqual({ started: true });
  await ask(`/registry/${rua}`, "DELETE");
  expect(await ask("/registry")).toEqual({ items: [] });
});

it("an address process refuses is the caller's mistake", async () => {
  await expect(ask("/registry/a%40b%40c", "PUT", { account: "a" })).rejects.toThrow(/400 .*bad_request/);
});
