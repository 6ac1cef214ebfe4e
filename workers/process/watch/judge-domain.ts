/**
 * Judges one domain: its verdict is computed again, the rules of shared/watch are asked, and what follows is kept: incidents,
 * and notices of their steps. A domain is one transaction, so that a finding that is computed twice makes one notice.
 */
import { identifySource } from "../../../shared/guidance/sources.ts";
import { storedVerdictOf } from "../../../shared/guidance/stored-verdict.ts";
import { judge } from "../../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../../shared/guidance/verdict-input.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { countedPolicies } from "../../../shared/ledger/days.ts";
import type { AccountDomain } from "../../../shared/ledger/domain-checks.ts";
import {
  type DomainFacts,
  factsQuery,
  isJudgedMeanwhile,
  type JudgedDomain,
  keepVerdict,
  setRound,
} from "../../../shared/ledger/domain-verdicts.ts";
import { askKnownSenders } from "../../../shared/ledger/known-senders.ts";
import { addNotices, incidentsOfDomainsQuery, keepIncidents, mutesQuery } from "../../../shared/ledger/notices.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { type DomainScope, type Mail, mailQuery } from "../../../shared/ledger/sources.ts";
import { sourceHistoryQuery, type WatchFacts, watchFactsQuery } from "../../../shared/ledger/watch-facts.ts";
import { WATCH_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { type Figures, openedSecondsOf, sendersOf } from "../../../shared/watch/figures.ts";
import type { Incident, Mute } from "../../../shared/watch/finding.ts";
import { occasionOf } from "../../../shared/watch/occasion.ts";
import { announcedStateAfter } from "../../../shared/watch/rules/verdict-changed.ts";
import { findAll } from "../../../shared/watch/rules.ts";
import { transitionsOf } from "../../../shared/watch/transitions.ts";
import { workOf } from "../../../shared/watch/work.ts";
import type { Invocation } from "../env.ts";
import { QUERIES_FOR_MAIL, type QueryBudget } from "./query-budget.ts";

/** A database, with what a run asks once. */
export interface Place extends Invocation {
  /** RUA addresses whose mail was refused lately. */
  refusedAddresses: ReadonlySet<string>;
}

/** What is known of a domain besides its mail. */
export interface DomainKnowledge {
  facts: DomainFacts;
  watched: WatchFacts;
  incidents: Incident[];
  mutes: Mute[];
}

/** What is known of some domains. @throws whatever D1 throws */
export async function askKnown(
  names: readonly AccountDomain[],
  { ledger, nowSeconds }: Place,
): Promise<(name: AccountDomain) => DomainKnowledge | undefined> {
  const accounts = [...new Set(names.map(({ account }) => account))];
  const [facts, watched, incidents, mutes] = await Promise.all([
    ask(ledger, factsQuery(names, periodOf(nowSeconds))),
    ask(ledger, watchFactsQuery(names, nowSeconds)),
    ask(ledger, incidentsOfDomainsQuery(names, nowSeconds)),
    ask(ledger, mutesQuery(accounts, nowSeconds)),
  ]);
  return (name) => {
    const one = facts.find((found) => isSameDomain(found, name));
    const other = watched.find((found) => isSameDomain(found, name));
    if (one === undefined || other === undefined) return undefined;
    return {
      facts: one,
      watched: other,
      incidents: incidents.filter((found) => isSameDomain(found, name)),
      mutes: mutes.filter(({ account }) => account === name.account),
    };
  };
}

/** Judges one domain, asks the rules, and keeps it all in one transaction. @returns false where another run was faster */
export async function judgeDomain(
  { account, domain, fingerprint, version }: JudgedDomain,
  known: DomainKnowledge,
  place: Place & { queries: QueryBudget },
): Promise<boolean> {
  const { ledger, nowSeconds, queries } = place;
  const { facts, watched } = known;
  const figures = await figuresOf({ account, domain }, known, place);
  const findings = findAll(figures);
  const transitions = transitionsOf(
    findings,
    { ...known, immediateToday: watched.immediateToday, isFirst: facts.before.state === "" },
    await occasionOf(findings, { account, domain, nowSeconds }),
  );
  const verdict = storedVerdictOf(figures.verdict);
  const sinceSeconds = figures.stateSinceSeconds;
  const write = { ...verdict, account, domain, sinceSeconds, computedSeconds: nowSeconds };
  const period = periodOf(nowSeconds);
  const days = period.lastDay - Math.max(period.firstDay, figures.dataSince) + 1;
  const work = workOf({ verdict: figures.verdict, days, findings });
  const toldState = announcedStateAfter(figures, transitions.incidents);
  const changes = [
    keepVerdict({ verdict: write, fingerprint, version, toldState, work }),
    ...keepIncidents(transitions.incidents),
    ...addNotices(transitions.notices),
    setRound({ account, domain }, false),
  ];
  queries.spend(QUERIES_FOR_MAIL + changes.length);
  try {
    await change(ledger, changes);
    return true;
  } catch (error) {
    if (isJudgedMeanwhile(error)) return false;
    throw error;
  }
}

/** Everything the rules look at. */
async function figuresOf(
  { account, domain }: AccountDomain,
  { facts, watched, incidents }: DomainKnowledge,
  { ledger, nowSeconds, refusedAddresses }: Place,
): Promise<Figures> {
  const { days, policies, ruaAddresses, decisions, before } = facts;
  const period = periodOf(nowSeconds);
  const scope: DomainScope = { accounts: [account], domains: [domain], ...period };
  const history = { ...scope, firstDay: period.lastDay - WATCH_LIMITS.historyDays + 1 };
  const [[mail], histories] = await Promise.all([
    askAll([ledger], mailQuery({ ...scope, onlyCounted: true })),
    ask(ledger, sourceHistoryQuery(history)),
  ]);
  if (mail === undefined) throw new Error("A question without an answer.");
  const decide = decideBy(new Map(decisions.map(({ source, decision }) => [source, decision])));
  const known = { domain, mail, check: watched.check, nowSeconds };
  const senders = await askKnownSenders((query) => ask(ledger, query), known);
  const verdict = judge(verdictInput(domain, { period, senders, days, policies, ruaAddresses }, decide));
  const firstDays = firstDaysOf(mail, domain);
  return {
    ...watched,
    domain,
    today: period.lastDay,
    nowSeconds,
    senders: sendersOf(histories, verdict, firstDays),
    dataSince: Math.min(period.lastDay, ...policies.map(({ firstDay }) => firstDay), ...firstDays.values()),
    verdict,
    stateSinceSeconds: before.state === verdict.state ? before.sinceSeconds : nowSeconds,
    policies: countedPolicies(policies),
    ruaAddresses,
    refusedAddresses,
    openedSeconds: openedSecondsOf(incidents),
  };
}

/** Name of a source → first day on which it was seen in all details kept. */
function firstDaysOf({ sources }: Mail, domain: string): Map<string, number> {
  const days = new Map<string, number>();
  for (const source of sources) {
    const { name } = identifySource(source, domain);
    days.set(name, Math.min(source.firstDay, days.get(name) ?? source.firstDay));
  }
  return days;
}

/** The days that verdicts are about, in days since 1970 UTC. */
export function periodOf(nowSeconds: number): { firstDay: number; lastDay: number } {
  const lastDay = Math.floor(nowSeconds / SECONDS_PER_DAY);
  return { firstDay: lastDay - WATCH_LIMITS.verdictDays + 1, lastDay };
}

/** Whether both are the same domain of the same account. */
export function isSameDomain(a: AccountDomain, b: AccountDomain): boolean {
  return a.account === b.account && a.domain === b.domain;
}
