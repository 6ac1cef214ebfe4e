/** Support: where notices go: a real SMTP server, and an HTTPS server that takes only webhooks whose signature is right. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { buffer, text } from "node:stream/consumers";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";
import * as v from "valibot";
import type { Certificate } from "./certificate.ts";

/** A webhook's body, as far as tests look at it. */
const payload = v.looseObject({
  id: v.string(),
  kind: v.string(),
  account: v.string(),
  headline: v.string(),
  notice: v.optional(v.looseObject({ id: v.string(), rule: v.string(), step: v.string() })),
});

export interface ReceivedWebhook {
  /** Header `DMARC-Delivery`. */
  delivery: string;
  body: v.InferOutput<typeof payload>;
}

export interface WebhookReceiver {
  origin: string;
  /** What came and was signed with the secret. */
  received: ReceivedWebhook[];
  /** How many came that were not. */
  refused(): number;
  secret: string;
  /** answers: 204; hangs: takes what comes, and says nothing; down: nobody listens. */
  become(state: "answers" | "hangs" | "down"): Promise<void>;
  stop(): Promise<void>;
}

/** What goes wrong with something that comes: before it was taken, or after, so that it is sent again. */
export type ReceiverFault = "before" | "after" | "cut";

/** Starts it on a free port of this machine. @param pickFault asked for each; absent = nothing goes wrong */
export async function startWebhookReceiver(
  { key, certificate }: Certificate,
  pickFault: () => ReceiverFault | undefined = () => undefined,
): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  let refused = 0;
  let isHanging = false;
  const receiver: Pick<WebhookReceiver, "secret"> = { secret: "" };
  const server = createServer({ key, cert: certificate }, async (request, response) => {
    const body = await text(request);
    if (isHanging) return;
    if (!isGenuine(String(request.headers["dmarc-signature"]), body, receiver.secret)) {
      refused += 1;
      response.writeHead(403).end();
      return;
    }
    const fault = pickFault();
    if (fault === "before") {
      response.writeHead(503).end();
      return;
    }
    received.push({ delivery: String(request.headers["dmarc-delivery"]), body: v.parse(payload, JSON.parse(body)) });
    if (fault === "cut") response.destroy();
    else response.writeHead(fault === "after" ? 503 : 204).end();
  });
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  return Object.assign(receiver, {
    origin: `https://localhost:${port}`,
    received,
    refused: () => refused,
    async become(state: "answers" | "hangs" | "down") {
      isHanging = state === "hangs";
      server.closeAllConnections();
      if (state === "down" && server.listening) await close(server);
      if (state !== "down" && !server.listening) await listen(server, port);
    },
    stop: () => close(server),
  });
}

/** As docs/notifications.md says to. */
function isGenuine(header: string, body: string, secret: string): boolean {
  const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (seconds === undefined || mac === undefined || secret === "") return false;
  const expected = createHmac("sha256", secret).update(`${seconds}.${body}`).digest();
  return timingSafeEqual(expected, Buffer.from(mac, "hex"));
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "localhost", resolve);
  });
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

export interface MailReceiver {
  url: string;
  received: Email[];
  stop(): Promise<void>;
}

/** Starts an SMTP server on a free port of this machine that takes everything. @param pickFault as of webhooks */
export async function startMailReceiver(
  pickFault: () => ReceiverFault | undefined = () => undefined,
): Promise<MailReceiver> {
  const received: Email[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onData(stream, _session, callback) {
      buffer(stream)
        .then((bytes) => PostalMime.parse(bytes))
        .then((mail) => {
          const fault = pickFault();
          if (fault !== "before") received.push(mail);
          callback(fault === undefined ? null : Object.assign(new Error("Try again later"), { responseCode: 451 }));
        }, callback);
    },
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
