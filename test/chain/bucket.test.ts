/** The bucket in memory behaves as the one in workerd, in everything the Workers use: the same suite on both. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestHarness, type TestHarness } from "wrangler";
import { MemoryBucket } from "../support/memory-bucket.ts";

/** What the suite calls, as both have it. */
interface Bucket {
  put(key: string, value: string, options?: object): Promise<{ etag: string } | null>;
  get(key: string, options?: object): Promise<{ etag: string; size: number; text(): Promise<string> } | null>;
  head(key: string): Promise<{ size: number; customMetadata?: Record<string, string> } | null>;
  delete(keys: string | string[]): Promise<void>;
  list(options: object): Promise<{
    objects: { key: string; customMetadata?: Record<string, string> }[];
    delimitedPrefixes: string[];
    truncated: boolean;
    cursor?: string;
  }>;
}

let server: TestHarness;
let real: Bucket;

beforeAll(async () => {
  const config = {
    name: "bucket",
    main: `${import.meta.dirname}/faulty.js`,
    compatibility_date: "2026-11-01",
    r2_buckets: [{ binding: "BUCKET", bucket_name: "bucket" }],
  };
  server = createTestHarness({ workers: [{ config }] });
  await server.listen();
  real = ((await server.getWorker("bucket").getEnv()) as unknown as { BUCKET: Bucket }).BUCKET;
});
afterAll(() => server.close());

describe.each([
  ["in workerd", () => real],
  ["in memory", () => new MemoryBucket() as unknown as Bucket],
])("a bucket %s", (_, make) => {
  let bucket: Bucket;
  beforeAll(() => {
    bucket = make();
  });

  it("creates an object only if it does not exist", async () => {
    const createOnly = { onlyIf: { etagDoesNotMatch: "*" } };
    expect(await bucket.put("a/1", "first", createOnly)).not.toBeNull();
    expect(await bucket.put("a/1", "second", createOnly)).toBeNull();
    expect(await (await bucket.get("a/1"))?.text()).toBe("first");
  });

  it("replaces an object only if it has not changed since it was read", async () => {
    const { etag = "" } = (await bucket.get("a/1")) ?? {};
    expect(await bucket.put("a/1", "third", { onlyIf: { etagMatches: etag } })).not.toBeNull();
    expect(await bucket.put("a/1", "fourth", { onlyIf: { etagMatches: etag } })).toBeNull();
    expect(await bucket.put("a/none", "x", { onlyIf: { etagMatches: etag } })).toBeNull();
    expect(await bucket.get("a/none")).toBeNull();
  });

  it("refuses content that does not match its SHA-256", async () => {
    await expect(bucket.put("a/2", "x", { sha256: "0".repeat(64) })).rejects.toThrow(/SHA-256/);
    expect(await bucket.head("a/2")).toBeNull();
  });

  it("returns ranges and metadata", async () => {
    await bucket.put("m", "0123456789", { customMetadata: { rua: "a%40b" } });
    expect(await (await bucket.get("m", { range: { offset: 2, length: 3 } }))?.text()).toBe("234");
    expect(await bucket.head("m")).toMatchObject({ size: 10, customMetadata: { rua: "a%40b" } });
  });

  it("lists in key order, starting after a key, page by page", async () => {
    for (const key of ["l/b", "l/a/2", "l/a/1", "l/c", "l/a0"]) {
      await bucket.put(key, "", { customMetadata: { k: key.length.toString() } });
    }
    const all = await bucket.list({ prefix: "l/", include: ["customMetadata"] });
    expect(all.objects.map(({ key }) => key)).toEqual(["l/a/1", "l/a/2", "l/a0", "l/b", "l/c"]);
    expect(all.objects[0]?.customMetadata).toEqual({ k: "5" });
    expect(all.truncated).toBe(false);
    const page = await bucket.list({ prefix: "l/", startAfter: "l/a/1", limit: 2 });
    expect(page.objects.map(({ key }) => key)).toEqual(["l/a/2", "l/a0"]);
    expect(page.truncated).toBe(true);
    const rest = await bucket.list({ prefix: "l/", cursor: page.cursor });
    expect(rest.objects.map(({ key }) => key)).toEqual(["l/b", "l/c"]);
    // A start before the prefix, as a day's range has it.
    expect((await bucket.list({ prefix: "l/b", startAfter: "l/" })).objects).toHaveLength(1);
  });

  it("lists each folder once, and continues after one", async () => {
    const first = await bucket.list({ prefix: "l/", delimiter: "/", limit: 1 });
    expect(first.delimitedPrefixes).toEqual(["l/a/"]);
    const next = await bucket.list({ prefix: "l/", delimiter: "/", startAfter: "l/a0", limit: 1 });
    expect([next.delimitedPrefixes, next.objects.map(({ key }) => key)]).toEqual([[], ["l/b"]]);
  });

  it("deletes existing objects and ignores missing ones", async () => {
    await bucket.delete(["l/a/1", "l/none"]);
    await bucket.delete("l/a/2");
    expect((await bucket.list({ prefix: "l/a/" })).objects).toEqual([]);
  });
});
