/** What waits in a queue, as the platform counts it. */
import type { QueueBacklog } from "../../shared/operations.ts";

/** Asks a queue how much waits in it, and since when. @param name its name in the answer */
export async function backlog(name: string, queue: Queue): Promise<QueueBacklog> {
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
  const oldestSeconds = oldestMessageTimestamp === undefined ? 0 : Math.floor(Number(oldestMessageTimestamp) / 1000);
  return { queue: name, messages: backlogCount, bytes: backlogBytes, oldestSeconds };
}
