/**
 * The pages of a job: which raw objects come next. Taken from R2 listings with custom metadata and from the ledger; no
 * object is opened.
 */
import * as v from "valibot";
import { nextGeneration } from "../../../shared/analytics/events.ts";
import { domainName } from "../../../shared/domain-name.ts";
import { accountsWithDataQuery } from "../../../shared/ledger/data-extent.ts";
import { ask, type Change } from "../../../shared/ledger/database.ts";
import type { Job } from "../../../shared/ledger/jobs.ts";
import { finishedKeys, type ObjectReference, putUnfinished } from "../../../shared/ledger/objects.ts";
import { objectsOfDomainQuery } from "../../../shared/ledger/reports.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { dueSlicesQuery, removeFinishedSlices, removeSlices } from "../../../shared/ledger/slices.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import { messageAbout, type ReportMessage } from "../../../shared/messages.ts";
import { parseDay, SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { datePath, dayOfRawKey, dayRange, parseRawMetadata, RAW_PREFIX } from "../../../shared/storage.ts";
import { type Invocation, inEachShard, inShard } from "../env.ts";
import { listObjects } from "../reports/raw-object.ts";
import { forgetPage } from "./forget-account.ts";

export interface JobPage {
  messages: ReportMessage[];
  scanned: number;
  /** The start of the next page; undefined on the last one. */
  cursor: string | undefined;
  /** Changes to make, by database, once the messages have been enqueued. */
  whenEnqueued: { place: Invocation; changes: Change[] }[];
  /** Raw objects and rows that were removed; absent = none. */
  removed?: number;
  /** Seconds until the next page is due; absent = at once. */
  delaySeconds?: number;
}

/** The next page of a job. */
export async function jobPage(job: Job, invocation: Invocation): Promise<JobPage> {
  if (job.kind === "forget") return { messages: [], whenEnqueued: [], ...(await forgetPage(job, invocation)) };
  if (job.kind === "reconcile") return reconcilePage(job, invocation);
  return job.filter.domain === undefined ? rawPage(job, invocation) : domainPage(job, job.filter.domain, invocation);
}

/** Raw objects by key, prefix and day. */
async function rawPage({ id: jobId, filter, generation, cursor }: Job, { env }: Invocation): Promise<JobPage> {
  const { R2_DMARC_REPORTS: bucket } = env;
  if (filter.key !== undefined) {
    const object = await bucket.head(filter.key);
    const messages = object === null ? [] : [messageAbout(referenceOf(object), { generation, jobId })];
    return { messages, scanned: 1, cursor: undefined, whenEnqueued: [] };
  }
  const { after, before } = dayRange(RAW_PREFIX, filter);
  const page = await bucket.list({
    prefix: filter.prefix ?? RAW_PREFIX,
    startAfter: cursor === "" ? after : cursor,
    limit: PAGE_LIMITS.jobKeys,
    include: ["customMetadata"],
  });
  const objects = page.objects.filter(({ key }) => key < before);
  const isLast = !page.truncated || objects.length < page.objects.length;
  return {
    messages: objects.map((object) => messageAbout(referenceOf(object), { generation, jobId })),
    scanned: objects.length,
    cursor: isLast ? undefined : objects.at(-1)?.key,
    whenEnqueued: [],
  };
}

/** Raw objects that reports about one domain were accepted from, according to the ledger. */
async function domainPage(
  { id: jobId, filter, generation, cursor }: Job,
  domain: string,
  { shards }: Invocation,
): Promise<JobPage> {
  const { after, before } = dayRange(RAW_PREFIX, filter);
  const accounts = await askAll(shards.all, accountsWithDataQuery());
  const about = { accounts, domain: domainName(domain), after: cursor === "" ? after : cursor, before };
  const objects = await askAll(shards.all, objectsOfDomainQuery(about, PAGE_LIMITS.jobKeys));
  return {
    messages: objects.map((object) => messageAbout(object, { generation, jobId })),
    scanned: objects.length,
    cursor: objects.length === PAGE_LIMITS.jobKeys ? objects.at(-1)?.rawKey : undefined,
    whenEnqueued: [],
  };
}

/** The position of a reconcile job: a day, the key it continues after, and what it has counted for the day. */
const reconcileCursor = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ day: v.number(), oldest: v.number(), after: v.string(), unfinished: v.number() }),
);
type ReconcileCursor = v.InferOutput<typeof reconcileCursor>;

/**
 * Raw objects without an outcome, newest day first: received but never finished (a purged queue, a local stack killed
 * with messages in memory). The first page also has reports whose slices are overdue.
 */
async function reconcilePage(job: Job, invocation: Invocation): Promise<JobPage> {
  const page: JobPage = { messages: [], scanned: 0, cursor: undefined, whenEnqueued: [] };
  if (job.cursor === "") for (const place of inEachShard(invocation)) await addDueSlices(page, job, place);
  let at = job.cursor === "" ? await firstDay(job, invocation) : v.parse(reconcileCursor, job.cursor);
  for (let i = 0; i < PAGE_LIMITS.jobListings && at !== undefined && page.scanned < PAGE_LIMITS.jobKeys; i++) {
    at = await reconcileSome(at, { page, job }, invocation);
  }
  return { ...page, cursor: at === undefined ? undefined : JSON.stringify(at) };
}

async function firstDay({ filter }: Job, { env, nowSeconds }: Invocation): Promise<ReconcileCursor | undefined> {
  // Keys sort by day: the first one is the oldest.
  const [first] = (await env.R2_DMARC_REPORTS.list({ prefix: RAW_PREFIX, limit: 1 })).objects;
  const oldest = parseDay(dayOfRawKey(first?.key ?? "")?.replaceAll("/", "-") ?? "");
  if (oldest === undefined) return undefined;
  const since = Math.max(oldest, parseDay(filter.since ?? "") ?? oldest);
  const day = parseDay(filter.until ?? "") ?? Math.floor(nowSeconds / SECONDS_PER_DAY);
  return day < since ? undefined : { day, oldest: since, after: "", unfinished: 0 };
}

async function reconcileSome(
  at: ReconcileCursor,
  { page, job }: { page: JobPage; job: Job },
  invocation: Invocation,
): Promise<ReconcileCursor | undefined> {
  const { env, shards, nowSeconds } = invocation;
  const prefix = `${RAW_PREFIX}${datePath(at.day * SECONDS_PER_DAY)}/`;
  const listed = await listObjects(env, { prefix, after: at.after });
  const unfinished = await withoutOutcome(listed.objects, shards);
  page.scanned += listed.objects.length;
  const ripe = unfinished
    .map(referenceOf)
    .filter(({ receivedSeconds }) => receivedSeconds <= nowSeconds - job.graceSeconds);
  // Its last delivery may have been interrupted.
  page.messages.push(...ripe.map((object) => messageAbout(object, { resent: true })));
  const counted = at.unfinished + unfinished.length;
  if (listed.next !== undefined) return { ...at, after: listed.next, unfinished: counted };
  const unfinishedDay = putUnfinished({ day: at.day, objects: counted, seenSeconds: nowSeconds });
  page.whenEnqueued.push({ place: inShard(invocation, 0), changes: [unfinishedDay] });
  return at.day <= at.oldest ? undefined : { day: at.day - 1, oldest: at.oldest, after: "", unfinished: 0 };
}

/** Of one database. */
async function addDueSlices(page: JobPage, { graceSeconds }: Job, place: Invocation): Promise<void> {
  const { ledger, nowSeconds } = place;
  const beforeSeconds = nowSeconds - graceSeconds;
  const changes: Change[] = [removeFinishedSlices(beforeSeconds)];
  page.whenEnqueued.push({ place, changes });
  for (const due of await ask(ledger, dueSlicesQuery(beforeSeconds, PAGE_LIMITS.dueSlices))) {
    const generation = nextGeneration(due.generation, nowSeconds);
    page.messages.push(messageAbout(due, { generation, resent: true }));
    // A rerun report gets new slices.
    changes.push(removeSlices(due));
  }
}

/** Which of the given raw objects have no outcome in any database of the ledger. */
export async function withoutOutcome(objects: readonly R2Object[], { all }: Invocation["shards"]): Promise<R2Object[]> {
  const references = objects.map(referenceOf);
  const finished = await Promise.all(all.map((ledger) => finishedKeys(ledger, references)));
  return objects.filter(({ key }) => !finished.some((keys) => keys.has(key)));
}

function referenceOf({ key: rawKey, customMetadata }: R2Object): ObjectReference {
  const { rua, receivedSeconds } = parseRawMetadata(customMetadata);
  return { rawKey, rua, receivedSeconds };
}
