/** Verdicts about simulated domains against the truth by their senders' labels. Pure. */

import { mulberry32 } from "../../local/random.ts";
import { readDecisions } from "../../shared/guidance/decisions.ts";
import { type MailBySender, mailBySender } from "../../shared/guidance/mail-by-sender.ts";
import type { Decide, Decision } from "../../shared/guidance/roles.ts";
import { NOTHING_KNOWN, type SenderKnowledge } from "../../shared/guidance/sender-knowledge.ts";
import { suggestAll } from "../../shared/guidance/suggest.ts";
import { judge, type Verdict, type VerdictState } from "../../shared/guidance/verdict.ts";
import { sumEvidence } from "../../shared/guidance/what-if.ts";
import type { Evidence } from "../../shared/ledger/sources.ts";
import { organizationalDomain } from "../../shared/organizational-domain.ts";
import { type DatedRecord, evidenceOf } from "../../test/support/evidence.ts";
import { type AtBest, atBest, chanceOfLess } from "./best.ts";
import { chanceOf } from "./chance.ts";
import { lookUp } from "./internet.ts";
import { AS_THEY_ARE, DAYS, type Stretch } from "./parameters.ts";
import { type Sender, type SimulatedDomain, simulateDomain } from "./senders.ts";
import { expectedLoss, expectedUnseenLoss, type Losses, sendMail, type Traffic } from "./traffic.ts";

/** The days that are judged. */
const PERIOD = { firstDay: 0, lastDay: DAYS.seen - 1 };

/** What ready promises: less of the legitimate mail is lost. */
const MAX_LOST_SHARE = 0.001;

/** The goals. */
export const GOAL = { precision: 0.995, recall: 0.9 } as const satisfies AtBest;

/** One domain with what is true of it and what was said. */
export interface Judged {
  domain: SimulatedDomain;
  /** Without its records: those of a thousand domains are many. */
  traffic: Pick<Traffic, "judged" | "later">;
  /** Share of the legitimate mail that p=reject would have lost in the days that are judged, and in all that are simulated. */
  lostShare: number;
  /** What it could be expected to lose in the days that are judged: the same without luck. */
  expectedShare: number;
  laterLostShare: number;
  /** The same of mail to receivers that report. */
  seenLostShare: number;
  /** The probability that it is ready, for the best verdict there can be (best.ts). */
  bestChance: number;
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
  const days = [...new Set(records.map(({ day }) => day))].sort((a, b) => a - b);
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
    lostShare: shareLost(traffic.judged),
    expectedShare: expectedLoss(domain, DAYS.seen),
    laterLostShare: shareLost(traffic.later),
    seenLostShare: shareLost({ legitimate: traffic.judged.legitimateSeen, lost: traffic.judged.lostSeen }),
    bestChance: chanceOfLess(MAX_LOST_SHARE, {
      ...traffic.judged,
      expectedUnseen: expectedUnseenLoss(domain, DAYS.seen),
    }),
    state: verdict.state,
    suggestions: suggestionsOf(domain, undecided, knowledge),
    asked: undecided.sources.filter(({ role }) => role === "undecided").length,
    reasons: [...verdict.reasons, ...verdict.missing].map(
      ({ code, source }) => `${code}${source === undefined ? "" : ` ${source.role} ${source.reason}`}`,
    ),
  };
}

function shareLost({ lost, legitimate }: Pick<Losses, "lost" | "legitimate">): number {
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

/** The table of errors. */
export interface Score {
  domains: number;
  /** Domains that no report tells of: nothing can be said of them. */
  withoutReports: number;
  /** Without p=reject yet: those that ready can be said of. */
  open: number;
  trulyReady: number;
  calledReady: number;
  /** Of those called ready, the share that loses less than 0.1 % of legitimate mail. */
  readyPrecision: number;
  /** The same over the 30 days after as well, with senders that nobody could have seen. */
  laterPrecision: number;
  /** Of those truly ready, the share that was called so. */
  readyRecall: number;
  /** Both by what could be expected to be lost, without the luck of the days that are judged. */
  expectedPrecision: number;
  expectedRecall: number;
  /** Both if mail to receivers that send no reports did not count. */
  seenPrecision: number;
  seenRecall: number;
  /** What the best verdict there can be would reach, over all open domains. */
  atBest: AtBest;
  /** Of domains that ask for quarantine or reject: those that lose 0.1 % or more; found, and said wrongly. */
  trulyRejected: number;
  foundRejected: number;
  wronglyRejected: number;
  states: Record<string, number>;
  /** Why truly ready domains were not called so, by the first reason. */
  missed: Record<string, number>;
  /** By whose mail those were wrong that were called ready. */
  wrong: Record<string, number>;
  /** Of those wrong, the ones that no report tells of: all that was lost was lost at receivers that do not report. */
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
  const isTrulyReady = ({ lostShare }: Judged): boolean => lostShare < MAX_LOST_SHARE;
  const isCalledReady = ({ state }: Judged): boolean => READY.has(state);
  const isExpectedReady = ({ expectedShare }: Judged): boolean => expectedShare < MAX_LOST_SHARE;
  const trulyReady = open.filter(isTrulyReady);
  const expectedReady = open.filter(isExpectedReady);
  const isSeenReady = ({ seenLostShare }: Judged): boolean => seenLostShare < MAX_LOST_SHARE;
  const seenReady = open.filter(isSeenReady);
  const calledReady = open.filter(isCalledReady);
  const enforcing = withReports.filter(({ domain }) => domain.policy !== "none");
  const isRejected = ({ state }: Judged): boolean => state === "beingRejected";
  const trulyRejected = enforcing.filter((one) => !isTrulyReady(one));
  const share = (part: number, total: number): number => (total === 0 ? 1 : part / total);
  const states: Record<string, number> = {};
  const missed: Record<string, number> = {};
  const wrong: Record<string, number> = {};
  for (const { state } of judged) states[state] = (states[state] ?? 0) + 1;
  for (const { state, reasons } of trulyReady.filter((one) => !isCalledReady(one))) {
    const why = `${state}: ${reasons[0] ?? "-"}`;
    missed[why] = (missed[why] ?? 0) + 1;
  }
  const asked = open.map((one) => one.asked).sort((a, b) => a - b);
  const calledWrongly = calledReady.filter((one) => !isTrulyReady(one));
  for (const { traffic } of calledWrongly) {
    const [label = "-"] = Object.entries(traffic.judged.lostByLabel).sort((a, b) => b[1] - a[1])[0] ?? [];
    wrong[label] = (wrong[label] ?? 0) + 1;
  }
  return {
    domains: judged.length,
    withoutReports: judged.length - withReports.length,
    open: open.length,
    trulyReady: trulyReady.length,
    calledReady: calledReady.length,
    readyPrecision: share(calledReady.filter(isTrulyReady).length, calledReady.length),
    laterPrecision: share(
      calledReady.filter(({ laterLostShare }) => laterLostShare < MAX_LOST_SHARE).length,
      calledReady.length,
    ),
    readyRecall: share(trulyReady.filter(isCalledReady).length, trulyReady.length),
    expectedPrecision: share(calledReady.filter(isExpectedReady).length, calledReady.length),
    expectedRecall: share(expectedReady.filter(isCalledReady).length, expectedReady.length),
    seenPrecision: share(calledReady.filter(isSeenReady).length, calledReady.length),
    seenRecall: share(seenReady.filter(isCalledReady).length, seenReady.length),
    atBest: atBest(
      open.map(({ bestChance }) => bestChance),
      GOAL,
    ),
    trulyRejected: trulyRejected.length,
    foundRejected: trulyRejected.filter(isRejected).length,
    wronglyRejected: enforcing.filter((one) => isRejected(one) && isTrulyReady(one)).length,
    states,
    missed,
    wrong,
    wrongUnseen: calledWrongly.filter(({ traffic }) => traffic.judged.lostSeen === 0).length,
    suggestions: {
      undecided: open.reduce((sum, one) => sum + one.asked, 0),
      given: open.reduce((sum, { suggestions }) => sum + suggestions.given, 0),
      right: open.reduce((sum, { suggestions }) => sum + suggestions.right, 0),
    },
    asked: { median: asked[Math.floor(0.5 * asked.length)] ?? 0, p90: asked[Math.floor(0.9 * asked.length)] ?? 0 },
  };
}
