/**
 * Writes points: at once while the invocation's budget lasts, otherwise as slices on `dmarc-points` for later
 * invocations.
 */
import { type PointGroup, slicePoints } from "../../../shared/analytics/budget.ts";
import type { DataPoint } from "../../../shared/analytics/columns.ts";
import { change } from "../../../shared/ledger/database.ts";
import { reserveSlices } from "../../../shared/ledger/slices.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import type { PointsMessage } from "../../../shared/messages.ts";
import { queueBatches } from "../../../shared/queue-batches.ts";
import { datasetBinding, type Invocation, type ProcessEnv } from "../env.ts";

/** Identifies the points, for the dead letter of a slice that cannot be written. */
type PointOrigin = Pick<PointsMessage, "key" | "reportUid" | "generation" | "receivedSeconds">;

/**
 * Writes points, or enqueues them when they exceed this invocation's budget.
 *
 * @throws whatever Analytics Engine or the queue throws; writing the same points again changes no total
 */
async function writePoints(groups: PointGroup[], origin: PointOrigin, invocation: Invocation): Promise<void> {
  const points = groups.reduce((sum, group) => sum + group.points.length, 0);
  if (invocation.budget.take(points)) await writeNow(groups, invocation.env);
  else await enqueue(slicesOf(groups, { ...origin, shard: invocation.shard }, 0), invocation.env);
}

/**
 * Writes events that belong to no report: their object identifies them, or what `reportUid` names.
 *
 * @throws as `writePoints` does
 */
export async function writeEvents(
  points: DataPoint[],
  origin: Omit<PointOrigin, "reportUid"> & Partial<PointOrigin>,
  invocation: Invocation,
): Promise<void> {
  if (points.length === 0) return;
  await writePoints([{ dataset: "events", points }], { reportUid: origin.key, ...origin }, invocation);
}

/**
 * Enqueues the points of one report in slices. The ledger records each slice before it is enqueued, so that a slice
 * lost with its queue is noticed and the report rerun.
 */
export class SliceSender {
  readonly #origin: PointOrigin & { rua: string };
  readonly #invocation: Invocation;
  #sent = 0;
  #reserved = 0;

  constructor(origin: PointOrigin & { rua: string }, invocation: Invocation) {
    this.#origin = origin;
    this.#invocation = invocation;
  }

  /** How many slices have been enqueued. */
  get sent(): number {
    return this.#sent;
  }

  /** Enqueues points. The same points in the same calls give the same slices. */
  async send(groups: PointGroup[]): Promise<void> {
    const { shard } = this.#invocation;
    const messages = slicesOf(groups, { ...this.#origin, shard }, this.#sent);
    await this.#reserve(this.#sent + messages.length);
    await enqueue(messages, this.#invocation.env);
    this.#sent += messages.length;
  }

  async #reserve(slices: number): Promise<void> {
    if (slices <= this.#reserved) return;
    const { key: rawKey, reportUid: uid, generation, receivedSeconds, rua } = this.#origin;
    // Reserves many at a time for a large report: each reservation is a query, and an invocation may make a thousand.
    const room = this.#reserved === 0 ? slices : slices + PROCESS_LIMITS.reservedSlices;
    const row = { uid, generation, rua, rawKey, receivedSeconds, slices: room };
    await change(this.#invocation.ledger, [reserveSlices(row, this.#invocation.nowSeconds)]);
    this.#reserved = room;
  }
}

function slicesOf(groups: PointGroup[], origin: PointOrigin & { shard: number }, firstSlice: number): PointsMessage[] {
  const { key, reportUid, generation, receivedSeconds, shard } = origin;
  return slicePoints(groups).map((points, i) => ({
    v: 1,
    kind: "points",
    key,
    reportUid,
    generation,
    receivedSeconds,
    slice: firstSlice + i,
    points,
    shard: shard === 0 ? undefined : shard,
  }));
}

async function enqueue(messages: PointsMessage[], { QUEUE_POINTS }: ProcessEnv): Promise<void> {
  for (const batch of queueBatches(messages)) await QUEUE_POINTS.sendBatch(batch);
}

/**
 * Writes points to their datasets. Groups are written in order, because an event refers to the points before it. Waits
 * for every point of a group before failing: unfinished writes would be cut off with the invocation.
 */
export async function writeNow(groups: PointGroup[], env: ProcessEnv): Promise<void> {
  for (const { dataset, points } of groups) {
    const binding = datasetBinding(env, dataset);
    const written = await Promise.allSettled(points.map(async (point) => binding.writeDataPoint(point)));
    const failed = written.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}
