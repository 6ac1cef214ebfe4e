/** The dashboard with the real process Worker behind it: the contract holds on both sides. */
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import type { Job } from "../../shared/contract/pipeline-shapes.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { API_TOKEN } from "./harness.ts";
import { type Pipeline, startPipeline } from "./pipeline.ts";

let pipeline: Pipeline;
let ask: Pipeline["ask"];

beforeAll(async () => {
  pipeline = await startPipeline();
  ask = pipeline.ask;
});

afterAll(() => pipeline.close());

it("an address can be registered, receives mail, and shows its outcome", async () => {
  const entry = { account: "acme", domains: ["acme.example"] };
  const rua = "reports@acme.example";
  expect(await ask("/registry/Reports%40ACME.example", "PUT", entry)).toEqual({ rua, entry });
  expect(await ask(`/registry/${rua}`)).toEqual({ rua, entry });
  expect(await ask("/registry")).toEqual({ items: [{ rua, entry }] });

  await pipeline.deliver(rua, {
    "good.xml": sampleReport(),
    "foreign.xml": sampleReport({ domain: "foreign.example" }),
  });
  const status = await pipeline.settled({ accepted: 1, dead_letter: 1 });
  expect(status.queues.map(({ queue }) => queue)).toEqual(["dmarc-reports", "dmarc-points", "dmarc-dead-letters"]);
  expect(await ask("/stats")).toEqual({
    reports: 1,
    records: 3,
    messages: 8,
    passed: 6,
    sources: 2,
    sourcesAreAtMost: false,
    deadLetters: 1,
  });
  expect(await ask("/stats?domain=foreign.example")).toMatchObject({ reports: 0, messages: 0 });
  expect(await ask("/dead-letters")).toMatchObject({
    items: [{ reason: { code: "foreign_domain" }, rua, account: "acme", rawKey: expect.stringMatching(/^raw\//) }],
  });

  await ask(`/registry/${rua}`, "DELETE");
  expect(await ask("/registry")).toEqual({ items: [] });
});

it("dead letters can be searched, viewed with their bytes, retried and discarded", async () => {
  const rua = "dead@acme.example";
  await ask(`/registry/${rua}`, "PUT", { account: "dead", domains: ["acme.example"] });
  const foreign = sampleReport({ domain: "later.example", reportId: "dead-1" });
  await pipeline.deliver(rua, { "later.xml": foreign });
  const broken = sampleMail([{ name: "broken.xml", content: Buffer.from("<feedback><report_metadata>") }]).toString();
  const subject = "=?utf-8?q?Bericht_f=C3=BCr_acme=2E?= =?utf-8?b?ZXhhbXBsZQ==?=";
  await pipeline.deliverMail({
    from: "a@b.example",
    to: rua,
    raw: broken.replace("Subject: Report", `Subject: ${subject}`),
  });
  await pipeline.settled({ dead_letter: 3, accepted: 1 });
  type Letters = { items: { id: string; reason: { code: string }; rawKey: string }[] };
  const { items } = await ask<Letters>("/dead-letters?account=dead&domain=later.example&code=foreign_domain");
  expect(items).toHaveLength(1);
  const [letter] = items;
  expect(await ask<Letters>("/dead-letters?account=dead&until=2020-01-01")).toEqual({ items: [] });
  // People read the subject; programs get what the mail says.
  const page = (await pipeline.page("/operations/dead-letters?account=dead")).text;
  expect(page).toContain("Bericht für acme.example");
  expect(JSON.stringify(await ask("/dead-letters?account=dead"))).toContain(subject);
  const details = await ask<{ raw: { key: string; sizeBytes: number } }>(`/dead-letters/${letter?.id}`);
  expect(details).toMatchObject({ letter, raw: { key: letter?.rawKey, metadata: { rua, fileName: "later.xml" } } });
  const raw = await fetch(`${pipeline.origin}/api/v1/raw?key=${encodeURIComponent(details.raw.key)}`, {
    headers: { authorization: `Bearer ${API_TOKEN}` },
  });
  expect(await raw.text()).toBe(foreign);
  expect(raw.headers.get("content-disposition")).toBe("attachment");

  await ask(`/registry/${rua}`, "PUT", { account: "dead" });
  const ids = [letter?.id, "20200101-000000000000000000000000"];
  expect(await ask("/dead-letters/requeue", "POST", { ids, dryRun: true })).toMatchObject({
    items: [{ id: letter?.id, result: "selected" }, { result: "refused" }],
  });
  await pipeline.settled({ dead_letter: 3 });
  expect(await ask("/dead-letters/requeue", "POST", { ids: [letter?.id] })).toMatchObject({
    items: [{ id: letter?.id, code: "foreign_domain", result: "requeued" }],
  });
  await pipeline.settled({ dead_letter: 2 });
  expect(await ask("/dead-letters/discard", "POST", { filter: { account: "dead" } })).toMatchObject({
    items: [{ result: "discarded" }],
  });
  await pipeline.settled({ dead_letter: 1 });
  expect(await ask("/dead-letters?account=dead")).toEqual({ items: [] });
  await expect(ask(`/dead-letters/${letter?.id}`)).rejects.toThrow(/404 .*no dead letter/);
  await expect(ask("/raw?key=reports/default")).rejects.toThrow(/404 .*no raw object/);
});

it("more dead letters than one request may change are changed by a press for each part", async () => {
  await ask("/registry/many@acme.example", "PUT", { account: "many" });
  await pipeline.rows(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2600)
     INSERT INTO dead_letters (id, day, account, rua, domain, code, raw_key, part, generation, received_seconds,
       filed_seconds, attempts, letter)
     SELECT printf('20260101-%024x', i), 20454, 'many', 'many@acme.example', '', 'empty', printf('raw/many/%d', i), '',
       1, 1767225600, 1767225600, 1, '{"message":"It is empty.","stage":"read","queueMessage":{}}' FROM n`,
  );
  const press = (fields: Record<string, string>): Promise<Response> =>
    fetch(`${pipeline.origin}/operations/dead-letters`, {
      method: "POST",
      redirect: "manual",
      headers: { authorization: `Bearer ${API_TOKEN}`, "content-type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams({ account: "many", ...fields })),
    });
  const question = await press({ action: "discard" });
  expect(question.status).toBe(200);
  expect(await question.text()).toContain("Discard 2,600 dead letters?");
  const first = await press({ action: "discard", confirmed: "yes" });
  expect(first.status).toBe(200);
  const text = await first.text();
  expect(text).toContain("2,500 discarded.");
  expect(text).toContain("Continue: discard");
  const cursor = /name="cursor" value="([^"]+)"/.exec(text)?.[1] ?? expect.unreachable();
  // No link has a button that discards without a question.
  for (const asked of [{ confirm: "discard" }, { action: "discard", cursor }]) {
    const forged = await pipeline.page(
      `/operations/dead-letters?${new URLSearchParams({ account: "many", ...asked })}`,
    );
    expect(forged.status).toBe(200);
    expect(forged.text).not.toContain('name="confirmed"');
  }
  const rest = await press({ action: "discard", confirmed: "yes", cursor });
  expect(rest.status).toBe(303);
  expect(rest.headers.get("location")).toBe("/operations/dead-letters?done=discarded&count=100&refused=0");
});

it("conflicts can be listed, discarded and accepted", async () => {
  const rua = "conflict@acme.example";
  await ask(`/registry/${rua}`, "PUT", { account: "conflict" });
  const version = (count: number) =>
    sampleReport({ reportId: "c-1", records: [{ sourceIp: "192.0.2.1", count, pass: true }] });
  await pipeline.deliver(rua, { "first.xml": version(10) });
  const messages = async () => (await ask<{ messages: number }>("/stats?account=conflict")).messages;
  await vi.waitUntil(async () => (await messages()) === 10, { timeout: 120_000, interval: 100 });
  await pipeline.deliver(rua, { "second.xml": version(20) });
  await pipeline.deliver(rua, { "third.xml": version(30) });
  await pipeline.settled({ conflict: 2 });
  const page = (await pipeline.page("/operations/conflicts")).text;
  for (const part of [
    "Keep current",
    "Use new version",
    "Count both",
    "Envelope sender:",
    "a@b.example",
    "Message-ID:",
  ])
    expect(page).toContain(part);
  const { items } = await ask<{ items: { id: string; other: { messages: number } }[] }>("/conflicts");
  const idOf = (count: number) => items.find(({ other }) => other.messages === count)?.id;
  expect(await ask(`/conflicts/${idOf(20)}/discard`, "POST")).toMatchObject({ accepted: { messages: 10 } });
  expect(await ask(`/conflicts/${idOf(30)}/accept`, "POST")).toMatchObject({ other: { messages: 30 } });
  await vi.waitUntil(async () => (await messages()) === 30, { timeout: 120_000, interval: 100 });
  await pipeline.settled({ conflict: 0 });
  expect(await ask("/conflicts")).toEqual({ items: [] });
  await expect(ask(`/conflicts/${idOf(20)}/accept`, "POST")).rejects.toThrow(/404 .*no conflict/);
  await expect(ask("/conflicts/x/decide", "POST", { decision: "both" })).rejects.toThrow(/400 .*decision: /);

  await pipeline.deliver(rua, { "fourth.xml": version(40) });
  await pipeline.settled({ conflict: 1 });
  const [last] = (await ask<{ items: { id: string }[] }>("/conflicts")).items;
  const form = await fetch(`${pipeline.origin}/operations/conflicts`, {
    method: "POST",
    redirect: "manual",
    headers: { authorization: `Bearer ${API_TOKEN}`, "content-type": "application/x-www-form-urlencoded" },
    body: String(new URLSearchParams({ id: last?.id ?? "", decision: "count_both", reason: "two exports" })),
  });
  expect([form.status, form.headers.get("location")]).toEqual([303, "/operations/conflicts?done=count_both"]);
  await vi.waitUntil(async () => (await messages()) === 70, { timeout: 120_000, interval: 100 });
});

it("reprocess and reconcile jobs are shown while and after they run", async () => {
  const before = await ask("/stats");
  const dry = await ask<Job>("/reprocess", "POST", { filter: { prefix: "raw/" }, dryRun: true });
  const done = (id: string) =>
    vi.waitUntil(
      async () => {
        const job = await ask<Job>(`/jobs/${id}`);
        return job.state === "done" ? job : undefined;
      },
      { timeout: 120_000, interval: 100 },
    );
  expect(await done(dry.id)).toMatchObject({ kind: "reprocess", dryRun: true, scanned: 8, enqueued: 8 });
  const { id } = await ask<Job>("/reprocess", "POST", { filter: { domain: "ACME.example" } });
  expect(await done(id)).toMatchObject({ enqueued: 3 });
  await pipeline.settled({});
  expect(await ask("/stats")).toEqual(before);
  const reconcile = await ask<Job>("/reconcile", "POST");
  expect(await done(reconcile.id)).toMatchObject({ kind: "reconcile", enqueued: 0 });
  const { items } = await ask<{ items: Job[] }>("/jobs");
  expect(items.map((job) => job.id).sort()).toEqual([dry.id, id, reconcile.id].sort());
  await expect(ask("/reprocess", "POST", { filter: { since: "2026-02-30" } })).rejects.toThrow(/400 .*2026-02-30/);
  await expect(ask("/reprocess", "POST", { filter: { key: "reports/x" } })).rejects.toThrow(/400 .*raw\//);
  await expect(ask("/jobs/none")).rejects.toThrow(/404 .*no job/);
});

it("an address that process refuses is a client error", async () => {
  await expect(ask("/registry/a%40b%40c", "PUT", { account: "a" })).rejects.toThrow(/400 .*bad_request/);
});
