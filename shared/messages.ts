/**
 * The messages on the queues: `{ v: 1, kind, … }`, keys and never content, except a slice of points. Every message is
 * validated when it is read. Versions and kinds are never reused (`finish` was one).
 */
import * as v from "valibot";
import { DATASET_IDS } from "./analytics/columns.ts";
import { fail, ok, type Result } from "./result.ts";

const version = v.literal(1);

/** Read the raw object under `key`. Sent to dmarc-reports; a large one goes on to dmarc-points, to be read alone. */
const reportMessage = v.object({
  v: version,
  kind: v.literal("report"),
  /** R2 key of the raw object. */
  key: v.string(),
  /** The registered address it was sent to, lower case. */
  rua: v.string(),
  /** When the mail arrived, seconds since 1970 UTC. */
  receivedSeconds: v.number(),
  /** Set when it is run again: a newer generation replaces the points of an older one. */
  generation: v.optional(v.number()),
  /** It may have been in work before, and cut off after its points were written. */
  resent: v.optional(v.literal(true)),
  /** So many points of its reports may have been left behind by other objects: they are covered. */
  coversPoints: v.optional(v.number()),
  /** A person lets it count although the day's budget of its address or account is used up. */
  liftsBudget: v.optional(v.literal(true)),
  /** The reprocess job that sent it: once that is cancelled, the object is not looked at. */
  jobId: v.optional(v.string()),
  /** Set on its way to dmarc-points, where a batch is one message. */
  alone: v.optional(v.literal(true)),
});

/** One value of all points, or one for each. */
const texts = v.union([v.string(), v.array(v.string())]);
const numbers = v.union([v.number(), v.array(v.number())]);

/** Points of one dataset by column: what all have in common is said once. */
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
  /** Place of the slice among those of its report and generation. */
  slice: v.number(),
  points: v.array(packedPoints),
  /** Which database of the ledger keeps account of the report's slices; absent = the first, 0. */
  shard: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** The dead letter this message was taken from: cleared when it succeeds. */
  deadLetterId: v.optional(v.string()),
});

/** dmarc-reports: do the next page of a job. */
const jobMessage = v.object({
  v: version,
  kind: v.literal("job"),
  jobId: v.string(),
  /** Which page, from 0. */
  page: v.number(),
  deadLetterId: v.optional(v.string()),
});

const message = v.variant("kind", [reportMessage, pointsMessage, jobMessage]);

export type ReportMessage = v.InferOutput<typeof reportMessage>;
export type PackedPoints = v.InferOutput<typeof packedPoints>;
export type PointsMessage = v.InferOutput<typeof pointsMessage>;
export type JobMessage = v.InferOutput<typeof jobMessage>;
export type QueueMessage = v.InferOutput<typeof message>;

/** Validates a message body as read from a queue; the error names the first field that is wrong. */
export function parseMessage(body: unknown): Result<QueueMessage, string> {
  const parsed = v.safeParse(message, body);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${v.getDotPath(issue) ?? "message"}: ${issue.message}`);
}
