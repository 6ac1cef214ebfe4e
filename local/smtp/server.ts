/**
 * The local SMTP server, in place of Email Routing in front of the ingest Worker. It accepts a mail only when the
 * Worker has accepted it, and never stores one.
 *
 * One recipient per transaction: the Worker decides after the data, when SMTP has a single reply for all recipients.
 * Further recipients get 452, and mail servers then send to them in separate transactions (RFC 5321 4.5.3.1.10).
 */
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { NoAnswerError } from "../ask-ingest.ts";
import type { WorkersAddress } from "../workers.ts";
import { type Delivery, type DeliveryReply, deliver, fault, TOO_LARGE } from "./deliver.ts";

export interface SmtpServerOptions {
  /** 0 = any free port. */
  port: number;
  /** The Workers' location; undefined while they are starting. */
  findWorkers: () => WorkersAddress | undefined;
  /** Returns why no mail can be stored at the moment, if so. */
  findRoomProblem?: () => string | undefined;
  /** Called for every mail that was not accepted. */
  onRefused?: (refusal: { to: string; code: number; message: string }) => void;
  /** Called when Workers did not answer in time: later mails may hang, too. */
  onNoAnswer?: (workers: WorkersAddress) => void;
  /** How long the Workers may take for a mail; absent = ANSWER_TIMEOUT_MS. */
  timeoutMilliseconds?: number;
}

export interface RunningSmtpServer {
  port: number;
  /** Accepts no new mail, lets those in transit finish, and resolves. */
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
export async function openSmtpServer(options: SmtpServerOptions): Promise<RunningSmtpServer> {
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
      else callback(new SmtpError(452, "4.5.3 One recipient at a time; send the others a separate mail"));
    },
    onData: (stream, session, callback) => {
      receive(stream, session, options).then(
        () => callback(null, "2.0.0 Taken"),
        (error: Error) => callback(error),
      );
    },
  });
  // Ignore clients that disconnect.
  server.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const { port } = server.server.address() as AddressInfo;
  return { port, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function receive(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  options: SmtpServerOptions,
): Promise<void> {
  const { mailFrom, rcptTo } = session.envelope;
  const to = rcptTo[0]?.address ?? "";
  const raw = await readAll(stream);
  const from = mailFrom === false ? "" : mailFrom.address;
  const reply = stream.sizeExceeded ? TOO_LARGE : await pass({ from, to, raw }, options);
  if (reply.code === 250) return;
  options.onRefused?.({ to, code: reply.code, message: reply.message });
  throw new SmtpError(reply.code, reply.message);
}

async function pass(mail: Delivery, options: SmtpServerOptions): Promise<DeliveryReply> {
  const { findWorkers, findRoomProblem, onNoAnswer, timeoutMilliseconds } = options;
  if (findRoomProblem?.() !== undefined) return { code: 452, message: "4.3.1 The disk is full; try again later" };
  const workers = findWorkers();
  if (workers === undefined) return fault("the Workers are being started");
  try {
    return await deliver(workers, mail, timeoutMilliseconds);
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error;
    onNoAnswer?.(workers);
    return fault(`ingest hangs: ${error.message}`);
  }
}

// An oversized mail is read to its end, as SMTP requires, and discarded.
async function readAll(stream: SMTPServerDataStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    if (stream.sizeExceeded) chunks.length = 0;
    else chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
