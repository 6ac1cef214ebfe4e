/** MTA-STS policy files from the dashboard Worker: to everybody, at that host and path alone, and never a way past its doors. */
import { request } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Change, change } from "../../shared/ledger/database.ts";
import { putPolicyChange } from "../../shared/ledger/mta-sts-policies.ts";
import { apiRoutes } from "./api-routes.ts";
import { API_TOKEN, type Dashboard, startDashboard } from "./harness.ts";

const PATH = "/.well-known/mta-sts.txt";
const HOST = "mta-sts.acme.example";
const TEXT = "version: STSv1\r\nmode: testing\r\nmx: *.acme.example\r\nmax_age: 604800\r\n";
const NO_POLICY = "No MTA-STS policy is served here.\n";
let dashboard: Dashboard;

function register(rua: string, domains: string[] | undefined): Change {
  return {
    sql: "INSERT INTO addresses (rua, account, entry, changed_seconds, version) VALUES (?, 'acme', ?, 0, 1)",
    parameters: [rua, JSON.stringify({ account: "acme", domains })],
  };
}

function put(domain: string, rua: string, changedSeconds: number, isOn = true): Change {
  const policy = isOn ? { mode: "testing" as const, mx: ["*.acme.example"], maxAgeSeconds: 604_800 } : null;
  return putPolicyChange({ domain, account: "acme", rua, policy, changedBy: "owner", changedSeconds });
}

beforeAll(async () => {
  dashboard = await startDashboard({ vars: { API_TOKEN } });
  await change(dashboard.ledger, [
    register("rua@acme.example", ["acme.example", "off.example"]),
    register("any@acme.example", undefined),
    put("acme.example", "rua@acme.example", 1),
    put("off.example", "rua@acme.example", 1),
    put("off.example", "rua@acme.example", 2, false),
    put("gone.example", "gone@acme.example", 1),
    put("any.example", "any@acme.example", 1),
    put("stranger.example", "rua@acme.example", 1),
  ]);
});
afterAll(() => dashboard.close());

const policyOf = (host: string, init?: RequestInit) => dashboard.askUrl(`https://${host}${PATH}`, init);

it("serves the policy to everybody as uncached text with CRLF", async () => {
  const answer = await policyOf(HOST);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(TEXT);
  expect(answer.headers.get("content-type")).toBe("text/plain; charset=utf-8");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("location")).toBeNull();
  expect(answer.headers.get("set-cookie")).toBeNull();
  const head = await policyOf(HOST, { method: "HEAD" });
  expect([head.status, await head.text()]).toEqual([200, ""]);
  expect(await (await policyOf("MTA-STS.ACME.example")).text()).toBe(TEXT);
  expect(await (await policyOf(`${HOST}:8443`)).text()).toBe(TEXT);
});

it("serves it to requests with a query or credentials, which are ignored", async () => {
  const init = { headers: { authorization: "Bearer wrong", cookie: "x=1" } };
  expect(await (await dashboard.askUrl(`https://${HOST}${PATH}?x=1`, init)).text()).toBe(TEXT);
});

it.each([
  "off.example",
  "gone.example",
  "any.example",
  "stranger.example",
  "unheard-of.example",
  "acme.example.evil.test",
])("serves nothing for %s, which is turned off or not registered", async (domain) => {
  const answer = await policyOf(`mta-sts.${domain}`);
  expect([answer.status, await answer.text()]).toEqual([404, NO_POLICY]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

it("answers nothing else at that host, with any headers", async () => {
  const token = { authorization: `Bearer ${API_TOKEN}` };
  const paths = [
    "/",
    "/domains/acme.example",
    "/assets/style.css",
    "/glossary",
    `${PATH}/`,
    `/x${PATH}`,
    "/.well-known/mta-sts.TXT",
  ];
  const asked: [string, string][] = [...paths.map((path): [string, string] => ["GET", path]), ...apiRoutes()];
  for (const [method, path] of asked) {
    const answer = await dashboard.askUrl(`https://${HOST}${path}`, { method, headers: token });
    expect([method, path, answer.status, await answer.text()]).toEqual([method, path, 404, NO_POLICY]);
  }
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
    expect((await policyOf(HOST, { method, headers: token })).status, method).toBe(404);
});

it("opens nothing at another host", async () => {
  for (const host of ["acme.example", "dashboard.example", "www.mta-sts.acme.example", "xmta-sts.acme.example"]) {
    const answer = await policyOf(host);
    expect(answer.status, host).toBe(403);
    expect(await answer.text()).not.toContain("STSv1");
  }
  // The host is that of the request, never what a header says.
  const headers = { "x-forwarded-host": HOST, forwarded: `host=${HOST}` };
  expect((await policyOf("dashboard.example", { headers })).status).toBe(403);
});

it("uses the Host header of network requests", async () => {
  const { port } = new URL(dashboard.url);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const call = request({ host: "127.0.0.1", port, path: PATH, headers: { host: HOST } }, async (answer) => {
    resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(await answer.toArray()).toString() });
  });
  call.once("error", reject);
  call.end();
  expect(await promise).toEqual({ status: 200, text: TEXT });
});
