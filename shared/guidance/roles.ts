/**
 * Assigns every source of a period a role with a reason: first by the owner's decision, then by what the mail proves
 * (authenticated as the domain), then by its pattern and what DNS says of it. A source without a clear role is
 * undecided, never guessed. Pure.
 */
import { VERDICT_LIMITS } from "../limits.ts";
import { KNOWN_FORWARDERS, MAILBOX_PROVIDERS } from "./known-forwarders.ts";
import {
  bitsOf,
  type CountedSender,
  type MailBySender,
  type MailSurroundings,
  networkOf,
  partsOf,
  passesForItselfUnsigned,
  type SenderFigures,
} from "./mail-by-sender.ts";
import { isTooMuch } from "./sampling.ts";
import { NOTHING_KNOWN, type SenderClue, type SenderKnowledge, senderClue } from "./sender-knowledge.ts";
import type { SourceKind } from "./sources.ts";

/**
 * own: sends for the owner; forwarder: passes on other people's mail; foreign: somebody else; undecided: the owner has
 * to decide.
 */
export const ROLES = ["own", "forwarder", "foreign", "undecided"] as const;
export type Role = (typeof ROLES)[number];

/** The owner's decision about a source. */
export type Decision = "mine" | "notMine" | "forwarder";

/** The owner's decisions; undefined = none. */
export type Decide = (source: { name: string; kind: SourceKind; service: string }) => Decision | undefined;

/** Why a source has its role; a code keeps its meaning. */
export type RoleReason =
  | "decided"
  | "authenticatedAsDomain"
  | "passesDmarc"
  | "sameServerPasses"
  | "knownForwarder"
  | "signatureSurvives"
  | "signatureBroken"
  | "receiversLetThrough"
  | "knownService"
  | "failingSignature"
  | "identifiedSender"
  | "steadyServer"
  | "returningServer"
  | "loneServer"
  | "standsOut"
  | "largeSender"
  | "fewMessages"
  | "smallSender"
  | "smallServer"
  | "unsignedBursts"
  | "oneOff"
  | "ownName"
  | "namedInSpf"
  | "forwarderName";

/** A source with its role and figures for the period. */
export interface JudgedSource extends SenderFigures {
  role: Role;
  reason: RoleReason;
  /** The number of parts of the period it was seen in (`PERIOD_PARTS`). */
  activeParts: number;
  /** Reverse name of an address, as far as it is known; else "". */
  host: string;
}

/** What a role follows from besides the sender's own mail. */
interface Surroundings extends MailSurroundings {
  decide: Decide;
  knowledge: SenderKnowledge;
}

/**
 * Every source of a period, largest first.
 *
 * @param knowledge what DNS says of them; without it the mail alone counts
 */
export function judgeSources(
  { senders, surroundings }: MailBySender,
  decide: Decide,
  knowledge: SenderKnowledge = NOTHING_KNOWN,
): JudgedSource[] {
  const around = { ...surroundings, decide, knowledge };
  return senders
    .map((sender): JudgedSource => {
      const { partBits, brokenOnTheWay: _, brokenAlways: __, ...figures } = sender;
      const host = knowledge.names.get(sender.name)?.host ?? "";
      return { ...figures, activeParts: bitsOf(partBits), host, ...roleOf(sender, around) };
    })
    .sort((a, b) => b.messages - a.messages || (a.name < b.name ? -1 : 1));
}

interface RoleWithReason {
  role: Role;
  reason: RoleReason;
}

const BY_DECISION: Record<Decision, Role> = { mine: "own", notMine: "foreign", forwarder: "forwarder" };

function roleOf(source: CountedSender, around: Surroundings): RoleWithReason {
  const decision = around.decide({ name: source.name, kind: source.kind, service: source.service });
  if (decision !== undefined) return { role: BY_DECISION[decision], reason: "decided" };
  switch (source.kind) {
    case "own":
      return { role: "own", reason: "authenticatedAsDomain" };
    case "other":
      return roleOfOrganization(source, around);
    case "none":
      return roleOfAddress(source, around);
  }
}

// Mail that authenticates as another organization, and perhaps as the domain as well.
function roleOfOrganization(source: CountedSender, around: Surroundings): RoleWithReason {
  const { name, service, passed, messages, survived } = source;
  const mayForward = service === "" || MAILBOX_PROVIDERS.has(service);
  if (KNOWN_FORWARDERS.has(name)) return { role: "forwarder", reason: "knownForwarder" };
  // A service that sends for the owner signs with its own key; a forwarder passes on what the owner's servers signed.
  if (mayForward && passed > 0 && 2 * survived >= passed) return { role: "forwarder", reason: "signatureSurvives" };
  if (passed > 0 && 2 * passed >= messages) return { role: "own", reason: "passesDmarc" };
  const forwarded = looksForwarded(source);
  if (mayForward && forwarded !== undefined) return forwarded;
  const isInSpf = mayForward && knownOf(source, around) === "inSpf";
  if (!isInSpf && isOfRun(source, around)) return { role: "foreign", reason: "oneOff" };
  if (isNegligible(source, around)) return { role: "foreign", reason: "smallSender" };
  if (isInSpf) return { role: "undecided", reason: "namedInSpf" };
  if (service !== "" && !mayForward) return { role: "undecided", reason: "knownService" };
  if (source.brokenAlways > 0) return { role: "undecided", reason: "failingSignature" };
  if (mayForward && sendsUnsignedBursts(source)) return { role: "foreign", reason: "unsignedBursts" };
  if (passed > 0 || bitsOf(source.partBits) >= VERDICT_LIMITS.steadyParts || mayNotBeLost(source, around)) {
    return { role: "undecided", reason: "identifiedSender" };
  }
  return { role: "foreign", reason: around.isSending ? "smallSender" : "oneOff" };
}

/**
 * Whether it is part of a run of spoofing through other people's accounts: unrelated organizations that pass SPF for themselves and sign
 * nothing, many at once, a little from each, and not again from the same.
 */
function isOfRun(source: CountedSender, around: Surroundings): boolean {
  if (!passesForItselfUnsigned(source)) return false;
  return around.isSending && reasonToAsk(source, { network: source, around }) === undefined;
}

/**
 * Whether much comes at once, in two or three parts of the period with pauses between, and never signed. That is too
 * seldom for a sender that sends weekly and too often for one that sends monthly; and services, mailbox providers among
 * them, sign what they send.
 */
function sendsUnsignedBursts({ passed, messages, partBits, evidence }: CountedSender): boolean {
  const parts = bitsOf(partBits);
  // Seen in neighbouring parts, it may be a sender that has just begun.
  const hasPauses = (partBits & (partBits << 1)) === 0;
  if (passed > 0 || parts < 2 || parts >= VERDICT_LIMITS.steadyParts || !hasPauses) return false;
  return messages >= VERDICT_LIMITS.burstMessages * parts && !evidence.some(({ dkimResults }) => dkimResults !== "");
}

function knownOf(source: CountedSender, { ownDomain, knowledge }: Surroundings): SenderClue | undefined {
  return senderClue(source, ownDomain, knowledge);
}

// Mail that nothing authenticates, from one address: what DNS says of it decides where the mail leaves it open.
function roleOfAddress(source: CountedSender, around: Surroundings): RoleWithReason {
  const byMail = roleByMail(source, around);
  const known = knownOf(source, around);
  if (known === "ownName" && OPEN.has(byMail.role)) return { role: "undecided", reason: "ownName" };
  if (known === "inSpf" && OPEN.has(byMail.role)) return namedInSpf(source, around);
  if (known === "forwarderName" && byMail.role === "undecided") return { role: "forwarder", reason: "forwarderName" };
  return byMail;
}

const OPEN: ReadonlySet<Role> = new Set(["undecided", "foreign"]);

function namedInSpf(source: CountedSender, around: Surroundings): RoleWithReason {
  if (isNegligible(source, around)) return { role: "foreign", reason: "smallSender" };
  return { role: "undecided", reason: "namedInSpf" };
}

function roleByMail(source: CountedSender, around: Surroundings): RoleWithReason {
  const address = around.addresses.get(source.name);
  if (address !== undefined && address.spfAligned > 0) return { role: "own", reason: "sameServerPasses" };
  if (address !== undefined && address.dkimOnly > 0) return { role: "forwarder", reason: "signatureSurvives" };
  const forwarded = looksForwarded(source);
  if (forwarded !== undefined) return forwarded;
  const network = around.networks.get(networkOf(source.name)) ?? source;
  const asked = around.isSending ? reasonToAsk(source, { network, around }) : undefined;
  const ifSmall = asked === undefined ? "fewMessages" : asked === "loneServer" ? "smallServer" : "smallSender";
  if (isNegligible(network, around)) return { role: "foreign", reason: ifSmall };
  if (source.brokenAlways > 0) return { role: "undecided", reason: "failingSignature" };
  if (bitsOf(network.partBits) >= VERDICT_LIMITS.steadyParts) return { role: "undecided", reason: "steadyServer" };
  if (asked !== undefined) {
    return mayNotBeLost(network, around) ? { role: "undecided", reason: asked } : { role: "foreign", reason: ifSmall };
  }
  return largeOrOneOff(source, around);
}

/**
 * Whether a sender alone is too much to lose: if it were the owner's, the promise of "ready" would be broken. If nothing
 * passes, nobody seems to send for the owner, and rare senders are not asked about.
 */
export function mayNotBeLost({ messages }: { messages: number }, { base, isSending }: MailSurroundings): boolean {
  return isSending && isTooMuch(messages, base);
}

/**
 * Reasons why an unauthenticated address is not part of a spoofing run. Such a run comes from many addresses at once,
 * with little mail from each, and never from the same ones again. So it is not if the address returns, is alone, or
 * sends more than the others.
 */
function reasonToAsk(
  source: CountedSender,
  { network, around }: { network: { partBits: number }; around: Surroundings },
): RoleReason | undefined {
  const parts = partsOf(network.partBits);
  if ((parts.at(-1) ?? 0) - (parts[0] ?? 0) > 1) return "returningServer";
  if (isAlone(source, around)) return "loneServer";
  return source.messages > VERDICT_LIMITS.maxTimesTypical * around.typicalStranger ? "standsOut" : undefined;
}

// If strangers appear all the time, a few in each part count like many in one.
function isAlone({ partBits }: CountedSender, { strangers }: Surroundings): boolean {
  if (strangers.filter(({ size }) => size > 0).length >= VERDICT_LIMITS.spoofedParts) return false;
  return partsOf(partBits).some((part) => (strangers[part]?.size ?? 0) <= VERDICT_LIMITS.maxLoneServers);
}

function looksForwarded({ messages, passed, letThrough, brokenOnTheWay }: CountedSender): RoleWithReason | undefined {
  const failing = messages - passed;
  if (2 * letThrough >= failing) return { role: "forwarder", reason: "receiversLetThrough" };
  // The key verifies elsewhere: this is the owner's mail, changed in transit.
  if (2 * (letThrough + brokenOnTheWay) >= failing) return { role: "forwarder", reason: "signatureBroken" };
  return undefined;
}

function isNegligible({ messages }: { messages: number }, { base }: Surroundings): boolean {
  return messages <= VERDICT_LIMITS.negligibleShare * base;
}

// If nothing passes, a sender that is not steady is not taken for the owner's, however much it sends.
function largeOrOneOff({ messages }: CountedSender, { base, isSending }: Surroundings): RoleWithReason {
  const { largeShare, largeMessages } = VERDICT_LIMITS;
  if (isSending && messages >= largeMessages && messages >= largeShare * base)
    return { role: "undecided", reason: "largeSender" };
  return { role: "foreign", reason: "oneOff" };
}
