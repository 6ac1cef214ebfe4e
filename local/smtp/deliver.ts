/**
 * Delivers one mail to the ingest Worker, and turns the outcome into an SMTP reply. It never
 * decides anything itself: unreachable, unanswered and malformed are faults, never acceptance.
 */
import * as v from "valibot";
import { MAIL_LIMITS } from "../../shared/limits.ts";
import { askIngest, NoAnswerError } from "../ask-ingest.ts";
import type { WorkersAddress } from "../workers.ts";

/** The reply to the sender: 250 accepted, 550 refused permanently, 552 too large, 451 and 452 try again later. */
export type DeliveryReply = { code: 250 } | { code: 550 | 552 | 451 | 452; message: string };

/** Larger than Email Routing takes. */
export const TOO_LARGE: DeliveryReply = { code: 552, message: "5.3.4 The mail is larger than 25 MiB" };

export interface Delivery {
  /** Envelope sender, "" for the null sender. */
  from: string;
  /** The one envelope recipient. */
  to: string;
  raw: Buffer;
}

/** Ours: a Worker that has not answered by then will not, and the sender retries. A mail of 25 MiB takes a second. */
const ANSWER_TIMEOUT_MS = 30_000;

const outcomeBody = v.pipe(
  v.string(),
  v.parseJson(),
  v.variant("outcome", [
    v.object({ outcome: v.literal("taken") }),
    v.object({ outcome: v.literal("rejected"), reason: v.string() }),
    v.object({ outcome: v.literal("fault"), reason: v.string() }),
  ]),
);

/** Delivers a mail to ingest. @throws NoAnswerError when it does not answer in time */
export async function deliver(
  workers: WorkersAddress,
  { from, to, raw }: Delivery,
  timeoutMilliseconds = ANSWER_TIMEOUT_MS,
): Promise<DeliveryReply> {
  if (raw.length > MAIL_LIMITS.maxMessageBytes) return TOO_LARGE;
  const path = `/mail?${new URLSearchParams({ from, to })}`;
  try {
    const { status, body } = await askIngest(workers, { path, body: raw, timeoutMilliseconds });
    return readOutcome(status, body);
  } catch (error) {
    if (error instanceof NoAnswerError) throw error;
    return fault(`ingest cannot be reached: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Whether the Workers answer at all, within 5 seconds. */
export async function isAnswering(workers: WorkersAddress): Promise<boolean> {
  try {
    return (await askIngest(workers, { path: "/health", timeoutMilliseconds: 5000 })).status === 200;
  } catch {
    return false;
  }
}

/** A temporary refusal. */
export function fault(reason: string): DeliveryReply {
  return { code: 451, message: `4.3.0 ${firstLine(reason)}; try again later` };
}

function readOutcome(status: number, body: string): DeliveryReply {
  const answer = v.safeParse(outcomeBody, body);
  if (status !== 200 || !answer.success) return fault(firstLine(body) || `ingest answered ${status}`);
  const { output } = answer;
  if (output.outcome === "taken") return { code: 250 };
  if (output.outcome === "rejected") return { code: 550, message: `5.7.1 ${firstLine(output.reason)}` };
  return fault(`ingest failed: ${firstLine(output.reason)}`);
}

// A reply is one line of printable ASCII (RFC 5321 section 4.2).
function firstLine(text: string): string {
  const [line = ""] = text.split(/[\r\n]/, 1);
  return line.replace(/[^\x20-\x7e]/g, "?").slice(0, 400);
}
