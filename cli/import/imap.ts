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
  await asked(() => client.connect(), `Signing in to ${host}:${port} as '${user}' failed`);
  try {
    const opened = await asked(
      () => client.mailboxOpen(mailbox, { readOnly: !account.isChanging }),
      `There is no mailbox '${mailbox}', or it may not be opened`,
    );
    return new ImapMailbox(client, account, String(opened.uidValidity));
  } catch (error) {
    await client.logout().catch(() => undefined);
    throw error;
  }
}

class ImapMailbox implements Mailbox {
  readonly name: string;
  readonly key: string;
  total = 0;
  readonly #client: ImapFlow;
  readonly #account: ImapAccount;
  readonly #uidValidity: string;

  constructor(client: ImapFlow, account: ImapAccount, uidValidity: string) {
    this.name = `imap://${account.user}@${account.host}/${account.mailbox}`;
    this.key = this.name;
    this.#client = client;
    this.#account = account;
    this.#uidValidity = uidValidity;
  }

  async *pages(position: unknown): AsyncGenerator<MailPage> {
    const uids = await this.#find(this.#firstUid(position));
    this.total = uids.length;
    for (let i = 0; i < uids.length; i += PAGE_BOUNDS.mails) {
      const some = uids.slice(i, i + PAGE_BOUNDS.mails);
      for (const { uids, readable } of await this.#bySize(some)) {
        const { mails, refused } = await this.#read(readable);
        yield this.#pageOf(uids, { readable, mails, refused });
      }
    }
  }

  async move(ids: readonly string[], folder: string): Promise<void> {
    const moved = await asked(
      () => this.#client.messageMove(ids.join(","), folder, { uid: true }),
      `Mails could not be moved to '${folder}'`,
    );
    if (moved === false) throw new CommandError(`Mails could not be moved to '${folder}': is there such a mailbox?`);
  }

  async close(): Promise<void> {
    await this.#client.logout().catch(() => undefined);
  }

  #firstUid(position: unknown): number {
    const known = v.safeParse(positionShape, position);
    return known.success && known.output.uidValidity === this.#uidValidity ? known.output.uid + 1 : 1;
  }

  async #find(first: number): Promise<number[]> {
    const { since } = this.#account;
    const wanted = { uid: `${first}:*`, ...(since === undefined ? {} : { since }) };
    const found = await asked(() => this.#client.search(wanted, { uid: true }), "The mailbox could not be searched");
    // `n:*` names the last mail even if its UID is smaller.
    return (found || []).filter((uid) => uid >= first).sort((a, b) => a - b);
  }

  /** UIDs in groups whose mails fit in memory; what is too large to be read is in a group, and not among its readable ones. */
  async #bySize(uids: readonly number[]): Promise<{ uids: number[]; readable: number[] }[]> {
    const sized = await asked(
      () => this.#client.fetchAll(uids.join(","), { uid: true, size: true }, { uid: true }),
      "Mails could not be read",
    );
    const groups: { uids: number[]; readable: number[] }[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const { uid, size = 0 } of sized.sort((a, b) => a.uid - b.uid)) {
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

  // One mail that the server cannot give must not keep back the others, in this run and in all that follow.
  async #read(uids: readonly number[]): Promise<{ mails: Mail[]; refused: MailPage["unreadable"] }> {
    if (uids.length === 0) return { mails: [], refused: [] };
    try {
      return { mails: await this.#fetch(uids), refused: [] };
    } catch (error) {
      if (!isRefusal(error)) throw sentenceOf(error, UNREAD);
      const mails: Mail[] = [];
      const refused: MailPage["unreadable"] = [];
      for (const uid of uids) {
        try {
          mails.push(...(await this.#fetch([uid])));
        } catch (reason) {
          if (!isRefusal(reason)) throw sentenceOf(reason, UNREAD);
          refused.push({ id: String(uid), reason: reasonOf(reason) });
        }
      }
      // It refuses everything: nothing is known of the mails.
      if (mails.length === 0 && uids.length > 1) throw sentenceOf(error, UNREAD);
      return { mails, refused };
    }
  }

  // imapflow asks for BODY.PEEK[], which leaves \Seen as it is.
  async #fetch(uids: readonly number[]): Promise<Mail[]> {
    const fetched = await this.#client.fetchAll(uids.join(","), { uid: true, source: true }, { uid: true });
    // A mail may have been deleted meanwhile.
    return fetched.flatMap(({ uid, source }) => (source === undefined ? [] : [{ id: String(uid), bytes: source }]));
  }

  #pageOf(
    uids: readonly number[],
    { readable, mails, refused }: { readable: readonly number[]; mails: Mail[]; refused: MailPage["unreadable"] },
  ): MailPage {
    const tooLarge = uids
      .filter((uid) => !readable.includes(uid))
      .map((uid) => ({ id: String(uid), reason: `it is larger than ${MAX_MAIL_BYTES} bytes` }));
    const position = { uidValidity: this.#uidValidity, uid: Math.max(...uids) };
    return { mails, unreadable: [...tooLarge, ...refused], position };
  }
}

const UNREAD = "Mails could not be read";
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

/** Whether the server said NO to what was asked for, as it will again: not that it is busy, or gone. */
function isRefusal(error: unknown): boolean {
  return isNo(error) && !isPassing(error);
}

function isNo(error: unknown): error is Error {
  return error instanceof Error && "responseStatus" in error && error.responseStatus === "NO";
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
