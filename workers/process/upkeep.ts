/** What runs by itself once a day. */
import { change } from "../../shared/ledger/database.ts";
import { removeOldFaults } from "../../shared/ledger/faults.ts";
import { unfinishedDays } from "../../shared/ledger/objects.ts";
import { UPKEEP_LIMITS } from "../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { isoDate } from "../../shared/storage.ts";
import type { Invocation, LogEntry } from "./env.ts";
import { startJob } from "./start-job.ts";

/** Enqueues what was received and never finished: of the newest days, and back to the oldest day known to have such. */
export async function runUpkeep(invocation: Invocation, random: number): Promise<LogEntry> {
  const { ledger, nowSeconds } = invocation;
  await change(ledger, [removeOldFaults(nowSeconds - UPKEEP_LIMITS.keptFaultSeconds)]);
  const unfinished = await unfinishedDays(ledger);
  const newest = Math.floor(nowSeconds / SECONDS_PER_DAY) - UPKEEP_LIMITS.reconciledDays + 1;
  const first = Math.min(newest, ...unfinished.map(({ day }) => day));
  const { graceSeconds } = UPKEEP_LIMITS;
  const filter = { since: isoDate(first * SECONDS_PER_DAY) };
  const job = await startJob({ kind: "reconcile", random, graceSeconds }, { filter }, invocation);
  return "refused" in job ? { event: "upkeep", ...job } : { event: "upkeep", jobId: job.id, since: filter.since };
}
