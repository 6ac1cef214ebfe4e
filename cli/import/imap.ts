/**
 * A mailbox on an IMAP server (RFC 9051): opened read-only unless mails are to be moved, and read without marking anything as
 * seen. The only importer of imapflow.
 */
import { ImapFlow } from "imapflow";
import * as v from "valibot";
import { CommandError } from "../command-error.ts";
import { MAX_MAIL_BYTES, type Mail, type Mailbox, type MailPage, PAGE_BOUNDS } from "./mailbox.ts";

export interface ImapAccount {
  host: string;
  port: number;
  /** tls: from the start; starttls; none: only for this machine. */
  security: "tls" | "starttls" | "none";
  user: string;
  /** Either a password or an OAuth 2 access token. */
  password?: string;
  accessToken?: string;
  mailbox: string;
  /** Mails that the server received on or after that day. */
  since: Date | undefined;
  /** Mails are going to be moved. */
  isChanging: boolean;
}

/** UIDs do not change while UIDVALIDITY is the same (RFC 9051 section 2.3.1.1). */
const positionShape = v.object({ uidValidity: v.string(), uid: v.number() });

/** Connects. @throws CommandError where there is no server, or it refuses */
export async function openImap(account: ImapAccount): Promise<Mailbox> {
  return new ImapMailbox(account, await connect(account));
}

/** A connection with the mailbox open. */
interface Opened {
  client: ImapFlow;
  uidValidity: string;
}

async function connect(account: ImapAccount): Promise<Opened> {
  const { host, port, security, user, password = "", accessToken, mailbox } = account;
  const client = new ImapFlow({
    host,
    port,
    secure: security === "tls",
    // false: a password is never sent before the connection is encrypted, unless it stays on this machine.
    doSTARTTLS: security === "starttls",
    auth: accessToken === undefined ? { user, pass: password } : { user, accessToken },
    logger: false,
    disableAutoIdle: true,
  });
  // Without a listener a connection that breaks ends the process; the command under way fails as well.
  client.on("error", () => undefined);
  const failed = `Signing in to ${host}:${port} as '${user}' failed`;
  await client.connect().catch((error: unknown) => {
    const isRefused = accessToken !== undefined && isOfAuthentication(error);
    throw isRefused ? new CommandError(`${failed}: ${reasonOf(error)}. ${EXPIRED}`) : sentenceOf(error, failed);
  });
  try {
    const opened = await asked(
      () => client.mailboxOpen(mailbox, { readOnly: !account.isChanging }),
      `There is no mailbox '${mailbox}', or it may not be opened`,
    );
    return { client, uidValidity: String(opened.uidValidity) };
  } catch (error) {
    await client.logout().catch(() => undefined);
    throw error;
  }
}

const EXPIRED =
  "The access token has expired, or is for another mailbox or scope: put a new one into DMARC_IMAP_TOKEN.";

function isOfAuthentication(error: unknown): boolean {
  return error instanceof Error && "authenticationFailed" in error && error.authenticationFailed === true;
}

class ImapMailbox implements Mailbox {
  readonly name: string;
  readonly key: string;
  total = 0;
  readonly #account: ImapAccount;
  readonly #uidValidity: string;
  #client: ImapFlow;

  constructor(account: ImapAccount, { client, uidValidity }: Opened) {
    this.name = `imap://${account.user}@${account.host}/${account.mailbox}`;
    this.key = this.name;
    this.#client = client;
    this.#account = account;
    this.#uidValidity = uidValidity;
  }

  async *pages(position: unknown): AsyncGenerator<MailPage> {
    const { since } = this.#account;
    const uids = await this.#find(this.#firstUid(position), since);
    this.total = uids.length;
    // Where it refuses a whole page, whether that is about these mails is known once it gives another.
    let refused: Refused[] = [];
    for (let i = 0; i < uids.length; i += PAGE_BOUNDS.mails) {
      for await (const page of this.#readAll(uids.slice(i, i + PAGE_BOUNDS.mails))) {
        // One that had nothing to ask for says neither.
        if ("error" in page) refused.push(page);
        else if (refused.length > 0 && page.mails.length === 0) refused.push({ page, error: undefined });
        else {
          for (const one of refused) yield one.page;
          refused = [];
          yield page;
        }
        if (countOf(refused) > MOST_REFUSED) throw sentenceOf(refused[0]?.error, UNREAD);
      }
    }
    if (refused.length > 0 && !(await this.#isGiving(refused))) throw sentenceOf(refused[0]?.error, UNREAD);
    for (const one of refused) yield one.page;
  }

  async *#readAll(uids: readonly number[]): AsyncGenerator<MailPage | Refused> {
    for (const group of await this.#bySize(uids)) {
      const { mails, refused, error } = await this.#read(group.readable);
      const page = this.#pageOf(group, mails, refused);
      yield mails.length > 0 || refused.length === 0 ? page : { page, error };
    }
  }

  /** Whether the server gives other mails than those that it refused; true where a single one is all there is. */
  async #isGiving(refused: readonly Refused[]): Promise<boolean> {
    const ids = new Set(refused.flatMap(({ page }) => page.unreadable.map(({ id }) => id)));
    const others = (await this.#find(1, undefined)).filter((uid) => !ids.has(String(uid)));
    for (const uid of others.slice(-OTHERS_TRIED)) if ((await this.#read([uid])).mails.length > 0) return true;
    return others.length === 0 && ids.size === 1;
  }

  async move(ids: readonly string[], folder: string): Promise<void> {
    const moved = await asked(
      () => this.#client.messageMove(ids.join(","), folder, { uid: true }),
      `Mails couldn't be moved to '${folder}'`,
    );
    if (moved === false) throw new CommandError(`Mails couldn't be moved to '${folder}': is there such a mailbox?`);
  }

  async close(): Promise<void> {
    await this.#client.logout().catch(() => undefined);
  }

  #firstUid(position: unknown): number {
    const known = v.safeParse(positionShape, position);
    return known.success && known.output.uidValidity === this.#uidValidity ? known.output.uid + 1 : 1;
  }

  async #find(first: number, since: Date | undefined): Promise<number[]> {
    const wanted = { uid: `${first}:*`, ...(since === undefined ? {} : { since }) };
    const found = await asked(() => this.#client.search(wanted, { uid: true }), "The mailbox couldn't be searched");
    // `n:*` names the last mail even if its UID is smaller.
    return (found || []).filter((uid) => uid >= first).sort((a, b) => a - b);
  }

  /** UIDs in groups whose mails fit in memory; what cannot be read is in a group, and not among its readable ones. */
  async #bySize(uids: readonly number[]): Promise<Group[]> {
    const groups: Group[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const { uid, size } of await this.#sizes(uids)) {
      const isReadable = size <= MAX_MAIL_BYTES;
      if (bytes + (isReadable ? size : 0) > PAGE_BOUNDS.bytes) {
        groups.push({ uids: [], readable: [] });
        bytes = 0;
      }
      const group = groups.at(-1);
      group?.uids.push(uid);
      if (!isReadable) continue;
      group?.readable.push(uid);
      bytes += size;
    }
    return groups;
  }

  // A server that cannot give one of the sizes may refuse all: then each mail is asked for alone.
  async #sizes(uids: readonly number[]): Promise<{ uid: number; size: number }[]> {
    try {
      const sized = await this.#client.fetchAll(uids.join(","), { uid: true, size: true }, { uid: true });
      return sized.map(({ uid, size = 0 }) => ({ uid, size })).sort((a, b) => a.uid - b.uid);
    } catch (error) {
      if (!isRefusal(error)) throw sentenceOf(error, UNREAD);
      return uids.map((uid) => ({ uid, size: MAX_MAIL_BYTES }));
    }
  }

  // One mail that the server cannot give must not keep back the others, in this run and in all that follow.
  async #read(uids: readonly number[]): Promise<{ mails: Mail[]; refused: MailPage["unreadable"]; error?: unknown }> {
    if (uids.length === 0) return { mails: [], refused: [] };
    let error: unknown;
    try {
      return { mails: await this.#fetch(uids), refused: [] };
    } catch (reason) {
      error = reason;
      await this.#goOnAfter(reason);
    }
    const mails: Mail[] = [];
    const refused: MailPage["unreadable"] = [];
    for (const uid of uids) {
      const found = await this.#readOne(uid);
      if ("reason" in found) refused.push(found);
      else mails.push(...found.mails);
    }
    return { mails, refused, error };
  }

  async #readOne(uid: number): Promise<{ mails: Mail[] } | MailPage["unreadable"][number]> {
    let reason: unknown;
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        return { mails: await this.#fetch([uid]) };
      } catch (error) {
        reason = error;
        await this.#goOnAfter(error);
        if (!isLost(error)) break;
      }
    }
    return { id: String(uid), reason: reasonOf(reason) };
  }

  /** Connects again where the server left: it may do so because of one mail. @throws CommandError where it will not go on */
  async #goOnAfter(error: unknown): Promise<void> {
    if (isRefusal(error)) return;
    if (!isLost(error)) throw sentenceOf(error, UNREAD);
    const again = await connect(this.#account).catch(() => undefined);
    if (again?.uidValidity !== this.#uidValidity) {
      await again?.client.logout().catch(() => undefined);
      throw sentenceOf(error, UNREAD);
    }
    this.#client = again.client;
  }

  // imapflow asks for BODY.PEEK[], which leaves \Seen as it is.
  async #fetch(uids: readonly number[]): Promise<Mail[]> {
    const fetched = await this.#client.fetchAll(uids.join(","), { uid: true, source: true }, { uid: true });
    // A mail may have been deleted meanwhile.
    return fetched.flatMap(({ uid, source }) => (source === undefined ? [] : [{ id: String(uid), bytes: source }]));
  }

  #pageOf({ uids, readable }: Group, mails: Mail[], refused: MailPage["unreadable"]): MailPage {
    const tooLarge = uids
      .filter((uid) => !readable.includes(uid))
      .map((uid) => ({ id: String(uid), reason: `it is larger than ${MAX_MAIL_BYTES} bytes` }));
    const position = { uidValidity: this.#uidValidity, uid: Math.max(...uids) };
    return { mails, unreadable: [...tooLarge, ...refused], position };
  }
}

/** UIDs of a page, and those of them that are read. */
interface Group {
  uids: number[];
  readable: number[];
}

/** A page of which the server gives no mail, and what it said. */
interface Refused {
  page: MailPage;
  error: unknown;
}

/** Ours: mails in a row that a server may refuse to give, until it is taken to refuse them all. */
const MOST_REFUSED = 1000;
/** Ours: mails that are asked for then, to see whether it gives any. */
const OTHERS_TRIED = 3;

function countOf(refused: readonly Refused[]): number {
  return refused.reduce((sum, { page }) => sum + page.unreadable.length, 0);
}

const UNREAD = "Mails couldn't be read";
/** Response codes of a NO that passes (RFC 5530 section 3; Microsoft's and Yahoo's for too many commands). */
const PASSING = new Set(["UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA", "SERVERBUG", "THROTTLED", "CONTACTADMIN"]);

/** A NO with a response code, as imapflow hands it on from FETCH: `serverResponseCode` is set for other commands only. */
const codedRefusal = v.object({
  response: v.object({
    attributes: v.looseTuple([v.object({ section: v.looseTuple([v.object({ value: v.string() })]) })]),
  }),
});
/** What servers say in a NO that passes and has no such code, as Exchange's "Server Unavailable. 15". */
const PASSING_WORDS = /unavailable|throttl|try (it )?again|later|temporar|too many|busy|time(d )?[- ]?out/i;

/** Whether the server said NO or BAD to what was asked for, as it will again: not that it is busy, or gone. */
function isRefusal(error: unknown): boolean {
  return isNo(error) && !isPassing(error);
}

function isNo(error: unknown): error is Error {
  return error instanceof Error && "responseStatus" in error && /^(NO|BAD)$/.test(String(error.responseStatus));
}

function isPassing(error: Error): boolean {
  if ("code" in error && error.code === "ETHROTTLE") return true;
  const refused = v.safeParse(codedRefusal, error);
  const code = refused.success ? refused.output.response.attributes[0].section[0].value : "";
  return PASSING.has(code.toUpperCase()) || PASSING_WORDS.test(reasonOf(error));
}

function sentenceOf(error: unknown, sentence: string): CommandError {
  if (error instanceof CommandError) return error;
  const isForNow = isLost(error) || (isNo(error) && isPassing(error));
  return new CommandError(
    `${sentence}: ${reasonOf(error)}.${isForNow ? " Run the same command again to continue." : ""}`,
  );
}

/** Whether the connection is gone. */
function isLost(error: unknown): boolean {
  return error instanceof Error && "code" in error && LOST.has(String(error.code));
}

const LOST = new Set(["NoConnection", "EConnectionClosed", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ETIMEOUT"]);

async function asked<T>(ask: () => Promise<T>, sentence: string): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw sentenceOf(error, sentence);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = "responseText" in error && typeof error.responseText === "string" ? error.responseText : error.message;
  return text.replace(/\.$/, "");
}
