/**
 * The SMTP front door of one machine: what Email Routing is in front of the ingest Worker. It takes a mail only when
 * the Worker has taken it, and never keeps one.
 *
 * One recipient a transaction: the Worker decides after the data, and SMTP has a single answer for all recipients then.
 * Further recipients get 452, upon which every mail server sends them in a transaction of their own (RFC 5321 4.5.3.1.10).
 */
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { deliver, TOO_LARGE } from "./deliver.ts";

export interface DoorOptions {
  /** 0 = any free port. */
  port: number;
  /** Where the ingest Worker's wrangler listens, without a path. */
  ingestUrl: string;
  /** Told of every mail that was not taken. */
  onRefused?: (refusal: { to: string; code: number; message: string }) => void;
}

export interface RunningDoor {
  port: number;
  /** Takes no new mail, lets the ones in transit end, and resolves. */
  stop(): Promise<void>;
}

class SmtpError extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, message: string) {
    super(message);
    this.responseCode = responseCode;
  }
}

/** Resolves when it listens on 127.0.0.1; rejects when the port cannot be had. */
export async function openDoor(options: DoorOptions): Promise<RunningDoor> {
  const server = new SMTPServer({
    name: "localhost",
    banner: "local stand-in for Email Routing",
    size: MAIL_LIMITS.maxMessageBytes,
    rejectOversized: true,
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 2000,
    onRcptTo: (_address, session, callback) => {
      if (session.envelope.rcptTo.length === 0) callback();
      else callback(new SmtpError(452, "4.5.3 One recipient at a time; send the others a mail of their own"));
    },
    onData: (stream, session, callback) => {
      receive(stream, session, options).then(
        () => callback(null, "2.0.0 Taken"),
        (error: Error) => callback(error),
      );
    },
  });
  // A client that goes away in the middle is its own affair.
  server.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return { port, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function receive(stream: SMTPServerDataStream, session: SMTPServerSession, options: DoorOptions): Promise<void> {
  const { mailFrom, rcptTo } = session.envelope;
  const to = rcptTo[0]?.address ?? "";
  const raw = await readAll(stream);
  const reply = stream.sizeExceeded
    ? TOO_LARGE
    : await deliver(options.ingestUrl, { from: mailFrom === false ? "" : mailFrom.address, to, raw });
  if (reply.code === 250) return;
  options.onRefused?.({ to, code: reply.code, message: reply.message });
  throw new SmtpError(reply.code, reply.message);
}

// What goes over the limit is read to its end, as SMTP asks, and not kept.
async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks.length = 0;
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
