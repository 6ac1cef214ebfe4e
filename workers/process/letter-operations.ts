/** What an operator does with dead letters: search, look, send again, discard. A page of letters a call. */
import { type DeadLetterRow, deadLettersQuery } from "../../shared/ledger/dead-letters.ts";
import { findObjects, type ObjectRow } from "../../shared/ledger/objects.ts";
import { newSettlement, settle } from "../../shared/ledger/settlement.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { PAGE_LIMITS, PROCESS_LIMITS } from "../../shared/limits.ts";
import { parseMessage } from "../../shared/messages.ts";
import type {
  DeadLetterDetails,
  DeadLetterQuery,
  DeadLetterResult,
  DeadLetterSelection,
  OperationRefused,
  Page,
} from "../../shared/operations.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { isDatedId, parseRawMetadata, RAW_PREFIX } from "../../shared/storage.ts";
import { findLetters } from "./dead-letters.ts";
import type { Invocation, ProcessEnv } from "./env.ts";
import { eventPoint } from "./events.ts";
import { closedLetter } from "./filed-events.ts";
import { isDay } from "./job-pages.ts";
import { messageAgain } from "./kinds/table.ts";
import { writePoints } from "./points.ts";

/** A page of the letters a filter takes, by day, oldest first. */
export async function listDeadLetters(
  { cursor, since, until, code, domain, account }: DeadLetterQuery,
  { shards }: Invocation,
): Promise<Page<DeadLetterRow> | OperationRefused> {
  const wrong = [since, until].find((day) => day !== undefined && !isDay(day));
  if (wrong !== undefined) return { refused: `'${wrong}' is not a day; it has to be YYYY-MM-DD.` };
  if (cursor !== undefined && !isDatedId(cursor)) return { refused: "The cursor is none of this listing." };
  const filter = { code, domain, account, firstDay: dayNumber(since), lastDay: dayNumber(until) };
  const items = await askAll(shards.all, deadLettersQuery(filter, { after: cursor, limit: PAGE_LIMITS.letters }));
  const last = items.at(-1);
  return items.length < PAGE_LIMITS.letters || last === undefined ? { items } : { items, cursor: last.id };
}

/** One letter and what is known of the raw object it is about. */
export async function getDeadLetter(id: string, invocation: Invocation): Promise<DeadLetterDetails | OperationRefused> {
  const { env } = invocation;
  const [letter] = (await findLetters([id], invocation)).flatMap(({ letters }) => letters);
  if (letter === undefined) return { refused: `There is no dead letter '${id}'.` };
  const object = letter.rawKey === "" ? null : await env.R2_DMARC_REPORTS.head(letter.rawKey);
  if (object === null) return { letter };
  const { key, size: sizeBytes, uploaded, customMetadata } = object;
  return {
    letter,
    raw: { key, sizeBytes, storedAt: uploaded.toISOString(), metadata: parseRawMetadata(customMetadata) },
  };
}

/** Sends the messages of letters again. A letter stays until its message succeeds. */
export async function requeueDeadLetters(
  selection: DeadLetterSelection,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  const selected = await select(selection, invocation);
  if ("refused" in selected) return selected;
  const results = selected.missing.map(missingLetter);
  for (const letter of selected.letters) results.push(await requeue(letter, selection, invocation));
  return pageOf(asAsked(results, selection), selected.cursor);
}

async function requeue(
  letter: DeadLetterRow,
  { dryRun }: DeadLetterSelection,
  invocation: Invocation,
): Promise<DeadLetterResult> {
  const { id, code } = letter;
  const parsed = parseMessage(letter.queueMessage);
  if (!parsed.ok) {
    const reason = "Its message is none of this pipeline's: there is nothing to send again.";
    return { id, code, result: "refused", reason };
  }
  const message = await messageAgain(parsed.value, letter, invocation);
  if ("refused" in message) return { id, code, result: "refused", reason: message.refused };
  if (dryRun) return { id, code, result: "selected" };
  const { QUEUE_POINTS, QUEUE_REPORTS } = invocation.env;
  await (message.kind === "points" ? QUEUE_POINTS : QUEUE_REPORTS).send(message);
  return { id, code, result: "requeued" };
}

/** Removes letters for good: what they are about stays discarded when it is run again. The raw objects stay. */
export async function discardDeadLetters(
  selection: DeadLetterSelection,
  invocation: Invocation,
): Promise<Page<DeadLetterResult> | OperationRefused> {
  const selected = await select(selection, invocation);
  if ("refused" in selected) return selected;
  const { letters } = selected;
  if (!selection.dryRun) {
    const ids = letters.map(({ id }) => id);
    for (const filed of await findLetters(ids, invocation)) await discard(filed.letters, filed.place);
  }
  const result = selection.dryRun ? "selected" : "discarded";
  const results = [
    ...selected.missing.map(missingLetter),
    ...letters.map(({ id, code }) => ({ id, code, result }) as const),
  ];
  return pageOf(asAsked(results, selection), selected.cursor);
}

/** Discards letters of one database. */
async function discard(letters: readonly DeadLetterRow[], invocation: Invocation): Promise<void> {
  const { ledger, nowSeconds } = invocation;
  const [first] = letters;
  const points = letters.map((letter) => eventPoint(closedLetter(letter, "discarded"), letter.attempts, nowSeconds));
  const origin = { key: "", reportUid: first?.id ?? "", generation: nowSeconds, receivedSeconds: nowSeconds };
  await writePoints([{ dataset: "events", points }], origin, invocation);
  const closedDeadLetters = letters.map(({ id }) => id);
  for (let attempt = 1; attempt <= PROCESS_LIMITS.maxDecisions; attempt++) {
    const objects = await objectsWithout(letters, ledger);
    const { state } = await settle(ledger, { ...newSettlement(), closedDeadLetters, objects }, nowSeconds);
    if (state === "settled") return;
  }
  throw new Error("The objects of these letters are changed by others all the time.");
}

// An object remembers what was discarded.
async function objectsWithout(letters: readonly DeadLetterRow[], ledger: Invocation["ledger"]): Promise<ObjectRow[]> {
  const ids = new Set(letters.map(({ id }) => id));
  const named = new Map(letters.filter(({ rawKey }) => rawKey !== "").map((letter) => [letter.rawKey, letter]));
  const settled = await findObjects(ledger, [...named.values()]);
  return [...settled.values()].flatMap((object) => {
    const letter = named.get(object.rawKey);
    if (letter === undefined || !object.outcomes.some(({ id }) => ids.has(id))) return [];
    const { rua, receivedSeconds } = letter;
    const outcomes = object.outcomes.map((outcome) =>
      ids.has(outcome.id) ? { outcome: "discarded" as const, part: outcome.part, id: outcome.id } : outcome,
    );
    return [{ ...object, rua, receivedSeconds, outcomes }];
  });
}

interface Selected {
  letters: DeadLetterRow[];
  /** Ids of which there is no letter. */
  missing: string[];
  cursor: string | undefined;
}

async function select(
  { ids, filter, cursor }: DeadLetterSelection,
  invocation: Invocation,
): Promise<Selected | OperationRefused> {
  if ((ids === undefined) === (filter === undefined)) return { refused: "Give either ids or a filter." };
  if (ids === undefined) {
    const page = await listDeadLetters({ ...filter, cursor }, invocation);
    return "refused" in page ? page : { letters: page.items, missing: [], cursor: page.cursor };
  }
  if (ids.length > PAGE_LIMITS.letters) return { refused: `Give at most ${PAGE_LIMITS.letters} ids.` };
  const letters = (await findLetters(ids, invocation)).flatMap((filed) => filed.letters);
  const found = new Set(letters.map(({ id }) => id));
  return { letters, missing: ids.filter((id) => !found.has(id)), cursor: undefined };
}

function missingLetter(id: string): DeadLetterResult {
  return { id, code: "", result: "refused", reason: `There is no dead letter '${id}'.` };
}

// Of letters named by id the results are in the order they were named in.
function asAsked(results: DeadLetterResult[], { ids }: DeadLetterSelection): DeadLetterResult[] {
  const places = new Map(ids?.map((id, place) => [id, place]));
  return results.toSorted((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0));
}

function pageOf(items: DeadLetterResult[], cursor: string | undefined): Page<DeadLetterResult> {
  return cursor === undefined ? { items } : { items, cursor };
}

function dayNumber(day: string | undefined): number | undefined {
  return day === undefined ? undefined : Date.parse(`${day}T00:00:00Z`) / 1000 / SECONDS_PER_DAY;
}

/** The bytes of a raw object, exactly as they came; undefined when there is none or the key is of something else. */
export async function readRawObject(
  { R2_DMARC_REPORTS: bucket }: ProcessEnv,
  key: string,
): Promise<Response | undefined> {
  const object = key.startsWith(RAW_PREFIX) ? await bucket.get(key) : null;
  if (object === null) return undefined;
  const headers = { "content-type": "application/octet-stream", "content-length": String(object.size) };
  return new Response(object.body, { headers });
}
