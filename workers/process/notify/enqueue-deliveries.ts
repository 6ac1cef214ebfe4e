/**
 * Cron's part in notifying: adds the deliveries that are due, and enqueues them. Bounded; what is left is done a minute
 * later.
 */
import {
  addDelivery,
  deliverNotices,
  digestChannelsQuery,
  takeDueDeliveries,
} from "../../../shared/ledger/channels.ts";
import { ask, type Change, change } from "../../../shared/ledger/database.ts";
import type { DeliveryMessage } from "../../../shared/messages.ts";
import { dueDigestDay } from "../../../shared/notify/digest-day.ts";
import { type Invocation, inEachShard } from "../env.ts";

/** Adds and enqueues deliveries in every database. @returns how many were enqueued. @throws whatever D1 or the queue throws */
export async function enqueueDeliveries(invocation: Invocation): Promise<number> {
  let enqueued = 0;
  for (const place of inEachShard(invocation)) enqueued += await enqueueInShard(place);
  return enqueued;
}

/** Enqueues a delivery of the invocation's database, to be attempted at once. @throws whatever the queue throws */
export async function enqueueDelivery(id: string, { env, shard }: Invocation): Promise<void> {
  const message: DeliveryMessage = { v: 1, kind: "delivery", shard, deliveryId: id };
  await env.QUEUE_POINTS.send(message);
}

async function enqueueInShard({ ledger, shard, env, nowSeconds }: Invocation): Promise<number> {
  const digests: Change[] = [];
  for (const channel of await ask(ledger, digestChannelsQuery())) {
    const day = dueDigestDay(channel, nowSeconds);
    if (day !== undefined) digests.push(addDelivery(channel, { kind: "digest", subject: day }, nowSeconds));
  }
  await change(ledger, [deliverNotices(nowSeconds), ...digests]);
  const due = await takeDueDeliveries(ledger, nowSeconds);
  if (due.length === 0) return 0;
  const messages = due.map(([deliveryId = "", ...following]): DeliveryMessage => {
    return { v: 1, kind: "delivery", shard, deliveryId, following };
  });
  await env.QUEUE_POINTS.sendBatch(messages.map((body) => ({ body })));
  return due.flat().length;
}
