/**
 * The queue consumer: one batch is one invocation, with one write budget. Each message is acknowledged or retried by
 * itself. Bad input is filed as a dead letter and acknowledged; a fault is retried with backoff.
 */
import { PointBudget } from "../../shared/analytics/budget.ts";
import { parseMessage, type QueueMessage } from "../../shared/messages.ts";
import { retryDelaySeconds } from "./backoff.ts";
import { fileExhausted, fileInvalid } from "./dead-letters.ts";
import type { JobContext, ProcessEnv } from "./env.ts";
import { writeSlice } from "./points.ts";
import { reconcilePage } from "./reconcile.ts";
import { processReport } from "./report.ts";

export { Operations } from "./operations.ts";

const DEAD_LETTER_QUEUE = "dmarc-dead-letters";

export default {
  async queue(batch, env): Promise<void> {
    const budget = new PointBudget();
    for (const message of batch.messages) {
      const startedMilliseconds = Date.now();
      const context: JobContext = {
        env,
        budget,
        nowSeconds: Math.floor(startedMilliseconds / 1000),
        attempts: message.attempts,
      };
      const log = (entry: Record<string, unknown>): void =>
        console.log(
          JSON.stringify({ ...entry, attempts: message.attempts, milliseconds: Date.now() - startedMilliseconds }),
        );
      try {
        if (batch.queue === DEAD_LETTER_QUEUE) log(await fileExhausted(message.body, context));
        else log(await runMessage(message.body, context));
        message.ack();
      } catch (error) {
        const delaySeconds = retryDelaySeconds(message.attempts, Number(env.RETRY_BASE_SECONDS), Math.random());
        log({ event: "fault", queue: batch.queue, error: String(error), delaySeconds });
        message.retry({ delaySeconds });
      }
    }
  },

  fetch(): Response {
    return new Response("This Worker reads queues; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<ProcessEnv>;

async function runMessage(body: unknown, context: JobContext): Promise<Record<string, unknown>> {
  const parsed = parseMessage(body);
  return parsed.ok ? runJob(parsed.value, context) : fileInvalid(body, parsed.error, context);
}

function runJob(message: QueueMessage, context: JobContext): Promise<Record<string, unknown>> {
  switch (message.kind) {
    case "report":
      return processReport(message, context);
    case "points":
      return writeSlice(message, context);
    case "reconcile":
      return reconcilePage(message, context);
  }
}
