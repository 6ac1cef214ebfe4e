/** Verdicts about simulated domains against the truth by their senders' labels. Pure. */

import { mulberry32 } from "../../local/random.ts";
import { readDecisions } from "../../shared/guidance/decisions.ts";
import { type MailBySender, mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import type { Decide, Decision } from "../../shared/guidance/roles.ts";
import { NOTHING_KNOWN, type SenderKnowledge } from "../../shared/guidance/sender-knowledge.ts";
import { suggestAll } from "../../shared/guidance/suggest.ts";
import { judge, type Verdict, type VerdictState } from "../../shared/guidance/verdict.ts";
import type { Evidence } from "../../shared/ledger/sources.ts";
import { organizationalDomain } from "../../shared/organizational-domain.ts";
import { type DatedRecord, evidenceOf, sumEvidence } from "../../test/support/evidence.ts";
import { type AtBest, atBest, chanceOfLess, mayBeLost } from "./best.ts";
import { chanceOf } from "./chance.ts";
import { lookUp } from "./internet.ts";
import { AS_THEY_ARE, DAYS, type Stretch } from "./parameters.ts";
import { type Sender, type SimulatedDomain, simulateDomain } from "./senders.ts";
import { expectedLoss, expectedReportedLoss, expectedUnseenLoss, sendMail, type Traffic } from "./traffic.ts";

/** The days that are judged. */
const PERIOD = { firstDay: 0, lastDay: DAYS.seen - 1 };

/** What ready promises: less of the legitimate mail at receivers that report is lost. */
const MAX_LOST_SHARE = 0.001;

/** Which mail counts: what receivers that send reports got, as ready promises, or that at all receivers, which is stricter. */
type Meaning = "reported" | "all";

/** Shares of a domain's legitimate mail, by one meaning. */
interface Shares {
  /** What p=reject would have lost in the days that are judged. */
  lost: number;
  /** What it could be expected to lose in them: the same without luck. */
  expected: number;
  /** What it would have lost in all days that are simulated. */
  later: number;
  /** The probability that the domain is ready, for the best verdict there can be (best.ts). */
  bestChance: number;
}

/** The goals. */
export const GOAL = { precision: 0.995, recall: 0.9 } as const satisfies AtBest;

/** One domain with what is true of it and what was said. */
export interface Judged {
  domain: SimulatedDomain;
  /** Without its records: those of a thousand domains are many. */
  traffic: Pick<Traffic, "judged" | "later">;
  shares: Record<Meaning, Shares>;
  state: VerdictState;
  /** Undecided senders: what the owner is asked about. */
  asked: number;
  /** Of these, those with a suggestion, and those where it is the truth. */
  suggestions: { given: number; right: number };
  /** Codes of what it turned on. */
  reasons: string[];
}

/** What else is assumed. */
export interface Assumption {
  /** Reports that cannot be verified are counted as well. */
  countsForged?: boolean;
  /** The owner has said of each undecided source, truthfully, whether it sends for them. */
  isDecided?: boolean;
  /** There is no resolver: nothing is known but the reports. */
  isUnresolved?: boolean;
}

/** A domain with the mail of its days, and what DNS says of its senders. */
export interface Simulated {
  domain: SimulatedDomain;
  traffic: Traffic;
  reports: Reports;
  knowledge: SenderKnowledge;
}

/** What reports about a domain say, as a verdict takes it. */
interface Reports {
  evidence: Evidence[];
  mail: MailBySender;
  /** Days with reports. */
  days: number[];
}

function reportsOf(domain: SimulatedDomain, records: readonly DatedRecord[]): Reports {
  const evidence = evidenceOf(records, PERIOD);
  const days = [...new Set(records.map(({ day }) => day))].filter((day) => day <= PERIOD.lastDay).sort((a, b) => a - b);
  return { evidence, mail: mailBySender(evidence, domain.name), days };
}

/** The domain of a number among those of a seed: always the same. */
export function simulateOne(seed: number, number: number, stretch: Stretch = AS_THEY_ARE): Simulated {
  const chance = chanceOf(mulberry32((seed * 1_000_003 + number) * 0x9e3779b9));
  const domain = simulateDomain(`domain${number}.example`, chance);
  const traffic = sendMail(domain, chance);
  // Drawn apart, so that the mail is the same whatever is known of it.
  const drawing = { chance: chanceOf(mulberry32((seed * 7_000_003 + number) * 0x9e3779b9)), stretch };
  const reports = reportsOf(domain, traffic.reported);
  return { domain, traffic, reports, knowledge: lookUp(domain, reports.evidence, drawing) };
}

/** Judges a domain by its reports, and says what is true of it. */
export function judgeOne(
  { domain, traffic, reports: verified, knowledge: found }: Simulated,
  { countsForged = false, isDecided = false, isUnresolved = false }: Assumption = {},
): Judged {
  const knowledge = isUnresolved ? NOTHING_KNOWN : found;
  const addsForged = countsForged && traffic.forged.length > 0;
  const reports = addsForged ? reportsOf(domain, [...traffic.reported, ...traffic.forged]) : verified;
  const undecided = judgeReports(domain, reports, { knowledge });
  const verdict = isDecided
    ? judgeReports(domain, reports, { decide: ownerOf(domain, undecided), knowledge })
    : undecided;
  return {
    domain,
    traffic: { judged: traffic.judged, later: traffic.later },
    shares: { reported: sharesReported(domain, traffic), all: sharesOfAll(domain, traffic) },
    state: verdict.state,
    suggestions: suggestionsOf(domain, undecided, knowledge),
    asked: undecided.sources.filter(({ role }) => role === "undecided").length,
    reasons: [...verdict.reasons, ...verdict.missing].map(
      ({ code, source }) => `${code}${source === undefined ? "" : ` ${source.role} ${source.reason}`}`,
    ),
  };
}

function sharesReported(domain: SimulatedDomain, { judged, later, reported }: Traffic): Shares {
  const { certain, perhaps } = mayBeLost(
    reported.filter(({ day }) => day <= PERIOD.lastDay),
    domain.policy,
  );
  return {
    lost: shareLost(judged.lostSeen, judged.legitimateSeen),
    expected: expectedReportedLoss(domain, DAYS.seen),
    later: shareLost(later.lostSeen, later.legitimateSeen),
    bestChance: chanceOfLess(MAX_LOST_SHARE, { legitimate: judged.legitimateSeen, lost: certain, perhaps }),
  };
}

function sharesOfAll(domain: SimulatedDomain, { judged, later }: Traffic): Shares {
  const { legitimate, lost, lostSeen } = judged;
  return {
    lost: shareLost(lost, legitimate),
    expected: expectedLoss(domain, DAYS.seen),
    later: shareLost(later.lost, later.legitimate),
    bestChance: chanceOfLess(MAX_LOST_SHARE, {
      legitimate,
      lost: lostSeen,
      unseen: expectedUnseenLoss(domain, DAYS.seen),
    }),
  };
}

function shareLost(lost: number, legitimate: number): number {
  return legitimate === 0 ? 0 : lost / legitimate;
}

/** Whose a sender is by its labels; what nobody's label names was sent by a scattered spoofer. */
function truthAbout(domain: SimulatedDomain, name: string): Decision {
  const isNamed = (sender: Sender): boolean =>
    sender.addresses.includes(name) ||
    sender.looks.some(({ dkimResults, spfResults }) =>
      [...dkimResults, ...spfResults].some(
        (found) => found.result === "pass" && organizationalDomain(found.domain) === name,
      ),
    );
  const named = domain.senders.filter(isNamed);
  if (named.some((sender) => sender.isLegitimate && !sender.isIndirect)) return "mine";
  return named.some(({ isIndirect }) => isIndirect) ? "forwarder" : "notMine";
}

/** An owner who knows each sender, and is asked about those that are undecided; about forwarders they say nothing. */
function ownerOf(domain: SimulatedDomain, { sources }: Verdict): Decide {
  const asked = new Set(sources.filter(({ role }) => role === "undecided").map(({ name }) => name));
  return ({ name }) => {
    if (!asked.has(name)) return undefined;
    const truth = truthAbout(domain, name);
    return truth === "forwarder" ? undefined : truth;
  };
}

/** Suggestions about undecided senders. */
function suggestionsOf(
  domain: SimulatedDomain,
  { sources }: Verdict,
  { names, spf, homeNetworks }: SenderKnowledge,
): Judged["suggestions"] {
  const ground = {
    policyDomain: domain.name,
    sources,
    decisions: readDecisions([]),
    names,
    spf,
    homeNetworks,
  };
  const given = [...suggestAll(ground)];
  const isRight = ([name, { decision }]: (typeof given)[number]): boolean => decision === truthAbout(domain, name);
  return { given: given.length, right: given.filter(isRight).length };
}

interface Judging {
  decide?: Decide;
  knowledge: SenderKnowledge;
}

/** The verdict about a domain by its records. */
export function judgeRecords(domain: SimulatedDomain, records: readonly DatedRecord[], judging: Judging): Verdict {
  return judgeReports(domain, reportsOf(domain, records), judging);
}

function judgeReports(
  domain: SimulatedDomain,
  { evidence, mail, days }: Reports,
  { decide = () => undefined, knowledge }: Judging,
): Verdict {
  return judge({
    domain: domain.name,
    period: PERIOD,
    mail,
    totals: sumEvidence(evidence),
    days,
    policies: [{ policy: `p=${domain.policy}; sp=${domain.policy}; pct=100`, firstDay: 0, lastDay: PERIOD.lastDay }],
    ruaAddresses: [],
    decide,
    knowledge,
  });
}

/** How often verdicts are right, by one meaning of legitimate mail. */
interface Rates {
  trulyReady: number;
  /** Of those called ready, the share that loses less than 0.1 % of legitimate mail. */
  readyPrecision: number;
  /** Of those truly ready, the share that was called so. */
  readyRecall: number;
  /** Both by what could be expected to be lost, without the luck of the days that are judged. */
  expectedPrecision: number;
  expectedRecall: number;
  /** Precision over the 30 days after as well, with senders that nobody could have seen. */
  laterPrecision: number;
  /** What the best verdict there can be would reach, over all open domains. */
  atBest: AtBest;
  /** Called ready, and not truly so. */
  wrongReady: number;
}

/** The same where mail at receivers that send no reports counts as well. */
type RatesOfAllMail = { [Name in keyof Rates as `${Name}AllMail`]: Rates[Name] };

/** The table of errors. Where nothing else is said, mail at receivers that report counts. */
export interface Score extends Rates, RatesOfAllMail {
  domains: number;
  /** Domains that no report tells of: nothing can be said of them. */
  withoutReports: number;
  /** Without p=reject yet: those that ready can be said of. */
  open: number;
  calledReady: number;
  /** Of domains that ask for quarantine or reject: those that lose 0.1 % or more; found, and said wrongly. */
  trulyRejected: number;
  foundRejected: number;
  wronglyRejected: number;
  states: Record<string, number>;
  /** Why truly ready domains were not called so, by the first reason. */
  missed: Record<string, number>;
  /** By whose mail those were wrong that were called ready. */
  wrong: Record<string, number>;
  /** Of `wrongReadyAllMail`, those that no report tells of: all that was lost was lost at receivers that do not report. */
  wrongUnseen: number;
  /** Undecided senders of an open domain: median, and 90th percentile. */
  asked: { median: number; p90: number };
  /** All undecided senders, those with a suggestion, and those where it is right. */
  suggestions: { undecided: number; given: number; right: number };
}

const READY: ReadonlySet<VerdictState> = new Set(["ready", "notInUse"]);

/** Adds up verdicts. Ready means that p=reject is advised: also for a domain that sends nothing. */
export function score(judged: readonly Judged[]): Score {
  const withReports = judged.filter(({ state }) => state !== "silent");
  const open = withReports.filter(({ domain }) => domain.policy !== "reject");
  const calledReady = open.filter(isCalledReady);
  const enforcing = withReports.filter(({ domain }) => domain.policy !== "none");
  const isRejected = ({ state }: Judged): boolean => state === "beingRejected";
  const trulyRejected = enforcing.filter((one) => !isTrulyReady(one, "reported"));
  const asked = open.map((one) => one.asked).sort((a, b) => a - b);
  const wrong = calledReady.filter((one) => !isTrulyReady(one, "reported"));
  const unseen = ({ traffic }: Judged): boolean => traffic.judged.lost > 0 && traffic.judged.lostSeen === 0;
  return {
    ...ratesOf(open, "reported"),
    ...ratesOfAllMail(open),
    domains: judged.length,
    withoutReports: judged.length - withReports.length,
    open: open.length,
    calledReady: calledReady.length,
    trulyRejected: trulyRejected.length,
    foundRejected: trulyRejected.filter(isRejected).length,
    wronglyRejected: enforcing.filter((one) => isRejected(one) && isTrulyReady(one, "reported")).length,
    states: countBy(judged, ({ state }) => state),
    missed: countBy(
      open.filter((one) => isTrulyReady(one, "reported") && !isCalledReady(one)),
      ({ state, reasons }) => `${state}: ${reasons[0] ?? "-"}`,
    ),
    wrong: countBy(wrong, ({ traffic }) => mostLost(traffic.judged.lostSeenByLabel)),
    wrongUnseen: calledReady.filter((one) => !isTrulyReady(one, "all") && unseen(one)).length,
    suggestions: {
      undecided: open.reduce((sum, one) => sum + one.asked, 0),
      given: open.reduce((sum, { suggestions }) => sum + suggestions.given, 0),
      right: open.reduce((sum, { suggestions }) => sum + suggestions.right, 0),
    },
    asked: { median: asked[Math.floor(0.5 * asked.length)] ?? 0, p90: asked[Math.floor(0.9 * asked.length)] ?? 0 },
  };
}

function isCalledReady({ state }: Judged): boolean {
  return READY.has(state);
}

function isTrulyReady({ shares }: Judged, meaning: Meaning): boolean {
  return shares[meaning].lost < MAX_LOST_SHARE;
}

/** Precision and what belongs to it, by the same meaning of legitimate mail throughout. */
function ratesOf(open: readonly Judged[], meaning: Meaning): Rates {
  const called = open.filter(isCalledReady);
  const trulyReady = open.filter((one) => isTrulyReady(one, meaning));
  const expectedReady = open.filter(({ shares }) => shares[meaning].expected < MAX_LOST_SHARE);
  const rightly = called.filter((one) => trulyReady.includes(one)).length;
  const asExpected = called.filter((one) => expectedReady.includes(one)).length;
  const share = (part: number, total: number): number => (total === 0 ? 1 : part / total);
  return {
    trulyReady: trulyReady.length,
    readyPrecision: share(rightly, called.length),
    readyRecall: share(rightly, trulyReady.length),
    expectedPrecision: share(asExpected, called.length),
    expectedRecall: share(asExpected, expectedReady.length),
    laterPrecision: share(called.filter(({ shares }) => shares[meaning].later < MAX_LOST_SHARE).length, called.length),
    atBest: atBest(
      open.map(({ shares }) => shares[meaning].bestChance),
      GOAL,
    ),
    wrongReady: called.length - rightly,
  };
}

function ratesOfAllMail(open: readonly Judged[]): RatesOfAllMail {
  const all = ratesOf(open, "all");
  return {
    trulyReadyAllMail: all.trulyReady,
    readyPrecisionAllMail: all.readyPrecision,
    readyRecallAllMail: all.readyRecall,
    expectedPrecisionAllMail: all.expectedPrecision,
    expectedRecallAllMail: all.expectedRecall,
    laterPrecisionAllMail: all.laterPrecision,
    atBestAllMail: all.atBest,
    wrongReadyAllMail: all.wrongReady,
  };
}

function countBy(list: readonly Judged[], key: (one: Judged) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of list) counts[key(one)] = (counts[key(one)] ?? 0) + 1;
  return counts;
}

/** The label with the largest count. */
function mostLost(byLabel: Readonly<Record<string, number>>): string {
  const [label = "-"] = Object.entries(byLabel).sort((a, b) => b[1] - a[1])[0] ?? [];
  return label;
}
