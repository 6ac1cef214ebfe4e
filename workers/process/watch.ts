/**
 * The round over all domains: each one's verdict is computed again where anything it rests on has changed, and kept. A run
 * asks a bounded number of questions and goes on where the one before ended; a domain is one transaction.
 */

import { storedVerdictOf } from "../../shared/guidance/stored-verdict.ts";
import { judge } from "../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../shared/guidance/verdict-input.ts";
import { ask, change } from "../../shared/ledger/database.ts";
import type { AccountDomain } from "../../shared/ledger/domain-checks.ts";
import {
  beginRound,
  beginRun,
  type DomainFacts,
  domainsAfterQuery,
  factsQuery,
  isJudgedMeanwhile,
  type JudgedDomain,
  keepVerdict,
  type Round,
  setRound,
} from "../../shared/ledger/domain-verdicts.ts";
import { askAll } from "../../shared/ledger/shards.ts";
import { mailQuery } from "../../shared/ledger/sources.ts";
import { WATCH_LIMITS } from "../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../shared/report-day.ts";
import { type Invocation, inEachShard, type LogEntry } from "./env.ts";

/** What a run did in all databases. */
export interface WatchDone {
  /** Domains looked at, and those of them whose verdict was computed. */
  domains: number;
  computed: number;
  /** Left out until the next round, since runs ended at them again and again. */
  skipped: number;
  /** Whether every domain has been looked at since the round began. */
  isDone: boolean;
}

/** Statements of one run: what is left of them. */
class QueryBudget {
  #left: number;

  constructor(queries: number) {
    this.#left = queries;
  }

  has(queries: number): boolean {
    return this.#left >= queries;
  }

  spend(queries: number): void {
    this.#left -= queries;
  }
}

/** Statements that a domain takes after its facts are known: its mail, its verdict, the round's place. */
const QUERIES_PER_DOMAIN = 3;

/** One run of cron. @returns what was done, for the log */
export async function runWatch(invocation: Invocation): Promise<LogEntry> {
  return { event: "watch", ...(await watchDomains(invocation)) };
}

/**
 * One run over the domains of all databases.
 *
 * @param isWanted somebody waits for it: a new round begins although the last one ended a moment ago
 * @throws whatever D1 throws: what was computed until then is kept
 */
export async function watchDomains(invocation: Invocation, isWanted = false): Promise<WatchDone> {
  const done: WatchDone = { domains: 0, computed: 0, skipped: 0, isDone: true };
  for (const place of inEachShard(invocation)) {
    const queries = Math.floor(Number(invocation.env.WATCH_QUERIES_PER_RUN) / invocation.shards.all.length);
    const one = await watchShard(place, new QueryBudget(queries), isWanted);
    done.domains += one.domains;
    done.computed += one.computed;
    done.skipped += one.skipped;
    done.isDone &&= one.isDone;
  }
  return done;
}

async function watchShard(place: Invocation, budget: QueryBudget, isWanted: boolean): Promise<WatchDone> {
  const done: WatchDone = { domains: 0, computed: 0, skipped: 0, isDone: true };
  const round = await openRound(place, budget, isWanted);
  if (round === undefined) return done;
  let { after } = round;
  let skips = round.attempts >= WATCH_LIMITS.maxAttempts;
  while (budget.has(3 + QUERIES_PER_DOMAIN)) {
    const names = await ask(place.ledger, domainsAfterQuery(after, periodOf(place)));
    budget.spend(1);
    const due = names.filter(({ fingerprint, known }) => fingerprint !== known);
    // A domain at which runs end again and again must not keep the others from being looked at.
    if (skips && due.shift() !== undefined) done.skipped += 1;
    skips = false;
    const { computed, last } = await judgeDue(due, place, budget);
    done.computed += computed.length;
    const isWhole = last === undefined;
    done.domains += isWhole ? names.length : names.findIndex((name) => isSame(name, last)) + 1;
    after = last ?? names.at(-1) ?? after;
    done.isDone = isWhole && names.length < WATCH_LIMITS.domainsAtOnce;
    await change(place.ledger, [setRound(after, done.isDone)]);
    budget.spend(1);
    if (!isWhole || done.isDone) return done;
  }
  return { ...done, isDone: false };
}

/** The round that is under way, or a new one; undefined: the last one ended too short a time ago. */
async function openRound(
  { ledger, nowSeconds }: Invocation,
  budget: QueryBudget,
  isWanted: boolean,
): Promise<Round | undefined> {
  const round = await beginRun(ledger);
  budget.spend(1);
  if (!round.isDone) return round;
  if (!isWanted && nowSeconds < round.startedSeconds + WATCH_LIMITS.secondsBetweenRounds) return undefined;
  await change(ledger, beginRound(nowSeconds));
  budget.spend(2);
  return { startedSeconds: nowSeconds, isDone: false, after: { account: "", domain: "" }, attempts: 0 };
}

interface Judged {
  computed: AccountDomain[];
  /** The last one, where the statements of the run did not do for all of them. */
  last: AccountDomain | undefined;
}

/** Computes verdicts, as many as the run has statements for. */
async function judgeDue(due: readonly JudgedDomain[], place: Invocation, budget: QueryBudget): Promise<Judged> {
  const computed: AccountDomain[] = [];
  for (let i = 0; i < due.length; i += WATCH_LIMITS.factsAtOnce) {
    const some = due.slice(i, i + WATCH_LIMITS.factsAtOnce);
    const facts = await ask(place.ledger, factsQuery(some, periodOf(place)));
    budget.spend(1);
    for (const one of some) {
      const known = facts.find((found) => isSame(found, one));
      if (known !== undefined && (await judgeDomain(one, known, place))) computed.push(one);
      budget.spend(QUERIES_PER_DOMAIN);
      // One statement more ends the page.
      if (!budget.has(2 + QUERIES_PER_DOMAIN)) return { computed, last: one === due.at(-1) ? undefined : one };
    }
  }
  return { computed, last: undefined };
}

/** Computes one domain's verdict and keeps it. @returns false where another run was faster */
async function judgeDomain(
  { account, domain, fingerprint, version }: JudgedDomain,
  { before, decisions, days, policies, ruaAddresses }: DomainFacts,
  place: Invocation,
): Promise<boolean> {
  const { ledger, nowSeconds } = place;
  const period = periodOf(place);
  const [mail] = await askAll(
    [ledger],
    mailQuery({ accounts: [account], domains: [domain], ...period, onlyCounted: true }),
  );
  if (mail === undefined) throw new Error("A question without an answer.");
  const decide = decideBy(new Map(decisions.map(({ source, decision }) => [source, decision])));
  const verdict = storedVerdictOf(judge(verdictInput(domain, { period, mail, days, policies, ruaAddresses }, decide)));
  const sinceSeconds = before.state === verdict.state ? before.sinceSeconds : nowSeconds;
  const write = { ...verdict, account, domain, sinceSeconds, computedSeconds: nowSeconds };
  try {
    await change(ledger, [keepVerdict({ verdict: write, fingerprint, version }), setRound({ account, domain }, false)]);
    return true;
  } catch (error) {
    if (isJudgedMeanwhile(error)) return false;
    throw error;
  }
}

function periodOf({ nowSeconds }: Invocation): { firstDay: number; lastDay: number } {
  const lastDay = Math.floor(nowSeconds / SECONDS_PER_DAY);
  return { firstDay: lastDay - WATCH_LIMITS.verdictDays + 1, lastDay };
}

function isSame(a: AccountDomain, b: AccountDomain): boolean {
  return a.account === b.account && a.domain === b.domain;
}
