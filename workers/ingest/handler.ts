/**
 * Takes a mail: checks that the address is ours, stores the mail, and enqueues it. It never reads a report, so a bad report can
 * never bounce mail. An unknown address is rejected permanently; a fault throws, which the sender's server sees as a temporary
 * error and retries.
 */
import { inTime } from "../../shared/in-time.ts";
import { findRegistration } from "../../shared/ledger/find-registration.ts";
import { noteRefusedMail } from "../../shared/ledger/refused-mail.ts";
import { INGEST_LIMITS } from "../../shared/limits.ts";
import { type Received, receiveMail } from "./receive.ts";
import type { RecentAddresses } from "./recent-addresses.ts";

/** A sender may write as much as it likes; RFC 5322 allows 998 characters a line. */
const MAX_LOGGED_CHARS = 300;

/** What is used of a mail and its envelope. */
export type IncomingMail = Pick<ForwardableEmailMessage, "from" | "to" | "raw" | "rawSize" | "headers" | "setReject">;

type MailHandler = (
  message: IncomingMail,
  env: IngestBindings,
  context: Pick<ExecutionContext, "waitUntil">,
) => Promise<void>;

/**
 * What is done with each mail.
 *
 * @param recent addresses that were found a moment ago, shared by the mails of an isolate
 * @param answerMilliseconds after which it is a fault that a mail is not stored; 0 = it may take any time
 */
export function mailHandler(
  recent: RecentAddresses,
  { answerMilliseconds }: { answerMilliseconds: number } = INGEST_LIMITS,
): MailHandler {
  return async (message, env, context) => {
    const startedMilliseconds = Date.now();
    const log = (entry: Record<string, unknown>): void => {
      const milliseconds = Date.now() - startedMilliseconds;
      const messageId = message.headers.get("message-id")?.slice(0, MAX_LOGGED_CHARS) ?? null;
      console.log(JSON.stringify({ event: "mail", messageId, ...entry, milliseconds }));
    };
    const refuse = (): void => {
      log({ rua: message.to.toLowerCase(), outcome: "unknown_address" });
      message.setReject(`${message.to} does not accept DMARC reports: the address is not registered here.`);
      const refused = {
        recipient: message.to,
        sender: message.from,
        seconds: Math.floor(startedMilliseconds / 1000),
      };
      // The mail is refused even if it cannot be recorded.
      context.waitUntil(
        noteRefusedMail(env.D1_DMARC_REPORTS, refused).catch((error: unknown) =>
          log({ rua: message.to.toLowerCase(), outcome: "refused_not_noted", error: String(error) }),
        ),
      );
    };
    const take = async (): Promise<(Received & { rua: string }) | undefined> => {
      const known = recent.find(message.to, startedMilliseconds);
      const rua = known ?? (await lookUp(message.to, env));
      if (rua === undefined) return undefined;
      // Only what was looked up now: a removed address that gets much mail would be kept for good.
      if (known === undefined) recent.keep(message.to, rua, startedMilliseconds);
      const receivedSeconds = Math.floor(startedMilliseconds / 1000);
      return { rua, ...(await receiveMail(message, env, { rua, receivedSeconds })) };
    };
    try {
      // What still runs when it is late does no harm (receive.ts).
      const late = `The mail was not stored within ${answerMilliseconds} ms.`;
      const taken = await inTime(globalThis, take(), answerMilliseconds, late);
      if (taken === undefined) return refuse();
      log({ outcome: "accepted", ...taken });
    } catch (error) {
      log({ rua: message.to.toLowerCase(), outcome: "fault", error: String(error) });
      throw error;
    }
  };
}

/** The registered address that receives mail to a recipient, from KV or the ledger. */
async function lookUp(recipient: string, env: IngestBindings): Promise<string | undefined> {
  const places = { copy: env.KV_DMARC_REPORTS, directory: env.D1_DMARC_REPORTS };
  return (await findRegistration(places, recipient))?.rua;
}
