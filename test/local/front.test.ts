/** The front of the dashboard with a stand-in for the Workers behind it, which tells what reached it. */
import { createServer, request, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openFront, type RunningFront } from "../../local/front/front.ts";
import type { WorkersAddress } from "../../local/workers.ts";
import { freePort, freePorts, listenLocally } from "../support/ports.ts";

const SECRET = { apiToken: "the-token-of-programs", browserKey: "the-key-of-browsers" };

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: Record<string, unknown>;
  body: string;
}

let received: Received[];
let behind: Server;
let workers: WorkersAddress | undefined;
let front: RunningFront;
let port: number;

beforeEach(async () => {
  received = [];
  behind = createServer(async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray()).toString();
    received.push({ method: incoming.method, url: incoming.url, headers: incoming.headers, body });
    response.writeHead(201, { "x-answer": "yes", "cf-ray": "no", "mf-any": "no" });
    response.end("answer");
  });
  workers = { port: await listenLocally(behind), workersSecret: "secret-of-the-workers" };
  port = await freePort();
  front = await openFront({ port, secret: SECRET, findWorkers: () => workers });
});

afterEach(async () => {
  await front.stop();
  behind.closeAllConnections();
  await new Promise((resolve) => behind.close(resolve));
});

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  text: string;
}

/** Asks by hand: `fetch` sets the host itself and resolves the path. */
function ask(path: string, headers: Record<string, string> = {}, body = ""): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const method = body === "" ? "GET" : "POST";
  const call = request({ host: "127.0.0.1", port, path, method, headers }, async (response) => {
    const text = Buffer.concat(await response.toArray()).toString();
    resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
  });
  call.once("error", reject);
  call.end(body);
  return promise;
}

const cookie = () => `other=1; dmarc-local-${port}=${SECRET.browserKey}`;
const bearer = { authorization: `Bearer ${SECRET.apiToken}` };

describe("who is let in", () => {
  test("nobody without the key or the token: a page in plain words, or JSON for programs", async () => {
    const page = await ask("/", { accept: "text/html,*/*" });
    expect(page.status).toBe(403);
    expect(page.headers["content-type"]).toContain("text/html");
    expect(page.text).toContain("the link that npm start printed in its terminal");
    const json = await ask("/api/v1/status");
    expect(json.status).toBe(403);
    expect(JSON.parse(json.text)).toEqual({
      error: { code: "forbidden", message: expect.stringContaining("local-secret.json") },
    });
    expect(received).toEqual([]);
  });

  test("the link sets a cookie no script can read and leads to the page without the key; the cookie opens", async () => {
    const link = await ask(`/operations?key=${SECRET.browserKey}&days=7`);
    expect(link.status).toBe(303);
    expect(link.headers.location).toBe("/operations?days=7");
    const [set = ""] = link.headers["set-cookie"] as string[];
    expect(set).toMatch(new RegExp(`^dmarc-local-${port}=${SECRET.browserKey}; HttpOnly; SameSite=Strict; Path=/; `));
    expect((await ask("/operations?days=7", { cookie: cookie() })).status).toBe(201);
    expect(received).toMatchObject([{ url: "/operations?days=7", method: "GET" }]);
  });

  test("the link never leads to another site", async () => {
    expect((await ask(`//evil.example/x?key=${SECRET.browserKey}`)).headers.location).toBe("/evil.example/x");
  });

  test("the token of programs opens; a wrong one does not, even with the cookie", async () => {
    expect((await ask("/api/v1/status", bearer)).status).toBe(201);
    expect((await ask("/api/v1/status", { authorization: "Bearer wrong", cookie: cookie() })).status).toBe(403);
    expect((await ask("/api/v1/status", { authorization: `Bearer ${SECRET.browserKey}` })).status).toBe(403);
  });

  test("what has the form of a token goes unchanged to the dashboard, which judges it", async () => {
    const authorization = `Bearer dmarc_${"a".repeat(43)}`;
    expect((await ask("/api/v1/status", { authorization })).status).toBe(201);
    expect(received).toMatchObject([{ headers: { authorization } }]);
    expect((await ask("/api/v1/status", { authorization: `${authorization}x` })).status).toBe(403);
  });

  test.each(["", "wrong", "the-key-of-browser", "the-key-of-browsersx"])("a wrong key does not: '%s'", async (key) => {
    expect((await ask(`/?key=${key}`)).status).toBe(403);
    expect((await ask("/", { cookie: `dmarc-local-${port}=${key}` })).status).toBe(403);
  });
});

describe("what it answers to", () => {
  test.each(["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example", "[::1]"])(
    "no other host, whatever headers say: %s",
    async (host) => {
      const url = `http://127.0.0.1:${port}/`;
      const headers = { "mf-original-url": url, "mf-original-hostname": "127.0.0.1", "x-forwarded-host": "localhost" };
      expect((await ask("/", { ...bearer, ...headers, host })).status).toBe(421);
      expect((await ask(`/?key=${SECRET.browserKey}`, { ...headers, host })).status).toBe(421);
      expect(received).toEqual([]);
    },
  );

  test("the names of policy files (RFC 8461), for that file alone, without the key", async () => {
    const host = `mta-sts.acme.example:${port}`;
    const policy = "/.well-known/mta-sts.txt";
    expect((await ask(policy, { ...bearer, cookie: cookie(), host })).status).toBe(201);
    expect(received).toMatchObject([{ url: policy, headers: { host } }]);
    expect(received[0]?.headers).not.toHaveProperty("authorization");
    expect(received[0]?.headers).not.toHaveProperty("cookie");
    for (const path of [
      "/",
      `${policy}/`,
      `/x/..${policy}`,
      `${policy}?key=${SECRET.browserKey}`,
      `/?key=${SECRET.browserKey}`,
    ])
      expect((await ask(path, { ...bearer, host })).status, path).toBe(421);
    expect((await ask(policy, { host: `xmta-sts.acme.example:${port}` })).status).toBe(421);
    expect((await ask(policy)).status).toBe(403);
    expect(received).toHaveLength(1);
  });

  test("the page that a confirmation link opens, for everybody, without the key", async () => {
    expect((await ask("/confirm?id=1", { cookie: "x=y" }, "body")).status).toBe(201);
    expect((await ask("/assets/style.css")).status).toBe(201);
    expect(received).toMatchObject([{ url: "/confirm?id=1" }, { url: "/assets/style.css" }]);
    expect(received[0]?.headers).not.toHaveProperty("cookie");
    for (const path of ["/confirm/x", "/confirmation", "/assets/../channels", "/assets/x/../../", "//confirm"]) {
      expect((await ask(path)).status, path).toBe(403);
    }
    expect(received).toHaveLength(2);
  });

  test("its own two names", async () => {
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`]) {
      expect((await ask("/", { ...bearer, host })).status).toBe(201);
    }
  });

  test.each([
    "/cdn-cgi/local/email?from=a&to=b",
    "/cdn-cgi/handler/email",
    "/cdn-cgi/mf/scheduled",
    "/CDN-CGI/local/explorer",
    "/cdn-cgi",
    "/x/../cdn-cgi/local/r2/public/dmarc-reports/x",
    "/x/%2e%2e/cdn-cgi/local/scheduled",
    "/\\cdn-cgi/../cdn-cgi/local/email",
    "/__cf_local/stream",
    "http://127.0.0.1/cdn-cgi/local/email",
    "*",
  ])("no path of the development server: %s", async (path) => {
    expect((await ask(path, bearer)).status).toBe(404);
    expect(received).toEqual([]);
  });
});

describe("what goes on", () => {
  test("method, path, body and headers, but no order to the development server; and the proof of the way", async () => {
    const orders = [
      "MF-Original-URL",
      "MF-Route-Override",
      "MF-CF-Blob",
      "MF-Custom-Fetch-Service",
      "CF-Connecting-IP",
    ];
    const foreign = [...orders, "X-Forwarded-Proto", "Forwarded", "X-Dmarc-Workers-Secret", "mf-anything-new"];
    const sent = Object.fromEntries(foreign.map((name) => [name, "forged"]));
    const answer = await ask("//a/./b?x=%2F", { ...bearer, ...sent, "x-kept": "kept" }, "body");
    expect(answer).toMatchObject({ status: 201, text: "answer", headers: { "x-answer": "yes" } });
    expect(Object.keys(answer.headers).filter((name) => /^(cf|mf)-/.test(name))).toEqual([]);
    expect(received).toMatchObject([{ method: "POST", url: "//a/b?x=%2F", body: "body" }]);
    const headers = received[0]?.headers ?? {};
    expect(headers).toMatchObject({
      host: `127.0.0.1:${port}`,
      "x-kept": "kept",
      "x-dmarc-workers-secret": "secret-of-the-workers",
      authorization: bearer.authorization,
    });
    expect(Object.values(headers)).not.toContain("forged");
  });

  test("while the Workers are being started or cannot be reached: 503, and when to ask again", async () => {
    const [nowhere = 0] = await freePorts(1);
    for (const address of [undefined, { port: nowhere, workersSecret: "x" }]) {
      workers = address;
      const answer = await ask("/", bearer);
      expect(answer).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
      expect(answer.text).toContain("being started");
    }
  });
});
