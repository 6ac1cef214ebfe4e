/** What an operator does with dead letters: search, look, send again, discard. A page of letters a call. */
import { PAGE_LIMITS } from "../../shared/limits.ts";
import { parseMessage, type QueueMessage } from "../../shared/messages.ts";
import type {
  DeadLetterDetails,
  DeadLetterFilter,
  DeadLetterQuery,
  DeadLetterResult,
  DeadLetterSelection,
  OperationRefused,
  Page,
  RawObject,
} from "../../shared/operations.ts";
import {
  DEAD_LETTER_PREFIX,
  type DeadLetter,
  dayRange,
  deadLetterKey,
  decodeMetadataText,
  isDatedId,
  parseRawMetadata,
} from "../../shared/storage.ts";
import { clearLetter } from "./clearing.ts";
import type { JobContext, ProcessEnv } from "./env.ts";
import { isDay } from "./jobs.ts";
import { replaceOutcome } from "./receipts.ts";

/** A page of the letters a filter takes, by day, oldest first. */
export async function listDeadLetters(
  bucket: R2Bucket,
  { cursor, ...filter }: DeadLetterQuery,
): Promise<Page<DeadLetter> | OperationRefused> {
  const days = [filter.since, filter.until].filter((day) => day !== undefined);
  const wrong = days.find((day) => !isDay(day));
  if (wrong !== undefined) return { refused: `'${wrong}' is not a day; it has to be YYYY-MM-DD.` };
  const { after, before } = dayRange(DEAD_LETTER_PREFIX, filter);
  const startAfter = cursor ?? after;
  if (!startAfter.startsWith(DEAD_LETTER_PREFIX)) return { refused: "The cursor is none of this listing." };
  const listed = await bucket.list({
    ...{ prefix: DEAD_LETTER_PREFIX, startAfter, limit: PAGE_LIMITS.jobKeys },
    include: ["customMetadata"],
  });
  const within = listed.objects.filter(({ key }) => key < before);
  const taken = within.filter(({ customMetadata }) => isTaken(customMetadata, filter)).slice(0, PAGE_LIMITS.letters);
  const items: DeadLetter[] = [];
  for (const { key } of taken) {
    const object = await bucket.get(key);
    if (object !== null) items.push(await object.json<DeadLetter>());
  }
  const isFull = taken.length === PAGE_LIMITS.letters;
  const isLast = !listed.truncated || within.length < listed.objects.length;
  const next = isFull ? taken.at(-1)?.key : isLast ? undefined : within.at(-1)?.key;
  return next === undefined ? { items } : { items, cursor: next };
}

/** One letter and what is known of the raw object it is about. */
export async function getDeadLetter(bucket: R2Bucket, id: string): Promise<DeadLetterDetails | OperationRefused> {
  const letter = await readLetter(bucket, id);
  if (letter === undefined) return { refused: `There is no dead letter '${id}'.` };
  const object = letter.rawKey === "" ? null : await bucket.head(letter.rawKey);
  if (object === null) return { letter };
  const { key, size: sizeBytes, uploaded, customMetadata } = object;
  const raw: RawObject = {
    key,
    sizeBytes,
    storedAt: uploaded.toISOString(),
    metadata: parseRawMetadata(customMetadata),
  };
  return { letter, raw };
}

/** Sends the messages of letters again. A letter stays until its message succeeds. */
export function requeueDeadLetters(
  selection: DeadLetterSelection,
  context: JobContext,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  return eachSelected(selection, context, async (letter) => {
    const message = await messageAgain(letter, context);
    if ("refused" in message) return message;
    if (selection.dryRun) return "selected";
    const queue = message.kind === "points" ? context.env.QUEUE_POINTS : context.env.QUEUE_REPORTS;
    await queue.send(message);
    return "requeued";
  });
}

/** Removes letters, and says so in the receipts of their objects; the raw objects stay. */
export function discardDeadLetters(
  selection: DeadLetterSelection,
  context: JobContext,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  return eachSelected(selection, context, async ({ id, rawKey, part }) => {
    if (selection.dryRun) return "selected";
    const outcome = { outcome: "discarded", id, part, key: "" } as const;
    if (rawKey !== "") await replaceOutcome(context.env.R2_DMARC_REPORTS, rawKey, outcome);
    await clearLetter(id, context, "discarded");
    return "discarded";
  });
}

type Action = (letter: DeadLetter) => Promise<Exclude<DeadLetterResult["result"], "refused"> | OperationRefused>;

async function eachSelected(
  { ids, filter, cursor }: DeadLetterSelection,
  { env }: JobContext,
  action: Action,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  if ((ids === undefined) === (filter === undefined)) return { refused: "Give either ids or a filter." };
  if (ids !== undefined && ids.length > PAGE_LIMITS.letters) {
    return { refused: `Give at most ${PAGE_LIMITS.letters} ids.` };
  }
  const page = ids === undefined ? await listDeadLetters(env.R2_DMARC_REPORTS, { ...filter, cursor }) : undefined;
  if (page !== undefined && "refused" in page) return page;
  const results: DeadLetterResult[] = [];
  for (const letter of page?.items ?? []) results.push(await resultOf(letter, action));
  for (const id of ids ?? []) {
    const letter = await readLetter(env.R2_DMARC_REPORTS, id);
    if (letter !== undefined) results.push(await resultOf(letter, action));
    else results.push({ id, code: "", result: "refused", reason: `There is no dead letter '${id}'.` });
  }
  return page?.cursor === undefined ? { items: results } : { items: results, cursor: page.cursor };
}

async function resultOf(letter: DeadLetter, action: Action): Promise<DeadLetterResult> {
  const { id, reason } = letter;
  const result = await action(letter);
  if (typeof result === "string") return { id, code: reason.code, result };
  return { id, code: reason.code, result: "refused", reason: result.refused };
}

/** The message that tries again what a letter is about. */
async function messageAgain(
  { id, message, rawKey, generation }: DeadLetter,
  { env, nowSeconds }: JobContext,
): Promise<QueueMessage | OperationRefused> {
  const parsed = parseMessage(message);
  if (!parsed.ok) return { refused: "Its message is none of this pipeline's: there is nothing to send again." };
  if (parsed.value.kind === "points") {
    // The receipt no longer waits for a slice that was filed.
    const { awaited: _, ...slice } = parsed.value;
    return { ...slice, deadLetterId: id };
  }
  if (parsed.value.kind !== "report") return { ...parsed.value, deadLetterId: id };
  if ((await env.R2_DMARC_REPORTS.head(rawKey)) === null) return { refused: `${rawKey} is no longer in R2.` };
  const { alone: _, ...again } = parsed.value;
  return { ...again, generation: Math.max(nowSeconds, Math.floor(generation) + 1) };
}

async function readLetter(bucket: R2Bucket, id: string): Promise<DeadLetter | undefined> {
  const stored = isDatedId(id) ? await bucket.get(deadLetterKey(id)) : null;
  return stored === null ? undefined : stored.json<DeadLetter>();
}

function isTaken(metadata: Record<string, string> | undefined, { code, domain, account }: DeadLetterFilter): boolean {
  const is = (name: string, wanted: string | undefined): boolean =>
    wanted === undefined || decodeMetadataText(metadata?.[name] ?? "") === wanted;
  return is("code", code) && is("domain", domain) && is("account", account);
}

/** The bytes of a raw object, exactly as they came; undefined when there is none or the key is of something else. */
export async function readRawObject(
  { R2_DMARC_REPORTS: bucket }: ProcessEnv,
  key: string,
): Promise<Response | undefined> {
  const object = key.startsWith("raw/") ? await bucket.get(key) : null;
  if (object === null) return undefined;
  const headers = { "content-type": "application/octet-stream", "content-length": String(object.size) };
  return new Response(object.body, { headers });
}
