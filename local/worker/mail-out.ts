/**
 * Stands in for a `send_email` binding on one machine: a service binding with the same method. It refuses what Cloudflare's Email
 * Service is known to refuse (mail.ts), and passes the mail to the stack, which sends it by SMTP or keeps it (local/mail-out.ts).
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { encodedMail, type MailMessage, mailRefusal } from "./mail.ts";

interface LocalBindings {
  LOCAL_MAIL_URL: string;
  LOCAL_MAIL_TOKEN: string;
}

/** The entry point that stands in for the `send_email` binding. */
export class MailOut extends WorkerEntrypoint<LocalBindings> {
  /** @throws Error with a message like the service's when the mail is refused */
  async send(mail: MailMessage): Promise<{ messageId: string }> {
    const refusal = mailRefusal(mail);
    if (refusal !== undefined) throw new Error(refusal);
    const response = await fetch(`${this.env.LOCAL_MAIL_URL}/mail`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.env.LOCAL_MAIL_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(encodedMail(mail)),
    });
    const answer = await response.text();
    if (!response.ok) throw new Error(`E_DELIVERY_FAILED: ${answer}`);
    return { messageId: answer };
  }
}

/** Nothing is served over HTTP; a Worker still needs a default export. */
export default {
  fetch: () => new Response("Not found\n", { status: 404 }),
} satisfies ExportedHandler;
