/**
 * The messages on the queues: `{ v: 1, kind, … }`, keys and never content, except a slice of points. Every message is
 * validated when it is read. Versions and kinds are never reused.
 */
import * as v from "valibot";
import { fail, ok, type Result } from "./result.ts";

const version = v.literal(1);

/** dmarc-reports: read the raw object under `key`. */
const reportMessage = v.object({
  v: version,
  kind: v.literal("report"),
  /** R2 key of the raw object. */
  key: v.string(),
  /** The registered address it was sent to, lower case. */
  rua: v.string(),
  /** When the mail arrived, seconds since 1970 UTC. */
  receivedSeconds: v.number(),
  /** Set when an operator runs it again: a newer generation replaces the points of an older one. */
  generation: v.optional(v.number()),
});

/** dmarc-points: write these points. At most 240 points and 128 KB. */
const pointsMessage = v.object({
  v: version,
  kind: v.literal("points"),
  /** Which binding's dataset they go to. */
  dataset: v.picklist(["records", "events", "tls", "failures"]),
  /** Raw key and report the points belong to, for the dead letter if they cannot be written. */
  key: v.string(),
  reportUid: v.string(),
  points: v.array(v.object({ indexes: v.array(v.string()), blobs: v.array(v.string()), doubles: v.array(v.number()) })),
});

/** dmarc-reports: find raw objects that were never finished and enqueue them, a page at a time. */
const reconcileMessage = v.object({
  v: version,
  kind: v.literal("reconcile"),
  /** R2 key to go on after; absent = from the beginning. */
  after: v.optional(v.string()),
});

const message = v.variant("kind", [reportMessage, pointsMessage, reconcileMessage]);

export type ReportMessage = v.InferOutput<typeof reportMessage>;
export type PointsMessage = v.InferOutput<typeof pointsMessage>;
export type ReconcileMessage = v.InferOutput<typeof reconcileMessage>;
export type QueueMessage = v.InferOutput<typeof message>;

/** Validates a message body as read from a queue; the error names the first field that is wrong. */
export function parseMessage(body: unknown): Result<QueueMessage, string> {
  const parsed = v.safeParse(message, body);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return fail(`${v.getDotPath(issue) ?? "message"}: ${issue.message}`);
}
