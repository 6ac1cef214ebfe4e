/**
 * Sends the mails of a soak run as mail servers do: a few connections, a temporary error is tried again until it is
 * taken, a permanent one is final. Some answers "get lost", and the mail is sent again though it was taken.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { createTransport, type Transporter } from "nodemailer";
import { seeded } from "../../test/support/seeded-reports.ts";
import type { SoakMail } from "./mails.ts";

export interface SendCounts {
  delivered: number;
  /** 550. */
  rejected: number;
  /** Tried again after a temporary error or a lost connection. */
  retried: number;
  /** Sent again although taken. */
  repeated: number;
}

export interface SendPlan {
  port: number;
  mails: Iterator<SoakMail>;
  /** Share of answers that get lost. */
  faultRate: number;
  seed: number;
  /** Told of each mail that has come to its end. */
  onDone: (mail: SoakMail, outcome: "delivered" | "rejected", counts: SendCounts) => void;
  /** Ends the run: the stack is gone. */
  signal: AbortSignal;
}

const CONNECTIONS = 8;
/** Ours: a sender waits minutes; here the stack is back within seconds. */
const RETRY_MS = 250;

/** Resolves when every mail was taken or refused for good. @throws the signal's reason */
export async function sendMails(plan: SendPlan): Promise<SendCounts> {
  const counts: SendCounts = { delivered: 0, rejected: 0, retried: 0, repeated: 0 };
  const random = seeded(plan.seed);
  const transport = createTransport({
    host: "127.0.0.1",
    port: plan.port,
    ignoreTLS: true,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  const sendAll = async (): Promise<void> => {
    for (let next = plan.mails.next(); !next.done; next = plan.mails.next()) {
      const mail = next.value;
      const outcome = await sendUntilDone(transport, mail, { plan, counts });
      if (random() < plan.faultRate) {
        counts.repeated++;
        await sendUntilDone(transport, mail, { plan, counts });
      }
      counts[outcome]++;
      plan.onDone(mail, outcome, counts);
    }
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, sendAll));
  } finally {
    transport.close();
  }
  return counts;
}

async function sendUntilDone(
  transport: Transporter,
  { to, raw }: SoakMail,
  { plan, counts }: { plan: SendPlan; counts: SendCounts },
): Promise<"delivered" | "rejected"> {
  for (;;) {
    plan.signal.throwIfAborted();
    try {
      await transport.sendMail({ envelope: { from: "noreply@reporter.example", to }, raw });
      return "delivered";
    } catch (error) {
      const code = error instanceof Error && "responseCode" in error ? error.responseCode : undefined;
      if (code === 550) return "rejected";
      if (typeof code === "number" && code >= 500) throw error;
      counts.retried++;
      await sleep(RETRY_MS);
    }
  }
}
