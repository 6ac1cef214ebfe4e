import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, change } from "../../shared/ledger/database.ts";
import { deadLettersNamedQuery, putDeadLetters, removeDeadLetters } from "../../shared/ledger/dead-letters.ts";
import { noteRefusedMail } from "../../shared/ledger/refused-mail.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "../dashboard/harness.ts";
import { aggregateReport, commitSamples, deadLetterRow, sampleRecord } from "../support/ledger-fill.ts";
import { recordRow, startTestEngine, type TestEngine } from "../support/local-engine.ts";
import { TODAY } from "../support/today.ts";
import { type CommandOutcome, runCommand } from "./run-command.ts";

let engine: TestEngine;
let dashboard: Dashboard;
let stateDir: string;

beforeAll(async () => {
  engine = await startTestEngine();
  dashboard = await startDashboard({ vars: { API_TOKEN, ...engine.variables } });
  await engine.write("records", [
    recordRow({ count: 1200, reporter: '=cmd|"x"!A1' }),
    recordRow({ ordinal: 1, count: 34, passed: 0, reporter: "a\u001b[31mb", sourceIp: "192.0.2.2" }),
  ]);
  await fillLedger();
  stateDir = await mkdtemp(join(tmpdir(), "dmarc-state-"));
  await writeFile(join(stateDir, "local-secret.json"), JSON.stringify({ apiToken: API_TOKEN }));
});

// A report of two records, and a dead letter.
async function fillLedger(): Promise<void> {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const records = [
    sampleRecord("acme.example", { count: 1200 }),
    sampleRecord("acme.example", { count: 34, dkim: "fail", sourceIp: "192.0.2.2" }),
  ];
  const report = aggregateReport("acme.example", { day: TODAY - 1, records });
  const sample = { account: "acme", uid: "1".repeat(32), report, records, receivedSeconds: nowSeconds };
  await commitSamples(dashboard.ledger, [sample], { nowSeconds });
  await change(dashboard.ledger, [
    putDeadLetters([deadLetterRow({ day: TODAY, receivedSeconds: nowSeconds, filedSeconds: nowSeconds })]),
  ]);
}

afterAll(async () => {
  await dashboard.close();
  await engine.stop();
  await rm(stateDir, { recursive: true, force: true });
});

/** Runs against the test's stack, found as a deployment. */
function run(...args: string[]): Promise<CommandOutcome> {
  return runCommand(args, { DMARC_URL: dashboard.url, DMARC_TOKEN: API_TOKEN });
}

async function runJson(...args: string[]): Promise<unknown> {
  const { code, stdout, stderr } = await run(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

describe("finding the stack", () => {
  const stats = {
    reports: 1,
    records: 2,
    messages: 1234,
    passed: 1200,
    sources: 2,
    sourcesAreAtMost: false,
    deadLetters: 1,
  };

  it("takes a deployment, or ports and a state folder, by options or environment", async () => {
    const { port } = new URL(dashboard.url);
    const ways: [string[], Record<string, string>][] = [
      [[], { DMARC_URL: dashboard.url, DMARC_TOKEN: API_TOKEN }],
      [["--url", `${dashboard.url}/some/page`], { DMARC_TOKEN: API_TOKEN }],
      [["--http", port, "--state", stateDir], {}],
      [[], { DMARC_HTTP_PORT: port, DMARC_STATE: stateDir }],
      [["--http", port, "--state", stateDir], { DMARC_URL: "https://elsewhere.example", DMARC_TOKEN: "x" }],
    ];
    for (const [args, env] of ways) {
      const { code, stdout } = await runCommand(["stats", "--json", ...args], env);
      expect({ args, code, stats: code === 0 && JSON.parse(stdout) }).toEqual({ args, code: 0, stats });
    }
  });

  it("says in one sentence what is wrong", async () => {
    const state = await mkdtemp(join(tmpdir(), "dmarc-empty-"));
    const ways: [string[], Record<string, string>, RegExp][] = [
      [["--state", state], {}, /never run with the state folder/],
      [["--http", "1", "--state", stateDir], {}, /^dmarc: Nothing answers at http:\/\/127\.0\.0\.1:1: .*npm start/],
      [
        ["--url", "https://127.0.0.2:64999"],
        { DMARC_TOKEN: "x" },
        /ECONNREFUSED.* Is that the dashboard's address\?$/m,
      ],
      [["--http", "nonsense"], {}, /--http: 'nonsense' is not a port/],
      [["--url", dashboard.url], {}, /DMARC_TOKEN/],
      [["--url", "http://dashboard.example"], { DMARC_TOKEN: "x" }, /not the https address/],
      [["--url", dashboard.url], { DMARC_TOKEN: "wrong" }, /The bearer token is neither the secret/],
    ];
    for (const [args, env, message] of ways) {
      const { code, stdout, stderr } = await runCommand(["stats", ...args], env);
      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
    await rm(state, { recursive: true });
  });
});

describe("rua", () => {
  it("adds, changes, shows, lists and removes", async () => {
    const address = "reports@acme.example";
    const plain = { rua: address, entry: { account: "default" } };
    expect(await runJson("rua", "add", address)).toEqual(plain);
    const changed = { rua: address, entry: { account: "acme", domains: ["acme.example", "acme.test"] } };
    const domains = ["--domain", "acme.example", "acme.test"];
    expect(await runJson("rua", "set", address, "--account", "acme", ...domains, "--yes")).toEqual(changed);
    expect(await runJson("rua", "show", address)).toEqual(changed);
    expect((await run("rua", "show", address)).stdout).toMatch(/account +acme\ndomains +acme\.example acme\.test/);
    expect((await run("rua", "list")).stdout).toContain("reports@acme.example │ acme");
    expect(await runJson("rua", "remove", address)).toEqual({ removed: address });
    const gone = await run("rua", "show", address);
    expect(gone).toEqual({ code: 1, stdout: "", stderr: "dmarc: reports@acme.example is not registered.\n" });
    expect((await run("rua", "list")).stdout).toContain("dmarc rua add");
  });

  it("never adds over an address that is registered", async () => {
    const address = "once@acme.example";
    await runJson("rua", "add", address, "--account", "first", "--domain", "acme.example");
    const again = await run("rua", "add", address, "--account", "second");
    expect(again).toMatchObject({ code: 1, stdout: "" });
    expect(again.stderr).toContain("once@acme.example is registered already; nothing was changed.");
    expect(again.stderr).toContain("change it with `dmarc rua set`");
    expect(await runJson("rua", "show", address)).toMatchObject({
      entry: { account: "first", domains: ["acme.example"] },
    });
    await runJson("rua", "remove", address);
    expect(await runJson("rua", "add", address, "--account", "second")).toMatchObject({ entry: { account: "second" } });
  });

  it("shows old and new before it changes an address, asks, and keeps what it does not set", async () => {
    const address = "kept@acme.example";
    const path = "/api/v1/registry/kept%40acme.example";
    const entry = { account: "a", domains: ["x.example"], approvedSources: ["192.0.2.1"], failureReports: "facts" };
    await dashboard.ask(path, { method: "PUT", body: JSON.stringify(entry) });
    const asked = await run("rua", "set", address, "--account", "b", "--any-domain");
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain(`${address}: account a -> b\n${address}: domains x.example -> any\n`);
    expect(asked.stderr).toContain("Add --yes");
    expect(await runJson("rua", "show", address)).toEqual({ rua: address, entry });
    expect((await run("rua", "set", address, "--account", "b", "--yes")).stderr).toContain("account a -> b\n");
    expect(await runJson("rua", "show", address)).toEqual({ rua: address, entry: { ...entry, account: "b" } });
    await run("rua", "set", address, "--any-domain", "--yes");
    expect(await runJson("rua", "show", address)).not.toHaveProperty("entry.domains");
    expect((await run("rua", "set", address, "--account", "b", "--yes")).stderr).toContain("Nothing to change");
    expect((await run("rua", "set", "nobody@acme.example", "--yes")).stderr).toContain("is not registered");
  });

  it("hands on why an address or account is refused", async () => {
    const { code, stderr } = await run("rua", "add", "refused@acme.example");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("'refused@acme.example' is refused."),
    });
    expect((await run("rua", "add", "a@acme.example", "--account", "a b")).stderr).toContain("account");
  });
});

describe("figures", () => {
  it("stats, of all and of a domain", async () => {
    expect((await run("stats")).stdout).toMatch(/messages +1,234\npassed +1,200 \(97\.2 %\)/);
    expect(await run("stats", "--domain", "nowhere.example", "--json")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The domain 'nowhere.example' is unknown"),
    });
  });

  it("query: a table, JSON, CSV", async () => {
    const sql = [
      "SELECT reporter, sum(messageCount) AS messages FROM (SELECT blob1 AS reportUid, double3 AS ordinal,",
      "argMax(blob4, double2) AS reporter, argMax(double4 * _sample_interval, double2) AS messageCount",
      "FROM dmarc_records WHERE timestamp > now() - INTERVAL '1' DAY GROUP BY reportUid, ordinal)",
      "GROUP BY reporter ORDER BY messages",
    ].join(" ");
    expect((await run("query", sql)).stdout).toMatch(/reporter .*messages.*\n.*\n.*a \[31mb .*34 .*\n/);
    expect(await runJson("query", sql)).toEqual([
      { reporter: "a\u001b[31mb", messages: 34 },
      { reporter: '=cmd|"x"!A1', messages: 1200 },
    ]);
    expect((await run("query", sql, "--csv")).stdout.split(/\r?\n/).slice(0, 3)).toEqual([
      "reporter,messages",
      "a\u001b[31mb,34",
      `"'=cmd|""x""!A1",1200`,
    ]);
    expect((await run("query", `${sql} FORMAT TabSeparated`)).stdout).toContain("\t1200\n");
  });

  it("query shows the engine's refusal, and what to write instead", async () => {
    const refusals: [string, string][] = [
      ["SELECT uniq(blob1) FROM dmarc_records", "unknown function call: uniq. Write count(DISTINCT x)."],
      ["SELECT COUNT(*) FROM dmarc_records", "COUNT() function must have 0 arguments. Write count(), or"],
      ["SELECT blob1 FROM dmarc_records ORDER BY double1", "unable to find type of column: double1. Select it under"],
      ["SELECT count() AS n FROM dmarc_tls", "unknown table: dmarc_tls. No point of what the statement names"],
    ];
    for (const [sql, text] of refusals) {
      const { code, stdout, stderr } = await run("query", sql);
      expect({ code, stdout, stderr }).toEqual({ code: 1, stdout: "", stderr: expect.stringContaining(text) });
    }
  });

  it("query does not send what is longer than the engine takes", async () => {
    const sql = `SELECT count() AS n FROM dmarc_records WHERE blob1 = '${"x".repeat(10_000)}'`;
    const { code, stderr } = await runCommand(["query", sql], { DMARC_URL: "http://127.0.0.1:1", DMARC_TOKEN: "x" });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^dmarc: SQL was excessively long, exceeded maximum length: 10000\. Ask for less/),
    });
  });

  it("query says what a statement forgets, beside the answer", async () => {
    const { code, stdout, stderr } = await run("query", "SELECT sum(double4) AS n FROM dmarc_records", "--csv");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "n\r\n1234\r\n" });
    expect(stderr.split("\n")).toEqual([
      "dmarc: A point may be written twice, and this counts both: group by blob1, double3 first (docs/analytics.md).",
      "dmarc: Points may be sampled: multiply by _sample_interval (docs/analytics.md).",
      "dmarc: Without a bound on timestamp the engine reads everything it has, at its coarsest sampling.",
      "",
    ]);
  });

  it("status, and a wait that ends", async () => {
    expect(await runJson("status")).toMatchObject({
      unfinished: 2,
      outcomes: { accepted: 1, dead_letter: 1 },
      activity: [{ seconds: 300 }, { seconds: 3600 }, { seconds: 86_400 }, { seconds: 604_800 }],
    });
    expect((await run("status")).stdout).toMatch(
      /dmarc-reports.*2 .*200[\s\S]*pending files +2\n +of 2026-11-20 +2\ndatabase 0 +1.0 MB, 1 account\nopen dead letters +1\nopen conflicts +0\nrefused mails, last week +0\naccepted reports, last week +1/,
    );
    expect((await run("status")).stdout).toMatch(
      /\n\nTo do:\n {2}The ledger's database 1, .* {2}npm run deploy -- --databases 2\n {2}2 files pending, the oldest of 2026-11-20 +dmarc reconcile --since 2026-11-20 --watch\n {2}1 open dead letter +dmarc dead-letters reasons\n$/,
    );
    const { code, stderr } = await run("status", "--wait", "--timeout", "0");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "dmarc: Not done after 0 s: 2 unfinished, 2 in dmarc-reports.\n",
    });
    expect((await run("status", "--wait", "--timeout", "soon")).code).toBe(1);
  });

  it("dead letters by reason, with what to do", async () => {
    expect(await runJson("dead-letters", "reasons")).toEqual([{ code: "empty", deadLetters: 1 }]);
    expect((await run("dead-letters", "reasons")).stdout).toMatch(
      /empty +│ +1 │ Nothing to do: discard it\.[\s\S]*\nOnce the cause is gone: dmarc dead-letters requeue --code REASON, or discard\.\n$/,
    );
    expect((await run("dead-letters", "reasons", "--discarded")).stdout).toBe("No discarded dead letters.\n");
    expect((await run("dead-letters", "reasons", "--until", "2000-01-01")).stdout).toBe(
      "No open dead letter matches.\n",
    );
  });

  it("dead letters of all pages", async () => {
    const [template] = await ask(dashboard.ledger, deadLettersNamedQuery(["20260101-dead"]));
    if (template === undefined) throw new Error("There is a dead letter.");
    const ids = Array.from({ length: 100 }, (_, i) => `20260102-${String(i).padStart(24, "0")}`);
    await change(dashboard.ledger, [putDeadLetters(ids.map((id) => ({ ...template, id })))]);
    const listed = await runJson("dead-letters", "list");
    expect(listed).toMatchObject(["20260101-dead", ...ids].map((id) => ({ id })));
    await change(dashboard.ledger, [removeDeadLetters(ids)]);
    expect((await run("dead-letters", "list")).stdout).toMatch(
      /code +empty\nreason +Nothing\.\nwhat to do +Nothing to do: discard it\.\nraw key +raw\/1\nRUA address +dmarc@acme\.example\naccount +acme\nattempts +1\nid +20260101-dead\n/,
    );
    expect((await run("dead-letters", "list", "--discarded")).stdout).toBe("No discarded dead letters.\n");
  });
});

describe("rua refused", () => {
  it("lists the addresses whose mail was refused, and says where there are none", async () => {
    expect((await run("rua", "refused")).stdout).toBe("No mail was refused because of its address.\n");
    const seconds = Math.floor(Date.now() / 1000);
    for (const sender of ["a@reporter.example", "b@reporter.example"]) {
      await noteRefusedMail(dashboard.ledger, { recipient: "Dmrac@acme.example", sender, seconds });
    }
    expect(await runJson("rua", "refused")).toMatchObject([{ rua: "dmrac@acme.example", mails: 2, isAtLeast: false }]);
    expect((await run("rua", "refused")).stdout).toMatch(/dmrac@acme\.example.*2.*b@reporter\.example/);
  });
});
