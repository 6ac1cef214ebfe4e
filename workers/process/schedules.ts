/** What process does on a schedule: the schedules of wrangler.process.toml, and what each of them runs. */

import { UPKEEP_LIMITS } from "../../shared/limits.ts";
import { ownValue } from "../../shared/own-value.ts";
import { runDomainChecks } from "./domains/check-domains.ts";
import type { Invocation, LogEntry } from "./env.ts";
import { enqueueForwards } from "./forward/targets.ts";
import { enqueueDeliveries } from "./notify/enqueue-deliveries.ts";
import { copyRegistry, runUpkeep } from "./upkeep.ts";
import { runWatch } from "./watch/round.ts";

/** Schedule → what it runs. A test compares the names with the TOML. */
export const SCHEDULES: Record<string, (invocation: Invocation) => Promise<LogEntry>> = {
  "* * * * *": watchAndNotify,
  "47 * * * *": copyAndCheck,
  "17 3 * * *": (invocation) => runUpkeep(invocation, Math.random()),
};

/** Runs one schedule. @returns what was done, for the log. @throws Error for an unknown one; whatever fails */
export async function runSchedule(cron: string, invocation: Invocation): Promise<LogEntry> {
  const run = ownValue(SCHEDULES, cron);
  if (run === undefined) throw new Error(`Nothing is to be done at '${cron}'.`);
  return run(invocation);
}

async function copyAndCheck(invocation: Invocation): Promise<LogEntry> {
  const copied = await copyRegistry(invocation, UPKEEP_LIMITS.copiesPerHour).catch((error: unknown) => ({ error }));
  const checked = await runDomainChecks(invocation);
  if (typeof copied === "object") throw copied.error;
  return { ...checked, copied };
}

async function watchAndNotify(invocation: Invocation): Promise<LogEntry> {
  // Earlier findings are sent even if the round over the domains fails.
  const watched = await runWatch(invocation).catch((error: unknown) => ({ error }));
  const deliveries = await enqueueDeliveries(invocation);
  const forwards = await enqueueForwards(invocation);
  if ("error" in watched) throw watched.error;
  return { ...watched, deliveries, forwards };
}
