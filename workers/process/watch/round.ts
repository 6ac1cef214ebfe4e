/**
 * The round over all domains: where anything about a domain has changed its verdict is computed again, the rules of shared/watch
 * are asked, and what follows is kept: incidents, and notices of their steps. A run asks a bounded number of questions and
 * goes on where the one before ended; a domain is one transaction, so that what is computed twice is told once.
 */
import { identifySource } from "../../../shared/guidance/sources.ts";
import { storedVerdictOf } from "../../../shared/guidance/stored-verdict.ts";
import { judge } from "../../../shared/guidance/verdict.ts";
import { decideBy, verdictInput } from "../../../shared/guidance/verdict-input.ts";
import { incidentId } from "../../../shared/identity.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { countedPolicies } from "../../../shared/ledger/days.ts";
import type { AccountDomain } from "../../../shared/ledger/domain-checks.ts";
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
} from "../../../shared/ledger/domain-verdicts.ts";
import { addNotices, incidentsOfDomainsQuery, keepIncidents, mutesQuery } from "../../../shared/ledger/notices.ts";
import { refusedMailQuery } from "../../../shared/ledger/refused-mail.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { type DomainScope, type Mail, mailQuery } from "../../../shared/ledger/sources.ts";
import {
  sourceHistoryQuery,
  type WatchFacts,
  waitingQuery,
  watchFactsQuery,
} from "../../../shared/ledger/watch-facts.ts";
import { WATCH_LIMITS } from "../../../shared/limits.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { type Figures, sendersOf } from "../../../shared/watch/figures.ts";
import type { Finding, Incident, Mute } from "../../../shared/watch/finding.ts";
import { findPipelineBehind } from "../../../shared/watch/rules/pipeline-behind.ts";
import { toldStateAfter } from "../../../shared/watch/rules/verdict-changed.ts";
import { findAll } from "../../../shared/watch/rules.ts";
import { type Occasion, transitionsOf } from "../../../shared/watch/transitions.ts";
import { workOf } from "../../../shared/watch/work.ts";
import { type Invocation, inEachShard, type LogEntry } from "../env.ts";
import { backlog } from "../operations/status.ts";

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

/** Statements that a domain takes at most: its mail, its history; verdict, incidents, notices, the round's place. */
const QUERIES_PER_DOMAIN = 6;
/** Of them those for its mail and history. */
const QUERIES_FOR_MAIL = 2;
/** And for what is known of some domains: facts, records, incidents, mutes. */
const QUERIES_FOR_FACTS = 4;

/** A database, with what a run asks once. */
interface Place extends Invocation {
  /** RUA addresses whose mail was refused lately. */
  refusedAddresses: ReadonlySet<string>;
}

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

async function watchShard(invocation: Invocation, budget: QueryBudget, isWanted: boolean): Promise<WatchDone> {
  const done: WatchDone = { domains: 0, computed: 0, skipped: 0, isDone: true };
  const round = await openRound(invocation, budget, isWanted);
  if (round === undefined) return done;
  const place = { ...invocation, refusedAddresses: await refusedLately(invocation) };
  budget.spend(1);
  let { after } = round;
  let skips = round.attempts >= WATCH_LIMITS.maxAttempts;
  while (budget.has(2 + QUERIES_FOR_FACTS + QUERIES_PER_DOMAIN)) {
    const names = await ask(place.ledger, domainsAfterQuery(after, periodOf(place.nowSeconds)));
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

/** Addresses whose mail was refused within three days: what comes once a day is among them. */
async function refusedLately({ shards, nowSeconds }: Invocation): Promise<ReadonlySet<string>> {
  const lastDay = Math.floor(nowSeconds / SECONDS_PER_DAY);
  const refused = await ask(shards.directory, refusedMailQuery({ firstDay: lastDay - 2, lastDay }));
  return new Set(refused.map(({ rua }) => rua));
}

interface Judged {
  computed: AccountDomain[];
  /** The last one, where the statements of the run did not do for all of them. */
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

/** What is known of a domain besides its mail. */
interface KnownOfDomain {
  facts: DomainFacts;
  watched: WatchFacts;
  incidents: Incident[];
  mutes: Mute[];
}

async function askKnown(
  names: readonly AccountDomain[],
  { ledger, nowSeconds }: Place,
): Promise<(name: AccountDomain) => KnownOfDomain | undefined> {
  const accounts = [...new Set(names.map(({ account }) => account))];
  const [facts, watched, incidents, mutes] = await Promise.all([
    ask(ledger, factsQuery(names, periodOf(nowSeconds))),
    ask(ledger, watchFactsQuery(names, nowSeconds)),
    ask(ledger, incidentsOfDomainsQuery(names, nowSeconds)),
    ask(ledger, mutesQuery(accounts, nowSeconds)),
  ]);
  return (name) => {
    const one = facts.find((found) => isSame(found, name));
    const other = watched.find((found) => isSame(found, name));
    if (one === undefined || other === undefined) return undefined;
    return {
      facts: one,
      watched: other,
      incidents: incidents.filter((found) => isSame(found, name)),
      mutes: mutes.filter(({ account }) => account === name.account),
    };
  };
}

/** Judges one domain, asks the rules, and keeps it all in one transaction. @returns false where another run was faster */
async function judgeDomain(
  { account, domain, fingerprint, version }: JudgedDomain,
  known: KnownOfDomain,
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
  const changes = [
    keepVerdict({ verdict: write, fingerprint, version, toldState: toldStateAfter(figures), work }),
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
  { facts, watched, incidents }: KnownOfDomain,
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
  const verdict = judge(verdictInput(domain, { period, mail, days, policies, ruaAddresses }, decide));
  const firstDays = firstDaysOf(mail, domain);
  const open = new Map(
    incidents
      .filter(({ state }) => state === "open")
      .map(({ rule, subject, openedSeconds }) => [`${rule} ${subject}`, openedSeconds]),
  );
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
    openedSeconds: (rule, subject) => open.get(`${rule} ${subject}`),
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

async function occasionOf(
  findings: readonly Finding[],
  { account, domain, nowSeconds }: AccountDomain & { nowSeconds: number },
): Promise<Occasion> {
  const name = ({ rule, subject }: Finding): string => `${rule} ${subject}`;
  const ids = new Map<string, string>();
  for (const finding of findings) {
    ids.set(name(finding), await incidentId(nowSeconds, { account, domain, ...finding }));
  }
  return {
    account,
    domain,
    nowSeconds,
    idOf(finding) {
      const id = ids.get(name(finding));
      if (id === undefined) throw new Error(`${name(finding)} has no id.`);
      return id;
    },
  };
}

/** What waits in the pipeline itself, held against its bounds: incidents of no account, in the first database. */
async function watchPipeline({ env, shards, nowSeconds }: Invocation): Promise<void> {
  const name = { account: "", domain: "" };
  const queues = { "dmarc-reports": env.QUEUE_REPORTS, "dmarc-points": env.QUEUE_POINTS };
  const [waiting, incidents, backlogs] = await Promise.all([
    askAll(shards.all, waitingQuery()),
    ask(shards.directory, incidentsOfDomainsQuery([name], nowSeconds)),
    Promise.all(Object.entries(queues).map(([queue, binding]) => backlog(queue, binding))),
  ]);
  const findings = findPipelineBehind({
    nowSeconds,
    deadLetters: waiting.reduce((sum, { deadLetters }) => sum + deadLetters, 0),
    conflicts: waiting.reduce((sum, { conflicts }) => sum + conflicts, 0),
    queues: backlogs,
  });
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  const immediateToday = incidents.filter(({ openedSeconds }) => openedSeconds >= today).length;
  const transitions = transitionsOf(
    findings,
    { incidents, mutes: [], immediateToday, isFirst: false },
    await occasionOf(findings, { ...name, nowSeconds }),
  );
  await change(shards.directory, [...keepIncidents(transitions.incidents), ...addNotices(transitions.notices)]);
}

function periodOf(nowSeconds: number): { firstDay: number; lastDay: number } {
  const lastDay = Math.floor(nowSeconds / SECONDS_PER_DAY);
  return { firstDay: lastDay - WATCH_LIMITS.verdictDays + 1, lastDay };
}

function isSame(a: AccountDomain, b: AccountDomain): boolean {
  return a.account === b.account && a.domain === b.domain;
}
