/** Writing points: at once while the invocation's budget lasts, else as slices on `dmarc-points` for later invocations. */
import { slicePoints } from "../../shared/analytics/budget.ts";
import type { DataPoint, DatasetId } from "../../shared/analytics/columns.ts";
import { QUEUE_LIMITS } from "../../shared/limits.ts";
import type { PointsMessage } from "../../shared/messages.ts";
import { datasetBinding, type JobContext } from "./env.ts";

/** Whose points they are, for the dead letter of a slice that cannot be written. */
export interface PointOrigin {
  key: string;
  reportUid: string;
}

/**
 * Writes points of one dataset, or enqueues them where the budget of this invocation does not hold them all.
 *
 * @throws whatever Analytics Engine or the queue throws; writing the same points again changes no total
 */
export async function writePoints(
  dataset: DatasetId,
  points: DataPoint[],
  { origin, context }: { origin: PointOrigin; context: JobContext },
): Promise<void> {
  if (context.budget.take(points.length)) await writeNow(dataset, points, context);
  else await enqueueSlices(dataset, points, { origin, context });
}

/** Enqueues points in slices, as many messages a call as Queues takes. */
export async function enqueueSlices(
  dataset: DatasetId,
  points: DataPoint[],
  { origin, context }: { origin: PointOrigin; context: JobContext },
): Promise<void> {
  // Two slices of at most 120,000 bytes fit the 256,000 of one batch.
  const slicesPerBatch = Math.floor(QUEUE_LIMITS.maxBatchBytes / QUEUE_LIMITS.maxMessageBytes);
  const slices = slicePoints(points);
  for (let i = 0; i < slices.length; i += slicesPerBatch) {
    const batch = slices.slice(i, i + slicesPerBatch);
    await context.env.QUEUE_POINTS.sendBatch(
      batch.map((slice) => ({
        body: { v: 1, kind: "points", dataset, ...origin, points: slice } satisfies PointsMessage,
      })),
    );
  }
}

/** Writes one slice. A batch of `dmarc-points` holds one message, so it always fits the invocation's budget. */
export async function writeSlice(message: PointsMessage, context: JobContext): Promise<Record<string, unknown>> {
  if (!context.budget.take(message.points.length)) {
    throw new Error(`No budget left for a slice of ${message.points.length} points: max_batch_size must be 1.`);
  }
  await writeNow(message.dataset, message.points, context);
  return { event: "points", dataset: message.dataset, reportUid: message.reportUid, points: message.points.length };
}

async function writeNow(dataset: DatasetId, points: DataPoint[], { env }: JobContext): Promise<void> {
  const binding = datasetBinding(env, dataset);
  await Promise.all(points.map((point) => binding.writeDataPoint(point)));
}
