/** The SMTP server with a stand-in for ingest's local module, so that every outcome and fault can be had. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { createTransport } from "nodemailer";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSmtpServer, type RunningSmtpServer } from "../../local/smtp/server.ts";
import type { WorkersAddress } from "../../local/workers.ts";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { freePort, listenLocally } from "../support/ports.ts";

interface Received {
  from: string | null;
  to: string | null;
  secret: string | undefined;
  body: Buffer;
}

const MAIL = "From: r@reporter.example\r\nMessage-ID: <1@reporter.example>\r\nSubject: x\r\n\r\nbody\r\n";
const OK = { status: 200, body: { outcome: "taken" } };
/** How long the SMTP server of the tests waits for an answer. */
const TIMEOUT_MS = 400;

let received: Received[];
let answer: (mail: Received) => { status: number; body: unknown } | "hang up" | "hang";
let workers: WorkersAddress | undefined;
let roomProblem: string | undefined;
let refusals: { code: number; message: string }[];
let unanswered: WorkersAddress[];
let ingest: Server;
let smtp: RunningSmtpServer;

beforeEach(async () => {
  received = [];
  answer = () => OK;
  roomProblem = undefined;
  refusals = [];
  unanswered = [];
  ingest = createServer(async (request, response) => {
    const { searchParams } = new URL(request.url ?? "", "http://ingest");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [from = null, to = null] = ["from", "to"].map((name) => searchParams.get(name));
    const secret = request.headers["x-dmarc-workers-secret"]?.toString();
    const mail = { from, to, secret, body: Buffer.concat(chunks) };
    received.push(mail);
    const reply = answer(mail);
    if (reply === "hang up") return void request.socket.destroy();
    if (reply === "hang") return;
    response.writeHead(reply.status);
    response.end(typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body));
  });
  workers = { port: await listenLocally(ingest), workersSecret: "secret" };
  smtp = await openSmtpServer({
    port: 0,
    findWorkers: () => workers,
    findRoomProblem: () => roomProblem,
    onRefused: ({ code, message }) => refusals.push({ code, message }),
    onNoAnswer: (address) => unanswered.push(address),
    timeoutMilliseconds: TIMEOUT_MS,
  });
});

afterEach(async () => {
  await smtp.stop();
  ingest.closeAllConnections();
  await new Promise((resolve) => ingest.close(resolve));
});

/** Sends a mail; a refusal is its response code and text. */
async function send(raw: string | Buffer, to: string | string[] = "dmarc@example.com", from = "r@reporter.example") {
  const transport = createTransport({ host: "127.0.0.1", port: smtp.port, ignoreTLS: true });
  try {
    const info = await transport.sendMail({ envelope: { from, to }, raw });
    return {
      code: Number(info.response.slice(0, 3)),
      text: info.response,
      accepted: info.accepted,
      rejected: info.rejected,
    };
  } catch (error) {
    const { responseCode, response } = error as { responseCode?: number; response?: string };
    return { code: responseCode ?? 0, text: response ?? String(error), accepted: [], rejected: [] };
  }
}

describe("the SMTP server", () => {
  test("answers 250 and passes on the mail byte for byte with its envelope", async () => {
    const binary = Buffer.concat([
      Buffer.from(MAIL),
      Buffer.from([0xff, 0x00, 0xfe]),
      Buffer.from("\r\n.\r\n..\r\nend\r\n"),
    ]);
    expect(await send(binary, "DMARC+tag@example.com")).toMatchObject({ code: 250 });
    expect(received).toMatchObject([{ from: "r@reporter.example", to: "DMARC+tag@example.com", secret: "secret" }]);
    expect(received[0]?.body.equals(binary)).toBe(true);
  });

  test("answers 550 with the Worker's reason on one printable line when ingest rejects", async () => {
    answer = () => ({ status: 200, body: { outcome: "rejected", reason: "Not ours: <x>\r\n250 fine\u0007" } });
    const reply = await send(MAIL, "nobody@example.com");
    expect(reply).toMatchObject({ code: 550, text: "550 5.7.1 Not ours: <x>" });
  });

  test("answers 451 when the Worker throws", async () => {
    answer = () => ({ status: 200, body: { outcome: "fault", reason: "R2 is down\n    at put" } });
    expect(await send(MAIL)).toMatchObject({ code: 451, text: "451 4.3.0 ingest failed: R2 is down; try again later" });
  });

  test.each([
    ["an answer that is not JSON", () => ({ status: 200, body: "Taken" })],
    ["an answer without an outcome", () => ({ status: 200, body: {} })],
    ["an error status with a good outcome", () => ({ status: 503, body: OK.body })],
    ["a plain error", () => ({ status: 500, body: "TypeError: x\n    at handleEmail" })],
    ["no answer", () => "hang up" as const],
  ])("answers 451, never acceptance, to %s", async (_, fault) => {
    answer = fault;
    const reply = await send(MAIL);
    expect(reply.code).toBe(451);
    expect(reply.text).not.toContain("\n");
  });

  test("answers 451 after a timeout when ingest hangs, logs it, and accepts later mails", async () => {
    answer = () => "hang";
    const began = performance.now();
    const reply = await send(MAIL);
    expect(performance.now() - began).toBeLessThan(TIMEOUT_MS + 2000);
    expect(reply).toMatchObject({ code: 451, text: "451 4.3.0 ingest hangs: no answer within 0.4 s; try again later" });
    expect(unanswered).toEqual([workers]);
    expect(refusals).toEqual([{ code: 451, message: expect.stringContaining("ingest hangs") }]);
    answer = () => OK;
    expect(await send(MAIL)).toMatchObject({ code: 250 });
  });

  test("answers 451 while ingest is unreachable or starting, and 250 when it is back", async () => {
    const real = workers;
    const port = await freePort();
    workers = { port, workersSecret: "secret" };
    expect(await send(MAIL)).toMatchObject({ code: 451, text: expect.stringContaining("cannot be reached") });
    workers = undefined;
    expect(await send(MAIL)).toMatchObject({ code: 451, text: expect.stringContaining("being started") });
    workers = real;
    expect(await send(MAIL)).toMatchObject({ code: 250 });
  });

  test("answers 452 without calling ingest while the disk is full, and 250 when there is room again", async () => {
    roomProblem = "The disk is full.";
    expect(await send(MAIL)).toMatchObject({ code: 452, text: "452 4.3.1 The disk is full; try again later" });
    expect(received).toEqual([]);
    roomProblem = undefined;
    expect(await send(MAIL)).toMatchObject({ code: 250 });
  });

  test("passes on the null sender unchanged", async () => {
    expect(await send(MAIL, "dmarc@example.com", "")).toMatchObject({ code: 250 });
    expect(received[0]?.from).toBe("");
  });

  test("passes on a mail without header fields byte for byte", async () => {
    const raw = "no field at all\r\n\r\nbody\r\n";
    expect(await send(raw)).toMatchObject({ code: 250 });
    expect(received[0]?.body.toString()).toBe(raw);
  });
});

describe("the size limit", () => {
  test("accepts exactly 25 MiB", async () => {
    const raw = mailOf(MAIL_LIMITS.maxMessageBytes);
    expect(await send(raw)).toMatchObject({ code: 250 });
    expect(received[0]?.body.length).toBe(MAIL_LIMITS.maxMessageBytes);
  });

  test("refuses a larger declared size before the data: 552", async () => {
    const { replies } = await talk([`MAIL FROM:<a@b.example> SIZE=${MAIL_LIMITS.maxMessageBytes + 1}`]);
    expect(replies[0]).toMatch(/^552 /);
  });

  test("refuses one undeclared byte more after the data, without calling ingest: 552", async () => {
    const body = mailOf(MAIL_LIMITS.maxMessageBytes + 1).toString();
    const { replies } = await talk(["MAIL FROM:<a@b.example>", "RCPT TO:<dmarc@example.com>", "DATA", `${body}.`]);
    expect(replies.slice(0, 3).map((reply) => reply.slice(0, 3))).toEqual(["250", "250", "354"]);
    expect(replies[3]).toMatch(/^552 /);
    expect(received).toEqual([]);
  });
});

describe("a mail to several recipients", () => {
  test("gets 452 for the second recipient, who works in another transaction", async () => {
    const { replies } = await talk([
      ...["MAIL FROM:<a@b.example>", "RCPT TO:<one@example.com>", "RCPT TO:<two@example.com>", "DATA", `${MAIL}.`],
      ...["MAIL FROM:<a@b.example>", "RCPT TO:<two@example.com>", "DATA", `${MAIL}.`],
    ]);
    expect(replies.map((reply) => reply.slice(0, 3))).toEqual([
      "250",
      "250",
      "452",
      "354",
      "250",
      "250",
      "250",
      "354",
      "250",
    ]);
    expect(received.map(({ to }) => to)).toEqual(["one@example.com", "two@example.com"]);
  });

  test("reaches the others when one is refused", async () => {
    answer = ({ to }) => (to === "two@example.com" ? { status: 200, body: { outcome: "rejected", reason: "no" } } : OK);
    const codes = await Promise.all(
      ["one", "two", "three"].map(async (name) => (await send(MAIL, `${name}@example.com`)).code),
    );
    expect(codes).toEqual([250, 550, 250]);
  });

  test("tells the mail program which recipient was refused", async () => {
    const reply = await send(MAIL, ["one@example.com", "two@example.com"]);
    expect(reply).toMatchObject({ code: 250, accepted: ["one@example.com"], rejected: ["two@example.com"] });
  });
});

test("a port in use is an error", async () => {
  await expect(openSmtpServer({ port: smtp.port, findWorkers: () => undefined })).rejects.toThrow("EADDRINUSE");
});

/** A mail of exactly `bytes` bytes, in lines of 1,000. */
function mailOf(bytes: number): Buffer {
  const line = `${"x".repeat(998)}\r\n`;
  const missing = bytes - MAIL.length;
  const last = `${"y".repeat((missing % 1000) + 998)}\r\n`;
  return Buffer.from(MAIL + line.repeat(Math.floor(missing / 1000) - 1) + last);
}

/** Speaks SMTP by hand after EHLO, one command at a time; resolves with the last line of each reply. */
async function talk(commands: string[]): Promise<{ replies: string[] }> {
  const socket = connect(smtp.port, "127.0.0.1");
  let buffer = "";
  const readReply = async (): Promise<string> => {
    for (;;) {
      const end = /^\d{3} [^\r\n]*\r\n/m.exec(buffer);
      if (end !== null) {
        buffer = buffer.slice(end.index + end[0].length);
        return end[0].trim();
      }
      const [data] = await once(socket, "data");
      buffer += data;
    }
  };
  await readReply();
  const replies: string[] = [];
  for (const command of ["EHLO test", ...commands]) {
    socket.write(`${command}\r\n`);
    replies.push(await readReply());
  }
  socket.destroy();
  return { replies: replies.slice(1) };
}
