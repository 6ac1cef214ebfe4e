import { createServer } from "node:http";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addAccount } from "../../shared/ledger/accounts.ts";
import { change } from "../../shared/ledger/database.ts";
import { putDeadLetters, removeDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";
import { aggregateReport, commitSamples, deadLetterRow, type Sample, sampleRecord } from "../support/ledger-fill.ts";
import { recordRow, startTestEngine, type TestEngine } from "../support/local-engine.ts";
import { listenLocally } from "../support/ports.ts";
import { TODAY } from "../support/today.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

let engine: TestEngine;
let dashboard: Dashboard;

beforeAll(async () => {
  engine = await startTestEngine();
  // A slash at the end is a common slip.
  const ANALYTICS_SQL_URL = `${engine.connection.baseUrl}/`;
  dashboard = await startDashboard({ vars: { API_TOKEN, ...engine.variables, ANALYTICS_SQL_URL } });
});

afterAll(async () => {
  await dashboard.close();
  await engine.stop();
});

async function json(path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await dashboard.ask(path, init);
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

/** Problem details (RFC 9457), with what was answered before there were any. */
function refusal(code: string, message: unknown = expect.any(String)): unknown {
  return {
    type: expect.stringMatching(`^http://.*/api/v1/problems/${code}$`),
    title: expect.any(String),
    status: expect.any(Number),
    detail: message,
    code,
    error: { code, message },
  };
}

describe("before any data is written", () => {
  it("stats are zero", async () => {
    const body = {
      reports: 0,
      records: 0,
      messages: 0,
      passed: 0,
      sources: 0,
      sourcesAreAtMost: false,
      deadLetters: 0,
    };
    expect(await json("/api/v1/stats")).toEqual({ status: 200, body });
  });

  it("status has no outcomes", async () => {
    expect(await json("/api/v1/status")).toMatchObject({ status: 200, body: { outcomes: {} } });
  });

  it("activity is empty", async () => {
    const { body } = await json("/api/v1/activity");
    expect(body).toMatchObject({ items: [{ seconds: 300, settled: 0, failed: 0, outcomes: {} }, {}, {}, {}] });
  });

  it("a query reports a missing table", async () => {
    const answer = await json("/api/v1/query", { method: "POST", body: "SELECT count() AS n FROM dmarc_records" });
    expect(answer).toEqual({ status: 422, body: refusal("no_data", expect.stringContaining("dmarc_records")) });
  });
});

describe("with data, the API", () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const own = (changes: Partial<Sample> = {}): Sample => {
    const records = [sampleRecord("acme.example", { count: 3 })];
    return {
      account: "acme",
      uid: "1".repeat(32),
      report: aggregateReport("acme.example", { day: TODAY - 1, records }),
      records,
      receivedSeconds: nowSeconds,
      ...changes,
    };
  };
  beforeAll(async () => {
    await engine.write("records", [recordRow({ count: 3, generation: 2 })]);
    const records = [sampleRecord("it's.example", { count: 10, dkim: "fail", sourceIp: "192.0.2.9" })];
    const report = aggregateReport("it's.example", { day: TODAY - 1, records });
    await commitSamples(dashboard.ledger, [own(), own({ uid: "2".repeat(32), report, records })], {
      nowSeconds: nowSeconds - 60,
    });
    const letter = putDeadLetters([deadLetterRow({ filedSeconds: nowSeconds - 1800 })]);
    await change(dashboard.ledger, [letter]);
  });

  it("answers stats for everything or one domain, in any letter case", async () => {
    expect((await json("/api/v1/stats")).body).toEqual({
      reports: 2,
      records: 2,
      messages: 13,
      passed: 3,
      sources: 2,
      sourcesAreAtMost: false,
      deadLetters: 1,
    });
    const one = await json(`/api/v1/stats?domain=${encodeURIComponent("IT'S.example")}`);
    expect(one.body).toMatchObject({ reports: 1, messages: 10, deadLetters: 0 });
  });

  it("refuses stats of an account that is not there", async () => {
    expect(await json("/api/v1/stats?account=nobody")).toMatchObject({
      status: 404,
      body: { code: "not_found", detail: "There is no account 'nobody'." },
    });
  });

  it.each(["domain=", `domain=${"a".repeat(254)}`, "account="])("refuses stats?%s", async (parameters) => {
    expect(await json(`/api/v1/stats?${parameters}`)).toEqual({ status: 400, body: refusal("bad_request") });
  });

  it("answers status with the state of process and the outcomes", async () => {
    const { body } = await json("/api/v1/status");
    expect(body).toMatchObject({
      queues: [{ queue: "dmarc-reports", messages: 2, bytes: 200 }],
      unfinished: 2,
      outcomes: { accepted: 2, dead_letter: 1 },
    });
  });

  it("answers activity by span, and marks reprocessed entries", async () => {
    const again = own({ generation: 2 });
    await commitSamples(dashboard.ledger, [again], { nowSeconds: nowSeconds - 600, version: 1 });
    const { body } = await json("/api/v1/activity");
    expect(body).toMatchObject({
      items: [
        { seconds: 300, settled: 1, failed: 0, outcomes: { accepted: 1 } },
        { seconds: 3600, settled: 3, failed: 1, outcomes: { accepted: 1, reprocessed: 1, dead_letter: 1 } },
        { seconds: 86_400, settled: 3, failed: 1 },
        { seconds: 604_800, settled: 3, failed: 1 },
      ],
    });
  });

  it.each([
    ["", '"rows":'],
    ["?format=json", '"meta":'],
    ["?format=jsoneachrow", '{"n":"3"}'],
    ["?format=tsv", "3\n"],
  ])("returns the engine's answer: query%s", async (parameters, part) => {
    const body = "SELECT sum(double4) AS n FROM dmarc_records WHERE double2 = 2 -- a comment";
    const response = await dashboard.ask(`/api/v1/query${parameters}`, { method: "POST", body });
    expect(response.status).toBe(200);
    expect((await response.text()).replaceAll(/\s*([:,])\s*/g, "$1").replace('{"n":3}', '{"n":"3"}')).toContain(part);
  });

  it("accepts a semicolon at the end", async () => {
    const response = await dashboard.ask("/api/v1/query?format=tsv", { method: "POST", body: "SELECT 1 AS one;\n" });
    expect(await response.text()).toBe("1\n");
  });

  it.each([
    "SELECT",
    "DROP TABLE dmarc_records",
    "SELECT 1 FROM dmarc_records JOIN dmarc_events",
    "SELECT uniq(blob1) FROM dmarc_records",
  ])("shows the engine's refusal of %s", async (body) => {
    const answer = await json("/api/v1/query", { method: "POST", body });
    expect(answer).toEqual({ status: 422, body: refusal("invalid_statement", expect.stringMatching(/\w/)) });
  });

  it("refuses an empty statement, an unknown format, a huge body", async () => {
    expect((await json("/api/v1/query", { method: "POST", body: " \n" })).status).toBe(400);
    expect((await json("/api/v1/query?format=xml", { method: "POST", body: "SELECT 1" })).status).toBe(400);
    const huge = await json("/api/v1/query", { method: "POST", body: `SELECT 1 ${" ".repeat(300_000)}` });
    expect(huge).toEqual({ status: 413, body: refusal("too_large") });
  });
});

describe("the registry API", () => {
  const path = `/api/v1/registry/${encodeURIComponent("Reports+a@acme.example")}`;
  const put = (body: unknown, at = path) => json(at, { method: "PUT", body: JSON.stringify(body) });

  it("puts, shows, lists and removes", async () => {
    const entry = { account: "acme", domains: ["acme.example"] };
    expect(await put({ account: "acme", domains: ["ACME.example"] })).toMatchObject({ status: 200, body: { entry } });
    expect(await json(path)).toMatchObject({ status: 200, body: { rua: "reports+a@acme.example", entry } });
    expect((await json("/api/v1/registry")).body).toMatchObject({ items: [{ entry }] });
    expect((await json(path, { method: "DELETE" })).status).toBe(204);
    expect(await json(path)).toEqual({ status: 404, body: refusal("not_found") });
  });

  it.each([
    {},
    { account: "" },
    { account: "a b" },
    { account: "a", domains: "x" },
    { account: "a", failureReports: "all" },
    [],
    null,
  ])("refuses the entry %j", async (entry) => {
    expect(await put(entry)).toEqual({ status: 400, body: refusal("bad_request") });
  });

  it("refuses what is no JSON and what is no address", async () => {
    expect(await json(path, { method: "PUT", body: "{" })).toEqual({
      status: 400,
      body: refusal("bad_request", "The body is not JSON."),
    });
    expect((await json("/api/v1/registry/nobody")).status).toBe(400);
    expect((await json(`/api/v1/registry/${encodeURIComponent("a b@c.example")}`)).status).toBe(400);
  });

  it("returns a refusal of process as a client error, and its fault as a server error", async () => {
    const refused = await put({ account: "a" }, "/api/v1/registry/refused@acme.example");
    expect(refused).toEqual({ status: 400, body: refusal("bad_request", "'refused@acme.example' is refused.") });
    const fault = await put({ account: "a" }, "/api/v1/registry/fault@acme.example");
    expect(fault).toEqual({ status: 502, body: refusal("process_unavailable", expect.stringContaining("KV is down")) });
  });

  it("says what it is where the ledger has no room for a change", async () => {
    expect(await put({ account: "a" }, "/api/v1/registry/full@acme.example")).toEqual({
      status: 503,
      body: refusal(
        "ledger_unavailable",
        expect.stringMatching(/^The database of the ledger is full, and takes nothing new/),
      ),
    });
  });
});

function cursorOf(body: unknown): string {
  return v.parse(v.object({ cursor: v.string() }), body).cursor;
}

describe("the API", () => {
  it("pages through dead letters", async () => {
    const ids = Array.from({ length: 101 }, (_, i) => `20260102-${String(i).padStart(24, "0")}`);
    const some = ids.map((id) => deadLetterRow({ id, account: "paged" }));
    await change(dashboard.ledger, [addAccount({ account: "paged", shard: 0 }, 1), putDeadLetters(some)]);
    const first = await json("/api/v1/dead-letters?account=paged");
    expect(first.body).toMatchObject({ items: ids.slice(0, 100).map((id) => ({ id })), cursor: expect.any(String) });
    const next = await json(`/api/v1/dead-letters?account=paged&cursor=${cursorOf(first.body)}`);
    expect(next.body).toMatchObject({ items: [{ id: ids[100] }] });
    expect(next.body).not.toHaveProperty("cursor");
    await change(dashboard.ledger, [removeDeadLetters(ids)]);
    expect((await json("/api/v1/dead-letters?cursor=")).status).toBe(400);
  });

  it("starts reconciling, with or without a body", async () => {
    expect(await json("/api/v1/reconcile", { method: "POST" })).toMatchObject({
      status: 202,
      body: { kind: "reconcile", filter: {}, dryRun: false },
    });
    expect((await json("/api/v1/status")).body).toMatchObject({ unfinished: 3 });
    const body = { filter: { since: "2026-11-01" }, dryRun: true };
    expect(await json("/api/v1/reconcile", { method: "POST", body: JSON.stringify(body) })).toMatchObject({ body });
  });

  it.each([
    ["GET", "/api/v1/dead-letters?since=yesterday", undefined],
    ["GET", "/api/v1/dead-letters?reason=empty", undefined],
    ["GET", "/api/v1/dead-letters?cursor=a", undefined],
    ["POST", "/api/v1/dead-letters/requeue", '{"ids":["refused"]}'],
    ["GET", "/api/v1/raw", undefined],
    ["POST", "/api/v1/dead-letters/discard", "[]"],
    ["POST", "/api/v1/dead-letters/discard", '{"ids":[]}'],
    ["POST", "/api/v1/dead-letters/discard", '{"filter":{"reason":"empty"}}'],
    ["POST", "/api/v1/dead-letters/requeue", JSON.stringify({ ids: Array.from({ length: 101 }, () => "a") })],
    ["POST", "/api/v1/dead-letters/requeue", ""],
    ["POST", "/api/v1/reprocess", '{"domain":"acme.example"}'],
    ["POST", "/api/v1/reprocess", '{"filter":{"since":"21.11.2026"}}'],
    ["POST", "/api/v1/reprocess", '{"dryRun":"yes"}'],
  ])("refuses %s %s %s", async (method, path, body) => {
    const answer = await json(path, { method, ...(body === undefined ? {} : { body }) });
    expect(answer).toEqual({ status: 400, body: refusal("bad_request") });
  });

  it("reprocesses a domain in any letter case", async () => {
    const body = JSON.stringify({ filter: { domain: "ACME.example" } });
    expect(await json("/api/v1/reprocess", { method: "POST", body })).toMatchObject({
      status: 202,
      body: { kind: "reprocess", filter: { domain: "acme.example" } },
    });
  });

  it.each([
    ["GET", "/nothing"],
    ["GET", "/api/v1/nothing"],
    ["GET", "/api/v1/reconcile"],
    ["POST", "/api/v1/stats"],
  ])("answers %s %s with 404 and the usual headers", async (method, path) => {
    const response = await dashboard.ask(path, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(refusal("not_found", expect.stringContaining("/api/v1")));
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
    const features = (response.headers.get("permissions-policy") ?? "").split(/, */);
    for (const feature of ["camera", "clipboard-read", "geolocation", "microphone", "payment", "usb"]) {
      expect(features).toContain(`${feature}=()`);
    }
    // Our own buttons copy records to publish; nothing may read.
    expect(features.filter((feature) => !feature.endsWith("=()"))).toEqual(["clipboard-write=(self)"]);
  });
});

describe("fifty requests at once", () => {
  const PAGE = "/domains/acme.example?from=2023-11-01&to=2023-11-30";
  const askAll = (path: string, accept: string): Promise<Response[]> =>
    Promise.all(Array.from({ length: 50 }, () => dashboard.ask(path, { headers: { accept } })));

  it("are answered completely or told when to come back, and have no lasting effect", async () => {
    const whole = await (await dashboard.ask(PAGE)).text();
    const answers = await askAll(PAGE, "text/html");
    const refused = answers.filter(({ status }) => status === 503);
    const answered = answers.filter(({ status }) => status === 200);
    expect(answered.length + refused.length).toBe(50);
    expect(answered.length).toBeGreaterThanOrEqual(DASHBOARD_LIMITS.maxRequests);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of answered) expect(await answer.text()).toBe(whole);
    for (const answer of refused) {
      expect(answer.headers.get("retry-after")).toBe(String(DASHBOARD_LIMITS.retryAfterSeconds));
      expect(answer.headers.get("permissions-policy")).toContain("camera=()");
      expect(await answer.text()).toContain("Load the page again in a few seconds.");
    }
    expect((await dashboard.ask(PAGE)).status).toBe(200);
  });

  it("get the same as JSON if programs send them", async () => {
    const answers = await askAll("/api/v1/stats", "application/json");
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) {
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "2"]);
      expect(await answer.json()).toEqual(refusal("busy"));
    }
  });
});

describe("a busy engine", () => {
  it("is reported with the time to wait", async () => {
    const busy = createServer((_, response) => {
      response.writeHead(503, { "retry-after": "7" });
      response.end("later");
    });
    const port = await listenLocally(busy);
    const settings = { ANALYTICS_ACCOUNT_ID: "local", ANALYTICS_API_TOKEN: "token" };
    const waiting = await startDashboard({
      vars: { API_TOKEN, ANALYTICS_SQL_URL: `http://127.0.0.1:${port}`, ...settings },
    });
    try {
      const answer = await waiting.ask("/api/v1/query", { method: "POST", body: "SELECT 1" });
      expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "7"]);
      expect(await answer.json()).toEqual(refusal("analytics_busy"));
    } finally {
      await waiting.close();
      busy.close();
    }
  });
});

describe("without Analytics Engine, if", () => {
  it.each([
    ["is not configured", {}, 503, "not_configured"],
    ["refuses the token", "wrong token", 502, "analytics_unavailable"],
    ["cannot be reached", "wrong port", 502, "analytics_unavailable"],
  ])("it %s: a query says so, and everything else works without it", async (_, fault, status, code) => {
    const settings = {
      ...engine.variables,
      ...(fault === "wrong port" ? { ANALYTICS_SQL_URL: "http://127.0.0.1:1" } : {}),
      ...(fault === "wrong token" ? { ANALYTICS_API_TOKEN: "nonsense" } : {}),
    };
    const broken = await startDashboard({ vars: { API_TOKEN, ...(typeof fault === "string" ? settings : {}) } });
    try {
      const query = await broken.ask("/api/v1/query", { method: "POST", body: "SELECT 1" });
      expect(query.status).toBe(status);
      const text = await query.text();
      expect(JSON.parse(text)).toEqual(refusal(code));
      expect(text).not.toContain("nonsense");
      for (const path of ["/api/v1/stats", "/api/v1/activity", "/", "/domains/acme.example", "/operations"]) {
        expect((await broken.ask(path)).status, path).toBe(200);
      }
      expect(await (await broken.ask("/api/v1/status")).json()).toMatchObject({ unfinished: 2, outcomes: {} });
    } finally {
      await broken.close();
    }
  });
});

describe("without the ledger", () => {
  it("pages and figures say so with a time to retry, and status still answers", async () => {
    const broken = await startDashboard({ vars: { API_TOKEN, PREFIX: "dmarc-staging" } });
    try {
      await broken.ledger.prepare("DROP TABLE domain_days").all();
      await broken.ledger.prepare("DROP TABLE objects").all();
      const page = await broken.ask("/domains/acme.example", { headers: { accept: "text/html" } });
      expect([page.status, page.headers.get("retry-after")]).toEqual([503, "2"]);
      const text = await page.text();
      expect(text).toContain("The ledger does not answer");
      expect(text).toContain('<code data-copy="">npx wrangler tail dmarc-staging-dashboard --format json</code>');
      expect(text).not.toContain("domain_days");
      expect(await (await broken.ask("/api/v1/stats")).json()).toEqual(refusal("ledger_unavailable"));
      const status = await broken.ask("/api/v1/status");
      expect(status.status).toBe(200);
      expect(await status.json()).toMatchObject({
        unfinished: 2,
        outcomes: null,
        outcomesProblem: expect.any(String),
        prefix: "dmarc-staging",
      });
    } finally {
      await broken.close();
    }
  });
});
