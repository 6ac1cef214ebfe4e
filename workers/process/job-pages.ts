/**
 * The pages of a job: which raw objects come next. Read from listings of R2 alone, with what the objects' custom
 * metadata says; no object is opened.
 */
import { PAGE_LIMITS, PROCESS_LIMITS } from "../../shared/limits.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import {
  dayOfRawKey,
  dayRange,
  decodeMetadataText,
  type Job,
  parseRawMetadata,
  RAW_PREFIX,
  RECEIPT_PREFIX,
  REPORT_PREFIX,
  rawKeyOfReceipt,
  receiptKey,
  safeSegment,
} from "../../shared/storage.ts";
import type { ProcessEnv } from "./env.ts";

export interface JobPage {
  messages: ReportMessage[];
  scanned: number;
  /** Where the next page begins; undefined on the last one. */
  cursor: string | undefined;
}

/** Raw objects by key, prefix and day. */
export async function listRawPage({ R2_DMARC_REPORTS: bucket }: ProcessEnv, job: Job): Promise<JobPage> {
  const { filter, generation } = job;
  if (filter.key !== undefined) {
    const object = await bucket.head(filter.key);
    const messages = object === null ? [] : [{ ...reportMessage(object), generation }];
    return { messages, scanned: 1, cursor: undefined };
  }
  const { objects, cursor } = await listRaw(bucket, job);
  return {
    messages: objects.map((object) => ({ ...reportMessage(object), generation })),
    scanned: objects.length,
    cursor,
  };
}

/** Raw objects without a receipt: received and never finished (a purged queue, a local stack killed with messages in memory). */
export async function listUnfinishedPage({ R2_DMARC_REPORTS: bucket }: ProcessEnv, job: Job): Promise<JobPage> {
  const { objects, cursor } = await listRaw(bucket, job);
  const unfinished = await withoutReceipt(bucket, objects);
  return { messages: unfinished.map(reportMessage), scanned: objects.length, cursor };
}

/** Raw objects that reports about one domain were accepted from, by the ledger, account by account. */
export async function listLedgerPage({ R2_DMARC_REPORTS: bucket }: ProcessEnv, job: Job): Promise<JobPage> {
  const { filter, generation } = job;
  const messages = new Map<string, ReportMessage>();
  let scanned = 0;
  let cursor: string | undefined = job.cursor;
  for (let i = 0; i < PAGE_LIMITS.jobAccounts && cursor !== undefined; i++) {
    const account = await accountFrom(bucket, cursor);
    if (account === undefined) return { messages: [...messages.values()], scanned, cursor: undefined };
    const prefix = `${REPORT_PREFIX}${account}/${safeSegment(filter.domain ?? "")}/`;
    const startAfter = cursor.startsWith(prefix) ? cursor : prefix;
    const page = await bucket.list({ prefix, startAfter, limit: PAGE_LIMITS.jobKeys, include: ["customMetadata"] });
    for (const { customMetadata } of page.objects) {
      const key = customMetadata?.rawKey ?? "";
      if (!isWithinDays(key, filter)) continue;
      const rua = decodeMetadataText(customMetadata?.rua ?? "");
      const receivedSeconds = Number(customMetadata?.received ?? 0);
      messages.set(key, { v: 1, kind: "report", key, rua, receivedSeconds, generation });
    }
    scanned += page.objects.length;
    // "0" is the character after "/": beyond all keys of the account.
    cursor = page.truncated ? page.objects.at(-1)?.key : `${REPORT_PREFIX}${account}0`;
    if (scanned >= PAGE_LIMITS.jobKeys) break;
  }
  return { messages: [...messages.values()], scanned, cursor };
}

/** Counts raw objects without a receipt, looking at a bounded number of keys. */
export async function countUnfinished(bucket: R2Bucket): Promise<{ unfinished: number; limit: number }> {
  const limit = PROCESS_LIMITS.statusKeys;
  let unfinished = 0;
  let scanned = 0;
  let cursor: string | undefined = "";
  while (cursor !== undefined && scanned < limit) {
    const page: RawPage = await listRaw(bucket, { filter: {}, cursor }, []);
    unfinished += (await withoutReceipt(bucket, page.objects)).length;
    scanned += page.objects.length;
    cursor = page.cursor;
  }
  return { unfinished, limit };
}

interface RawPage {
  objects: R2Object[];
  cursor: string | undefined;
}

// A page with metadata holds fewer keys than one without: R2 bounds its bytes.
async function listRaw(
  bucket: R2Bucket,
  { filter, cursor }: Pick<Job, "filter" | "cursor">,
  include: "customMetadata"[] = ["customMetadata"],
): Promise<RawPage> {
  const { after, before } = dayRange(RAW_PREFIX, filter);
  const page = await bucket.list({
    prefix: filter.prefix ?? RAW_PREFIX,
    startAfter: cursor === "" ? after : cursor,
    limit: PAGE_LIMITS.jobKeys,
    include,
  });
  const objects = page.objects.filter(({ key }) => key < before);
  const isLast = !page.truncated || objects.length < page.objects.length;
  return { objects, cursor: isLast ? undefined : objects.at(-1)?.key };
}

// Raw keys and receipt keys sort alike, so one listing can be held against the other.
async function withoutReceipt(bucket: R2Bucket, objects: R2Object[]): Promise<R2Object[]> {
  const [first] = objects;
  const last = objects.at(-1);
  if (first === undefined || last === undefined) return [];
  const finished = new Set<string>();
  // The parent of the first key sorts before it, and after every key of an earlier object.
  let startAfter: string | undefined = receiptKey(first.key.slice(0, first.key.lastIndexOf("/")));
  while (startAfter !== undefined && startAfter < receiptKey(last.key)) {
    const page: R2Objects = await bucket.list({ prefix: RECEIPT_PREFIX, startAfter });
    for (const { key } of page.objects) finished.add(rawKeyOfReceipt(key));
    startAfter = page.truncated ? page.objects.at(-1)?.key : undefined;
  }
  return objects.filter(({ key }) => !finished.has(key));
}

async function accountFrom(bucket: R2Bucket, cursor: string): Promise<string | undefined> {
  const [, account, ...rest] = cursor.split("/");
  if (account !== undefined && rest.length > 0) return account;
  const startAfter = cursor === "" ? REPORT_PREFIX : cursor;
  const { delimitedPrefixes } = await bucket.list({ prefix: REPORT_PREFIX, delimiter: "/", startAfter, limit: 1 });
  return delimitedPrefixes[0]?.split("/")[1];
}

function isWithinDays(key: string, { since, until }: Job["filter"]): boolean {
  const day = dayOfRawKey(key)?.replaceAll("/", "-");
  return day !== undefined && (since === undefined || day >= since) && (until === undefined || day <= until);
}

function reportMessage({ key, customMetadata }: R2Object): ReportMessage {
  const { rua, receivedSeconds } = parseRawMetadata(customMetadata);
  return { v: 1, kind: "report", key, rua, receivedSeconds };
}
