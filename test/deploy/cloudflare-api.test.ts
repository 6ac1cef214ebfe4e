import { afterEach, beforeEach, expect, test } from "vitest";
import { type ApiConnection, type CloudflareApi, cloudflareApi } from "../../deploy/cloudflare-api.ts";
import { CLOUDFLARE_API_LIMITS } from "../../shared/limits.ts";
import { CloudflareStandIn } from "../support/cloudflare-api.ts";

let cloudflare: CloudflareStandIn;
let api: CloudflareApi;
let slept: number[];
let nowMilliseconds: number;
let connection: ApiConnection;

beforeEach(async () => {
  cloudflare = new CloudflareStandIn();
  slept = [];
  nowMilliseconds = 0;
  connection = {
    baseUrl: await cloudflare.listen(),
    token: cloudflare.token,
    fetch: (url, init) => fetch(url, init),
    nowMilliseconds: () => nowMilliseconds,
    sleep: async (milliseconds) => {
      slept.push(milliseconds);
      nowMilliseconds += milliseconds;
    },
  };
  api = cloudflareApi(connection);
});
afterEach(() => cloudflare.close());

test("listings are read to their last page, by number and by cursor", async () => {
  const { accountId } = cloudflare;
  for (let i = 0; i < 120; i++) {
    cloudflare.databases.set(`database-${i}`, `${String(i).padStart(8, "0")}-0000-4000-8000-000000000000`);
    cloudflare.buckets.set(`bucket-${i}`, { name: `bucket-${i}`, rules: [], keys: new Set() });
  }
  const databases = await api.databases(accountId);
  const buckets = await api.buckets(accountId);
  expect(databases.ok && databases.value.length).toBe(120);
  expect(buckets.ok && new Set(buckets.value.map(({ name }) => name)).size).toBe(120);
  expect(cloudflare.asked).toHaveLength(6);
});

test("a listing that says how many items there are, and not how many pages, is read to its end", async () => {
  const names = Array.from({ length: 120 }, (_, i) => ({ uuid: `id-${i}`, name: `database-${i}` }));
  const answer = async (url: string): Promise<Response> => {
    const page = Number(new URL(url).searchParams.get("page"));
    // D1 and KV document count, page, per_page and total_count; here no more than 40 at once.
    const result = names.slice((page - 1) * 40, page * 40);
    const result_info = { count: result.length, page, per_page: 40, total_count: names.length };
    return Response.json({ success: true, result, result_info });
  };
  const databases = await cloudflareApi({ ...connection, fetch: answer }).databases("a");
  expect(databases.ok && databases.value.map(({ name }) => name)).toEqual(names.map(({ name }) => name));
});

test("names that are taken or not valid are refused with Cloudflare's number", async () => {
  const { accountId } = cloudflare;
  for (const [code, make] of [
    [7502, () => api.createDatabase(accountId, "reports")],
    [10014, () => api.createNamespace(accountId, "reports")],
    [10004, () => api.createBucket(accountId, "reports")],
    [11009, () => api.createQueue(accountId, "reports")],
  ] as const) {
    expect(await make()).toMatchObject({ ok: true });
    expect(await make()).toMatchObject({ ok: false, error: { code } });
  }
  expect(await api.createBucket(accountId, "Not_valid")).toMatchObject({
    ok: false,
    error: { code: 10005, status: 400 },
  });
});

test("a token without a permission, and one that is none", async () => {
  cloudflare.options.without.push("Queues");
  const refused = await api.queues(cloudflare.accountId);
  expect(refused).toMatchObject({ ok: false, error: { code: 10000, status: 403 } });
  const stranger = cloudflareApi({ ...connection, token: "another" });
  expect(await stranger.databases(cloudflare.accountId)).toMatchObject({ ok: false, error: { code: 9109 } });
});

test("a request that was too much is sent again when the API says so, a bounded number of times", async () => {
  let refusals = 2;
  cloudflare.fault = () =>
    refusals-- > 0 ? { status: 429, code: 971, message: "Please wait", retryAfter: 7 } : undefined;
  expect(await api.accounts()).toMatchObject({ ok: true });
  expect(slept).toEqual([7000, 7000]);
  cloudflare.fault = () => ({ status: 429, code: 971, message: "Please wait" });
  expect(await api.accounts()).toMatchObject({ ok: false, error: { status: 429, code: 971 } });
  expect(cloudflare.asked).toHaveLength(3 + CLOUDFLARE_API_LIMITS.maxAttempts);
});

test("no more is asked in five minutes than the API allows", async () => {
  const fetchNothing = async (): Promise<Response> => Response.json({ success: true, result: [] });
  const busy = cloudflareApi({ ...connection, fetch: fetchNothing });
  const { requestsPerWindow, windowMilliseconds } = CLOUDFLARE_API_LIMITS;
  for (let i = 0; i < requestsPerWindow; i++) {
    nowMilliseconds += 1;
    await busy.accounts();
  }
  expect(slept).toEqual([]);
  await busy.accounts();
  expect(slept).toEqual([windowMilliseconds - (requestsPerWindow - 1)]);
});

test("an answer of another form, no answer of the API, and nobody at all are problems with a sentence", async () => {
  const answering = (response: () => Response) => cloudflareApi({ ...connection, fetch: async () => response() });
  const changed = answering(() => Response.json({ success: true, result: [{ uuid: 7, name: "reports" }] }));
  expect(await changed.databases("a")).toMatchObject({
    ok: false,
    error: { message: expect.stringContaining("0.uuid") },
  });
  const page = answering(() => new Response("<html>502</html>", { status: 502 }));
  expect(await page.databases("a")).toMatchObject({
    ok: false,
    error: { status: 502, message: expect.stringContaining("no answer of Cloudflare's API") },
  });
  const nobody = cloudflareApi({ ...connection, baseUrl: "http://127.0.0.1:9" });
  expect(await nobody.databases("a")).toMatchObject({
    ok: false,
    error: { status: 0, message: expect.stringContaining("Nothing answers") },
  });
});
