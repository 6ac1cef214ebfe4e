/** The process Worker: its queue consumer and its RPC entry point. It has no pages. */
import { consumeBatch } from "./consumer.ts";
import type { ProcessEnv } from "./env.ts";

export { Operations } from "./operations.ts";

export default {
  async queue(batch, env): Promise<void> {
    await consumeBatch(batch, env, {
      nowMilliseconds: () => Date.now(),
      random: () => Math.random(),
      log: (line) => console.log(line),
    });
  },

  fetch(): Response {
    return new Response("This Worker reads queues; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<ProcessEnv>;
