/** The process Worker: its queue consumer, its daily work and its RPC entry point. It has no pages. */

import { runDomainChecks } from "./check-domains.ts";
import { consumeBatch } from "./consumer.ts";
import { type Invocation, type LogEntry, newInvocation, type ProcessEnv } from "./env.ts";
import { rehearse } from "./rehearsal.ts";
import { runUpkeep } from "./upkeep.ts";
import { runWatch } from "./watch.ts";

/** As in wrangler.process.toml; the other one is the daily upkeep. */
const CHECK_CRON = "47 * * * *";
const WATCH_CRON = "* * * * *";

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
    console.log(JSON.stringify(await runScheduled(cron, invocation)));
  },

  fetch(): Response {
    return new Response("This Worker reads queues; it has no pages.\n", { status: 404 });
  },
} satisfies ExportedHandler<ProcessEnv>;

function runScheduled(cron: string, invocation: Invocation): Promise<LogEntry> {
  switch (cron) {
    case WATCH_CRON:
      return runWatch(invocation);
    case CHECK_CRON:
      return runDomainChecks(invocation);
    default:
      return runUpkeep(invocation, Math.random());
  }
}
