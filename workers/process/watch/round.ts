/**
 * The round over all domains: each whose sums, decisions or day have changed is judged again (judge-domain.ts). A run asks a
 * limited number of queries and continues where the previous run ended.
 */
import { ask, change } from "../../../shared/ledger/database.ts";
import type { AccountDomain } from "../../../shared/ledger/domain-checks.ts";
import {
  beginRound,
  beginRun,
  domainsAfterQuery,
  type JudgedDomain,
  type Round,
  setRound,
} from "../../../shared/ledger/domain-verdicts.ts";
import { refusedMailQuery } from "../../../shared/ledger/refused-mail.ts";
import { WATCH_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { type Invocation, inEachShard, inTurn, type LogEntry } from "../env.ts";
import { askKnown, isSameDomain, judgeDomain, type Place, periodOf } from "./judge-domain.ts";
import { watchPipeline } from "./pipeline.ts";
import { QUERIES_FOR_FACTS, QUERIES_PER_DOMAIN, QueryBudget } from "./query-budget.ts";

/** What a run did. */
export interface WatchDone {
  /** Domains looked at, and those of them whose verdict was computed. */
  domains: number;
  computed: number;
  /** Skipped until the next round, because runs repeatedly ended at them. */
  skipped: number;
  /** Whether every domain of the databases it reached has been looked at since the round began. */
  isDone: boolean;
}

/** Statements that a page with one domain takes, its names and the round's place among them. */
const QUERIES_OF_PAGE = 2 + QUERIES_FOR_FACTS + QUERIES_PER_DOMAIN;

/** One run of cron. @returns what was done, for the log */
export async function runWatch(invocation: Invocation): Promise<LogEntry> {
  return { event: "watch", ...(await watchDomains(invocation)) };
}

/**
 * One run over the domains of all databases.
 *
 * @param isWanted a person waits for it: a new round begins even right after the last one
 * @throws whatever D1 throws: what was computed until then is kept
 */
export function watchDomains(invocation: Invocation, isWanted = false): Promise<WatchDone> {
  const all = inEachShard(invocation);
  const one = inTurn(all, invocation.nowSeconds);
  return watchPlaces(reachesAll(invocation) || one === undefined ? all : [one], isWanted);
}

/** What a run did that a person waits for. `next`: the database to ask for next, where a run does not reach all. */
export type WantedWatchDone = WatchDone & { next?: number };

/**
 * One run that a person waits for. Where a run has no queries for all databases it is about one of them; the caller goes on
 * with it until it is done, then with `next`, until there is none.
 *
 * @param database the first unless given; one that is not there is as the last one, done
 * @throws whatever D1 throws: what was computed until then is kept
 */
export async function watchWanted(
  { database = 0 }: { database?: number | undefined },
  invocation: Invocation,
): Promise<WantedWatchDone> {
  const all = inEachShard(invocation);
  if (reachesAll(invocation)) return watchPlaces(all, true);
  const done = await watchPlaces(all.slice(database, database + 1), true);
  return done.isDone && database + 1 < all.length ? { ...done, next: database + 1 } : done;
}

async function watchPlaces(places: readonly Invocation[], isWanted: boolean): Promise<WatchDone> {
  const done: WatchDone = { domains: 0, computed: 0, skipped: 0, isDone: true };
  for (const place of places) {
    const queries = Number(place.env.WATCH_QUERIES_PER_RUN);
    const one = await watchShard(place, new QueryBudget(Math.floor(queries / places.length)), isWanted);
    done.domains += one.domains;
    done.computed += one.computed;
    done.skipped += one.skipped;
    done.isDone &&= one.isDone;
  }
  return done;
}

/** Whether a run has queries for all databases: no, where the share of each would never be enough for a domain. */
function reachesAll({ env, shards }: Invocation): boolean {
  return Number(env.WATCH_QUERIES_PER_RUN) / shards.all.length >= 2 + QUERIES_OF_PAGE;
}

async function watchShard(invocation: Invocation, budget: QueryBudget, isWanted: boolean): Promise<WatchDone> {
  const done: WatchDone = { domains: 0, computed: 0, skipped: 0, isDone: true };
  const round = await openRound(invocation, budget, isWanted);
  if (round === undefined) return done;
  const place = { ...invocation, refusedAddresses: await refusedLately(invocation) };
  budget.spend(1);
  let { after } = round;
  let skips = round.attempts >= WATCH_LIMITS.maxAttempts;
  while (budget.has(QUERIES_OF_PAGE)) {
    const names = await ask(place.ledger, domainsAfterQuery(after, periodOf(place.nowSeconds)));
    budget.spend(1);
    const due = names.filter(({ fingerprint, known }) => fingerprint !== known);
    // A domain at which runs repeatedly end must not block the others.
    if (skips && due.shift() !== undefined) done.skipped += 1;
    skips = false;
    const { computed, last } = await judgeDue(due, place, budget);
    done.computed += computed.length;
    const isWhole = last === undefined;
    done.domains += isWhole ? names.length : names.findIndex((name) => isSameDomain(name, last)) + 1;
    after = last ?? names.at(-1) ?? after;
    done.isDone = isWhole && names.length < WATCH_LIMITS.domainsAtOnce;
    await change(place.ledger, [setRound(after, done.isDone)]);
    budget.spend(1);
    if (!isWhole || done.isDone) return done;
  }
  return { ...done, isDone: false };
}

/** The round in progress, or a new one; undefined if the last one ended too recently. */
async function openRound(invocation: Invocation, budget: QueryBudget, isWanted: boolean): Promise<Round | undefined> {
  const { ledger, nowSeconds } = invocation;
  const round = await beginRun(ledger);
  budget.spend(1);
  if (!round.isDone) return round;
  if (!isWanted && nowSeconds < round.startedSeconds + WATCH_LIMITS.secondsBetweenRounds) return undefined;
  if (invocation.shard === 0) {
    await watchPipeline(invocation);
    budget.spend(3 + invocation.shards.all.length);
  }
  await change(ledger, beginRound(nowSeconds));
  budget.spend(2);
  return { startedSeconds: nowSeconds, isDone: false, after: { account: "", domain: "" }, attempts: 0 };
}

/** Addresses whose mail was refused within three days, so that mail that comes once a day is included. */
async function refusedLately({ shards, nowSeconds }: Invocation): Promise<ReadonlySet<string>> {
  const lastDay = Math.floor(nowSeconds / SECONDS_PER_DAY);
  const refused = await ask(shards.directory, refusedMailQuery({ firstDay: lastDay - 2, lastDay }));
  return new Set(refused.map(({ rua }) => rua));
}

interface Judged {
  computed: AccountDomain[];
  /** The last domain judged, if the statements of the run were not enough for all. */
  last: AccountDomain | undefined;
}

/** Computes verdicts and what follows from them, for as many domains as the run has statements for. */
async function judgeDue(due: readonly JudgedDomain[], place: Place, budget: QueryBudget): Promise<Judged> {
  const computed: AccountDomain[] = [];
  for (let i = 0; i < due.length; i += WATCH_LIMITS.factsAtOnce) {
    const some = due.slice(i, i + WATCH_LIMITS.factsAtOnce);
    const known = await askKnown(some, place);
    budget.spend(QUERIES_FOR_FACTS);
    for (const one of some) {
      const facts = known(one);
      if (facts !== undefined && (await judgeDomain(one, facts, { ...place, queries: budget }))) computed.push(one);
      // One statement more ends the page.
      if (!budget.has(1 + QUERIES_FOR_FACTS + QUERIES_PER_DOMAIN)) {
        return { computed, last: one === due.at(-1) ? undefined : one };
      }
    }
  }
  return { computed, last: undefined };
}
