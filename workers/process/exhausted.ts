/** Messages that cannot be processed as such: not of the agreed form, or moved here by the platform after the last retry. */
import { type PointsMessage, parseMessage, type QueueMessage, type ReportMessage } from "../../shared/messages.ts";
import { problem } from "../../shared/report/problems.ts";
import type { Receipt, ReceiptOutcome } from "../../shared/storage.ts";
import { type DeadLetterInput, fileDeadLetter, idOfDeadLetter } from "./dead-letters.ts";
import type { JobContext, LogEntry } from "./env.ts";
import { clearFault, lastErrorOf } from "./faults.ts";
import { putReceipt, readReceipt, removeAsSaid } from "./receipts.ts";
import { markSlice } from "./slices.ts";

/** Files a message that is none of ours: it is kept whole and not tried again. */
export async function fileInvalid(body: unknown, error: string, context: JobContext): Promise<LogEntry> {
  return file(letterOf(body, { reason: problem("invalid_message", error) }, context), context);
}

/** Files a message that the platform moved here, with the last error it left behind. */
export async function fileExhausted(body: unknown, context: JobContext): Promise<LogEntry> {
  const parsed = parseMessage(body);
  if (!parsed.ok) return fileInvalid(body, parsed.error, context);
  const message = parsed.value;
  const lastError = await lastErrorOf(context.env, body);
  const found = { reason: problem("retries_exhausted"), lastError };
  const entry = await fileMessage(message, letterOf(body, { ...found, ...placeOf(message) }, context), context);
  await clearFault(context.env, body);
  return entry;
}

async function fileMessage(message: QueueMessage, input: DeadLetterInput, context: JobContext): Promise<LogEntry> {
  if (message.kind === "job" || message.kind === "finish") return file(input, context);
  const entry = await fileWithReceipt(message, input, context);
  if (message.kind === "points" && message.awaited) {
    // Dealt with as far as the report's receipt is concerned, which will name the dead letter.
    const isFiled = entry.outcome === "dead_letter";
    const id = isFiled ? await idOfDeadLetter(input, context) : "";
    await markSlice(context.env.R2_DMARC_REPORTS, message, id);
  }
  return entry;
}

/**
 * The receipt comes first: it tells whether the object has been dealt with meanwhile (by another delivery of the same
 * message, or run again), and from then on what clears the object clears this letter.
 */
async function fileWithReceipt(
  message: ReportMessage | PointsMessage,
  input: DeadLetterInput,
  context: JobContext,
): Promise<LogEntry> {
  const bucket = context.env.R2_DMARC_REPORTS;
  const { rawKey, generation, part } = input;
  const id = await idOfDeadLetter(input, context);
  const stored = await readReceipt(bucket, rawKey);
  const outcomes = stored?.receipt.outcomes ?? [];
  const known = outcomes.find((outcome) => outcome.id === id);
  const newest = stored?.receipt.generation ?? 0;
  const settled = message.kind === "report" ? newest >= generation : newest > generation;
  if (known?.outcome !== "dead_letter" && (settled || known !== undefined)) {
    if (stored !== undefined) await removeAsSaid(bucket, stored.receipt);
    return { event: "dead_letter", outcome: "already_done", key: rawKey };
  }
  // A slice that fails before its report has a receipt is filed without: the report's own end is still open.
  if (known === undefined && (message.kind === "report" || stored !== undefined)) {
    const outcome: ReceiptOutcome = { outcome: "dead_letter", id, part, key: "" };
    const receipt: Receipt = {
      ...{ v: 1, rawKey, processedSeconds: context.nowSeconds, ...stored?.receipt },
      generation: Math.max(newest, message.kind === "report" ? generation : 0),
      outcomes: [...outcomes, outcome],
    };
    const written = await putReceipt(bucket, receipt, stored);
    if (!written) throw new Error(`The receipt of ${rawKey} was written by another consumer at the same time.`);
  }
  return file(input, context);
}

async function file(input: DeadLetterInput, context: JobContext): Promise<LogEntry> {
  const { id, rua, rawKey, reason } = await fileDeadLetter(input, context);
  return { event: "dead_letter", outcome: "dead_letter", id, rua, key: rawKey, code: reason.code };
}

function placeOf(message: QueueMessage): Partial<DeadLetterInput> {
  if (message.kind === "job") return {};
  const { key: rawKey, generation = 1, receivedSeconds } = message;
  if (message.kind === "report") return { rawKey, generation, receivedSeconds, rua: message.rua };
  if (message.kind === "finish") return { rawKey, generation, receivedSeconds, rua: message.rua, part: "receipt" };
  // Slices of one object are told apart by report and place.
  return { rawKey, generation, receivedSeconds, part: `points ${message.reportUid} ${generation} ${message.slice}` };
}

function letterOf(
  message: unknown,
  known: Partial<DeadLetterInput> & Pick<DeadLetterInput, "reason">,
  { sentSeconds }: JobContext,
): DeadLetterInput {
  const empty = { account: "", rua: "", domain: "", rawKey: "", part: "", generation: 1, receivedSeconds: sentSeconds };
  return { stage: "queue", ...empty, ...known, message };
}
