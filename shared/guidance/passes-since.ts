/** Whether a sender was set right within the period: it failed again and again, and since some day it passes. Pure. */
import { PERIOD_PARTS } from "../ledger/sources.ts";
import { VERDICT_LIMITS } from "../limits.ts";
import { passes, wouldBeHit } from "./evidence.ts";
import { partsOf } from "./mail-by-sender.ts";
import type { JudgedSource } from "./roles.ts";

/**
 * The last day on which its mail failed, in days since 1970 UTC; undefined where it may fail again. What fails once in a while, as a
 * monthly newsletter beside daily mail, is not taken for set right.
 */
export function passesSince({ evidence }: Pick<JudgedSource, "evidence">): number | undefined {
  let failed = 0;
  let passed = 0;
  let lastDay = 0;
  for (const group of evidence) {
    if (passes(group)) passed |= group.activeParts;
    if (!wouldBeHit(group)) continue;
    failed |= group.activeParts;
    lastDay = Math.max(lastDay, group.lastDay);
  }
  const failedIn = partsOf(failed);
  const last = failedIn.at(-1) ?? PERIOD_PARTS;
  const passedAfter = partsOf(passed).filter((part) => part > last);
  const { minFailedParts, minPassedParts } = VERDICT_LIMITS;
  if (failedIn.length < minFailedParts || passedAfter.length < minPassedParts) return undefined;
  const pauses = failedIn.slice(1).map((part, i) => part - (failedIn[i] ?? part));
  return passedAfter.length > Math.max(...pauses) ? lastDay : undefined;
}
