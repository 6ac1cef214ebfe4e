/**
 * Hands one mail to the ingest Worker, through wrangler's mail endpoint, and tells what became of it as an SMTP server
 * has to answer. It never decides anything itself: not reachable and not understood are faults, never acceptance.
 */
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { mendMail } from "./mail.ts";

/** What the sender is told: 250 taken, 550 refused for good, 552 too large, 451 try again later. */
export type DeliveryReply = { code: 250 } | { code: 550 | 552 | 451; message: string };

/** Larger than Email Routing takes. */
export const TOO_LARGE: DeliveryReply = { code: 552, message: "5.3.4 The mail is larger than 25 MiB" };

export interface Delivery {
  /** Envelope sender, "" for the null sender. */
  from: string;
  /** The one envelope recipient. */
  to: string;
  raw: Buffer;
}

/** Ours: a Worker that has not answered by then will not; the sender tries again. */
const TIMEOUT_MS = 120_000;

/**
 * Delivers a mail to ingest.
 *
 * @param ingestUrl where the ingest Worker's wrangler listens, without a path
 */
export async function deliver(ingestUrl: string, { from, to, raw }: Delivery): Promise<DeliveryReply> {
  const mail = mendMail(raw, from);
  if (mail.length > MAIL_LIMITS.maxMessageBytes) return TOO_LARGE;
  // The endpoint takes an empty sender for a missing one; `<>` is how SMTP writes it.
  const query = new URLSearchParams({ from: from === "" ? "<>" : from, to, format: "json" });
  try {
    const response = await fetch(`${ingestUrl}/cdn-cgi/local/email?${query}`, {
      method: "POST",
      body: new Uint8Array(mail),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return readOutcome(response.status, await response.text());
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return fault(`ingest cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function readOutcome(status: number, body: string): DeliveryReply {
  const answer = readJson(body);
  if (answer?.outcome === "exception") return fault("ingest failed");
  if (answer?.outcome !== "ok" || status !== 200) return fault(firstLine(body) || `ingest answered ${status}`);
  if (typeof answer.rejectReason === "string") return { code: 550, message: `5.7.1 ${firstLine(answer.rejectReason)}` };
  return { code: 250 };
}

function readJson(body: string): Record<string, unknown> | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null ? { ...answer } : undefined;
  } catch {
    return undefined;
  }
}

function fault(reason: string): DeliveryReply {
  return { code: 451, message: `4.3.0 ${firstLine(reason)}; try again later` };
}

// A reply is one line of printable ASCII (RFC 5321 section 4.2).
function firstLine(text: string): string {
  const [line = ""] = text.split(/[\r\n]/, 1);
  return line.replace(/[^\x20-\x7e]/g, "?").slice(0, 400);
}
