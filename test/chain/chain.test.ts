/** The whole chain in workerd: mail → KV → R2 → queue → consumer → what Analytics Engine's SQL answers. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Outputs } from "../../shared/contract/operations.ts";
import type { DeadLetterRow } from "../../shared/ledger/dead-letters.ts";
import type { Outcome } from "../../shared/ledger/outcomes.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { type Chain, RUA, startChain } from "./harness.ts";

function reportMail(reportId: string): Buffer {
  return sampleMail([{ name: `${reportId}.xml.gz`, content: gzipSync(sampleReport({ reportId })) }]);
}

const OBJECTS = "SELECT generation, outcomes FROM objects ORDER BY settled_seconds, generation";
const LETTERS = "SELECT id, code, attempts, rua, raw_key AS rawKey, letter FROM dead_letters";

/** An object's row. */
interface ObjectSeen {
  generation: number;
  outcomes: string;
}

function outcomesOf(objects: ObjectSeen[]): Outcome[] {
  return objects.flatMap(({ outcomes }) => JSON.parse(outcomes) as Outcome[]);
}

describe("a working pipeline", () => {
  let chain: Chain;

  beforeAll(async () => {
    chain = await startChain();
    await chain.register(RUA, { account: "acme" });
    await chain.register("second@acme.example", { account: "acme" });
  });
  afterAll(() => chain.close());

  it("answers SQL about reports that came by mail", async () => {
    expect(await chain.send({ raw: reportMail("id-1") })).toMatchObject({ outcome: "ok" });
    const objects = await chain.waitForRows<ObjectSeen>(OBJECTS, 1);
    expect(objects).toMatchObject([{ generation: 1 }]);
    expect(outcomesOf(objects)).toMatchObject([{ outcome: "accepted", domain: "acme.example" }]);
    expect(await chain.rows("SELECT reports, records, total, passed FROM domain_days")).toEqual([
      { reports: 1, records: 3, total: 8, passed: 6 },
    ]);
    expect(await chain.stats()).toEqual({
      reports: 1,
      records: 3,
      messages: 8,
      passed: 6,
      sources: 2,
      sourcesAreAtMost: false,
      deadLetters: 0,
    });
    expect(await chain.keys("")).toHaveLength(1);
  });

  it("stores and counts the same mail once, however often it comes and to any +tag", async () => {
    for (const to of [RUA, RUA.toUpperCase(), "dmarc+tag@acme.example"]) {
      expect(await chain.send({ raw: reportMail("id-1"), to })).toMatchObject({ outcome: "ok" });
    }
    expect(await chain.keys("raw/")).toHaveLength(1);
    // Whatever was enqueued before this mail has been dealt with when it has been.
    await chain.send({ raw: reportMail("id-2") });
    await chain.waitForRows(OBJECTS, 2);
    expect(await chain.stats()).toMatchObject({ reports: 2, records: 6, messages: 16 });
  });

  it("stores a report to a second address separately and counts it once", async () => {
    await chain.send({ raw: reportMail("id-1"), to: "second@acme.example" });
    const objects = await chain.waitForRows<ObjectSeen>(OBJECTS, 3);
    expect(
      outcomesOf(objects)
        .map(({ outcome }) => outcome)
        .sort(),
    ).toEqual(["accepted", "accepted", "duplicate"]);
    expect(await chain.stats()).toMatchObject({ reports: 2, messages: 16 });
  });

  it("files a mail without a report as a dead letter with a reason", async () => {
    const raw = Buffer.from("From: a@example.net\r\nTo: x\r\nSubject: Hi\r\nMessage-ID: <7@x>\r\n\r\nHello.\r\n");
    await chain.send({ raw });
    const [letter] = await chain.waitForRows<DeadLetterRow>(LETTERS, 1);
    expect(letter).toMatchObject({ code: "not_a_report", rua: RUA, attempts: 1 });
    expect(letter?.rawKey).toMatch(/\/message\.eml$/);
    await vi.waitUntil(async () => (await chain.stats()).deadLetters === 1, { timeout: 120_000 });
  });

  it("offers the operator's actions by RPC", async () => {
    const status: Outputs["pipelineStatus"] = JSON.parse(await chain.operate("pipelineStatus", {}));
    expect(status).toMatchObject({ unfinished: 0, unfinishedDays: [], reportsWithDueSlices: 0 });
    expect(status.queues.map(({ queue }) => queue)).toEqual(["dmarc-reports", "dmarc-points", "dmarc-dead-letters"]);
    expect(status.queues.every(({ oldestSeconds }) => Number.isInteger(oldestSeconds))).toBe(true);
    const [letter] = await chain.waitForRows<DeadLetterRow>(LETTERS, 1);
    if (letter === undefined) throw new Error("There is no dead letter.");
    expect(await chain.operate("readRawObject", { key: letter.rawKey })).toContain("Hello.");
    const job: Outputs["startReprocess"] = JSON.parse(await chain.operate("startReprocess", {}));
    await chain.waitForRows(`SELECT 1 FROM objects WHERE generation = ${job.generation}`, 4);
    await chain.waitForRows(`SELECT 1 FROM jobs WHERE id = '${job.id}' AND state = 'done'`, 1);
    expect(await chain.stats()).toMatchObject({ reports: 2, records: 6, messages: 16, deadLetters: 1 });
    expect(JSON.parse(await chain.operate("discardDeadLetters", { ids: [letter.id] }))).toMatchObject({
      items: [{ result: "discarded" }],
    });
    expect(await chain.stats()).toMatchObject({ deadLetters: 0 });
  });

  it("skips files that a cancelled job had enqueued, and counts each file once", async () => {
    const job: Outputs["startReprocess"] = JSON.parse(await chain.operate("startReprocess", {}));
    expect(JSON.parse(await chain.operate("cancelJob", { id: job.id }))).toMatchObject({ state: "cancelled" });
    const keys = await chain.keys("raw/");
    const before = await chain.stats();
    const generation = job.generation + 1000;
    const receivedSeconds = Math.floor(Date.now() / 1000);
    for (const key of [...keys, ...keys])
      await chain.enqueue({ v: 1, kind: "report", key, rua: RUA, receivedSeconds, generation, jobId: job.id });
    await chain.waitForRows("SELECT 1 FROM skipped_objects", keys.length);
    expect(await chain.rows(`SELECT 1 FROM objects WHERE generation = ${generation}`)).toEqual([]);
    expect(JSON.parse(await chain.operate("cancelJob", { id: job.id }))).toMatchObject({ skipped: keys.length });
    expect(await chain.stats()).toEqual(before);
  });

  it("stores each candidate report separately", async () => {
    const before = (await chain.keys("raw/")).length;
    const attachments = ["id-3", "id-4"].map((reportId) => ({
      name: `../../${reportId} ü.xml`,
      content: Buffer.from(sampleReport({ reportId })),
    }));
    await chain.send({ raw: sampleMail(attachments) });
    await chain.waitForRows(OBJECTS, before + 2);
    expect((await chain.keys("raw/")).filter((key) => /\/id-[34]_u_?\.xml$/.test(key))).toHaveLength(2);
    expect(await chain.stats()).toMatchObject({ reports: 4, messages: 32 });
  });

  it("rejects an unknown address with a reason, and stores nothing", async () => {
    const before = await chain.keys("");
    const answer = await chain.send({ raw: reportMail("id-9"), to: "stranger@acme.example" });
    expect(answer.rejectReason).toContain("stranger@acme.example does not accept DMARC reports");
    await chain.send({ raw: reportMail("id-9"), to: "Stranger@acme.example" });
    await chain.waitForRows("SELECT 1 FROM refused_mail WHERE rua = 'stranger@acme.example' AND mails = 2", 1);
    expect(await chain.keys("")).toEqual(before);
  });

  it("treats an unreadable registry value as a fault, never as a reason to bounce", async () => {
    await chain.registerText("broken@acme.example", '{"account": 7}');
    const answer = await chain.send({ raw: reportMail("id-9"), to: "broken@acme.example" });
    expect(answer).toMatchObject({ outcome: "exception" });
    expect(answer.rejectReason ?? null).toBeNull();
  });
});

describe.each([["KV_DMARC_REPORTS"], ["R2_DMARC_REPORTS"], ["QUEUE_REPORTS"]])("ingest while %s is down", (binding) => {
  let chain: Chain;

  beforeAll(async () => {
    chain = await startChain({ ingest: [binding] });
    await chain.register(RUA, { account: "acme" });
  });
  afterAll(() => chain.close());

  it("throws, so that the sender tries again", async () => {
    const answer = await chain.send({ raw: reportMail("id-1") });
    expect(answer).toMatchObject({ outcome: "exception" });
    expect(answer.rejectReason ?? null).toBeNull();
    expect(await chain.rows(OBJECTS)).toEqual([]);
  });
});

describe("process while Analytics Engine is down", () => {
  let chain: Chain;

  beforeAll(async () => {
    chain = await startChain({ process: ["DMARC_ANALYTICS"] });
    await chain.register(RUA, { account: "acme" });
  });
  afterAll(() => chain.close());

  it("retries to the last attempt, then files the message with its last error", async () => {
    await chain.send({ raw: reportMail("id-1") });
    const [letter] = await chain.waitForRows<{ id: string; code: string; letter: string }>(LETTERS, 1);
    expect(letter?.code).toBe("retries_exhausted");
    expect(JSON.parse(letter?.letter ?? "").lastError).toMatch(/^Attempt 9, .*The platform is down \(injected\)/);
    expect(outcomesOf(await chain.rows<ObjectSeen>(OBJECTS))).toEqual([{ outcome: "dead_letter", id: letter?.id }]);
    await vi.waitUntil(async () => (await chain.stats()).deadLetters === 1, { timeout: 120_000 });
    expect(await chain.stats()).toMatchObject({ reports: 0, records: 0 });
  });
});
