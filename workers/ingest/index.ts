/**
 * The Email Worker: checks that the address is ours, stores the mail, and enqueues it. It never reads a report, so a
 * bad report can never bounce mail. An unknown address is rejected permanently; a fault throws, which the sender's
 * server sees as a temporary error and retries.
 */
import { findRegistration } from "../../shared/ledger/find-registration.ts";
import { noteRefusedMail } from "../../shared/ledger/refused-mail.ts";
import { receiveMail } from "./receive.ts";
import { rehearse } from "./rehearsal.ts";

/** A sender may write as much as it likes; RFC 5322 allows 998 characters a line. */
const MAX_LOGGED_CHARS = 300;

// Whatever goes wrong in it, mail is taken: the first one is only slower.
await rehearse().catch((error: unknown) => console.warn(`The rehearsal failed: ${error}`));

export default {
  async email(message, env, ctx): Promise<void> {
    const startedMilliseconds = Date.now();
    const log = (entry: Record<string, unknown>): void => {
      const milliseconds = Date.now() - startedMilliseconds;
      const messageId = message.headers.get("message-id")?.slice(0, MAX_LOGGED_CHARS) ?? null;
      console.log(JSON.stringify({ event: "mail", messageId, ...entry, milliseconds }));
    };
    try {
      const registration = await findRegistration(
        { copy: env.KV_DMARC_REPORTS, directory: env.D1_DMARC_REPORTS },
        message.to,
      );
      if (registration === undefined) {
        log({ rua: message.to.toLowerCase(), outcome: "unknown_address" });
        message.setReject(`${message.to} does not accept DMARC reports: the address is not registered here.`);
        const refused = {
          recipient: message.to,
          sender: message.from,
          seconds: Math.floor(startedMilliseconds / 1000),
        };
        // The mail is refused even if it cannot be recorded.
        ctx.waitUntil(
          noteRefusedMail(env.D1_DMARC_REPORTS, refused).catch((error: unknown) =>
            log({ rua: message.to.toLowerCase(), outcome: "refused_not_noted", error: String(error) }),
          ),
        );
        return;
      }
      const received = await receiveMail(message, env, {
        rua: registration.rua,
        receivedSeconds: Math.floor(startedMilliseconds / 1000),
      });
      log({ rua: registration.rua, outcome: "accepted", ...received });
    } catch (error) {
      log({ rua: message.to.toLowerCase(), outcome: "fault", error: String(error) });
      throw error;
    }
  },

  fetch(): Response {
    return new Response("This Worker receives mail; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<IngestBindings>;
