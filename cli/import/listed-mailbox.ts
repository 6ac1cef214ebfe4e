/**
 * A mailbox whose service lists ids, and gives a mail by its id. All ids are listed first, since moving mails while pages are
 * read would shift them.
 */
import type { Command } from "commander";
import * as v from "valibot";
import { refusalOf, type Unreadable } from "./mail-api.ts";
import type { Mail, Mailbox, MailPage } from "./mailbox.ts";

/** A mail, and when it came, seconds since 1970 UTC. */
interface ReadMail {
  bytes: Uint8Array;
  seconds: number;
}

/** What a service has to be able to do. */
export interface MailService {
  name: string;
  /** Tells the mailbox from others of the same name: which one it is follows from the token. */
  owner(): Promise<string>;
  /** Ids of mails that came at that time or later, oldest first. */
  list(sinceSeconds: number | undefined): Promise<string[]>;
  /** A mail, and when it came, seconds since 1970 UTC; or why it cannot be read; undefined if it is gone. */
  read(id: string): Promise<ReadMail | Unreadable | undefined>;
  move(id: string, folder: string): Promise<void>;
}

/** `dmarc import NAME`, for a service: what its help says, its own options, and the service they name. */
export interface MailServiceCommand<Options extends object> {
  name: string;
  description: string;
  examples: string;
  addOptions(command: Command): Command;
  /** @throws CommandError when the environment lacks the token */
  service(options: Options): MailService;
}

/** Mails that came at that time or later; those of `ids` are done. */
const positionShape = v.object({ seconds: v.number(), ids: v.array(v.tuple([v.string(), v.number()])) });

/** Ours: a mail may be shown so long after one that came later. */
const OVERLAP_SECONDS = 86_400;
/** Mails in memory at once, and read at once: services allow four requests or more side by side. */
const MAILS_PER_PAGE = 20;
const READS_AT_ONCE = 4;

/**
 * @param since mails before it are left out, seconds since 1970 UTC
 */
export async function listedMailbox(service: MailService, since: number | undefined): Promise<Mailbox> {
  const mailbox: Mailbox = {
    name: service.name,
    key: `${service.name} ${await service.owner()}`,
    total: 0,
    async *pages(position) {
      const known = v.safeParse(positionShape, position);
      const mark = known.success ? known.output : { seconds: 0, ids: [] };
      const from = Math.max(since ?? 0, mark.seconds - OVERLAP_SECONDS);
      const done = new Map(mark.ids);
      const ids = (await service.list(from > 0 ? from : undefined)).filter((id) => !done.has(id));
      mailbox.total = ids.length;
      let { seconds } = mark;
      const reader = new Reader(service, mark.ids.at(-1)?.[0]);
      for (let i = 0; i < ids.length; i += MAILS_PER_PAGE) {
        const read = await reader.read(ids.slice(i, i + MAILS_PER_PAGE));
        for (const [id, mail] of read) {
          // One that cannot be read is passed over by the next run, too, as long as it is listed.
          if ("reason" in mail) {
            done.set(id, Math.floor(Date.now() / 1000));
            continue;
          }
          done.set(id, mail.seconds);
          // A mail of the future, as migrated ones may be, must not hide those that come until then.
          seconds = Math.max(seconds, Math.min(mail.seconds, Math.floor(Date.now() / 1000)));
        }
        yield pageOf(read, { seconds, done });
      }
    },
    async move(moved, folder) {
      for (const id of moved) await service.move(id, folder);
    },
    close: async () => undefined,
  };
  return mailbox;
}

function pageOf(
  read: ReadonlyMap<string, ReadMail | Unreadable>,
  { seconds, done }: { seconds: number; done: ReadonlyMap<string, number> },
): MailPage {
  const mails: Mail[] = [];
  const unreadable: MailPage["unreadable"] = [];
  for (const [id, mail] of read) {
    if ("reason" in mail) unreadable.push({ id, reason: mail.reason });
    else mails.push({ id, bytes: mail.bytes });
  }
  // Only those that are listed again by the next run.
  const ids = [...done].filter(([, came]) => came >= seconds - OVERLAP_SECONDS);
  return { mails, unreadable, position: { seconds, ids } };
}

/** Reads mails side by side. One that the service refuses to give must not keep back the others, now and in all later runs. */
class Reader {
  readonly #service: MailService;
  /** The last mail that the service gave: if it still does, it refused the other one alone. */
  #given: string | undefined;

  constructor(service: MailService, given: string | undefined) {
    this.#service = service;
    this.#given = given;
  }

  /** @throws CommandError where the service gives no mail any more */
  async read(ids: readonly string[]): Promise<Map<string, ReadMail | Unreadable>> {
    const found = new Map<string, ReadMail | Unreadable>();
    const refused = new Map<string, unknown>();
    const waiting = ids.values();
    const work = async (): Promise<void> => {
      for (const id of waiting) {
        try {
          const mail = await this.#service.read(id);
          if (mail === undefined) continue;
          found.set(id, mail);
          if ("bytes" in mail) this.#given = id;
        } catch (error) {
          if (refusalOf(error) === undefined) throw error;
          refused.set(id, error);
        }
      }
    };
    await Promise.all(Array.from({ length: READS_AT_ONCE }, work));
    // The last one of the position is asked for by the next run to see whether any is given: it is none that was refused.
    const reasons = new Map<string, ReadMail | Unreadable>();
    for (const [id, error] of refused) reasons.set(id, await this.#reasonOf(error));
    return new Map([...reasons, ...found]);
  }

  async #reasonOf(error: unknown): Promise<Unreadable> {
    const reason = refusalOf(error);
    const other = this.#given === undefined ? undefined : await this.#service.read(this.#given);
    if (reason === undefined || other === undefined || "reason" in other) throw error;
    return reason;
  }
}
