/** The process Worker: its queue consumer, its daily work and its RPC entry point. It has no pages. */

import { env as bindings } from "cloudflare:workers";
import { consumeBatch } from "./consumer.ts";
import { newInvocation, type ProcessEnv } from "./env.ts";
import { rehearse } from "./rehearsal.ts";
import { runSchedule } from "./schedules.ts";

await rehearse(bindings.D1_DMARC_REPORTS);

export { Operations } from "./operations/entry-point.ts";

export default {
  async queue(batch, env): Promise<void> {
    await consumeBatch(batch, env, {
      nowMilliseconds: () => Date.now(),
      random: () => Math.random(),
      log: (line) => console.log(line),
    });
  },

  async scheduled({ cron }, env): Promise<void> {
    const invocation = newInvocation(env, Date.now());
    console.log(JSON.stringify(await runSchedule(cron, invocation)));
  },

  fetch(): Response {
    return new Response("This Worker reads queues; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<ProcessEnv>;
