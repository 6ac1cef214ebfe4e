/**
 * The messages on the queues: `{ v: 1, kind, … }`, keys and never content, except a slice of points. Every message is
 * validated when it is read. Versions and kinds are never reused.
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
  /** Content hash of a report in conflict that a person has accepted: it replaces the one accepted first. */
  acceptHash: v.optional(v.string()),
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
  /** A receipt waits for this slice: mark it when it has been dealt with. */
  awaited: v.optional(v.literal(true)),
  /** The dead letter this message was taken from: cleared when it succeeds. */
  deadLetterId: v.optional(v.string()),
});

/** dmarc-reports: do the next page of a job (R2 `jobs/<id>.json`). */
const jobMessage = v.object({
  v: version,
  kind: v.literal("job"),
  jobId: v.string(),
  /** Which page, from 0. */
  page: v.number(),
  deadLetterId: v.optional(v.string()),
});

/** dmarc-reports: write the receipt that waits in R2 under `pending/`, if all slices have been dealt with. */
const finishMessage = v.object({
  v: version,
  kind: v.literal("finish"),
  key: v.string(),
  rua: v.string(),
  receivedSeconds: v.number(),
  generation: v.number(),
  /** How often it was looked at before. */
  tries: v.number(),
  deadLetterId: v.optional(v.string()),
});

const message = v.variant("kind", [reportMessage, pointsMessage, finishMessage, jobMessage]);

export type ReportMessage = v.InferOutput<typeof reportMessage>;
export type PackedPoints = v.InferOutput<typeof packedPoints>;
export type PointsMessage = v.InferOutput<typeof pointsMessage>;
export type FinishMessage = v.InferOutput<typeof finishMessage>;
export type JobMessage = v.InferOutput<typeof jobMessage>;
export type QueueMessage = v.InferOutput<typeof message>;

/** Validates a message body as read from a queue; the error names the first field that is wrong. */
export function parseMessage(body: unknown): Result<QueueMessage, string> {
  const parsed = v.safeParse(message, body);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${v.getDotPath(issue) ?? "message"}: ${issue.message}`);
}
