/**
 * Assigns every source of a period a role with a reason: first by the owner's decision, then by what the mail proves
 * (authenticated as the domain), then by its pattern and what DNS says of it. A source without a clear role is undecided, never guessed. Pure.
 */
import { type Evidence, PERIOD_PARTS } from "../ledger/sources.ts";
import { VERDICT_LIMITS } from "../limits.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { hasPass } from "./auth-results.ts";
import { isLetThrough, isRefused, ownSignatures, passes, wouldBeHit } from "./evidence.ts";
import { KNOWN_FORWARDERS, MAILBOX_PROVIDERS } from "./known-forwarders.ts";
import { knownService } from "./known-services.ts";
import { type Known, NOTHING_KNOWN, type SenderKnowledge, whatIsKnown } from "./sender-knowledge.ts";
import { identifySource, type SourceKind } from "./sources.ts";

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
  | "unsignedBursts"
  | "oneOff"
  | "ownName"
  | "namedInSpf"
  | "forwarderName";

/** A source with its role and figures for the period. */
export interface JudgedSource {
  /** Organizational domain, or the address. */
  name: string;
  kind: SourceKind;
  /** Name of the service, "" if it is not a known one. */
  service: string;
  role: Role;
  reason: RoleReason;
  messages: number;
  passed: number;
  /** Passing mail without an aligned DKIM signature. */
  spfOnly: number;
  /** Passing mail signed by the owner's servers that came from somewhere else: forwarded, with the signature intact. */
  survived: number;
  /** Failing mail that receivers let through. */
  letThrough: number;
  /** Failing mail that a policy would hit. */
  hit: number;
  /** Failing mail that was quarantined or rejected. */
  refused: number;
  /** The number of parts of the period it was seen in (`PERIOD_PARTS`). */
  activeParts: number;
  firstDay: number;
  lastDay: number;
  evidence: Evidence[];
}

/** The counts of a source, before its role is known. */
interface Counted extends Omit<JudgedSource, "role" | "reason"> {
  partBits: number;
  /** Failing mail with a signature of the domain whose key works elsewhere, or nowhere. */
  brokenOnTheWay: number;
  brokenAlways: number;
}

/** Facts about the whole period, used to judge single sources. */
interface Surroundings {
  ownDomain: string;
  /** `domain selector` that passed where SPF was aligned too: keys of the owner's own servers. */
  homeKeys: ReadonlySet<string>;
  /** `domain selector` that passed anywhere. */
  workingKeys: ReadonlySet<string>;
  /** Address → how mail from it passed. */
  addresses: ReadonlyMap<string, { spfAligned: number; dkimOnly: number }>;
  /** Network → unauthenticated mail from it, and the parts of the period it came in, as bits. */
  networks: ReadonlyMap<string, { messages: number; partBits: number }>;
  /** Part of the period → addresses that unauthenticated mail came from. */
  strangers: readonly ReadonlySet<string>[];
  /** Messages of an address that unauthenticated mail came from: the median. */
  typicalStranger: number;
  /** The base for shares: passing messages, or all messages if none pass. */
  base: number;
  /** Whether any mail passes at all. */
  isSending: boolean;
  decide: Decide;
  knowledge: SenderKnowledge;
}

/**
 * Every source of a period, largest first.
 *
 * @param evidence of one policy domain @param knowledge what DNS says of them; without it the mail alone counts
 */
export function judgeSources(
  evidence: readonly Evidence[],
  policyDomain: string,
  decide: Decide,
  knowledge: SenderKnowledge = NOTHING_KNOWN,
): JudgedSource[] {
  const around = { ...lookAround(evidence, policyDomain), decide, knowledge };
  const sources = new Map<string, Counted>();
  for (const group of evidence) {
    const { name, kind } = identifySource(group, policyDomain);
    const counted = count(group, { name, kind }, around);
    const known = sources.get(name);
    sources.set(name, known === undefined ? counted : add(known, counted));
  }
  return [...sources.values()]
    .map(({ partBits, brokenOnTheWay, brokenAlways, ...figures }): JudgedSource => {
      const counted = { ...figures, partBits, brokenOnTheWay, brokenAlways };
      return { ...figures, activeParts: bitsOf(partBits), ...roleOf(counted, around) };
    })
    .sort((a, b) => b.messages - a.messages || (a.name < b.name ? -1 : 1));
}

function lookAround(evidence: readonly Evidence[], policyDomain: string): Omit<Surroundings, "decide" | "knowledge"> {
  const ownDomain = organizationalDomain(policyDomain);
  const homeKeys = new Set<string>();
  const workingKeys = new Set<string>();
  const addresses = new Map<string, { spfAligned: number; dkimOnly: number }>();
  const networks = new Map<string, { messages: number; partBits: number }>();
  const strangers = Array.from({ length: PERIOD_PARTS }, () => new Set<string>());
  const byStranger = new Map<string, number>();
  let messages = 0;
  let passing = 0;
  for (const group of evidence) {
    messages += group.messages;
    if (!passes(group)) {
      if (group.sourceIp !== "" && !hasPass(group.dkimResults) && !hasPass(group.spfResults)) {
        const network = networks.get(networkOf(group.sourceIp)) ?? { messages: 0, partBits: 0 };
        network.messages += group.messages;
        network.partBits |= group.activeParts;
        networks.set(networkOf(group.sourceIp), network);
        byStranger.set(group.sourceIp, (byStranger.get(group.sourceIp) ?? 0) + group.messages);
        for (const part of partsOf(group.activeParts)) strangers[part]?.add(group.sourceIp);
      }
      continue;
    }
    passing += group.messages;
    for (const key of ownSignatures(group, ownDomain).passing) {
      workingKeys.add(key);
      if (group.spf === "pass") homeKeys.add(key);
    }
    if (group.sourceIp === "") continue;
    const address = addresses.get(group.sourceIp) ?? { spfAligned: 0, dkimOnly: 0 };
    address[group.spf === "pass" ? "spfAligned" : "dkimOnly"] += group.messages;
    addresses.set(group.sourceIp, address);
  }
  return {
    ownDomain,
    homeKeys,
    workingKeys,
    addresses,
    networks,
    strangers,
    typicalStranger: medianOf([...byStranger.values()]),
    base: passing > 0 ? passing : messages,
    isSending: passing > 0,
  };
}

function count(group: Evidence, { name, kind }: Pick<Counted, "name" | "kind">, around: Surroundings): Counted {
  const { messages } = group;
  const when = (condition: boolean): number => (condition ? messages : 0);
  const isPass = passes(group);
  const own = ownSignatures(group, around.ownDomain);
  return {
    name,
    kind,
    service: kind === "other" ? (knownService(name) ?? "") : "",
    messages,
    passed: when(isPass),
    spfOnly: when(isPass && group.dkim !== "pass"),
    letThrough: when(!isPass && isLetThrough(group)),
    hit: when(wouldBeHit(group)),
    refused: when(isRefused(group)),
    activeParts: 0,
    partBits: group.activeParts,
    survived: when(isPass && group.spf !== "pass" && own.passing.some((key) => around.homeKeys.has(key))),
    brokenOnTheWay: when(!isPass && own.broken.some((key) => around.workingKeys.has(key))),
    brokenAlways: when(!isPass && own.broken.length > 0 && !own.broken.some((key) => around.workingKeys.has(key))),
    firstDay: group.firstDay,
    lastDay: group.lastDay,
    evidence: [group],
  };
}

function add(a: Counted, b: Counted): Counted {
  a.evidence.push(...b.evidence);
  return {
    ...a,
    messages: a.messages + b.messages,
    passed: a.passed + b.passed,
    spfOnly: a.spfOnly + b.spfOnly,
    letThrough: a.letThrough + b.letThrough,
    hit: a.hit + b.hit,
    refused: a.refused + b.refused,
    partBits: a.partBits | b.partBits,
    survived: a.survived + b.survived,
    brokenOnTheWay: a.brokenOnTheWay + b.brokenOnTheWay,
    brokenAlways: a.brokenAlways + b.brokenAlways,
    firstDay: Math.min(a.firstDay, b.firstDay),
    lastDay: Math.max(a.lastDay, b.lastDay),
  };
}

interface RoleWithReason {
  role: Role;
  reason: RoleReason;
}

const BY_DECISION: Record<Decision, Role> = { mine: "own", notMine: "foreign", forwarder: "forwarder" };

function roleOf(source: Counted, around: Surroundings): RoleWithReason {
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
function roleOfOrganization(source: Counted, around: Surroundings): RoleWithReason {
  const { name, service, passed, messages, survived } = source;
  const mayForward = service === "" || MAILBOX_PROVIDERS.has(service);
  if (KNOWN_FORWARDERS.has(name)) return { role: "forwarder", reason: "knownForwarder" };
  // A service that sends for the owner signs with its own key; a forwarder passes on what the owner's servers signed.
  if (mayForward && passed > 0 && 2 * survived >= passed) return { role: "forwarder", reason: "signatureSurvives" };
  if (passed > 0 && 2 * passed >= messages) return { role: "own", reason: "passesDmarc" };
  const forwarded = looksForwarded(source);
  if (mayForward && forwarded !== undefined) return forwarded;
  if (isNegligible(source, around)) return { role: "foreign", reason: "smallSender" };
  if (mayForward && knownOf(source, around) === "inSpf") return { role: "undecided", reason: "namedInSpf" };
  if (service !== "" && !mayForward) return { role: "undecided", reason: "knownService" };
  if (source.brokenAlways > 0) return { role: "undecided", reason: "failingSignature" };
  if (mayForward && sendsUnsignedBursts(source)) return { role: "foreign", reason: "unsignedBursts" };
  if (passed > 0 || bitsOf(source.partBits) >= VERDICT_LIMITS.steadyParts || mayNotBeLost(source, around)) {
    return { role: "undecided", reason: "identifiedSender" };
  }
  return { role: "foreign", reason: around.isSending ? "smallSender" : "oneOff" };
}

/**
 * Whether much comes at once, in two or three parts of the period with pauses between, and never signed. That is too seldom for a sender that sends
 * weekly and too often for one that sends monthly; and services, mailbox providers among them, sign what they send.
 */
function sendsUnsignedBursts({ passed, messages, partBits, evidence }: Counted): boolean {
  const parts = bitsOf(partBits);
  // Seen in neighbouring parts, it may be a sender that has just begun.
  const hasPauses = (partBits & (partBits << 1)) === 0;
  if (passed > 0 || parts < 2 || parts >= VERDICT_LIMITS.steadyParts || !hasPauses) return false;
  return messages >= VERDICT_LIMITS.burstMessages * parts && !evidence.some(({ dkimResults }) => dkimResults !== "");
}

function knownOf(source: Counted, { ownDomain, knowledge }: Surroundings): Known | undefined {
  return whatIsKnown(source, ownDomain, knowledge);
}

// Mail that nothing authenticates, from one address: what DNS says of it decides where the mail leaves it open.
function roleOfAddress(source: Counted, around: Surroundings): RoleWithReason {
  const byMail = roleByMail(source, around);
  const known = knownOf(source, around);
  if (known === "ownName" && OPEN.has(byMail.role)) return { role: "undecided", reason: "ownName" };
  if (known === "inSpf" && OPEN.has(byMail.role)) return namedInSpf(source, around);
  if (known === "forwarderName" && byMail.role === "undecided") return { role: "forwarder", reason: "forwarderName" };
  return byMail;
}

const OPEN: ReadonlySet<Role> = new Set(["undecided", "foreign"]);

function namedInSpf(source: Counted, around: Surroundings): RoleWithReason {
  if (isNegligible(source, around)) return { role: "foreign", reason: "smallSender" };
  return { role: "undecided", reason: "namedInSpf" };
}

function roleByMail(source: Counted, around: Surroundings): RoleWithReason {
  const address = around.addresses.get(source.name);
  if (address !== undefined && address.spfAligned > 0) return { role: "own", reason: "sameServerPasses" };
  if (address !== undefined && address.dkimOnly > 0) return { role: "forwarder", reason: "signatureSurvives" };
  const forwarded = looksForwarded(source);
  if (forwarded !== undefined) return forwarded;
  const network = around.networks.get(networkOf(source.name)) ?? source;
  const asked = around.isSending ? reasonToAsk(source, { network, around }) : undefined;
  // Of single servers far more are spoofers' than the owner's, so small ones do not add up.
  const ifSmall: RoleReason = asked === undefined || asked === "loneServer" ? "fewMessages" : "smallSender";
  if (isNegligible(network, around)) return { role: "foreign", reason: ifSmall };
  if (source.brokenAlways > 0) return { role: "undecided", reason: "failingSignature" };
  if (bitsOf(network.partBits) >= VERDICT_LIMITS.steadyParts) return { role: "undecided", reason: "steadyServer" };
  if (asked !== undefined) {
    return mayNotBeLost(network, around) ? { role: "undecided", reason: asked } : { role: "foreign", reason: ifSmall };
  }
  return largeOrOneOff(source, around);
}

/**
 * Whether a sender alone exceeds what a policy may hit: if it were the owner's, losing it would break the promise of
 * "ready". If nothing passes, nobody seems to send for the owner, and rare senders are not asked about.
 */
function mayNotBeLost({ messages }: { messages: number }, { base, isSending }: Surroundings): boolean {
  return isSending && messages > VERDICT_LIMITS.maxHitShare * base;
}

/**
 * Reasons why an unauthenticated address is not part of a spoofing run. Such a run comes from many addresses at once,
 * with little mail from each, and never from the same ones again. So it is not if the address returns, is alone, or
 * sends more than the others.
 */
function reasonToAsk(
  source: Counted,
  { network, around }: { network: { partBits: number }; around: Surroundings },
): RoleReason | undefined {
  const parts = partsOf(network.partBits);
  if ((parts.at(-1) ?? 0) - (parts[0] ?? 0) > 1) return "returningServer";
  if (isAlone(source, around)) return "loneServer";
  return source.messages > VERDICT_LIMITS.maxTimesTypical * around.typicalStranger ? "standsOut" : undefined;
}

// If strangers appear all the time, a few in each part count like many in one.
function isAlone({ partBits }: Counted, { strangers }: Surroundings): boolean {
  if (strangers.filter(({ size }) => size > 0).length >= VERDICT_LIMITS.spoofedParts) return false;
  return partsOf(partBits).some((part) => (strangers[part]?.size ?? 0) <= VERDICT_LIMITS.maxLoneServers);
}

function looksForwarded({ messages, passed, letThrough, brokenOnTheWay }: Counted): RoleWithReason | undefined {
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
function largeOrOneOff({ messages }: Counted, { base, isSending }: Surroundings): RoleWithReason {
  const { largeShare, largeMessages } = VERDICT_LIMITS;
  if (isSending && messages >= largeMessages && messages >= largeShare * base)
    return { role: "undecided", reason: "largeSender" };
  return { role: "foreign", reason: "oneOff" };
}

/** The /24 or /64 of an address as text: servers of one sender are mostly in one. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address.split(".").slice(0, 3).join(".");
  const [head = ""] = address.split("::");
  return head.split(":").slice(0, 4).join(":");
}

function medianOf(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function bitsOf(bits: number): number {
  return partsOf(bits).length;
}

function partsOf(bits: number): number[] {
  return Array.from({ length: PERIOD_PARTS }, (_, part) => part).filter((part) => (bits & (1 << part)) !== 0);
}
