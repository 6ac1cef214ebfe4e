/** The verdict in words, for the page and the command: what is, then what to do. Plain texts; names in them are strangers'. Pure. */
import { VERDICT_LIMITS } from "../limits.ts";
import type { Decision, JudgedSource, RoleReason } from "./roles.ts";
import type { Suggestion, SuggestionCode } from "./suggest.ts";
import type { Reason, ReasonCode, Verdict } from "./verdict.ts";
import { mustNotBeLost } from "./what-if.ts";

const whole = new Intl.NumberFormat("en-US");

/** A verdict in two sentences. */
export interface VerdictWords {
  /** One line: what is. */
  headline: string;
  /** What to do now. */
  nextStep: string;
}

/** What is, and the one thing to do next. */
export function verdictWords(verdict: Verdict): VerdictWords {
  const { state, messages, ownMessages, wouldHit } = verdict;
  const lost = mustNotBeLost(wouldHit.reject);
  switch (state) {
    case "beingRejected": {
      const refused = verdict.reasons.reduce((sum, reason) => sum + reason.messages, 0);
      return {
        headline: `Real senders are being refused: ${messagesText(refused)} were quarantined or rejected`,
        nextStep: `${fixText(verdict.reasons[0], verdict.domain)} Until then, publish p=none.`,
      };
    }
    case "notYet":
      return {
        headline:
          lost > 0
            ? `Not yet: p=reject would hit ${whole.format(lost)} of ${messagesText(ownMessages)} that may be yours`
            : "Not yet: too much of your mail passes by SPF alone",
        nextStep: fixText(verdict.reasons[0], verdict.domain),
      };
    case "ready":
      return {
        headline: `Ready: a stricter policy would hit ${lost === 0 ? "none" : whole.format(lost)} of ${messagesText(ownMessages)} of yours`,
        nextStep: readyStep(verdict),
      };
    case "protected":
      return {
        headline: "Protected: p=reject is published, and your senders pass",
        nextStep: verdict.reasons.length === 0 ? "Nothing to do." : `${fixText(verdict.reasons[0], verdict.domain)}`,
      };
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
          verdict.nextRecord === undefined
            ? "Nothing to do: p=reject is published. If the domain sends no mail, publish the SPF record v=spf1 -all as well."
            : "If it sends no mail, publish p=reject and the SPF record v=spf1 -all.",
      };
  }
}

/** What a verdict that p=reject is safe rests on, and what it cannot know; undefined for the other states. */
export function basisText({ state, days }: Pick<Verdict, "state" | "days">): string | undefined {
  if (state !== "ready" && state !== "notInUse") return undefined;
  return `Based on ${daysText(days)}. Mail sent less often may be missing.`;
}

function readyStep({ missing, nextRecord = "" }: Verdict): string {
  const wait = missing.find(({ code }) => code === "stageTooShort")?.days;
  const step = /p=\w+(; t=y)?/.exec(nextRecord)?.[0] ?? "";
  if (wait === undefined) return `Publish ${step}.`;
  return `Publish ${step} in ${wait === 1 ? "a day" : `${wait} days`}, when the present policy has been out long enough.`;
}

const TOO_FEW: ReadonlySet<ReasonCode> = new Set(["tooFewDays", "tooFewMessages", "fewAndForwarded"]);

function tooEarlyStep({ missing, reasons }: Verdict): string {
  const { minSpanDays, minMessages } = VERDICT_LIMITS;
  const lacking = missing.find(({ code }) => TOO_FEW.has(code)) ?? reasons[0];
  if (lacking?.code === "fewAndForwarded")
    return `Wait for more mail, or choose a longer period. ${reasonText(lacking)}`;
  if (lacking?.code === "tooFewMessages") {
    return `Wait for more mail: there are ${messagesText(lacking.messages)} of your senders, and it takes ${minMessages}.`;
  }
  return `Wait for more reports, or choose a longer period: there are ${daysText(lacking?.days ?? 0)} with reports, and it takes ${minSpanDays} days from the first to the last.`;
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
      return `${name} forwards mail in a way that breaks it. You can't fix that: stay at quarantine, or accept the loss.`;
    case "spfOnly":
      return `Sign the mail of ${name} with DKIM for ${domain}: SPF breaks when mail is forwarded.`;
    case "tooFewDays":
    case "tooFewMessages":
    case "fewAndForwarded":
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
  if (source.role === "undecided") {
    return source.kind === "none"
      ? `Find out whether ${name} is your server: if so, sign its mail with DKIM for ${domain} and add it to SPF.`
      : `Decide whether ${name} sends for you: if so, turn on DKIM for ${domain} there.`;
  }
  return source.kind === "other"
    ? `Turn on DKIM for ${domain} at ${name}.`
    : `Find out why mail of ${name} fails: sign all of it with DKIM for ${domain}.`;
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
      return `There are ${daysText(days)} with reports; it takes ${VERDICT_LIMITS.minSpanDays} days from the first to the last, ${VERDICT_LIMITS.minDaysWithReports} of them with reports.`;
    case "tooFewMessages":
      return `There are ${messagesText(messages)} of your senders; it takes ${VERDICT_LIMITS.minMessages}.`;
    case "fewAndForwarded":
      return `${messagesText(messages)} passed through forwarders or lists, which break some; in so little mail one lost message is more than 0.1 %.`;
    case "stageTooShort":
      return `The present policy should stay for ${daysText(days)} more (RFC 9989 section 7.4).`;
    case "letThrough":
      return `${messagesText(messages)} fail but are let through by receivers, as forwarded or from a mailing list.`;
    case "foreignMailFails":
      return `${messagesText(messages)} of foreign senders would be refused.`;
  }
}

const ROLE_REASONS: Record<RoleReason, string> = {
  decided: "you decided so",
  authenticatedAsDomain: "authenticated as your domain",
  passesDmarc: "its mail passes DMARC",
  sameServerPasses: "other mail of this server passes for your domain",
  knownForwarder: "a known mailing list or forwarding service",
  signatureSurvives: "passes on mail that your servers signed",
  signatureBroken: "your signature is on it, but was broken on the way",
  receiversLetThrough: "receivers say it is forwarded or from a list",
  knownService: "a known service that doesn't pass for your domain",
  failingSignature: "signs for your domain with a key that never works",
  identifiedSender: "passes for its own domain only, repeatedly",
  steadyServer: "not authenticated, but seen repeatedly",
  returningServer: "not authenticated, but came back; spoofers rarely do",
  loneServer: "a single unauthenticated server; spoofers use many",
  standsOut: "not authenticated, but sends more than spoofers do",
  largeSender: "doesn't pass for your domain, but sends a lot",
  fewMessages: "too few messages to matter",
  smallSender: "too few messages to matter by itself",
  unsignedBursts: "passes for its own domain only, never signed, and in a few bursts",
  oneOff: "doesn't pass for your domain, and is rarely seen",
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
};

/** Service and domain, or the address. */
export function sourceName({ name, service }: Pick<JudgedSource, "name" | "service">): string {
  if (name === "") return "other sources";
  return service === "" ? name : `${service} (${name})`;
}

function messagesText(count: number): string {
  return count === 1 ? "1 message" : `${whole.format(count)} messages`;
}

function daysText(count: number): string {
  return count === 1 ? "1 day" : `${count} days`;
}
