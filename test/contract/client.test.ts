/** The client: what goes wrong is a value with a code and a sentence, whatever it is. */
import { createServer, type RequestListener } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { type ContractClient, contractClient, eachItem } from "../../shared/contract/client.ts";
import { listenLocally } from "../support/ports.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function answering(listener: RequestListener): Promise<ContractClient> {
  const server = createServer(listener);
  const port = await listenLocally(server);
  closing.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  return client(`http://127.0.0.1:${port}`);
}

function client(url: string): ContractClient {
  return contractClient({ url, token: "secret", fetch: (target, init) => fetch(target, init) });
}

const STATS = { reports: 1, records: 2, messages: 3, passed: 1, sources: 1, sourcesAreAtMost: false, deadLetters: 0 };

describe("an answer", () => {
  it("is requested with the token and checked against its schema", async () => {
    const seen: unknown[] = [];
    const api = await answering((request, response) => {
      seen.push(request.method, request.url, request.headers.authorization);
      response.end(JSON.stringify({ ...STATS, later: "a field of a later version" }));
    });
    expect(await api.ask("stats", { domain: "a b.example" })).toEqual({ ok: true, value: STATS });
    expect(seen).toEqual(["GET", "/api/v1/stats?domain=a+b.example", "Bearer secret"]);
  });

  it("is undefined without a body, and the response itself for bytes", async () => {
    const gone = await answering((_, response) => response.writeHead(204).end());
    expect(await gone.ask("removeIdentity", { email: "a@b.example" })).toEqual({ ok: true, value: undefined });
    const bytes = await answering((_, response) => response.end("raw"));
    const answer = await bytes.ask("readRawObject", { key: "raw/x" });
    expect(answer.ok && (await answer.value.text())).toBe("raw");
  });
});

describe("a problem", () => {
  it.each<[string, RequestListener, object]>([
    [
      "the API names it",
      (_, response) => response.writeHead(404).end('{"error":{"code":"not_found","message":"There is none."}}'),
      { code: "not_found", message: "There is none.", status: 404 },
    ],
    [
      "somebody else answers",
      (_, response) => response.writeHead(502).end("<h1>Bad gateway</h1>"),
      { code: "not_an_answer", message: "It answered with status 502", status: 502 },
    ],
    [
      "it is no JSON",
      (_, response) => response.end("<html>"),
      { code: "not_an_answer", message: expect.stringContaining("did not answer with JSON"), status: 200 },
    ],
    [
      "it is another form",
      (_, response) => response.end('{"reports":"1"}'),
      { code: "not_an_answer", message: expect.stringContaining("reports: "), status: 200 },
    ],
    [
      "it ends in the middle",
      (_, response) => {
        response.writeHead(200, { "content-length": "100" });
        response.write('{"re', () => response.destroy());
      },
      { code: "broken_off", message: expect.stringContaining("ended in the middle"), status: 200 },
    ],
  ])("%s", async (_, listener, error) => {
    const api = await answering(listener);
    expect(await api.ask("stats", {})).toEqual({ ok: false, error });
  });

  it.each<[string, number, boolean, RegExp]>([
    ["sends on to its login", 302, false, /login of Cloudflare Access, it requires a service token, and none was sent/],
    ["sends a service token on to its login", 302, true, /service token that was sent is wrong.*Service Auth/],
    ["refuses a service token", 401, true, /status 401, and not as the dashboard does.*Service Auth/],
    ["refuses a service token that no policy lets in", 403, true, /status 403, and not as the dashboard does/],
  ])("Cloudflare Access %s", async (_, status, hasServiceToken, message) => {
    const seen: unknown[] = [];
    const { url } = await answering((request, response) => {
      seen.push(request.headers["cf-access-client-id"], request.headers["cf-access-client-secret"]);
      response.writeHead(status, { location: "https://team.cloudflareaccess.com/cdn-cgi/access/login" }).end("<html>");
    });
    const access = { clientId: "id.access", clientSecret: "cfast_secret" };
    const api = contractClient({
      url,
      token: "secret",
      fetch: (target, init) => fetch(target, init),
      ...(hasServiceToken && { access }),
    });
    const answer = await api.ask("stats", {});
    expect(answer).toMatchObject({ ok: false, error: { code: "not_an_answer", status } });
    expect(!answer.ok && answer.error.message).toMatch(message);
    expect(!answer.ok && answer.error.message).not.toContain("cfast_secret");
    expect(seen).toEqual(hasServiceToken ? ["id.access", "cfast_secret"] : [undefined, undefined]);
  });

  it("is returned when nothing answers", async () => {
    const error = { code: "unreachable", message: expect.stringContaining("http://127.0.0.1:1: "), status: undefined };
    expect(await client("http://127.0.0.1:1").ask("stats", {})).toEqual({ ok: false, error });
  });
});

describe("a listing", () => {
  const item = (id: string) => ({ id, code: "empty", result: "selected" });

  it("is read to its end page by page, even past an empty page", async () => {
    const bodies: string[] = [];
    const pages = [{ items: [item("a")], cursor: "1" }, { items: [], cursor: "2" }, { items: [item("b")] }];
    const api = await answering(async (request, response) => {
      for await (const chunk of request) bodies.push(String(chunk));
      response.end(JSON.stringify(pages[bodies.length - 1]));
    });
    const found = await Array.fromAsync(eachItem(api, "requeueDeadLetters", { filter: {}, dryRun: true }));
    expect(found).toEqual([
      { ok: true, value: item("a") },
      { ok: true, value: item("b") },
    ]);
    expect(bodies.map((body) => JSON.parse(body).cursor)).toEqual([undefined, "1", "2"]);
  });

  it("ends with the first problem", async () => {
    let calls = 0;
    const api = await answering((_, response) =>
      calls++ === 0 ? response.end(JSON.stringify({ items: [item("a")], cursor: "1" })) : response.writeHead(500).end(),
    );
    const found = await Array.fromAsync(eachItem(api, "requeueDeadLetters", { filter: {} }));
    expect(found.map(({ ok }) => ok)).toEqual([true, false]);
  });
});
