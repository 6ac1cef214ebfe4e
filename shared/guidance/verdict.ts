/**
 * The verdict about a domain: are real senders being rejected, is p=reject safe, and what to publish next. It rests on what
 * receivers reported over a period, on the owner's decisions and on what is known of senders from DNS, and asks nobody.
 * Pure; docs/verdict.md has its error rate.
 */
import type { Evidence } from "../ledger/sources.ts";
import { VERDICT_LIMITS } from "../limits.ts";
import type { MailBySender } from "./mail-by-sender.ts";
import {
  enforcedBy,
  haveSamePolicy,
  openBelow,
  recordAtStage,
  recordText,
  STAGES,
  type Stage,
  stageNumber,
  stageOf,
  withBelow,
} from "./next-record.ts";
import { passesSince } from "./passes-since.ts";
import { type Refused, refusedOf } from "./refused.ts";
import { type Decide, type JudgedSource, judgeSources, type RoleReason } from "./roles.ts";
import { isTooMuch } from "./sampling.ts";
import type { SenderKnowledge } from "./sender-knowledge.ts";
import { type WouldHit, whatIf } from "./what-if.ts";

/** The states, the one that needs attention soonest first. */
export const VERDICT_STATES = [
  "beingRejected",
  "notYet",
  "ready",
  "protected",
  "tooEarly",
  "silent",
  "notInUse",
] as const;
export type VerdictState = (typeof VERDICT_STATES)[number];

/** What a verdict turns on, or what the next record waits for; a code keeps its meaning. */
export type ReasonCode =
  | "realSenderRefused"
  | "ownMailFails"
  | "undecidedSender"
  | "forwardedMailFails"
  | "spfOnly"
  | "tooFewDays"
  | "tooFewMessages"
  | "stageTooShort"
  | "letThrough"
  | "foreignMailFails";

/** A reason, with the source and the messages it is about. */
export interface Reason {
  code: ReasonCode;
  /** Of a code about senders. */
  source?: JudgedSource;
  messages: number;
  /** tooFewDays: days there are; stageTooShort: days still to wait. */
  days?: number;
}

/** What a verdict is given. */
export interface VerdictInput {
  /** Policy domain, A-labels. */
  domain: string;
  mail: MailBySender;
  /** All messages of the period, and those that fail: more than the senders have where there are too many groups. */
  totals: { messages: number; failing: number };
  /** Days since 1970-01-01 UTC, both included. */
  period: { firstDay: number; lastDay: number };
  /** Days with reports in the period, since 1970-01-01 UTC, oldest first. */
  days: readonly number[];
  /** Published policies as reports saw them, the one seen last first. */
  policies: readonly { policy: string; firstDay: number; lastDay: number }[];
  /** RUA addresses the reports came to. */
  ruaAddresses: readonly string[];
  /** The domain's own record in DNS: its other tags are kept. Without it the record is made from what reports say. */
  published?: string;
  decide: Decide;
  /** What DNS says of senders; without it the verdict rests on the reports alone. */
  knowledge?: SenderKnowledge;
}

/** The verdict about a domain. */
export interface Verdict {
  domain: string;
  state: VerdictState;
  /** What the state turns on, what weighs most first. */
  reasons: Reason[];
  /** Days with reports. */
  days: number;
  messages: number;
  /** Messages of own senders, forwarders and undecided ones: what must not be lost. */
  ownMessages: number;
  /** Failing messages that receivers said they let through. */
  letThrough: number;
  wouldHit: WouldHit;
  /** The published policy as the newest report saw it, "" where none did. */
  policy: string;
  stage: Stage;
  /** Text of the record to publish next at `_dmarc.<domain>`; undefined: stay with the present one. */
  nextRecord?: string;
  /** Whether the other tags of that record are those that DNS has: reports show only some of them. */
  keepsPublished?: boolean;
  /** Whether DNS has that record's policy already, as last checked: reports follow within days. */
  isPublished?: boolean;
  /** What the next record still waits for. */
  missing: Reason[];
  sources: JudgedSource[];
}

/** Judges a domain by the reports of a period. */
export function judge(input: VerdictInput): Verdict {
  const { domain, totals, days } = input;
  const policy = input.policies[0]?.policy ?? "";
  const stage = stageOf(policy);
  const sources = allSources(input);
  const ownMessages = messagesOf(sources);
  const figures = {
    domain,
    days: days.length,
    messages: totals.messages,
    ownMessages,
    letThrough: sum(sources, ({ letThrough }) => letThrough),
    wouldHit: whatIf(sources, domain),
    policy,
    stage,
    sources,
  };
  const blocking = blockers(sources, ownMessages);
  const lacking = dataLacking(input, ownMessages);
  const refused = refusedReal(sources, { domain, policy, ownMessages });
  const state = decideState({ totals, stage, sources, ownMessages, lacking, blocking, refused });
  const waiting = waitOfStage(input, stage);
  return {
    ...figures,
    state,
    reasons: reasonsOf(state, { sources, ownMessages, lacking, blocking, refused }),
    missing: missingFor(state, { lacking, blocking, waiting }),
    ...nextRecordOf(state, { input, stage, lacking, blocking, refused }),
  };
}

/** Every source of the mail that a verdict is about, and what is left of it where there are too many groups. */
export function allSources(input: Pick<VerdictInput, "mail" | "totals" | "decide" | "knowledge">): JudgedSource[] {
  const { mail, decide, knowledge } = input;
  return askOfManySmall([...judgeSources(mail, decide, knowledge), ...unlisted(input)]);
}

/** Mail of groups too many to be looked at one by one, each smaller than those that were: somebody's, as a whole. */
function unlisted({ mail, totals }: Pick<VerdictInput, "mail" | "totals">): JudgedSource[] {
  const messages = totals.messages - sum(mail.senders, (sender) => sender.messages);
  const failing = totals.failing - sum(mail.senders, (sender) => sender.messages - sender.passed);
  if (messages <= 0) return [];
  const group = (count: number, result: "pass" | "fail"): Evidence => ({
    sourceIp: "",
    disposition: "unknown",
    dkim: result,
    spf: result,
    dkimResults: "",
    spfResults: "",
    headerFrom: "",
    reasons: "",
    messages: count,
    activeParts: 0,
    firstDay: 0,
    lastDay: 0,
  });
  const rest = {
    service: "",
    host: "",
    spfOnly: 0,
    survived: 0,
    letThrough: 0,
    refused: 0,
    activeParts: 0,
    firstDay: 0,
    lastDay: 0,
  };
  const sources: JudgedSource[] = [
    {
      ...rest,
      name: "",
      kind: "none",
      role: "foreign",
      reason: "fewMessages",
      messages: failing,
      passed: 0,
      hit: failing,
      evidence: [group(failing, "fail")],
    },
    {
      ...rest,
      name: "",
      kind: "own",
      role: "own",
      reason: "passesDmarc",
      messages: messages - failing,
      passed: messages - failing,
      hit: 0,
      evidence: [group(messages - failing, "pass")],
    },
  ];
  return sources.filter((source) => source.messages > 0);
}

/**
 * Senders too small to be asked about one by one become undecided if together they may be too much to lose. Of single servers far
 * more are spoofers' than the owner's, so they count only where mail of the owner's fails already.
 */
function askOfManySmall(sources: JudgedSource[]): JudgedSource[] {
  const ownMessages = messagesOf(sources);
  const hit = sum(sources, (source) => (isInTheWay(source) && source.role !== "undecided" ? source.hit : 0));
  const isSmall = ({ reason }: JudgedSource): boolean =>
    reason === "smallSender" || (reason === "smallServer" && hit > 0);
  const small = sum(sources, (source) => (isSmall(source) ? source.hit : 0));
  if (small === 0 || isTooMuch(hit, ownMessages) || !isTooMuch(hit + small, ownMessages)) return sources;
  return sources.map((source) => (isSmall(source) ? { ...source, role: "undecided" } : source));
}

/** Messages of all but foreign senders. */
function messagesOf(sources: readonly JudgedSource[]): number {
  return sum(sources, ({ role, messages }) => (role === "foreign" ? 0 : messages));
}

/** What there is too little of to say more. */
function dataLacking({ days, period, policies }: VerdictInput, ownMessages: number): Reason[] {
  const { minSpanDays, minDaysWithReports, minMessages } = VERDICT_LIMITS;
  // A day without mail is a day on which nobody sent any, once reports come at all.
  const since = Math.max(
    period.firstDay,
    Math.min(days[0] ?? period.lastDay, ...policies.map(({ firstDay }) => firstDay)),
  );
  const span = period.lastDay - since + 1;
  const reasons: Reason[] = [];
  if (span < minSpanDays || (ownMessages > 0 && days.length < minDaysWithReports)) {
    reasons.push({ code: "tooFewDays", messages: 0, days: days.length });
  }
  if (ownMessages > 0 && ownMessages < minMessages) reasons.push({ code: "tooFewMessages", messages: ownMessages });
  return reasons;
}

/** What stands in the way of rejecting, the largest first; nothing where all of it together is too little to count. */
function blockers(sources: readonly JudgedSource[], ownMessages: number): Reason[] {
  const hits = sources.filter((source) => source.hit > 0 && isInTheWay(source));
  const reasons: Reason[] = [];
  const hit = sum(hits, (source) => source.hit);
  if (isTooMuch(hit, ownMessages)) {
    reasons.push(...hits.map(blockerOf).sort((a, b) => b.messages - a.messages));
  }
  const share = forwardedShare(sources);
  for (const source of sources) {
    const spfOnlyShare = source.spfOnly / ownMessages;
    if (source.role !== "own" || !reliesOnSpf(spfOnlyShare, share)) continue;
    const reason: Reason = { code: "spfOnly", source, messages: source.spfOnly };
    // Signing most of the mail comes first: what fails may be the same mail, forwarded.
    if (spfOnlyShare > VERDICT_LIMITS.relyingShare) reasons.unshift(reason);
    else reasons.push(reason);
  }
  return reasons;
}

/**
 * Whether a sender relies on SPF alone: with much of the domain's mail always, with less of it where so much is forwarded that
 * the promise would be broken.
 * @param share of the domain's mail that passes by SPF alone @param forwarded share of its mail that is forwarded
 */
function reliesOnSpf(share: number, forwarded: number): boolean {
  const { maxSpfOnlyShare, relyingShare, maxLostShare } = VERDICT_LIMITS;
  return share > relyingShare || (share > maxSpfOnlyShare && share * forwarded > maxLostShare);
}

/** The share of the domain's signed mail that was forwarded: by those messages of which the signature alone survived. */
function forwardedShare(sources: readonly JudgedSource[]): number {
  const signed = sum(sources, ({ passed, spfOnly }) => passed - spfOnly);
  // One more, since none so far does not mean none at all.
  return (sum(sources, ({ survived }) => survived) + 1) / (signed + 1);
}

/** Whether failing mail of a source counts against rejecting. A forwarder that the owner called one is accepted as it is. */
export function isInTheWay({ role, reason }: JudgedSource): boolean {
  return role === "own" || role === "undecided" || (role === "forwarder" && reason !== "decided");
}

const BLOCKERS = { own: "ownMailFails", undecided: "undecidedSender", forwarder: "forwardedMailFails" } as const;

function blockerOf(source: JudgedSource): Reason {
  const code = source.role === "foreign" ? "foreignMailFails" : BLOCKERS[source.role];
  return { code, source, messages: source.hit };
}

interface Ground {
  sources: readonly JudgedSource[];
  ownMessages: number;
  lacking: readonly Reason[];
  blocking: readonly Reason[];
  refused: readonly RefusedSender[];
}

function decideState(ground: Ground & { totals: VerdictInput["totals"]; stage: Stage }): VerdictState {
  const { totals, stage, sources, ownMessages, lacking, blocking, refused } = ground;
  if (totals.messages === 0) return "silent";
  if (ownMessages === 0) return lacking.length === 0 ? "notInUse" : "tooEarly";
  if (refused.length > 0) return "beingRejected";
  if (stage.p === "reject" && !stage.isTest) return sendsNothing(sources) ? "notInUse" : "protected";
  if (lacking.length > 0) return "tooEarly";
  return blocking.length > 0 ? "notYet" : "ready";
}

/** Whether nothing of the owner's passes: under p=reject, others alone use the name. */
function sendsNothing(sources: readonly JudgedSource[]): boolean {
  return sources.every(({ role, passed }) => role === "foreign" || (role === "undecided" && passed === 0));
}

const LIKELY_REAL: ReadonlySet<RoleReason> = new Set(["knownService", "failingSignature", "namedInSpf", "ownName"]);

/**
 * Undecided, but more likely the owner's than not: what is no known service has to be steady, and to authenticate as
 * somebody. Servers that nothing authenticates are what p=reject is there to stop.
 */
export function isLikelyReal({ role, reason, activeParts }: JudgedSource): boolean {
  if (role !== "undecided") return false;
  const isSteady = activeParts >= VERDICT_LIMITS.steadyParts;
  return LIKELY_REAL.has(reason) || (reason === "identifiedSender" && isSteady);
}

/** A sender with the mail that it loses. */
interface RefusedSender extends Refused {
  source: JudgedSource;
}

/**
 * Real senders of which receivers refuse mail as the policy asks, the largest first; nothing where all of it together is too little
 * to count, and none that has passed since.
 */
function refusedReal(
  sources: readonly JudgedSource[],
  { domain, policy, ownMessages }: { domain: string; policy: string; ownMessages: number },
): RefusedSender[] {
  const enforced = enforcedBy(policy);
  const refused = sources
    .filter((source) => (source.role === "own" || isLikelyReal(source)) && passesSince(source) === undefined)
    .map((source) => ({ source, ...refusedOf(source, domain, enforced) }))
    .filter(({ messages }) => messages > 0);
  if (sum(refused, ({ messages }) => messages) <= VERDICT_LIMITS.maxLostShare * ownMessages) return [];
  return refused.sort((a, b) => b.messages - a.messages);
}

function reasonsOf(state: VerdictState, { sources, lacking, blocking, refused }: Ground): Reason[] {
  switch (state) {
    case "silent":
      return [];
    case "beingRejected":
      return refused.map(({ source, messages }) => ({ code: "realSenderRefused", source, messages }));
    case "tooEarly":
      return [...lacking, ...blocking];
    case "notYet":
    case "protected":
      return [...blocking];
    case "ready":
    case "notInUse":
      return spared(sources);
  }
}

/** What fails and does not stand in the way. */
function spared(sources: readonly JudgedSource[]): Reason[] {
  const letThrough = sum(sources, (source) => source.letThrough);
  const foreign = sum(sources, ({ role, hit }) => (role === "foreign" ? hit : 0));
  const reasons: Reason[] = [
    { code: "letThrough", messages: letThrough },
    { code: "foreignMailFails", messages: foreign },
  ];
  return reasons.filter(({ messages }) => messages > 0);
}

interface Waiting {
  lacking: readonly Reason[];
  blocking: readonly Reason[];
  waiting: readonly Reason[];
}

function missingFor(state: VerdictState, { lacking, blocking, waiting }: Waiting): Reason[] {
  if (state === "protected" || state === "notInUse" || state === "silent") return [];
  return [...lacking, ...blocking, ...(state === "ready" ? waiting : [])];
}

/** How long the present step should stay, by what reports saw of it. */
function waitOfStage({ policies, days }: VerdictInput, stage: Stage): Reason[] {
  const { minStageDays, minTestingDays } = VERDICT_LIMITS;
  const since = stageSince(policies, stage);
  const lastDay = days.at(-1) ?? since;
  const rest = (stage.isTest ? minTestingDays : minStageDays) - (lastDay - since + 1);
  return rest > 0 ? [{ code: "stageTooShort", messages: 0, days: rest }] : [];
}

// Reporters see a change at different times, so the days of two steps overlap.
function stageSince(policies: VerdictInput["policies"], stage: Stage): number {
  const number = stageNumber(stage);
  const before = policies.findIndex(({ policy }) => stageNumber(stageOf(policy)) !== number);
  const same = before < 0 ? policies : policies.slice(0, before);
  return Math.min(...same.map(({ firstDay }) => firstDay));
}

interface NextGround extends Pick<Ground, "lacking" | "blocking" | "refused"> {
  input: VerdictInput;
  stage: Stage;
}

type Next = Pick<Verdict, "nextRecord" | "keepsPublished" | "isPublished">;

function nextRecordOf(state: VerdictState, ground: NextGround): Next {
  const { input, stage, blocking, refused } = ground;
  const policy = input.policies[0]?.policy ?? "";
  const next = (to: Stage, kept: string): Next => {
    const { published } = input;
    if (published === undefined) return { nextRecord: recordText(to, kept, input.ruaAddresses) };
    const nextRecord = recordAtStage(published, to, { before: policy, after: kept });
    return { nextRecord, keepsPublished: true, isPublished: haveSamePolicy(published, nextRecord) };
  };
  switch (state) {
    case "beingRejected": {
      const isBelow = refused.some(({ below }) => below > 0);
      // Where only mail of subdomains is refused, the domain itself keeps its policy.
      if (refused.every(({ below, messages }) => below === messages)) return next(stage, withBelow(policy, "none"));
      return next({ p: "none", isTest: false }, isBelow ? withBelow(policy) : policy);
    }
    case "notInUse":
    case "protected": {
      const isDone = stageNumber(stage) === STAGES.length - 1 && openBelow(policy) === undefined;
      const isSafe = state === "notInUse" || (ground.lacking.length === 0 && blocking.length === 0);
      return isDone || !isSafe ? {} : next({ p: "reject", isTest: false }, withBelow(policy));
    }
    case "ready":
    case "notYet": {
      const to = nextStage(state, stage, blocking);
      return to === undefined ? {} : next(to, policy);
    }
    case "tooEarly":
    case "silent":
      return {};
  }
}

function nextStage(state: "ready" | "notYet", stage: Stage, blocking: readonly Reason[]): Stage | undefined {
  const place = stageNumber(stage);
  if (state === "ready") return STAGES[place + 1];
  // Nobody can fix forwarding: RFC 9989 section 7.4 advises such domains against p=reject, not against quarantine.
  const isForwardingOnly = blocking.every(({ code }) => code === "forwardedMailFails");
  return isForwardingOnly && place < 2 ? STAGES[place + 1] : undefined;
}

function sum<T>(list: readonly T[], value: (one: T) => number): number {
  return list.reduce((total, one) => total + value(one), 0);
}
