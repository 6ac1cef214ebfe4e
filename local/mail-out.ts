/**
 * Where mail of one machine goes out: to an SMTP server if one is named, otherwise into files of the state folder, where a
 * person can read it. Only the Worker that stands in for `send_email` has the token.
 */

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as v from "valibot";
import { MAIL_DELIVERY_HEADER } from "../shared/notify/webhook.ts";
import { createTransport } from "./smtp/transport.ts";

export interface MailOutOptions {
  /** Folder for mails that are not sent. */
  folder: string;
  /** URL of an SMTP server, such as `smtp://localhost:1025`; "" = none. */
  relayUrl: string;
  token: string;
}

export interface MailOut {
  /** Without a path. */
  url: string;
  stop: () => Promise<void>;
}

const mailMessage = v.object({
  from: v.string(),
  to: v.string(),
  subject: v.string(),
  text: v.string(),
  html: v.string(),
  headers: v.record(v.string(), v.string()),
  attachments: v.array(
    v.object({
      disposition: v.literal("inline"),
      contentId: v.string(),
      filename: v.string(),
      type: v.string(),
      content: v.string(),
    }),
  ),
});

/** Resolves when it listens, on 127.0.0.1 and any free port. */
export function openMailOut({ folder, relayUrl, token }: MailOutOptions): Promise<MailOut> {
  const transport =
    relayUrl === "" ? createTransport({ streamTransport: true, buffer: true }) : createTransport(relayUrl);
  let kept = 0;
  const server = createServer(async (request, response) => {
    try {
      if (request.headers.authorization !== `Bearer ${token}`) {
        response.writeHead(403).end("Forbidden");
        return;
      }
      const mail = v.parse(mailMessage, JSON.parse(await text(request)));
      const attachments = mail.attachments.map(({ contentId, filename, type, content }) => {
        return {
          cid: contentId,
          filename,
          contentType: type,
          content,
          encoding: "base64",
          contentDisposition: "inline" as const,
        };
      });
      const sent: unknown = await transport.sendMail({ ...mail, attachments, messageId: messageIdOf(mail) });
      const { messageId, message } = v.parse(sentMail, sent);
      if (message !== undefined) keep(folder, message, ++kept);
      response.writeHead(200).end(messageId);
    } catch (error) {
      response.writeHead(502).end(error instanceof Error ? error.message : String(error));
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      resolve({
        url: `http://127.0.0.1:${port}`,
        stop: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
            transport.close();
          }),
      });
    });
  });
}

/** The same mail has the same Message-ID, so that a mailbox shows once what was sent twice. */
function messageIdOf(mail: v.InferOutput<typeof mailMessage>): string {
  const name = mail.headers[MAIL_DELIVERY_HEADER] ?? JSON.stringify(mail);
  return `<${createHash("sha256").update(name).digest("hex").slice(0, 32)}@dmarc.localhost>`;
}

/** What nodemailer answers; `message` is the mail itself where it was not sent. */
const sentMail = v.object({ messageId: v.string(), message: v.optional(v.instance(Buffer)) });

/** @param number of the mail since the start: two may come within a millisecond */
function keep(folder: string, mail: Buffer, number: number): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = `${new Date().toISOString().replaceAll(":", "-")}-${number}.eml`;
  writeFileSync(join(folder, name), mail, { mode: 0o600 });
}
