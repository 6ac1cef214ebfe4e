/** The process Worker: its queue consumer, its daily work and its RPC entry point. It has no pages. */

import { runDomainChecks } from "./check-domains.ts";
import { consumeBatch } from "./consumer.ts";
import { newInvocation, type ProcessEnv } from "./env.ts";
import { rehearse } from "./rehearsal.ts";
import { runUpkeep } from "./upkeep.ts";

/** As in wrangler.process.toml; the other one is the daily upkeep. */
const CHECK_CRON = "47 * * * *";

await rehearse();

export { Operations } from "./operations.ts";

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
    const done = cron === CHECK_CRON ? await runDomainChecks(invocation) : await runUpkeep(invocation, Math.random());
    console.log(JSON.stringify(done));
  },

  fetch(): Response {
    return new Response("This Worker reads queues; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<ProcessEnv>;
