/** A runtime that hangs, in the whole stack: the mail gets 451 in time, the Workers are restarted, later mails are taken. */
import { createTransport } from "nodemailer";
import { expect, onTestFinished, test, vi } from "vitest";
import { register } from "../../local/api.ts";
import { startStack } from "../../local/stack.ts";
import { freePorts } from "../support/ports.ts";
import { pidsOf, testFolder } from "./support.ts";

const TIMEOUT_MS = 2000;
const RUA = "dmarc@hang.example";
// Without Message-ID, From or Date: Email Routing takes it, too.
const RAW = "Subject: x\r\n\r\nno report\r\n";

test("a mail that makes the Workers hang gets 451; they are restarted and accept later mails", async () => {
  const stateDir = testFolder();
  const [httpPort = 0, smtpPort = 0, sqlPort = 0] = await freePorts(3);
  const lines: string[] = [];
  const stack = await startStack({
    stateDir,
    httpPort,
    smtpPort,
    sqlPort,
    samples: false,
    log: (line) => lines.push(line),
    mailTimeoutMilliseconds: TIMEOUT_MS,
  });
  onTestFinished(() => stack.stop());
  await register({ url: `http://127.0.0.1:${httpPort}`, token: stack.token }, RUA, "hang");
  const send = async (): Promise<number> => {
    const transport = createTransport({ host: "127.0.0.1", port: smtpPort, ignoreTLS: true });
    try {
      const { response } = await transport.sendMail({ envelope: { from: "a@b.example", to: RUA }, raw: RAW });
      return Number(response.slice(0, 3));
    } catch (error) {
      return error instanceof Error && "responseCode" in error ? Number(error.responseCode) : 0;
    }
  };
  expect(await send()).toBe(250);
  for (const pid of pidsOf(stateDir, "workerd serve")) process.kill(pid, "SIGSTOP");
  expect(await send()).toBe(451);
  expect(lines.join("\n")).toContain("ingest hangs: no answer within 2 s; try again later");
  await vi.waitUntil(() => lines.some((line) => line.includes("the Workers are running again")), { timeout: 120_000 });
  expect(lines.join("\n")).toContain("the Workers stopped responding; restarting them");
  expect(await send()).toBe(250);
});
