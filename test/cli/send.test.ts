import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { extractMail } from "../../shared/mail/extract.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { type CommandOutcome, runCommand } from "./run-command.ts";

/** A mail as it arrived by SMTP. */
interface Received {
  to: string[];
  bytes: Buffer;
}

let received: Received[] = [];
let connections = 0;
let folder: string;
let port: number;
let server: SMTPServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dmarc-send-"));
  server = new SMTPServer({
    disabledCommands: ["AUTH", "STARTTLS"],
    onConnect(_session, done) {
      connections++;
      done();
    },
    onRcptTo({ address }, _session, done) {
      const status = { "unknown@acme.example": 550, "later@acme.example": 451 }[address];
      done(status === undefined ? null : Object.assign(new Error("refused"), { responseCode: status }));
    },
    onData(stream, session, done) {
      buffer(stream).then((bytes) => {
        received.push({ to: session.envelope.rcptTo.map(({ address }) => address), bytes });
        done();
      }, done);
    },
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  port = (server.server.address() as AddressInfo).port;
});

afterAll(async () => {
  await new Promise<void>((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  received = [];
  connections = 0;
});

function send(...args: string[]): Promise<CommandOutcome> {
  return runCommand(["send", "--json", "--smtp", String(port), ...args]);
}

async function makeFile(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("send", () => {
  it("sends a mail unchanged, including dots and 8-bit characters", async () => {
    const tricky = Buffer.concat([
      sampleMail([{ name: "r.gz", content: gzipSync(sampleReport()) }]),
      Buffer.from(".\r\n..\r\n.dot\r\n\r\n\u00fc 8 bit\r\n", "latin1"),
      Buffer.from(`${"long ".repeat(400)}\r\n.\r\n`),
    ]);
    const { code, stdout } = await send(await makeFile("mail-without-a-name", tricky));
    expect({ code, counts: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      counts: { delivered: 1, rejected: 0, failed: 0 },
    });
    expect(received.map(({ to }) => to)).toEqual([["dmarc@example.com"]]);
    expect(received[0]?.bytes.equals(tricky)).toBe(true);
  });

  it("attaches any other file with its bytes and name unchanged", async () => {
    const files: [string, Uint8Array][] = [
      ["r\u00fcckmeldung.xml", Buffer.from(sampleReport())],
      ["report.xml.gz", gzipSync(sampleReport())],
      ["noise.bin", Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) % 256)],
    ];
    for (const [name, content] of files) {
      received = [];
      expect((await send("--rua", "reports@acme.example", await makeFile(name, content))).code).toBe(0);
      const bytes = received[0]?.bytes ?? Buffer.alloc(0);
      expect(received[0]?.to).toEqual(["reports@acme.example"]);
      const mail = await extractMail(bytes);
      if (!mail.ok) throw new Error(mail.error.detail);
      expect(mail.value.candidates.map(({ fileName }) => fileName)).toEqual([name]);
      const encoded = Buffer.from(content).toString("base64");
      expect(bytes.toString("latin1").replaceAll("\r\n", "")).toContain(encoded);
    }
  });

  it("walks folders in order over few connections, skipping dot files and links", async () => {
    const mails = join(folder, "mails");
    await mkdir(join(mails, "sub"), { recursive: true });
    const names = Array.from({ length: 30 }, (_, i) => `m${i}.eml`);
    for (const name of names) await writeFile(join(mails, name), sampleMail([]));
    await writeFile(join(mails, "sub", "deep.eml"), sampleMail([]));
    await writeFile(join(mails, ".hidden.eml"), sampleMail([]));
    await symlink(join(mails, "m0.eml"), join(mails, "link.eml"));
    const { code, stdout, stderr } = await send(mails);
    expect({ code, counts: JSON.parse(stdout) }).toMatchObject({
      code: 0,
      counts: { delivered: 31, rejected: 0, failed: 0, passedOver: { files: 2 } },
    });
    // Nothing is left out in silence.
    expect(stderr).toContain("link.eml: passed over");
    expect(received).toHaveLength(31);
    expect(connections).toBeLessThanOrEqual(5);
  });

  it("says which parts of a mail are clearly not reports", async () => {
    const signature = { name: "smime.p7s", content: Buffer.from("0000") };
    const mail = sampleMail([{ name: "r.gz", content: gzipSync(sampleReport()) }, signature]);
    const { stdout } = await send(await makeFile("signed.eml", mail));
    expect(JSON.parse(stdout)).toMatchObject({ delivered: 1, passedOver: { files: 0, parts: { signature: 1 } } });
  });

  it("counts 550 as rejected (exit code 2) and other errors as failed (exit code 1), with the reason", async () => {
    const file = await makeFile("r.xml", sampleReport());
    const rejected = await send("--rua", "unknown@acme.example", file, file);
    // The same refusal is printed once.
    expect(rejected).toMatchObject({ code: 2, stderr: expect.stringMatching(/^[^\n]*r\.xml: [^\n]*550[^\n]*\n?$/) });
    expect(JSON.parse(rejected.stdout)).toMatchObject({ delivered: 0, rejected: 2, failed: 0 });
    const failed = await send("--rua", "later@acme.example", file, file);
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringMatching(/r\.xml: .*451/) });
    expect(JSON.parse(failed.stdout)).toMatchObject({ delivered: 0, rejected: 0, failed: 2 });
  });

  it("says when nothing listens or a path does not exist", async () => {
    const nobody = await runCommand(["send", "--smtp", "1", await makeFile("r.xml", sampleReport())]);
    expect(nobody).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/^dmarc: No mail server answers on port 1: .*npm start/),
    });
    const missing = await send(join(folder, "missing"));
    expect(missing).toEqual({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("missing can't be read: there is no such"),
    });
  });
});
