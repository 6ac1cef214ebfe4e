/** The verdict in words, for the page and the command: what is, then what to do. Plain texts; names in them are strangers'. Pure. */
import type { Evidence } from "../ledger/sources.ts";
import { VERDICT_LIMITS } from "../limits.ts";
import { isoDay } from "../report-day.ts";
import { passes } from "./evidence.ts";
import { openBelow } from "./next-record.ts";
import { passesSince } from "./passes-since.ts";
import type { Decision, JudgedSource, RoleReason } from "./roles.ts";
import { stoppedKey } from "./stopped-key.ts";
import type { Suggestion, SuggestionCode } from "./suggest.ts";
import type { Reason, Verdict } from "./verdict.ts";
import { mustNotBeLost } from "./what-if.ts";

const whole = new Intl.NumberFormat("en-US");
const listFormat = new Intl.ListFormat("en-GB");

/** Ours: addresses that a sentence names. */
const SHOWN_ADDRESSES = 3;

/** A verdict in two sentences. */
export interface VerdictWords {
  /** One line: what is. */
  headline: string;
  /** What to do now. */
  nextStep: string;
}

/** The situation, and the one thing to do next. */
export function verdictWords(verdict: Verdict): VerdictWords {
  const { state, messages, ownMessages, wouldHit } = verdict;
  const lost = mustNotBeLost(wouldHit.reject);
  switch (state) {
    case "beingRejected": {
      const refused = verdict.reasons.reduce((sum, reason) => sum + reason.messages, 0);
      return {
        headline: `Real senders are being refused: ${messagesText(refused)} were quarantined or rejected`,
        nextStep: `${fixText(verdict.reasons[0], verdict.domain)} ${untilThen(verdict)}`,
      };
    }
    case "notYet":
      return {
        headline:
          lost > 0
            ? `Not yet: p=reject would hit ${whole.format(lost)} of ${messagesText(ownMessages)} that may be yours`
            : "Not yet: too much of your mail passes by SPF alone",
        nextStep: notYetStep(verdict),
      };
    case "ready":
      return {
        headline: `Ready: a stricter policy would hit ${lost === 0 ? "none" : whole.format(lost)} of ${messagesText(ownMessages)} of yours`,
        nextStep: readyStep(verdict),
      };
    case "protected":
      return { headline: protectedHeadline(verdict), nextStep: protectedStep(verdict) };
    case "tooEarly":
      return { headline: "Too early to say whether p=reject is safe", nextStep: tooEarlyStep(verdict) };
    case "silent":
      return {
        headline: "No reports in this period",
        nextStep: "Check that the DMARC record names your RUA address, or choose a longer period.",
      };
    case "notInUse":
      return {
        headline: `Not in use: none of ${messagesText(messages)} come from senders of this domain`,
        nextStep:
          verdict.nextRecord === undefined || verdict.isPublished === true
            ? "Nothing to do: p=reject is published. If the domain sends no mail, publish the SPF record v=spf1 -all as well."
            : `If it sends no mail, publish p=reject${openPart(verdict)} and the SPF record v=spf1 -all.`,
      };
  }
}

/** What "p=reject is safe" is based on, and what it cannot know; undefined for the other states. */
export function basisText({ state, days }: Pick<Verdict, "state" | "days">): string | undefined {
  const unknown = unknownText(state);
  return unknown === undefined ? undefined : `Based on ${daysText(days)}. ${unknown}`;
}

/** What "p=reject is safe" cannot know; undefined for the other states. */
export function unknownText(state: Verdict["state"]): string | undefined {
  if (state !== "ready" && state !== "notInUse") return undefined;
  return "It covers receivers that send reports, not the others. Mail sent less often may be missing.";
}

/** `p=quarantine; t=y`, with sp and np where the record has them. */
function policyOf(record = ""): string {
  return /p=\w+(; (t|sp|np)=\w+)*/.exec(record)?.[0] ?? "";
}

/** The reason to act on first: a sender that was fixed needs nothing but time. */
function firstToFix(reasons: readonly Reason[]): Reason | undefined {
  return reasons.find(({ source }) => source === undefined || passesSince(source) === undefined) ?? reasons[0];
}

function notYetStep({ reasons, domain, nextRecord, isPublished }: Verdict): string {
  const fix = fixText(firstToFix(reasons), domain);
  return nextRecord === undefined || isPublished === true ? fix : `Publish ${policyOf(nextRecord)}. ${fix}`;
}

function untilThen({ nextRecord, isPublished }: Verdict): string {
  const policy = policyOf(nextRecord);
  return isPublished === true ? `Until then, keep ${policy}, which DNS has now.` : `Until then, publish ${policy}.`;
}

/** What is left to do once a record is in DNS: reports about mail before that still come. */
const WAIT_FOR_REPORTS = "Nothing to do now: it is published, and reports that show it come within a few days.";

function protectedHeadline({ reasons, policy }: Verdict): string {
  const open = openBelow(policy);
  switch (firstToFix(reasons)?.code) {
    case undefined:
      return open === undefined
        ? "Protected: p=reject is published, and your senders pass"
        : `Protected, but its subdomains are not: ${open} is published`;
    case "undecidedSender":
      return "Protected: p=reject is published; some of what fails may be yours";
    case "forwardedMailFails":
      return "Protected: p=reject is published; some forwarded mail fails";
    case "spfOnly":
      return "Protected: p=reject is published; much of your mail passes by SPF alone";
    default:
      return "Protected: p=reject is published; some of your mail fails";
  }
}

function protectedStep({ reasons, domain, policy, nextRecord, isPublished }: Verdict): string {
  if (reasons.length > 0) return fixText(firstToFix(reasons), domain);
  const open = openBelow(policy);
  if (open === undefined) return "Nothing to do.";
  if (isPublished === true) return WAIT_FOR_REPORTS;
  return nextRecord === undefined
    ? `Wait for more reports before you publish p=reject without ${open}.`
    : `Publish p=reject without ${open}.`;
}

function openPart({ policy }: Verdict): string {
  const open = openBelow(policy);
  return open === undefined ? "" : ` without ${open}`;
}

function readyStep({ missing, nextRecord, isPublished }: Verdict): string {
  if (isPublished === true) return WAIT_FOR_REPORTS;
  const wait = missing.find(({ code }) => code === "stageTooShort")?.days;
  const step = policyOf(nextRecord);
  if (wait === undefined) return `Publish ${step}.`;
  return `Publish ${step} in ${wait === 1 ? "a day" : `${wait} days`}, when the present policy has been out long enough.`;
}

const TOO_FEW: ReadonlySet<string> = new Set(["tooFewDays", "tooFewMessages"]);

/** A verdict's reasons, as they are or as the API answers them. */
interface Reasons<R> {
  state: Verdict["state"];
  reasons: readonly R[];
  missing: readonly R[];
}

function lackingFor<R extends { code: string }>({
  missing,
  reasons,
}: Pick<Reasons<R>, "missing" | "reasons">): R | undefined {
  return missing.find(({ code }) => TOO_FEW.has(code)) ?? reasons[0];
}

/** The reasons to list below the next step: without the one that it says itself. */
export function listedReasons<R extends { code: string }>(verdict: Reasons<R>): R[] {
  const { state, reasons, missing } = verdict;
  const all = [...(reasons.length > 0 ? reasons : missing)];
  if (state !== "tooEarly") return all;
  const said = lackingFor(verdict);
  return all.filter(({ code }) => code !== said?.code);
}

function tooEarlyStep(verdict: Verdict): string {
  const { minSpanDays, minMessages } = VERDICT_LIMITS;
  const lacking = lackingFor(verdict);
  if (lacking?.code === "tooFewMessages") {
    return `Wait for more mail: a verdict needs ${minMessages} messages of your senders, and there ${lacking.messages === 1 ? "is" : "are"} ${whole.format(lacking.messages)} so far.`;
  }
  const { minDaysWithReports } = VERDICT_LIMITS;
  return (
    `Wait for more reports, or choose a longer period: a verdict needs reports over ${minSpanDays} days, on at least ` +
    `${minDaysWithReports} of them. So far there ${lacking?.days === 1 ? "is" : "are"} ${daysText(lacking?.days ?? 0)} with reports.`
  );
}

/** What to do about a reason. */
export function fixText(reason: Reason | undefined, domain: string): string {
  if (reason === undefined) return "";
  const name = reason.source === undefined ? "" : sourceName(reason.source);
  switch (reason.code) {
    case "realSenderRefused":
    case "ownMailFails":
    case "undecidedSender":
      return reason.source === undefined ? "" : fixSender(reason.source, domain);
    case "forwardedMailFails":
      return (
        `${name} forwards mail in a way that breaks it, which you can't fix: go no further than p=quarantine, or ` +
        "call it a forwarder and accept the loss."
      );
    case "spfOnly":
      return reason.source === undefined ? "" : signText(reason.source, domain);
    case "tooFewDays":
    case "tooFewMessages":
      return "Wait for more reports.";
    case "stageTooShort":
      return `Keep the present policy for ${daysText(reason.days ?? 0)} more.`;
    case "letThrough":
    case "foreignMailFails":
      return "Nothing to do.";
  }
}

function fixSender(source: JudgedSource, domain: string): string {
  const name = sourceName(source);
  const since = passesSince(source);
  if (since !== undefined) {
    return `Wait: mail of ${name} has not failed since ${isoDay(since)}; the failures before that leave the period day by day.`;
  }
  if (source.role === "undecided") {
    return source.kind === "none"
      ? `Find out whether ${name} is your server: if so, sign its mail with DKIM for ${domain} and add it to SPF; ` +
          "if not, say that it is not yours."
      : `Decide whether ${name} sends for you: if so, turn on DKIM for ${domain} there; if not, say that it is not yours.`;
  }
  if (source.kind === "other") {
    const key = stoppedKey(source, domain);
    return key === undefined
      ? `Turn on DKIM for ${domain} at ${name}.`
      : `Compare the DKIM key at ${key} with the one that ${name} shows: it signs for ${domain}, and the signatures don't verify.`;
  }
  // Of mail that something authenticated the ledger's evidence has no addresses: the source's page names them.
  const whose = source.kind === "own" ? "your mail" : `mail of ${name}`;
  return `Find out why ${whose} fails, and sign all of it with DKIM for ${domain}.`;
}

function signText(source: JudgedSource, domain: string): string {
  const from = addressesText(source.evidence.filter((group) => passes(group) && group.dkim !== "pass"));
  const sign =
    source.kind === "own"
      ? `Sign your mail${from} with DKIM for ${domain}`
      : `Turn on DKIM for ${domain} at ${sourceName(source)}`;
  return `${sign}: SPF breaks when mail is forwarded.`;
}

/** Where most of this mail comes from: ` from 192.0.2.1, 192.0.2.2 and 3 more`; "" if no address is known. */
function addressesText(evidence: readonly Evidence[]): string {
  const messages = new Map<string, number>();
  for (const group of evidence) {
    messages.set(group.sourceIp, group.messages + (messages.get(group.sourceIp) ?? 0));
  }
  // Of a domain with very many servers only some are kept apart (GUIDANCE_LIMITS.maxHomeAddresses).
  const isWhole = !messages.delete("");
  const addresses = [...messages].sort((a, b) => b[1] - a[1]).map(([address]) => address);
  const shown = addresses.slice(0, SHOWN_ADDRESSES);
  if (shown.length === 0) return "";
  const rest = addresses.length - shown.length;
  if (!isWhole) return ` from ${listFormat.format([...shown, "others"])}`;
  return ` from ${listFormat.format(rest === 0 ? shown : [...shown, `${whole.format(rest)} more`])}`;
}

/** What a reason says, in one sentence. */
export function reasonText({ code, source, messages, days = 0 }: Reason): string {
  const name = source === undefined ? "" : sourceName(source);
  switch (code) {
    case "realSenderRefused":
      return `${messagesText(messages)} of ${name} were quarantined or rejected.`;
    case "ownMailFails":
      return `${messagesText(messages)} of ${name} fail DMARC.`;
    case "undecidedSender":
      return `${messagesText(messages)} of ${name} fail DMARC, and nobody has decided whether it sends for you.`;
    case "forwardedMailFails":
      return `${messagesText(messages)} forwarded by ${name} fail DMARC, and their receivers don't say they make an exception.`;
    case "spfOnly":
      return `${messagesText(messages)} of ${name} pass by SPF alone; p=reject must not rely on that (RFC 9989 section 7.4).`;
    case "tooFewDays":
      return (
        `There ${days === 1 ? "is" : "are"} ${daysText(days)} with reports; a verdict needs reports over ` +
        `${VERDICT_LIMITS.minSpanDays} days, on at least ${VERDICT_LIMITS.minDaysWithReports} of them.`
      );
    case "tooFewMessages":
      return `There ${messages === 1 ? "is" : "are"} ${messagesText(messages)} of your senders; a verdict needs ${VERDICT_LIMITS.minMessages}.`;
    case "stageTooShort":
      return `The present policy should stay for ${daysText(days)} more (RFC 9989 section 7.4).`;
    case "letThrough":
      return `${messagesText(messages)} fail but are let through by receivers, as forwarded or from a mailing list.`;
    case "foreignMailFails":
      return `${messagesText(messages)} of foreign senders fail, which p=reject stops.`;
  }
}

const ROLE_REASONS: Record<RoleReason, string> = {
  decided: "you decided so",
  authenticatedAsDomain: "authenticated as your domain",
  passesDmarc: "its mail passes DMARC",
  sameServerPasses: "other mail of this server passes for your domain",
  knownForwarder: "a known mailing list or forwarding service",
  signatureSurvives: "passes on mail that your servers signed",
  signatureBroken: "your signature is on it, but was broken in transit",
  receiversLetThrough: "receivers say it is forwarded or from a list",
  knownService: "a known service that doesn't pass for your domain",
  failingSignature: "signs for your domain with a key that never works",
  identifiedSender: "passes for its own domain only",
  steadyServer: "not authenticated, but seen repeatedly",
  returningServer: "not authenticated, but came back; spoofers rarely do",
  loneServer: "a single unauthenticated server; spoofers use many",
  standsOut: "not authenticated, but sends more than spoofers do",
  largeSender: "doesn't pass for your domain, but sends a lot",
  fewMessages: "too few messages to matter",
  smallSender: "too few messages to matter by itself",
  smallServer: "a single unauthenticated server, with too few messages to matter by itself",
  unsignedBursts: "passes for its own domain only, never signed, and in a few bursts",
  oneOff: "doesn't pass for your domain, and is rarely seen",
  ownName: "its reverse name is below your domain",
  namedInSpf: "your SPF record names it, and its mail doesn't pass for your domain",
  forwarderName: "its reverse name is that of a mailbox provider, a university or a forwarding service",
};

/** Why a source has its role. */
export function roleReasonText(reason: RoleReason): string {
  return ROLE_REASONS[reason];
}

/** What is suggested about a sender, and why, in one sentence. */
export function suggestionText({ decision, code, because }: Suggestion, domain: string): string {
  return `${DECISIONS[decision]}: ${SUGGESTION_REASONS[code]({ because, domain })}.`;
}

const DECISIONS: Record<Decision, string> = {
  mine: "Probably yours",
  notMine: "Probably not yours",
  forwarder: "Probably a forwarder",
};

const SUGGESTION_REASONS: Record<SuggestionCode, (names: { because: string; domain: string }) => string> = {
  neighbourDecided: ({ because }) => `you said so of ${because}, its neighbour`,
  inSpf: ({ because, domain }) => `the SPF record of ${domain} names ${because}`,
  ownHost: ({ because }) => `its reverse name is ${because}`,
  forwarderHost: ({ because }) => `its reverse name is ${because}`,
  partlyLetThrough: () => "receivers let some of its mail through as forwarded",
  signsForDomain: ({ domain }) => `it signs for ${domain}, with a key that no receiver could verify`,
  partlyPasses: () => "some of its mail passes DMARC",
  sendingService: ({ because }) => `${because} sends mail for its customers`,
  steadySigner: () => "it signs its mail with DKIM, and sends repeatedly",
  steadyHost: ({ because }) => `it sends repeatedly, and its reverse name is ${because}`,
  seldomUnsigned: () => "it was seen rarely, and does not sign its mail",
  namelessBurst: () => "it sent once, and has no reverse name, as mail servers do",
  namelessStranger: ({ because }) =>
    `it sent once, has no reverse name, and your mail never came from its network (${because})`,
};

/** Service and domain, or the address and its name. */
export function sourceName({ name, service, host }: Pick<JudgedSource, "name" | "service" | "host">): string {
  if (name === "") return "other sources";
  if (service !== "") return `${service} (${name})`;
  return host === "" ? name : `${name} (${host})`;
}

function messagesText(count: number): string {
  return count === 1 ? "1 message" : `${whole.format(count)} messages`;
}

function daysText(count: number): string {
  return count === 1 ? "1 day" : `${count} days`;
}
