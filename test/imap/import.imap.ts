/** `dmarc import imap` against Dovecot and all Workers. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ImapFlow } from "imapflow";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { MAX_MAIL_BYTES } from "../../cli/import/mailbox.ts";
import { type CommandOutcome, runCommand } from "../cli/run-command.ts";
import { API_TOKEN } from "../dashboard/harness.ts";
import { type Pipeline, startPipeline } from "../dashboard/pipeline.ts";
import { sampleMail, sampleReport } from "../support/sample-report.ts";
import { type Dovecot, startDovecot } from "./dovecot.ts";

let pipeline: Pipeline;
let dovecot: Dovecot;
let client: ImapFlow;
let state: string;

beforeAll(async () => {
  [pipeline, dovecot] = await Promise.all([startPipeline(), startDovecot()]);
  await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme" });
  const { port, user, password } = dovecot;
  client = new ImapFlow({
    host: "127.0.0.1",
    port,
    secure: false,
    doSTARTTLS: false,
    auth: { user, pass: password },
    logger: false,
  });
  await client.connect();
});

afterAll(async () => {
  await client?.logout();
  await Promise.all([pipeline?.close(), dovecot?.stop()]);
});

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), "dmarc-import-state-"));
});

afterEach(() => rm(state, { recursive: true, force: true }));

function run(mailbox: string, ...options: string[]): Promise<CommandOutcome> {
  return runWith({ DMARC_IMAP_PASSWORD: dovecot.password }, mailbox, ...options);
}

function runWith(secret: Record<string, string>, mailbox: string, ...options: string[]): Promise<CommandOutcome> {
  const { port, user } = dovecot;
  const place = ["--host", "127.0.0.1", "--port", String(port), "--security", "none", "--user", user];
  return runCommand(["import", "imap", ...place, "--mailbox", mailbox, "--json", ...options], {
    DMARC_URL: pipeline.origin,
    DMARC_TOKEN: API_TOKEN,
    ...secret,
    XDG_STATE_HOME: state,
  });
}

async function runJson(mailbox: string, ...options: string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await run(mailbox, ...options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return JSON.parse(stdout);
}

function mail(reportId: string): Buffer {
  return sampleMail([{ name: `${reportId}.xml`, content: Buffer.from(sampleReport({ reportId })) }]);
}

const OTHER_MAIL = "From: a@b.example\r\nTo: c@d.example\r\nSubject: Dinner\r\n\r\nAt eight?\r\n";

async function fill(mailbox: string, mails: (Buffer | string)[], date?: Date): Promise<void> {
  if (!(await client.list()).some(({ path }) => path === mailbox)) await client.mailboxCreate(mailbox);
  for (const one of mails) await client.append(mailbox, Buffer.from(one), [], date);
}

async function statusOf(mailbox: string): Promise<{ messages: number | undefined; unseen: number | undefined }> {
  const status = await client.status(mailbox, { messages: true, unseen: true });
  if (status === false) throw new Error(`There is no mailbox ${mailbox}.`);
  return { messages: status.messages, unseen: status.unseen };
}

it("takes what is in a mailbox and changes nothing there; the next run continues behind it", async () => {
  await fill("Reports", [...Array.from({ length: 90 }, (_, i) => mail(`imap-${i}`)), OTHER_MAIL]);
  expect(await runJson("Reports", "--dry-run")).toMatchObject({ files: 91, selected: 90, noReport: 1 });
  const counts = await runJson("Reports", "--wait");
  expect(counts).toMatchObject({ files: 91, taken: 90, noReport: 1, outcomes: { accepted: 90 } });
  expect(await statusOf("Reports")).toEqual({ messages: 91, unseen: 91 });
  await fill("Reports", [mail("imap-later")]);
  expect(await runJson("Reports")).toMatchObject({ files: 1, taken: 1 });
  expect(await runJson("Reports")).toMatchObject({ files: 0 });
  expect(await runJson("Reports", "--all")).toMatchObject({ files: 92, taken: 0, known: 91, noReport: 1 });
});

it("looks at all mails again if the server has renumbered them, and imports nothing twice", async () => {
  await fill("Anew", [mail("anew-1"), mail("anew-2")]);
  expect(await runJson("Anew")).toMatchObject({ files: 2, taken: 2 });
  await client.mailboxDelete("Anew");
  await fill("Anew", [mail("anew-1"), mail("anew-2"), mail("anew-3")]);
  expect(await runJson("Anew")).toMatchObject({ files: 3, taken: 1, known: 2 });
});

it("moves a mail only when the ledger has what is in it", async () => {
  await fill("Moving", [mail("move-1"), OTHER_MAIL, mail("move-2")]);
  await fill("Imported", []);
  expect(await runJson("Moving", "--move-to", "Imported")).toMatchObject({ taken: 2, noReport: 1 });
  expect(await statusOf("Moving")).toMatchObject({ messages: 1 });
  expect(await statusOf("Imported")).toMatchObject({ messages: 2 });
  const rows = await pipeline.rows("SELECT 1 FROM reports WHERE report_id LIKE 'move-%'");
  expect(rows).toHaveLength(2);
});

it("goes back to a mail without an account, once there is one", async () => {
  const foreign = sampleMail([
    { name: "f.xml", content: Buffer.from(sampleReport({ reportId: "f", domain: "later.example" })) },
  ]);
  await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme", domains: ["acme.example"] });
  await fill("Waiting", [mail("waiting-1"), foreign]);
  const first = await run("Waiting");
  expect({ code: first.code, counts: JSON.parse(first.stdout) }).toMatchObject({
    code: 2,
    counts: { taken: 1, noOwner: 1 },
  });
  await pipeline.ask("/registry/rua@acme.example", "PUT", { account: "acme" });
  expect(await runJson("Waiting")).toMatchObject({ taken: 1, known: 1 });
});

it("names a mail that is too large to be read, and continues after it", async () => {
  const large = Buffer.concat([Buffer.from("From: a@b.example\r\n\r\n"), Buffer.alloc(MAX_MAIL_BYTES, "x\r\n")]);
  await fill("Large", [mail("large-1"), large, mail("large-2")]);
  const { code, stdout, stderr } = await run("Large");
  expect({ code, counts: JSON.parse(stdout) }).toMatchObject({ code: 1, counts: { taken: 2, unreadable: 1 } });
  expect(stderr).toContain(`it is larger than ${MAX_MAIL_BYTES} bytes`);
  expect(await runJson("Large")).toMatchObject({ files: 0 });
});

it("leaves out what came before a day", async () => {
  await fill("Since", [mail("since-old")], new Date("2025-01-01T12:00:00Z"));
  await fill("Since", [mail("since-new")], new Date("2026-01-01T12:00:00Z"));
  expect(await runJson("Since", "--since", "2025-06-01")).toMatchObject({ files: 1, taken: 1 });
});

it.each([
  ["a mailbox that is not there", ["Nowhere"], "There is no mailbox 'Nowhere', or it may not be opened"],
  ["a folder that is not there", ["Reports", "--all", "--move-to", "Nowhere"], "Mails couldn't be moved to 'Nowhere'"],
])("says in a sentence: %s", async (_, [mailbox = "", ...options], sentence) => {
  const { code, stderr } = await run(mailbox, ...options);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(sentence) });
});

it("says in a sentence that the server refuses the password, or that there is none", async () => {
  const { port, user } = dovecot;
  const place = ["import", "imap", "--host", "127.0.0.1", "--security", "none", "--user", user];
  const environment = { DMARC_URL: pipeline.origin, DMARC_TOKEN: API_TOKEN, DMARC_IMAP_PASSWORD: "wrong" };
  const refused = await runCommand([...place, "--port", String(port)], environment);
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^dmarc: Signing in to 127\.0\.0\.1:\d+ as 'reports@acme\.example' failed: /),
  });
  const nobody = await runCommand([...place, "--port", "1"], environment);
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringContaining("Signing in to 127.0.0.1:1 as") });
});

it("an access token opens the mailbox as the password does; one that is refused is to be replaced", async () => {
  await fill("Tokens", [mail("token-1")]);
  const { code, stdout } = await runWith({ DMARC_IMAP_TOKEN: dovecot.accessToken }, "Tokens");
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, taken: 1 });
  expect(await runWith({ DMARC_IMAP_TOKEN: "expired" }, "Tokens")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("put a new one into DMARC_IMAP_TOKEN."),
  });
});
