/** Questions to a DNS server over HTTPS: a real HTTP server answers with DNS messages, or with whatever is no answer. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type Answer as DnsAnswer, decode, encode } from "dns-packet";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { httpsResolver } from "../../shared/dns/over-https.ts";
import { boundedResolver, NO_RESOLVER } from "../../shared/dns/resolver.ts";
import { DNS_LIMITS } from "../../shared/limits.ts";
import { listenLocally } from "../support/ports.ts";

const NXDOMAIN = 3;
const SERVFAIL = 2;

let server: Server;
let url: string;
let questions: string[] = [];

const ANSWERS: Record<string, { code?: number; answers?: DnsAnswer[] }> = {
  "text.example": { answers: [{ type: "TXT", name: "text.example", ttl: 300, data: ["v=DKIM1; ", "p=abc"] }] },
  "alias.example": {
    answers: [
      { type: "CNAME", name: "alias.example", data: "text.example" },
      { type: "TXT", name: "text.example", ttl: 300, data: "one" },
      { type: "TXT", name: "text.example", ttl: 300, data: "two" },
    ],
  },
  "utf8.example": {
    answers: [{ type: "TXT", name: "utf8.example", ttl: 300, data: [Buffer.from([0x62, 0xc3]), Buffer.from([0xbc])] }],
  },
  "latin1.example": { answers: [{ type: "TXT", name: "latin1.example", ttl: 300, data: Buffer.from([0x62, 0xfc]) }] },
  "mail.example": {
    answers: [{ type: "MX", name: "mail.example", ttl: 300, data: { preference: 10, exchange: "mx.example" } }],
  },
  "none.example": { code: NXDOMAIN },
  "broken.example": { code: SERVFAIL },
  "empty.example": {},
};

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const question = decode(await bodyOf(request)).questions?.[0];
    if (question === undefined) return void response.writeHead(400).end();
    const { name, type } = question;
    questions.push(`${type} ${name}`);
    if (name === "late.example") return;
    if (name === "http.example") return void response.writeHead(503).end("no");
    if (name === "moved.example") return void response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
    if (name === "page.example") return void response.writeHead(200, { "content-type": "text/html" }).end("<p>");
    response.writeHead(200, { "content-type": "application/dns-message" });
    if (name === "noise.example") return void response.end(Buffer.from("noise"));
    if (name === "large.example") return void response.end(Buffer.alloc(DNS_LIMITS.maxAnswerBytes + 1));
    const { code = 0, answers = [] } = ANSWERS[name] ?? {};
    response.end(encode({ type: "response", id: 0, flags: code, questions: [question], answers }));
  });
  const port = await listenLocally(server);
  url = `http://127.0.0.1:${port}/dns-query`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe("a question", () => {
  it("has the records of its type as answers, not checked by DNSSEC unless the server says so", async () => {
    const { lookup } = httpsResolver(url, fetch);
    expect(await lookup("text.example", "TXT")).toEqual({
      status: "answers",
      isAuthenticated: false,
      ttlSeconds: 300,
      records: ["v=DKIM1; p=abc"],
    });
    expect(await lookup("alias.example", "TXT")).toEqual({
      status: "answers",
      isAuthenticated: false,
      ttlSeconds: 300,
      records: ["one", "two"],
    });
    expect(await lookup("mail.example", "MX")).toEqual({
      status: "answers",
      isAuthenticated: false,
      ttlSeconds: 300,
      records: ["10 mx.example"],
    });
  });

  it("has texts in UTF-8, across the strings of a record, or else a character an octet", async () => {
    const { lookup } = httpsResolver(url, fetch);
    expect(await lookup("utf8.example", "TXT")).toMatchObject({ records: ["b\u00fc"] });
    expect(await lookup("latin1.example", "TXT")).toMatchObject({ records: ["b\u00fc"] });
  });

  it.each([
    ["none.example", "nxdomain"],
    ["empty.example", "nodata"],
    ["broken.example", "servfail"],
    ["http.example", "servfail"],
    ["moved.example", "unknown"],
    ["page.example", "unknown"],
    ["noise.example", "unknown"],
    ["large.example", "unknown"],
  ])("about %s results in %s", async (name, status) => {
    expect(await httpsResolver(url, fetch).lookup(name, "TXT")).toEqual({ status });
  });

  it("is unknown if nothing listens, and late after its timeout", { timeout: 20_000 }, async () => {
    expect(await httpsResolver("http://127.0.0.1:1/", fetch).lookup("text.example", "TXT")).toEqual({
      status: "unknown",
    });
    const started = performance.now();
    expect(await httpsResolver(url, fetch).lookup("late.example", "TXT")).toEqual({ status: "timeout" });
    expect(performance.now() - started).toBeLessThan(DNS_LIMITS.timeoutMilliseconds * 4);
  });

  it("is unknown without a resolver", async () => {
    expect(await NO_RESOLVER.lookup("text.example", "TXT")).toEqual({ status: "unknown" });
  });
});

it("a question that fails counts twice, as it is asked again without the check of signatures", async () => {
  questions = [];
  const { lookup } = httpsResolver(url, fetch, 4);
  expect(await lookup("broken.example", "TXT")).toEqual({ status: "servfail" });
  expect(await lookup("none.example", "TXT")).toEqual({ status: "nxdomain" });
  expect(await lookup("broken.example", "MX")).toEqual({ status: "servfail" });
  expect(await lookup("text.example", "TXT")).toEqual({ status: "unknown" });
  expect(questions).toEqual(["TXT broken.example", "TXT broken.example", "TXT none.example", "MX broken.example"]);
});

it("repeated questions are asked once, and never more than the limit", async () => {
  questions = [];
  const { lookup } = boundedResolver(httpsResolver(url, fetch), 2);
  await Promise.all([lookup("text.example", "TXT"), lookup("TEXT.example", "TXT"), lookup("text.example", "TXT")]);
  expect(await lookup("none.example", "TXT")).toEqual({ status: "nxdomain" });
  expect(await lookup("mail.example", "MX")).toEqual({ status: "unknown" });
  expect(await lookup("text.example", "TXT")).toMatchObject({ status: "answers" });
  expect(questions).toEqual(["TXT text.example", "TXT none.example"]);
});
