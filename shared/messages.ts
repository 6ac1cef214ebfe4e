/**
 * The messages on the queues: `{ v: 1, kind, … }`, with keys and not content, except slices of points and small raw objects
 * that are never deleted. Every message is validated when read. Versions and kinds are never reused (`finish` was one).
 */
import * as v from "valibot";
import { DATASET_IDS } from "./analytics/columns.ts";
import { fail, ok, type Result } from "./result.ts";

const version = v.literal(1);

/** A raw object as it was stored, so that it need not be fetched. */
const carriedObject = v.object({
  /** Its bytes, base64: at most QUEUE_LIMITS.maxCarriedBytes of them. */
  content: v.string(),
  /** Its custom metadata (shared/storage.ts). */
  metadata: v.record(v.string(), v.string()),
});

/** Read the raw object under `key`. Sent to dmarc-reports; a large one is passed on to dmarc-points, to be read alone. */
const reportMessage = v.object({
  v: version,
  kind: v.literal("report"),
  /** R2 key of the raw object. */
  key: v.string(),
  /** The registered address it was sent to, lower case. */
  rua: v.string(),
  /** When the mail arrived, seconds since 1970 UTC. */
  receivedSeconds: v.number(),
  /** Set on reruns: points of a newer generation replace those of an older one. */
  generation: v.optional(v.number()),
  /** An earlier attempt may have been interrupted after writing points. */
  resent: v.optional(v.literal(true)),
  /** Other objects may have left this many points of its reports behind, which must be covered. */
  coversPoints: v.optional(v.number()),
  /** The uids of the reports that those points are of; absent in older messages: any of its reports. */
  coversUids: v.optional(v.array(v.string())),
  /** A person decided to accept it although the daily budget is used up. */
  liftsBudget: v.optional(v.literal(true)),
  /** The reprocess job that sent it: once the job is cancelled, the object is not read. */
  jobId: v.optional(v.string()),
  /** Set when re-sent to dmarc-points, where a batch is one message. */
  alone: v.optional(v.literal(true)),
  /** The raw object, in the message of the put that created it. What is not in this form is fetched from R2. */
  object: v.fallback(v.optional(carriedObject), undefined),
});

/** One value of all points, or one for each. */
const texts = v.union([v.string(), v.array(v.string())]);
const numbers = v.union([v.number(), v.array(v.number())]);

/** Points of one dataset by column; a value common to all points is stored once. */
const packedPoints = v.pipe(
  v.object({
    dataset: v.picklist(DATASET_IDS),
    count: v.number(),
    index: texts,
    blobs: v.array(texts),
    doubles: v.array(numbers),
  }),
  v.check(
    ({ count, index, blobs, doubles }) =>
      [index, ...blobs, ...doubles].every((column) => !Array.isArray(column) || column.length === count),
    "a column has not one value a point",
  ),
);

/** dmarc-points: write these points. At most 240 of them and 128 KB. */
const pointsMessage = v.object({
  v: version,
  kind: v.literal("points"),
  /** Raw key and report the points belong to, for the dead letter if they cannot be written. */
  key: v.string(),
  reportUid: v.string(),
  generation: v.number(),
  receivedSeconds: v.number(),
  /** Index of the slice within its report and generation. */
  slice: v.number(),
  points: v.array(packedPoints),
  /** The database of the ledger that tracks the report's slices; absent = 0, the first. */
  shard: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** The dead letter this message retries, cleared when it succeeds. */
  deadLetterId: v.optional(v.string()),
});

/**
 * dmarc-points: send a notice, digest or test to its channel. Not to dmarc-reports, whose batches would wait for a receiver that
 * does not answer.
 */
const deliveryMessage = v.object({
  v: version,
  kind: v.literal("delivery"),
  /** Number of the database that the delivery is in. */
  shard: v.number(),
  deliveryId: v.string(),
  /** Further deliveries to the same channel, in this order. */
  following: v.optional(v.array(v.string())),
});

/** dmarc-reports: do the next page of a job. */
const jobMessage = v.object({
  v: version,
  kind: v.literal("job"),
  jobId: v.string(),
  /** Page number, from 0. */
  page: v.number(),
  deadLetterId: v.optional(v.string()),
});

/** dmarc-points: send what waits for a target. */
const forwardMessage = v.object({
  v: version,
  kind: v.literal("forward"),
  /** Number of the database that the target is in. */
  shard: v.number(),
  /** Id of the target. */
  target: v.string(),
});

const message = v.variant("kind", [reportMessage, pointsMessage, jobMessage, deliveryMessage, forwardMessage]);

export type CarriedObject = v.InferOutput<typeof carriedObject>;
/** As ingest sends it. */
export type DeliveredReport = v.InferOutput<typeof reportMessage>;
/** As it is run, sent again and filed: without content. */
export type ReportMessage = Omit<DeliveredReport, "object"> & { object?: undefined };
export type PackedPoints = v.InferOutput<typeof packedPoints>;
export type PointsMessage = v.InferOutput<typeof pointsMessage>;
export type JobMessage = v.InferOutput<typeof jobMessage>;
export type DeliveryMessage = v.InferOutput<typeof deliveryMessage>;
export type ForwardMessage = v.InferOutput<typeof forwardMessage>;
export type QueueMessage = v.InferOutput<typeof message>;

/** The message that has a raw object read, or read again. */
export function messageAbout(
  { rawKey: key, rua, receivedSeconds }: { rawKey: string; rua: string; receivedSeconds: number },
  more: Partial<ReportMessage> = {},
): ReportMessage {
  return { v: 1, kind: "report", key, rua, receivedSeconds, ...more };
}

/** Validates a message body read from a queue; the error names the first invalid field. */
export function parseMessage(body: unknown): Result<QueueMessage, string> {
  const parsed = v.safeParse(message, body);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${v.getDotPath(issue) ?? "message"}: ${issue.message}`);
}

/** A message body without the content it may carry, valid or not: what may be kept longer than the message. */
export function withoutContent(body: unknown): unknown {
  if (typeof body !== "object" || body === null || !("object" in body)) return body;
  const { object: _, ...rest } = body;
  return rest;
}
