/** What the Workers on one machine are refused as on Cloudflare, although workerd would take it. */
import { expect, it } from "vitest";
import { GatheredPoints } from "../../local/worker/gathered-points.ts";
import {
  InvocationLimits,
  limitedBucket,
  limitedDatabase,
  limitedKv,
  limitedLedger,
  limitedQueue,
  SpacedWrites,
} from "../../local/worker/limited.ts";
import { ANALYTICS_LIMITS, D1_LIMITS, QUEUE_LIMITS, WORKER_LIMITS } from "../../shared/limits.ts";
import { SqliteLedger } from "../support/sqlite-d1.ts";

it("an invocation may make a thousand queries, over all databases, and a transaction is as many as its statements", async () => {
  const limits = new InvocationLimits();
  const [first, second] = [limitedDatabase(new SqliteLedger(), limits), limitedDatabase(new SqliteLedger(), limits)];
  const statements = Array.from({ length: D1_LIMITS.maxQueriesPerInvocation - 1 }, (_, i) =>
    first.prepare("SELECT ? AS n").bind(i),
  );
  expect((await first.batch(statements)).at(-1)?.results).toEqual([{ n: D1_LIMITS.maxQueriesPerInvocation - 2 }]);
  expect((await second.prepare("SELECT ? AS n").bind(1).all()).results).toEqual([{ n: 1 }]);
  expect(() => second.prepare("SELECT 1")).toThrow("Too many API requests by single worker invocation");
});

it("each database that a Worker is bound to is limited, and no other binding", () => {
  const [bucket, limits] = [{ put: () => undefined }, new InvocationLimits()];
  const env = limitedLedger(
    { D1_DMARC_REPORTS: new SqliteLedger(), D1_DMARC_REPORTS_1: new SqliteLedger(), R2_DMARC_REPORTS: bucket },
    limits,
  );
  expect(env.R2_DMARC_REPORTS).toBe(bucket);
  for (let i = 1; i < D1_LIMITS.maxQueriesPerInvocation; i++) env.D1_DMARC_REPORTS_1.prepare("SELECT 1");
  env.D1_DMARC_REPORTS.prepare("SELECT 1");
  for (const database of [env.D1_DMARC_REPORTS, env.D1_DMARC_REPORTS_1]) {
    expect(() => database.prepare("SELECT 1")).toThrow("Too many API requests by single worker invocation");
  }
});

it("a value has 2,000,000 bytes at most", async () => {
  const ledger = limitedDatabase(new SqliteLedger(), new InvocationLimits());
  const statement = ledger.prepare("SELECT length(?) AS n");
  const { results } = await statement.bind("é".repeat(D1_LIMITS.maxRowBytes / 2)).all();
  expect(results).toEqual([{ n: D1_LIMITS.maxRowBytes / 2 }]);
  expect(() => statement.bind(`${"é".repeat(D1_LIMITS.maxRowBytes / 2)}x`)).toThrow("string or blob too big");
});

it("a call of D1 carries 32 MiB at most, and so does its answer", async () => {
  const ledger = limitedDatabase(new SqliteLedger(), new InvocationLimits());
  const refusal =
    /Serialized RPC arguments or return values are limited to 32MiB, but the size of this value was: 3\d{7} bytes/;
  const text = "a".repeat(D1_LIMITS.maxRowBytes - 100);
  const statement = ledger.prepare("SELECT length(?) AS n").bind(text);
  const fits = Math.floor(D1_LIMITS.maxCallBytes / D1_LIMITS.maxRowBytes);
  expect(await ledger.batch(Array(fits).fill(statement))).toHaveLength(fits);
  await expect(ledger.batch(Array(fits + 1).fill(statement))).rejects.toThrow(refusal);
  // Serialized, a text with a letter that is not Latin has two bytes a character.
  const other = ledger.prepare("SELECT length(?) AS n").bind(`a${text.slice(10)}\u0142`);
  await expect(ledger.batch(Array(fits).fill(other))).rejects.toThrow(/limited to 32MiB/);
  const answer = (rows: number) =>
    ledger.prepare("SELECT ?1 AS text FROM json_each(?2)").bind(text, JSON.stringify(Array(rows).fill(0)));
  expect((await answer(fits).all()).results).toHaveLength(fits);
  await expect(answer(fits + 1).all()).rejects.toThrow(refusal);
  await expect(ledger.batch([answer(fits + 1)])).rejects.toThrow(refusal);
});

it("an invocation may write 250 points, over all datasets", async () => {
  const limits = new InvocationLimits();
  const writer = { writeDataPoints: async (points: unknown[]) => points.map(() => undefined) };
  const [records, events] = [new GatheredPoints(writer, limits), new GatheredPoints(writer, limits)];
  for (let i = 1; i < ANALYTICS_LIMITS.maxPointsPerInvocation; i++) await records.writeDataPoint({});
  await events.writeDataPoint({});
  expect(() => records.writeDataPoint({})).toThrow("Analytics Engine write limit exceeded.");
});

it("a message and a batch have the bytes of their metadata, too", async () => {
  const taken: unknown[] = [];
  const queue = limitedQueue({
    send: async (body: string) => void taken.push(body),
    sendBatch: async (messages: { body: string }[]) => void taken.push(messages),
  });
  // JSON adds two quotation marks; the letter has two bytes.
  const body = (bytes: number) => `${"a".repeat(bytes - QUEUE_LIMITS.metadataBytes - 4)}é`;
  const largest = body(QUEUE_LIMITS.maxMessageBytes);
  await queue.send(largest);
  await queue.sendBatch([{ body: largest }, { body: largest }]);
  expect(taken).toEqual([largest, [{ body: largest }, { body: largest }]]);
  await expect(queue.send(`${largest}x`)).rejects.toThrow("message length of 128001 bytes");
  await expect(queue.sendBatch([{ body: `${largest}x` }])).rejects.toThrow("(10204)");
  await expect(queue.sendBatch([{ body: largest }, { body: largest }, { body: "" }])).rejects.toThrow(
    "batch size of 256102 bytes exceeds limit of 256000 bytes (10205)",
  );
  expect(taken).toHaveLength(2);
});

it("an invocation may make a thousand calls of KV", async () => {
  const namespace = limitedKv(
    { get: async (key: string) => key, delete: async () => undefined },
    new InvocationLimits(),
  );
  for (let i = 1; i < WORKER_LIMITS.maxKvOperations; i++) await namespace.get("a");
  await namespace.delete();
  await expect(namespace.get("a")).rejects.toThrow("Too many API requests by single worker invocation");
});

it("KV and R2 take one write of a name a second, over all invocations, and any of other names", async () => {
  let now = 1000;
  const written: string[] = [];
  const put = async (key: string) => void written.push(key);
  const kvWrites = new SpacedWrites("KV PUT failed: 429 Too Many Requests", () => now);
  const kv = () => limitedKv({ get: async () => "value", put, delete: put }, new InvocationLimits(), kvWrites);
  const r2Writes = new SpacedWrites("put: Reduce your concurrent request rate for the same object. (10058)", () => now);
  const bucket = () => limitedBucket({ head: async () => null, put }, r2Writes);
  await kv().put("a");
  await kv().put("b");
  now += 999;
  await expect(kv().put("a")).rejects.toThrow("KV PUT failed: 429 Too Many Requests");
  await expect(kv().delete("b")).rejects.toThrow("429");
  expect(await kv().get()).toBe("value");
  await bucket().put("a");
  await expect(bucket().put("a")).rejects.toThrow("(10058)");
  expect(await bucket().head()).toBe(null);
  now += 1;
  await kv().put("a");
  now += 999;
  await bucket().put("a");
  expect(written).toEqual(["a", "b", "a", "a", "a"]);
});
