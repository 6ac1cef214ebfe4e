/** Dead letters in R2: what could not become data, with its reason, kept until it is solved or a person decides. */
import { deadLetterId } from "../../shared/identity.ts";
import type { Page } from "../../shared/operations.ts";
import { type DeadLetter, dayOfRawKey, deadLetterKey, isoDate, metadataText } from "../../shared/storage.ts";
import type { JobContext } from "./env.ts";
import { eventPoint } from "./events.ts";
import { writePoints } from "./points.ts";

/** What the caller knows of a dead letter. */
export type DeadLetterInput = Omit<DeadLetter, "v" | "id" | "attempts" | "at">;

/** The id a dead letter has or will have. A message without a raw object is its own identity. */
export function idOfDeadLetter(input: DeadLetterInput, { sentSeconds }: JobContext): Promise<string> {
  const { rawKey, part, reason, message } = input;
  const day = dayOfRawKey(rawKey) ?? isoDate(sentSeconds);
  return deadLetterId(day, { rawKey: rawKey || JSON.stringify(message), part, code: reason.code });
}

/**
 * Files a dead letter and its event. The same failure of the same part meets the same key: filed again, it tells of the
 * last time.
 */
export async function fileDeadLetter(input: DeadLetterInput, context: JobContext): Promise<DeadLetter> {
  const id = await idOfDeadLetter(input, context);
  const at = new Date(context.nowSeconds * 1000).toISOString();
  const letter: DeadLetter = { v: 1, id, ...input, attempts: context.attempts, at };
  await context.env.R2_DMARC_REPORTS.put(deadLetterKey(id), JSON.stringify(letter), {
    customMetadata: letterMetadata(letter),
  });
  const { rawKey, generation, receivedSeconds, reason } = letter;
  const event = eventPoint(context, { ...letter, outcome: "dead_letter", code: reason.code });
  const origin = { key: rawKey, reportUid: id, generation, receivedSeconds };
  await writePoints([{ dataset: "events", points: [event] }], { origin, context });
  return letter;
}

// What letters are searched by, so that a listing need not read them.
function letterMetadata({ reason, domain, account }: DeadLetter): Record<string, string> {
  return { code: reason.code, domain: metadataText(domain), account: metadataText(account) };
}

/** A page of JSON objects below a prefix. */
export async function readPage<T>(
  bucket: R2Bucket,
  { prefix, cursor, limit }: { prefix: string; cursor: string | undefined; limit: number },
): Promise<Page<T>> {
  const listed = await bucket.list({ prefix, limit, ...(cursor === undefined ? {} : { cursor }) });
  const items: T[] = [];
  for (const { key } of listed.objects) {
    const object = await bucket.get(key);
    if (object !== null) items.push(await object.json<T>());
  }
  return listed.truncated ? { items, cursor: listed.cursor } : { items };
}
