/** `dmarc import imap` reading from servers that answer otherwise than Dovecot does. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { openImap } from "../../cli/import/imap.ts";
import { type MailPage, PAGE_BOUNDS } from "../../cli/import/mailbox.ts";
import { type ImapServer, startImapServer } from "../support/imap-server.ts";

let server: ImapServer;

beforeEach(async () => {
  server = await startImapServer();
});
afterEach(() => server[Symbol.asyncDispose]());

async function read(position?: unknown, accessToken?: string): Promise<MailPage[]> {
  const mailbox = await openImap({
    host: "127.0.0.1",
    port: server.port,
    security: "none",
    user: "ann",
    ...(accessToken === undefined ? { password: "secret" } : { accessToken }),
    mailbox: "INBOX",
    since: undefined,
    isChanging: false,
  });
  const pages: MailPage[] = [];
  try {
    for await (const page of mailbox.pages(position)) pages.push(page);
  } finally {
    await mailbox.close();
  }
  return pages;
}

function fill(...uids: number[]): void {
  for (const uid of uids) server.mails.set(uid, `From: a@b.example\r\nSubject: ${uid}\r\n\r\nMail ${uid}.\r\n`);
}

const idsOf = (pages: readonly MailPage[]): string[] => pages.flatMap(({ mails }) => mails.map(({ id }) => id));

it("a mail that the server cannot give is named, and the others beside it are read", async () => {
  fill(3, 4, 5, 9);
  server.broken.add(4);
  const pages = await read();
  expect(idsOf(pages)).toEqual(["3", "5", "9"]);
  expect(pages.flatMap(({ unreadable }) => unreadable)).toEqual([
    { id: "4", reason: "The specified message set contains a message that could not be converted" },
  ]);
  expect(pages.at(-1)?.position).toEqual({ uidValidity: "1", uid: 9 });
});

it.each([
  "NO Server Unavailable. 15",
  "NO [UNAVAILABLE] Backend error",
  "NO Request is throttled.",
  "NO Internal error, please try again later.",
])("a server that cannot give a mail for a while ends the run before it: %s", async (refusal) => {
  fill(3, 4, 5);
  server.broken.add(4);
  server.refusal = refusal;
  await expect(read()).rejects.toThrow(/^Mails couldn't be read: .+\. Run the same command again to continue\.$/);
});

it("mails of which the server gives none are named once it gives another, whatever its word is", async () => {
  fill(...Array.from({ length: 120 }, (_, i) => i + 1));
  for (let uid = 1; uid <= 110; uid++) server.broken.add(uid);
  server.refusal = "BAD Internal error while reading the message";
  const pages = await read();
  expect(idsOf(pages)).toEqual(Array.from({ length: 10 }, (_, i) => String(i + 111)));
  expect(pages.flatMap(({ unreadable }) => unreadable)).toHaveLength(110);
  expect(pages.at(-1)?.position).toEqual({ uidValidity: "1", uid: 120 });
});

it("mails that the server cannot give are named where they are the last ones, as it gives earlier ones", async () => {
  fill(1, 2, 3, 4);
  for (const uid of [3, 4]) server.broken.add(uid);
  const pages = await read({ uidValidity: "1", uid: 2 });
  expect(pages.flatMap(({ unreadable }) => unreadable.map(({ id }) => id))).toEqual(["3", "4"]);
  expect(pages.at(-1)?.position).toEqual({ uidValidity: "1", uid: 4 });
});

it("a server that gives no mail at all ends the run, and nothing is passed over", async () => {
  fill(1, 2, 3);
  for (const uid of [1, 2, 3]) server.broken.add(uid);
  await expect(read()).rejects.toThrow(/^Mails couldn't be read: .+ could not be converted\.$/);
});

it("a server that gives no mail ends the run also where the last one is too large to be asked for", async () => {
  fill(...Array.from({ length: PAGE_BOUNDS.mails + 1 }, (_, i) => i + 1));
  for (let uid = 1; uid <= PAGE_BOUNDS.mails; uid++) server.broken.add(uid);
  server.large.add(PAGE_BOUNDS.mails + 1);
  await expect(read()).rejects.toThrow(/^Mails couldn't be read: .+ could not be converted\.$/);
});

it("a server that refuses to say how large mails are gives them", async () => {
  fill(1, 2, 3);
  server.refusesSizes = true;
  server.broken.add(2);
  const pages = await read();
  expect(idsOf(pages)).toEqual(["1", "3"]);
  expect(pages.flatMap(({ unreadable }) => unreadable.map(({ id }) => id))).toEqual(["2"]);
});

it("a mail at which the server leaves each time is named, and the others are read over a new connection", async () => {
  fill(1, 2, 3);
  server.leavesAt = 2;
  const pages = await read();
  expect(idsOf(pages)).toEqual(["1", "3"]);
  expect(pages.flatMap(({ unreadable }) => unreadable.map(({ id }) => id))).toEqual(["2"]);
});

it("a server that leaves in the middle of a mail and does not come back is a sentence that says how to go on", async () => {
  fill(1, 2, 3);
  server.leavesAt = 2;
  server.isClosing = true;
  await expect(read()).rejects.toThrow(/^Mails couldn't be read: .+\. Run the same command again to continue\.$/);
});

it("UIDs and UIDVALIDITY may be as large as they get, and other ones begin anew", async () => {
  server.uidValidity = 4_294_967_295;
  fill(1, 4_294_967_294);
  const pages = await read();
  expect(idsOf(pages)).toEqual(["1", "4294967294"]);
  const position = pages.at(-1)?.position;
  expect(position).toEqual({ uidValidity: "4294967295", uid: 4_294_967_294 });
  expect(idsOf(await read(position))).toEqual([]);
  server.uidValidity = 7;
  expect(idsOf(await read(position))).toEqual(["1", "4294967294"]);
});

it("a server that takes no password without TLS is a sentence, and is sent none", async () => {
  server.capabilities = "IMAP4rev1 LOGINDISABLED";
  await expect(read()).rejects.toThrow(/^Signing in to 127\.0\.0\.1:\d+ as 'ann' failed: /);
  expect(server.commands.join("\n")).not.toContain("secret");
});

it.each(["XOAUTH2", "OAUTHBEARER"])("an access token is used by %s, also for a new connection", async (mechanism) => {
  server.capabilities = `IMAP4rev1 SASL-IR LOGINDISABLED AUTH=${mechanism}`;
  fill(1, 2, 3);
  server.leavesAt = 2;
  expect(idsOf(await read(undefined, "good"))).toEqual(["1", "3"]);
  expect(server.commands.filter((command) => command.startsWith(`AUTHENTICATE ${mechanism} `)).length).toBeGreaterThan(
    1,
  );
  const expired = "has expired, or is for another mailbox or scope: put a new one into DMARC_IMAP_TOKEN";
  await expect(read(undefined, "old")).rejects.toThrow(
    `Signing in to 127.0.0.1:${server.port} as 'ann' failed: Invalid credentials (Failure). The access token ${expired}.`,
  );
});

it("a server that takes no access tokens is a sentence", async () => {
  server.capabilities = "IMAP4rev1 AUTH=PLAIN";
  await expect(read(undefined, "good")).rejects.toThrow(
    /^Signing in to 127\.0\.0\.1:\d+ as 'ann' failed: Unsupported authentication mechanism\.$/,
  );
});
