/** What a digest of an account says, from stored verdicts, incidents and notices. */
import * as v from "valibot";
import { VERDICT_STATES } from "../guidance/verdict.ts";
import { NOTIFY_LIMITS } from "../limits.ts";
import type { DigestFacts, StoryDay } from "../notify/story.ts";
import { type DayRange, SECONDS_PER_DAY } from "../report-day.ts";
import { isoDate } from "../storage.ts";
import { ask, knows, type LedgerDatabase, query } from "./database.ts";
import { domainVerdictsQuery } from "./domain-verdicts.ts";
import { incidentsQuery, noticeCountsQuery, noticesBetweenQuery } from "./notices.ts";

const stateRow = v.object({ state: v.picklist(VERDICT_STATES), domains: v.number(), messages: v.number() });

/** By day, the messages that verdicts count: of forged reports, a digest has no room to say that they may be. */
const COUNTED_DAYS = `SELECT day, sum(total - uncounted_total) AS messages, sum(passed - uncounted_passed) AS passed
  FROM domain_days WHERE account = ?1 AND kind = 'aggregate' AND day BETWEEN ?2 AND ?3 GROUP BY day`;

const dayRow = v.object({ day: v.number(), messages: v.number(), passed: v.number() });

/** States in which a domain needs attention. */
const NEEDED: readonly string[] = ["beingRejected", "notYet", "ready", "silent"];

/** Reads what a digest says. @param fromSeconds when the digest before was due, seconds since 1970 UTC */
export async function readDigestFacts(
  ledger: LedgerDatabase,
  account: string,
  {
    interval,
    day,
    fromSeconds,
    toSeconds,
  }: Pick<DigestFacts, "interval" | "day"> & { fromSeconds: number; toSeconds: number },
): Promise<DigestFacts> {
  const sql = `SELECT state, count(*) AS domains, sum(messages) AS messages FROM domain_verdicts
    WHERE account = ?1 AND place >= 0 AND ${knows("state", VERDICT_STATES)} GROUP BY state ORDER BY min(place)`;
  const states = await ask(ledger, query(sql, [account], stateRow));
  // The worst come first, so those that need attention are among the first.
  const worst = await ask(ledger, domainVerdictsQuery([account], { limit: NOTIFY_LIMITS.digestDomains }));
  const needed = worst.filter(({ state }) => NEEDED.includes(state));
  const openIncidents = await ask(
    ledger,
    incidentsQuery([account], { state: "open", limit: NOTIFY_LIMITS.digestDomains }),
  );
  const notices = await ask(
    ledger,
    noticesBetweenQuery(account, { fromSeconds, toSeconds, limit: NOTIFY_LIMITS.digestDomains }),
  );
  const [counts] = await ask(ledger, noticeCountsQuery(account, { fromSeconds, toSeconds }));
  const { firstDay, lastDay } = lastDays(toSeconds);
  const days = await ask(ledger, query(COUNTED_DAYS, [account, firstDay, lastDay], dayRow));
  return {
    interval,
    day,
    days: filled(days, lastDays(toSeconds)),
    states,
    needed: needed.slice(0, NOTIFY_LIMITS.digestItems).map(({ domain, state, atRisk, reasons, nextRecord }) => ({
      domain,
      state,
      atRisk,
      reason: reasons[0]?.sentence ?? "",
      nextRecord,
    })),
    neededCount: states.reduce((sum, { state, domains }) => sum + (NEEDED.includes(state) ? domains : 0), 0),
    openIncidents,
    openCount: counts?.open ?? 0,
    notices,
    noticeCount: counts?.notices ?? 0,
  };
}

/** The days before the one of a digest: reports of today have not come yet. */
function lastDays(seconds: number): DayRange {
  const today = Math.floor(seconds / SECONDS_PER_DAY);
  return { firstDay: today - NOTIFY_LIMITS.digestDays, lastDay: today - 1 };
}

function filled(found: readonly v.InferOutput<typeof dayRow>[], { firstDay, lastDay }: DayRange): StoryDay[] {
  const known = new Map(found.map((one) => [one.day, one]));
  return Array.from({ length: lastDay - firstDay + 1 }, (_, i) => {
    const { messages = 0, passed = 0 } = known.get(firstDay + i) ?? {};
    return { day: isoDate((firstDay + i) * SECONDS_PER_DAY), passed, failed: messages - passed };
  });
}
