/**
 * Stands in for a `send_email` binding on one machine: a service binding with the same method. It refuses what Cloudflare's Email
 * Service is documented to refuse, and passes the mail to the stack, which sends it by SMTP or keeps it (local/mail-out.ts).
 */
import { WorkerEntrypoint } from "cloudflare:workers";

interface LocalBindings {
  LOCAL_MAIL_URL: string;
  LOCAL_MAIL_TOKEN: string;
}

/** The structured form of a mail (Email Service, Workers API), as far as it is used here. */
interface MailMessage {
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  attachments: { disposition: string; contentId: string; filename: string; type: string; content: string }[];
}

/** Headers that may be set, besides those that begin with X- (Email Service, Email headers). */
const ALLOWED_HEADERS = ["in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post"];

/** Email Service limits: characters of the subject (RFC 5322), bytes of a whole mail. */
const MAX_SUBJECT_CHARS = 998;
const MAX_MAIL_BYTES = 5 * 1024 * 1024;

/** The entry point that stands in for the `send_email` binding. */
export class MailOut extends WorkerEntrypoint<LocalBindings> {
  /** @throws Error with a message like the service's when the mail is refused */
  async send(mail: MailMessage): Promise<{ messageId: string }> {
    const body = JSON.stringify(mail);
    for (const name of Object.keys(mail.headers).map((one) => one.toLowerCase())) {
      if (!name.startsWith("x-") && !ALLOWED_HEADERS.includes(name)) {
        throw new Error(`E_HEADER_NOT_ALLOWED: ${name} cannot be set`);
      }
    }
    if (mail.subject.length > MAX_SUBJECT_CHARS) throw new Error("E_VALIDATION_ERROR: subject is too long");
    if (new TextEncoder().encode(body).length > MAX_MAIL_BYTES)
      throw new Error("E_CONTENT_TOO_LARGE: the mail is too large");
    const response = await fetch(`${this.env.LOCAL_MAIL_URL}/mail`, {
      method: "POST",
      headers: { authorization: `Bearer ${this.env.LOCAL_MAIL_TOKEN}`, "content-type": "application/json" },
      body,
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
