/** Writing points: at once while the invocation's budget lasts, else as slices on `dmarc-points` for later invocations. */
import { jsonBytes, type PointGroup, slicePoints, unpackPoints } from "../../shared/analytics/budget.ts";
import { sliceEventId } from "../../shared/identity.ts";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import type { PointsMessage } from "../../shared/messages.ts";
import { datasetBinding, type JobContext, type LogEntry, type ProcessEnv } from "./env.ts";
import { eventPoint } from "./events.ts";
import { markSlice } from "./slices.ts";

/** Whose points they are, for the dead letter of a slice that cannot be written. */
export type PointOrigin = Pick<PointsMessage, "key" | "reportUid" | "generation" | "receivedSeconds">;

/** Where points go, and the number of the first slice if they are cut. */
export interface Destination {
  origin: PointOrigin;
  context: JobContext;
  firstSlice?: number;
}

/**
 * Writes points, or enqueues them where the budget of this invocation does not hold them all.
 *
 * @throws whatever Analytics Engine or the queue throws; writing the same points again changes no total
 */
export async function writePoints(groups: PointGroup[], destination: Destination): Promise<void> {
  const { budget, env } = destination.context;
  if (budget.take(groups.reduce((sum, { points }) => sum + points.length, 0))) await writeNow(groups, env);
  else await enqueueSlices(groups, destination);
}

/** Enqueues points in slices, as many messages a call as Queues takes. @returns how many slices */
export async function enqueueSlices(groups: PointGroup[], destination: Destination): Promise<number> {
  const { origin, context, firstSlice = 0 } = destination;
  const { awaited } = context;
  const mark = awaited === undefined ? {} : ({ awaited: true } as const);
  const messages = slicePoints(groups).map(
    (points, i): PointsMessage => ({ v: 1, kind: "points", ...origin, slice: firstSlice + i, points, ...mark }),
  );
  awaited?.add({ ...origin, slices: firstSlice + messages.length });
  for (const batch of batches(messages)) {
    await context.env.QUEUE_POINTS.sendBatch(batch.map((body) => ({ body })));
  }
  return messages.length;
}

/** Writes one slice. A batch of `dmarc-points` holds one message, so it always fits the invocation's budget. */
export async function writeSlice(message: PointsMessage, context: JobContext): Promise<LogEntry> {
  const { key, reportUid, generation, slice, receivedSeconds } = message;
  const groups = message.points.map((packed) => ({ dataset: packed.dataset, points: unpackPoints(packed) }));
  const count = groups.reduce((sum, { points }) => sum + points.length, 0);
  const event = eventPoint(context, {
    id: await sliceEventId({ reportUid, generation, slice }),
    outcome: "slice",
    rawKey: key,
    generation,
    receivedSeconds,
    records: count,
  });
  if (!context.budget.take(count + 1)) {
    throw new Error(`No budget left for a slice of ${count} points: max_batch_size must be 1.`);
  }
  await writeNow([...groups, { dataset: "events", points: [event] }], context.env);
  if (message.awaited) await markSlice(context.env.R2_DMARC_REPORTS, message);
  return { event: "points", key, reportUid, generation, slice, points: count };
}

// One group after the other: an event tells of the points before it. Waits for every point of a group before it fails:
// what is left behind would be cut off with the invocation.
async function writeNow(groups: PointGroup[], env: ProcessEnv): Promise<void> {
  for (const { dataset, points } of groups) {
    const binding = datasetBinding(env, dataset);
    const written = await Promise.allSettled(points.map(async (point) => binding.writeDataPoint(point)));
    const failed = written.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

// One sendBatch takes 100 messages and 256,000 bytes, about 100 of metadata each included.
function* batches(messages: PointsMessage[]): Generator<PointsMessage[]> {
  let batch: PointsMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = jsonBytes(message) + QUEUE_LIMITS.metadataBytes;
    if (batch.length >= QUEUE_LIMITS.maxBatchMessages || bytes + size > QUEUE_LIMITS.maxBatchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(message);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
