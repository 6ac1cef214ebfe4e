/** What waits in the queues, as the platform counts it. */
import type { QueueBacklog } from "../../shared/operations.ts";
import type { ProcessEnv } from "./env.ts";

/** Asks the queues how much waits in each, and since when. @returns a promise for each, under its name in this deployment */
export function backlogs({
  PREFIX,
  QUEUE_REPORTS,
  QUEUE_POINTS,
  QUEUE_DEAD_LETTERS,
}: ProcessEnv): Promise<QueueBacklog>[] {
  return [
    backlog(`${PREFIX}-reports`, QUEUE_REPORTS),
    backlog(`${PREFIX}-points`, QUEUE_POINTS),
    backlog(`${PREFIX}-dead-letters`, QUEUE_DEAD_LETTERS),
  ];
}

async function backlog(name: string, queue: Queue): Promise<QueueBacklog> {
  const { backlogCount, backlogBytes, oldestMessageTimestamp } = await queue.metrics();
  const oldestSeconds = oldestMessageTimestamp === undefined ? 0 : Math.floor(Number(oldestMessageTimestamp) / 1000);
  return { queue: name, messages: backlogCount, bytes: backlogBytes, oldestSeconds };
}
