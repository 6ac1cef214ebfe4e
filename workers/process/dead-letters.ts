/** Dead letters in R2: what could not become data, with its reason, kept until a person decides. */
import { buildPoint } from "../../shared/analytics/columns.ts";
import { deadLetterId } from "../../shared/identity.ts";
import { parseMessage, type QueueMessage } from "../../shared/messages.ts";
import type { Page } from "../../shared/operations.ts";
import { problem } from "../../shared/report/problems.ts";
import {
  DEAD_LETTER_PREFIX,
  type DeadLetter,
  deadLetterKey,
  RAW_PREFIX,
  type Receipt,
  receiptKey,
} from "../../shared/storage.ts";
import type { JobContext } from "./env.ts";
import { writePoints } from "./points.ts";

/** What the caller knows of a dead letter. */
export type DeadLetterInput = Omit<DeadLetter, "v" | "id" | "attempts" | "at">;

/**
 * Files a dead letter. The same failure of the same part meets the same key, so filing it again changes nothing.
 *
 * @returns its id
 */
export async function fileDeadLetter(
  input: DeadLetterInput,
  { context, receivedSeconds }: { context: JobContext; receivedSeconds: number },
): Promise<string> {
  const id = await deadLetterId(input.rawKey, input.part, input.reason.code);
  const at = new Date(context.nowSeconds * 1000).toISOString();
  const letter: DeadLetter = { v: 1, id, ...input, attempts: context.attempts, at };
  await context.env.R2_DMARC_REPORTS.put(deadLetterKey(receivedSeconds, id), JSON.stringify(letter), {
    onlyIf: { etagDoesNotMatch: "*" },
    customMetadata: { code: input.reason.code, rawKey: input.rawKey.slice(0, 1000) },
  });
  return id;
}

/** Files a message that is none of ours: it is kept whole and not tried again. */
export async function fileInvalid(body: unknown, error: string, context: JobContext): Promise<Record<string, unknown>> {
  const rawKey = keyOf(body);
  const reason = problem("invalid_message", error);
  return fileAndCount({ body, rawKey, reason, receivedSeconds: context.nowSeconds }, context);
}

/** Files a message that the platform moved here after its last retry. */
export async function fileExhausted(body: unknown, context: JobContext): Promise<Record<string, unknown>> {
  const parsed = parseMessage(body);
  if (!parsed.ok) return fileInvalid(body, parsed.error, context);
  const message = parsed.value;
  const receivedSeconds = message.kind === "report" ? message.receivedSeconds : context.nowSeconds;
  return fileAndCount({ body, rawKey: keyOf(body), reason: problem("retries_exhausted"), receivedSeconds }, context);
}

interface Exhausted {
  body: unknown;
  rawKey: string;
  reason: DeadLetter["reason"];
  receivedSeconds: number;
}

async function fileAndCount(
  { body, rawKey, reason, receivedSeconds }: Exhausted,
  context: JobContext,
): Promise<Record<string, unknown>> {
  const parsed = parseMessage(body);
  const message: QueueMessage | undefined = parsed.ok ? parsed.value : undefined;
  const rua = message?.kind === "report" ? message.rua : "";
  // Slices of one object are told apart by their first point; without a key, the message itself is the identity.
  const part = message?.kind === "points" ? `points ${message.dataset} ${message.points[0]?.doubles.join(",")}` : "";
  const letter = {
    reason,
    stage: "queue",
    account: "",
    rua,
    domain: "",
    rawKey: rawKey === "" ? JSON.stringify(body).slice(0, 1000) : rawKey,
    part,
    message: body,
  } as const;
  const id = await fileDeadLetter(letter, { context, receivedSeconds });
  await writeDeadLetterEvent({ id, code: reason.code, rua, rawKey, receivedSeconds }, context);
  if (message?.kind === "report") await writeReceipt(rawKey, id, context);
  return { event: "dead_letter", outcome: "dead_letter", rua, key: rawKey, code: reason.code };
}

async function writeDeadLetterEvent(
  event: { id: string; code: string; rua: string; rawKey: string; receivedSeconds: number },
  context: JobContext,
): Promise<void> {
  const point = buildPoint("events", {
    eventId: event.id,
    account: "",
    rua: event.rua,
    outcome: "dead_letter",
    kind: "",
    code: event.code,
    domain: "",
    reporter: "",
    rawKey: event.rawKey,
    part: "",
    generation: 1,
    receivedSeconds: event.receivedSeconds,
    processedSeconds: context.nowSeconds,
    records: 0,
    skippedRecords: 0,
    messages: 0,
    attempts: context.attempts,
  });
  await writePoints("events", [point], { origin: { key: event.rawKey, reportUid: event.id }, context });
}

async function writeReceipt(rawKey: string, id: string, context: JobContext): Promise<void> {
  const receipt: Receipt = {
    v: 1,
    rawKey,
    processedSeconds: context.nowSeconds,
    outcomes: [{ outcome: "dead_letter", id, part: "" }],
  };
  await context.env.R2_DMARC_REPORTS.put(receiptKey(rawKey), JSON.stringify(receipt));
}

function keyOf(body: unknown): string {
  const key = typeof body === "object" && body !== null && "key" in body ? body.key : undefined;
  return typeof key === "string" && key.startsWith(RAW_PREFIX) ? key : "";
}

/** One page of dead letters in the order of their keys (by day received). */
export async function listDeadLetters(bucket: R2Bucket, cursor?: string): Promise<Page<DeadLetter>> {
  const listed = await bucket.list({ prefix: DEAD_LETTER_PREFIX, limit: 100, ...(cursor ? { cursor } : {}) });
  const items: DeadLetter[] = [];
  for (const { key } of listed.objects) {
    const object = await bucket.get(key);
    if (object !== null) items.push(await object.json<DeadLetter>());
  }
  return listed.truncated ? { items, cursor: listed.cursor } : { items };
}
