/** The commands of an operator against all Workers: dead letters, conflicts, running things again. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Conflict, DeadLetter } from "../../shared/contract/incoming-shapes.ts";
import type { Outputs } from "../../shared/contract/operations.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { type CommandOutcome, runAgain } from "./run-command.ts";

type Stats = Outputs["stats"];

const WAIT = { timeout: 120_000, interval: 200 };
const RUA = "rua@acme.example";
const FOREIGN = sampleReport({ domain: "later.example", reportId: "later" });
const NOT_COUNTED = expect.stringContaining("no report is about it");
const NO_ID = "20200101-000000000000000000000000";

let pipeline: Pipeline;
let folder: string;

beforeAll(async () => {
  pipeline = await startPipeline();
  folder = await mkdtemp(join(tmpdir(), "dmarc-operations-"));
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme", domains: ["acme.example"] });
  const one = (count: number) => [{ sourceIp: "192.0.2.1", count, pass: true }];
  await pipeline.deliver(RUA, { "first.xml": sampleReport({ reportId: "twice", records: one(10) }) });
  await pipeline.settled({ accepted: 1 });
  const second = sampleMail([
    { name: "second.xml", content: Buffer.from(sampleReport({ reportId: "twice", records: one(20) })) },
  ]).toString();
  await pipeline.deliverMail({
    from: "bounce@other.example",
    to: RUA,
    raw: second.replace(/^From: .*$/m, 'From: "Mallory\u001b[31m" <reports@forged.example>'),
  });
  await pipeline.deliver(RUA, { "third.xml": sampleReport({ reportId: "twice", records: one(30) }) });
  await pipeline.deliver(RUA, { "later.xml": FOREIGN, "broken.xml": "<feedback><report_metadata>" });
  await pipeline.settled({ conflict: 2, dead_letter: 2 });
});

afterAll(async () => {
  await pipeline.close();
  await rm(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<CommandOutcome> {
  return runAgain(args, { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN });
}

async function runJson<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await run(...args, "--json");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

function printDeadLetters(...filter: string[]): Promise<DeadLetter[]> {
  return runJson("dead-letters", "list", ...filter);
}

it("dead-letters list filters", async () => {
  expect(await printDeadLetters()).toHaveLength(2);
  expect(await printDeadLetters("--domain", "later.example")).toMatchObject([{ reason: { code: "foreign_domain" } }]);
  expect(await printDeadLetters("--code", "foreign_domain", "--until", "2020-01-01")).toEqual([]);
  expect((await run("dead-letters", "list", "--code", "over_budget")).stdout).toBe("No open dead letter matches.\n");
  const wrong = await run("dead-letters", "list", "--since", "2026-02-30");
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("2026-02-30") });
});

it("dead-letters show tells what is known, and saves the file as it came, once", async () => {
  const [letter] = await printDeadLetters("--code", "foreign_domain");
  const path = join(folder, "saved.xml");
  const { code, stdout } = await run("dead-letters", "show", letter?.id ?? "", "--save", path);
  expect(code).toBe(0);
  expect(stdout).toMatch(/code +foreign_domain\n[\s\S]*RUA address +rua@acme\.example\n[\s\S]*file +later\.xml\n/);
  expect(stdout).toMatch(/bytes +[\d,]+\n[\s\S]*domain +later\.example\n[\s\S]*message +\{"v":1/);
  expect(await readFile(path, "utf8")).toBe(FOREIGN);
  const again = await run("dead-letters", "show", letter?.id ?? "", "--save", path);
  expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("was not written") });
  expect(await runJson("dead-letters", "show", letter?.id ?? "")).toMatchObject({
    letter,
    raw: { sizeBytes: Buffer.byteLength(FOREIGN) },
  });
  expect(await run("dead-letters", "show", NO_ID)).toMatchObject({ code: 1, stderr: /no dead letter/ });
});

it("dead-letters requeue: nothing without a selection, a dry run, a refusal, the real thing", async () => {
  for (const args of [[], ["--all", "--code", "x"], [NO_ID, "--all"]]) {
    expect(await run("dead-letters", "requeue", ...args)).toMatchObject({ code: 1, stdout: "" });
  }
  const [letter] = await printDeadLetters("--code", "foreign_domain");
  const id = letter?.id ?? "";
  expect(await runJson("dead-letters", "requeue", "--domain", "later.example", "--dry-run")).toEqual([
    { id, code: "foreign_domain", result: "selected" },
  ]);
  expect(await printDeadLetters()).toHaveLength(2);
  await pipeline.ask(`/registry/${RUA}`, "PUT", { account: "acme" });
  const { code, stdout, stderr } = await run("dead-letters", "requeue", id, NO_ID);
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: "requeued  1\nrefused   1\n",
    stderr: expect.stringContaining(`${NO_ID}: There is no dead letter`),
  });
  await pipeline.settled({ dead_letter: 1, conflict: 2 });
});

it("dead-letters discard asks, or takes --yes", async () => {
  const unasked = await run("dead-letters", "discard", "--all");
  expect(unasked).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("--yes") });
  expect((await run("dead-letters", "discard", "--all", "--dry-run")).stdout).toBe("selected  1\n");
  expect(await printDeadLetters()).toHaveLength(1);
  expect((await run("dead-letters", "discard", "--all", "--yes")).stdout).toBe("discarded  1\n");
  expect(await printDeadLetters()).toEqual([]);
  expect((await run("dead-letters", "discard", "--all", "--yes")).stdout).toBe("No dead letter matches.\n");
});

it("conflicts: list, discard, accept", async () => {
  const conflicts = await runJson<{ id: string; other: { messages: number } }[]>("conflicts", "list");
  const idOf = (count: number) => conflicts.find(({ other }) => other.messages === count)?.id ?? "";
  const grouped = (await run("conflicts", "list")).stdout;
  expect(grouped).toMatch(/│ conflicts +│ reporter +│ about +│ account +│ first filed +│ last filed +│/);
  expect(grouped).toMatch(/│ 2 +│ .* │ acme\.example +│ acme +│ 20\d\d-/);
  expect(grouped).toContain("dmarc conflicts list --all");
  expect(grouped).not.toContain(idOf(20));
  expect((await run("conflicts", "list", "--all")).stdout).toMatch(
    /report id +twice\n[\s\S]*accepted +1 record, 10 messages, received \d{4}-.*raw\//,
  );
  const shown = await run("conflicts", "show", idOf(20));
  expect(shown.stdout).toMatch(/accepted[\s\S]* envelope sender +a@b\.example\n +from .*\n[\s\S]*\nother/);
  expect(shown.stdout).toMatch(
    /\nother[\s\S]* envelope sender +bounce@other\.example\n +from +"Mallory \[31m" <reports@forged\.example>\n/,
  );
  expect(await runJson("conflicts", "show", idOf(20))).toMatchObject({
    accepted: { mail: { sender: "a@b.example", from: expect.stringContaining("@") } },
    other: { mail: { sender: "bounce@other.example", from: expect.stringContaining("forged.example") } },
  });
  expect(await run("conflicts", "show", NO_ID)).toMatchObject({ code: 1, stderr: expect.stringContaining(NO_ID) });
  expect((await run("conflicts", "discard", idOf(20))).stdout).toBe(`${idOf(20)}: discarded\n`);
  expect(await runJson("conflicts", "accept", idOf(30))).toMatchObject([{ id: idOf(30) }]);
  await pipeline.settled({ conflict: 0 });
  expect(await runJson("stats")).toMatchObject({ reports: 2, messages: 38 });
  expect((await run("conflicts", "list")).stdout).toBe("There are no conflicts.\n");
  expect(await run("conflicts", "accept", NO_ID)).toMatchObject({ code: 1, stderr: expect.stringContaining(NO_ID) });
});

it("reprocess and reconcile: nothing by mistake, dry runs, watched to the end, and shown afterwards", async () => {
  expect(await run("reprocess")).toMatchObject({ code: 1, stderr: expect.stringContaining("--all") });
  expect(await run("reprocess", "--all", "--domain", "x.example")).toMatchObject({ code: 1 });
  expect(await run("reprocess", "--key", "reports/x")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/raw\//),
  });
  const before = await runJson("stats");
  const dry = await runJson<{ id: string }>("reprocess", "--prefix", "raw/", "--dry-run", "--watch");
  expect(dry).toMatchObject({ state: "done", dryRun: true, scanned: 5, enqueued: 5 });
  expect(await run("reprocess", "--all")).toMatchObject({ code: 1, stderr: expect.stringContaining("--yes") });
  expect(await run("reprocess", "--domain", "nobody.example")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("No report about 'nobody.example'"),
  });
  const watched = await run("reprocess", "--all", "--yes", "--watch");
  expect(watched).toMatchObject({ code: 0, stderr: "" });
  expect(watched.stdout).toMatch(
    /scope +all reports\nstate +done\nscanned +5\nenqueued +5\nreprocessed +5\nfiles, about +\d+\n/,
  );
  // Watched to the end: nothing is in work any more.
  expect(await runJson("status")).toMatchObject({ runningAgain: 0, unfinished: 0 });
  await pipeline.settled({});
  expect(await runJson("stats")).toEqual(before);
  expect(await runJson("reconcile", "--since", "2026-01-01", "--watch")).toMatchObject({ state: "done", enqueued: 0 });
  expect(await runJson("reprocess", "status", dry.id)).toMatchObject(dry);
  expect(await runJson("reprocess", "status")).toHaveLength(3);
  expect((await run("reprocess", "status")).stdout).toMatch(/reprocess .*done \(dry run\).* 5 .*prefix raw\//);
  expect(await run("reprocess", "status", "none")).toMatchObject({ code: 1, stderr: expect.stringContaining("none") });
});

it("conflicts decide: keep, replace or count both, with a reason; nothing else", async () => {
  const one = (count: number) => [{ sourceIp: "192.0.2.1", count, pass: true }];
  await pipeline.deliver(RUA, { "both.xml": sampleReport({ reportId: "twice", records: one(500) }) });
  await pipeline.settled({ conflict: 1 });
  const [conflict] = await runJson<Conflict[]>("conflicts", "list");
  const id = conflict?.id ?? "";
  const before = await runJson<Stats>("stats");
  expect(await run("conflicts", "decide", id, "both")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("keep, replace or count-both"),
  });
  const { code, stdout } = await run("conflicts", "decide", id, "count-both", "--reason", "two exports of one day");
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${id}: enqueued\n` });
  await pipeline.settled({ conflict: 0 });
  const { reports, messages } = before;
  expect(await runJson("stats")).toMatchObject({ reports: reports + 1, messages: messages + 500 });
});

it("reports take-back and undo-take-back: figures go and come again, a rerun changes nothing", async () => {
  await pipeline.deliver(RUA, { "forged.xml": sampleReport({ reportId: "forged", domain: "forged.example" }) });
  await vi.waitUntil(async () => (await run("stats", "--domain", "forged.example")).code === 0, WAIT);
  expect(await runJson("stats", "--domain", "forged.example")).toMatchObject({ reports: 1 });
  const [report] = await pipeline.rows<{ day: string; uid: string }>(
    "SELECT date(day * 86400, 'unixepoch') AS day, lower(hex(uid)) AS uid FROM reports WHERE domain = 'forged.example'",
  );
  const link = `/reports/acme/forged.example/${report?.day}/${report?.uid}`;
  expect(await run("reports", "take-back", link)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("--reason"),
  });
  expect(await run("reports", "take-back", "forged.example", "--reason", "x")).toMatchObject({ code: 1 });
  expect(await runJson("reports", "take-back", link, "--reason", "forged")).toEqual({
    account: "acme",
    kind: "aggregate",
    domain: "forged.example",
    ...report,
  });
  expect(await run("stats", "--domain", "forged.example")).toMatchObject({ code: 1, stderr: NOT_COUNTED });
  const [decision] = await pipeline.rows<{ decided_by: string; reason: string }>(
    "SELECT decided_by, reason FROM decisions WHERE decision = 'taken_back'",
  );
  expect(decision).toEqual({ decided_by: "API token", reason: "forged" });
  await runJson("reprocess", "--prefix", "raw/", "--watch");
  await pipeline.settled({});
  expect(await run("stats", "--domain", "forged.example")).toMatchObject({ code: 1, stderr: NOT_COUNTED });
  const again = await run("reports", "take-back", `https://dashboard.example${link}?x=1`, "--reason", "forged");
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("taken back") });
  expect((await run("reports", "undo-take-back", link)).stdout).toMatch(/^state +counts again\n/);
  await pipeline.settled({});
  expect(await runJson("stats", "--domain", "forged.example")).toMatchObject({ reports: 1, messages: 8 });
});
