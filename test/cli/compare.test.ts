/** `dmarc compare` against all Workers and the local Analytics Engine: equal whatever happened, unequal without a point. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { failureMails } from "../../local/samples/failures.ts";
import { SAMPLE_RUA, type Sample } from "../../local/samples/mail.ts";
import { planReports, reportMail } from "../../local/samples/reports.ts";
import { tlsMails } from "../../local/samples/tls.ts";
import { parseAnswer } from "../../shared/analytics/sql.ts";
import { type LastRow, messagesByDay } from "../../shared/analytics/statements.ts";
import type { Conflict } from "../../shared/contract/incoming-shapes.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { readSamples } from "../local/read-samples.ts";
import { aggregateReport, commitSamples, sampleRecord } from "../support/ledger-fill.ts";
import { TODAY } from "../support/today.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

const NOW = Math.floor(Date.now() / 1000);
/** All of it goes through every Worker. */
const SETTLE_MS = 120_000;
const iso = (day: number): string => new Date(day * 86_400_000).toISOString().slice(0, 10);

let pipeline: Pipeline;
/** Figures of the samples as the reader counts them. */
let expected: { records: number; messages: number };

beforeAll(async () => {
  pipeline = await startPipeline();
  await pipeline.ask(`/registry/${SAMPLE_RUA}`, "PUT", { account: "acme" });
  const samples = await someSamples();
  for (const { from, to, raw } of samples) await pipeline.deliverMail({ from, to, raw: raw.toString("latin1") });
  const { accepted } = await readSamples(samples);
  const records = accepted.flatMap((sample) => sample.records);
  expected = { records: records.length, messages: records.reduce((sum, { count }) => sum + count, 0) };
  await pipeline.settled({ accepted: accepted.length, duplicate: 1, conflict: 1 }, SETTLE_MS);
}, 240_000);

afterAll(() => pipeline.close());

/** Some of the samples of each kind, one report once more, and one with other figures. */
function someSamples(): Promise<Sample[]> {
  const today = TODAY * 86_400;
  const reports = planReports(today).slice(0, 10);
  const [first, second] = reports.filter(({ rows }) => rows.length > 0);
  if (first === undefined || second === undefined) throw new Error("The samples hold too few reports.");
  const corrected = { ...second, rows: second.rows.map((row) => ({ ...row, count: row.count + 3 })) };
  return Promise.all([
    ...reports.map((report) => reportMail(report)),
    ...tlsMails(today).slice(0, 3),
    ...failureMails(today).slice(0, 3),
    reportMail(first, "again"),
    reportMail(corrected, "corrected"),
  ]);
}

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(args, { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN });
}

interface PairSeen {
  ledger: number;
  engine: number;
  difference: number;
}

interface ComparisonSeen {
  equal: boolean;
  days: { day: string; domain: string; equal: boolean; figures: Record<string, PairSeen> }[];
  totals: Record<string, PairSeen>;
  sampling: { points: number; highestInterval: number; meanInterval: number };
  reasons: string[];
}

async function compare(code: number, ...args: string[]): Promise<ComparisonSeen> {
  const outcome = await run("compare", "--days", "120", ...args, "--json");
  expect(outcome).toMatchObject({ stderr: "", code });
  return JSON.parse(outcome.stdout);
}

it("is equal after the samples, including a duplicate and an open conflict", async () => {
  const { equal, totals, sampling, reasons, days } = await compare(0);
  expect({ equal, reasons, sampling }).toMatchObject({
    equal: true,
    reasons: [],
    sampling: { highestInterval: 1, meanInterval: 1 },
  });
  const { records, messages, successfulSessions, incidents } = totals;
  expect(records).toEqual({ ledger: expected.records, engine: expected.records, difference: 0 });
  expect(messages).toEqual({ ledger: expected.messages, engine: expected.messages, difference: 0 });
  expect(successfulSessions?.engine).toBeGreaterThan(0);
  expect(incidents?.engine).toBeGreaterThan(0);
  expect(new Set(days.map(({ domain }) => domain)).size).toBeGreaterThan(1);
});

it("narrows by domains and account, and prints a table", async () => {
  const { days } = await compare(0, "EXAMPLE.com.", "--account", "acme");
  expect(new Set(days.map(({ domain }) => domain))).toEqual(new Set(["example.com"]));
  expect((await compare(0, "example.com", "example.net")).days.length).toBeGreaterThan(days.length);
  expect(await run("compare", "--account", "nobody")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no account 'nobody'"),
  });
  const { stdout } = await run("compare", "example.com", "--from", iso(TODAY - 3), "--to", iso(TODAY - 1));
  expect(stdout).toContain("Equal: Analytics Engine's sums are the ledger's.");
  expect(stdout).toContain("Nothing was sampled");
  expect(stdout).toContain(iso(TODAY - 2));
  expect(stdout).not.toContain(iso(TODAY - 4));
});

it("stays equal after reprocessing everything", { timeout: 120_000 }, async () => {
  const before = await compare(0);
  // Watched to its end: every object of R2 has been run again then; one whose raw object was removed is not.
  expect((await run("reprocess", "--all", "--yes", "--watch")).code).toBe(0);
  expect(await pipeline.rows("SELECT 1 FROM objects WHERE generation = 1 AND raw_removed = 0")).toEqual([]);
  const { totals, equal } = await compare(0);
  expect({ totals, equal }).toEqual({ totals: before.totals, equal: true });
});

it("stays equal when another version replaces a report, and when a report is taken back", {
  timeout: 120_000,
}, async () => {
  const before = await compare(0);
  const { items } = await pipeline.ask<{ items: Conflict[] }>("/conflicts");
  expect((await run("conflicts", "accept", items[0]?.id ?? "")).code).toBe(0);
  await pipeline.settled({ conflict: 0 }, SETTLE_MS);
  const replaced = await compare(0);
  expect(replaced.totals.messages?.engine).toBeGreaterThan(before.totals.messages?.engine ?? 0);
  const [report] = await pipeline.rows<{ domain: string; day: number; uid: string; total: number }>(
    `SELECT domain, day, lower(hex(uid)) AS uid, total FROM reports
      WHERE kind = 'aggregate' AND state = 'accepted' ORDER BY total DESC LIMIT 1`,
  );
  const path = `acme/${report?.domain}/${iso(report?.day ?? 0)}/${report?.uid}`;
  expect((await run("reports", "take-back", path, "--reason", "forged")).code).toBe(0);
  await pipeline.settled({ conflict: 0 }, SETTLE_MS);
  const left = await compare(0);
  expect(left.totals.messages?.engine).toBe((replaced.totals.messages?.engine ?? 0) - (report?.total ?? 0));
});

it("reports a missing point and exits with code 1", async () => {
  // Committed as process does, without its points.
  const domain = "missing.example";
  const records = [sampleRecord(domain, { count: 7 }), sampleRecord(domain, { count: 2, dkim: "fail" })];
  const report = aggregateReport(domain, { day: TODAY - 5, records });
  await commitSamples(
    pipeline.ledger,
    [{ account: "acme", uid: "9".repeat(32), report, records, receivedSeconds: NOW }],
    { nowSeconds: NOW },
  );
  const { equal, days, reasons } = await compare(1, domain);
  expect(equal).toBe(false);
  expect(days).toMatchObject([
    {
      day: iso(TODAY - 5),
      domain,
      equal: false,
      figures: {
        records: { ledger: 2, engine: 0, difference: -2 },
        messages: { ledger: 9, engine: 0, difference: -9 },
        passed: { ledger: 7, engine: 0, difference: -7 },
      },
    },
  ]);
  expect(reasons).toEqual([expect.stringContaining("on one machine this is a fault")]);
  const { code, stdout } = await run("compare");
  expect(code).toBe(1);
  expect(stdout).toContain("9 / 0 (-9)");
  expect(stdout).toContain("Different on 1 of");
});

it("goes on where one answer does not hold the rows, also within a day", async () => {
  const day = TODAY - 1000;
  const fill = (first: number, count: number): string => `
    INSERT INTO domain_days (account, kind, domain, day, reports, records, total, passed, dkim_aligned, spf_aligned,
      quarantined, rejected, last_end_seconds, policy)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1})
    SELECT 'many', 'aggregate', i || '.example', ${first}, 1, 1, 1, 1, 1, 1, 0, 0, 0, '' FROM n`;
  await pipeline.rows(fill(day, PAGE_LIMITS.domainDays + 1));
  await pipeline.rows(fill(day + 1, 2));
  const period = ["--from", iso(day), "--to", iso(day + 1), "--json"];
  const { code, stdout } = await run("compare", "--account", "many", ...period);
  const seen: ComparisonSeen = JSON.parse(stdout);
  expect({ code, records: seen.totals.records?.ledger }).toEqual({ code: 1, records: PAGE_LIMITS.domainDays + 3 });
  expect(seen.reasons).toEqual([expect.stringContaining("older than three months")]);
});

it("verdicts are given of every domain with reports, also of one that only the last answer names", async () => {
  const first = TODAY - 3600;
  await pipeline.rows(`INSERT INTO domain_days (account, kind, domain, day, reports, records, total, passed, dkim_aligned,
      spf_aligned, quarantined, rejected, last_end_seconds, policy)
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
    SELECT 'long', 'aggregate', d.value, ${first} + i, 1, 1, 1, 1, 1, 1, 0, 0, 0, ''
    FROM n, json_each('["a.example", "b.example", "c.example", "d.example"]') d
    UNION ALL SELECT 'long', 'aggregate', 'z.example', ${first} + 2500, 1, 1, 1, 1, 1, 1, 0, 0, 0, ''`);
  const { stdout } = await run("verdict", "--from", iso(first), "--to", iso(first + 2500), "--json");
  const domains = stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line).domain]));
  expect(domains).toEqual(["a.example", "b.example", "c.example", "d.example", "z.example"]);
});

it("a verdict that is too early says once what is missing", async () => {
  const { stdout } = await run("verdict", "example.com", "--from", iso(TODAY - 70), "--to", iso(TODAY));
  expect(stdout).toContain("Too early to say");
  expect(stdout.match(/a verdict needs reports over/g), stdout).toHaveLength(1);
  expect(stdout).toMatch(/Based on (1 day|\d+ days) with reports and [\d,]+ messages?\./);
});

it("reads the engine's rows page by page, each once", async () => {
  const days = { firstDay: TODAY - 40, lastDay: TODAY };
  const rowsAfter = async (after: LastRow | undefined): Promise<LastRow[]> => {
    const { sql, read } = messagesByDay(days, { after });
    const answer = await pipeline.client.ask("query", { sql });
    if (!answer.ok) throw new Error(answer.error.message);
    return (parseAnswer(answer.value)?.rows ?? []).map(read).map(({ domain, day }) => ({ domain, day }));
  };
  const all = await rowsAfter(undefined);
  expect(all.length).toBeGreaterThan(1);
  for (const [i, row] of all.entries()) expect(await rowsAfter(row)).toEqual(all.slice(i + 1));
});

it("says that a domain is not known, instead of comparing nothing", async () => {
  const { code, stdout, stderr } = await run("compare", "nowhere.example");
  expect({ code, stdout, stderr }).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringContaining("The domain 'nowhere.example' is unknown"),
  });
});

it("refuses invalid days, and says when the engine does not answer", async () => {
  for (const wrong of [
    ["--from", "2026-02-30"],
    ["--days", "0"],
    ["--days", "3", "--to", iso(TODAY)],
    ["--days", "4000"],
  ]) {
    expect(await run("compare", ...wrong)).toMatchObject({ code: 1, stdout: "" });
  }
  await expect(pipeline.ask("/domain-days?kind=tls&from=2026-02-30&to=2026-03-01")).rejects.toThrow("400");
  await pipeline.stopEngine();
  const { code, stdout, stderr } = await run("compare");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/Analytics Engine (cannot be reached|answered 500)/);
});
