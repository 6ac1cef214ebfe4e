/** `points`: one slice of a report's points. A batch of `dmarc-points` holds one message, so it fits the write budget. */

import { unpackPoints } from "../../../shared/analytics/budget.ts";
import { eventPoint } from "../../../shared/analytics/events.ts";
import { sliceEventId } from "../../../shared/identity.ts";
import { change } from "../../../shared/ledger/database.ts";
import { markSlice, slicePart } from "../../../shared/ledger/slices.ts";
import type { PointsMessage } from "../../../shared/messages.ts";
import { type Invocation, inShard, inShardIfBound, type LogEntry } from "../env.ts";
import type { Received } from "../received.ts";
import {
  clearedEvents,
  exhausted,
  fileFailure,
  findDeadLettersAnywhere,
  removeDeadLettersAnywhere,
} from "../reports/dead-letters.ts";
import { writeNow } from "../reports/points.ts";
import { type MessageKind, runEach } from "./kind.ts";

export const pointsKind: MessageKind<PointsMessage> = {
  run: (received, invocation) =>
    runEach(received, (one) => writeSlice(one, inShard(invocation, one.message.shard ?? 0))),

  async fileExhausted(received, lastError, given) {
    const { message } = received;
    const invocation = inShardIfBound(given, message.shard ?? 0);
    const { key: rawKey, reportUid: uid, generation, slice, receivedSeconds } = message;
    const named = { receivedSeconds, rawKey, generation, part: slicePart(message) };
    return fileFailure(
      { ...exhausted(received, lastError), ...named },
      { others: [markSlice({ uid, generation, slice }, "d")] },
      invocation,
    );
  },

  async again(message, { id }) {
    return { ...message, deadLetterId: id };
  },
};

async function writeSlice({ message, attempts }: Received<PointsMessage>, invocation: Invocation): Promise<LogEntry> {
  const { key, reportUid, generation, slice, receivedSeconds, deadLetterId } = message;
  const { env, ledger, budget, nowSeconds } = invocation;
  const filed = await findDeadLettersAnywhere(deadLetterId === undefined ? [] : [deadLetterId], invocation);
  const groups = message.points.map((packed) => ({ dataset: packed.dataset, points: unpackPoints(packed) }));
  const count = groups.reduce((sum, { points }) => sum + points.length, 0);
  const id = await sliceEventId({ reportUid, generation, slice });
  const events = [
    eventPoint(
      { id, outcome: "slice", rawKey: key, generation, receivedSeconds, records: count },
      attempts,
      nowSeconds,
    ),
    ...clearedEvents(filed, attempts),
  ];
  if (!budget.take(count + events.length)) {
    throw new Error(`No budget left for a slice of ${count} points: max_batch_size must be 1.`);
  }
  await writeNow([...groups, { dataset: "events", points: events }], env);
  await change(ledger, [markSlice({ uid: reportUid, generation, slice }, "1")]);
  await removeDeadLettersAnywhere(filed);
  return { event: "points", key, reportUid, generation, slice, points: count };
}
