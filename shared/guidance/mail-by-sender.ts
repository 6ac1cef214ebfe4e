/**
 * A period's mail by who sent it: the counts of every sender, and facts about all of the mail. It is what their roles
 * follow from (roles.ts), whatever the owner decided and DNS says, so it is counted once. Pure.
 */
import { type Evidence, PERIOD_PARTS } from "../ledger/sources.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { hasPass } from "./auth-results.ts";
import { isLetThrough, isRefused, ownSignatures, passes, wouldBeHit } from "./evidence.ts";
import { knownService } from "./known-services.ts";
import { identifySource, type SourceKind } from "./sources.ts";

/** The counts of a sender's mail in the period. */
export interface SenderFigures {
  /** Organizational domain, or the address. */
  name: string;
  kind: SourceKind;
  /** Name of the service, "" if it is not a known one. */
  service: string;
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
  firstDay: number;
  lastDay: number;
  evidence: Evidence[];
}

/** The same, with what only roles.ts needs. */
export interface CountedSender extends SenderFigures {
  /** The parts of the period it was seen in, as bits. */
  partBits: number;
  /** Failing mail with a signature of the domain whose key works elsewhere, or nowhere. */
  brokenOnTheWay: number;
  brokenAlways: number;
}

/** Facts about the whole period, used to judge single senders. */
export interface MailSurroundings {
  ownDomain: string;
  /** `domain selector` that passed where SPF was aligned too: keys of the owner's own servers. */
  homeKeys: ReadonlySet<string>;
  /** `domain selector` that passed anywhere. */
  workingKeys: ReadonlySet<string>;
  /** Address → how mail from it passed. */
  addresses: ReadonlyMap<string, { spfAligned: number; dkimOnly: number }>;
  /** Network → unauthenticated mail from it, and the parts of the period it came in, as bits. */
  networks: ReadonlyMap<string, { messages: number; partBits: number }>;
  /** Part of the period → addresses that unauthenticated mail came from, and organizations that pass SPF for themselves and sign nothing. */
  strangers: readonly ReadonlySet<string>[];
  /** Messages of one of them: the median. */
  typicalStranger: number;
  /** The base for shares: passing messages, or all messages if none pass. */
  base: number;
  /** Whether any mail passes at all. */
  isSending: boolean;
}

/** The mail of one domain. */
export interface MailBySender {
  senders: readonly CountedSender[];
  surroundings: MailSurroundings;
}

/** Counts the mail. @param evidence of one policy domain */
export function mailBySender(evidence: readonly Evidence[], policyDomain: string): MailBySender {
  const { byStranger, ...surroundings } = lookAround(evidence, policyDomain);
  const senders = new Map<string, CountedSender>();
  for (const group of evidence) {
    const { name, kind } = identifySource(group, policyDomain);
    const counted = count(group, { name, kind }, surroundings);
    const known = senders.get(name);
    senders.set(name, known === undefined ? counted : add(known, counted));
  }
  for (const sender of senders.values()) {
    if (!passesForItselfUnsigned(sender)) continue;
    byStranger.set(sender.name, sender.messages);
    for (const part of partsOf(sender.partBits)) surroundings.strangers[part]?.add(sender.name);
  }
  const typicalStranger = medianOf([...byStranger.values()]);
  return { senders: [...senders.values()], surroundings: { ...surroundings, typicalStranger } };
}

/** Whether it is another organization, not a known one, all of whose mail fails and is unsigned. */
export function passesForItselfUnsigned({ kind, service, passed, evidence }: CountedSender): boolean {
  return kind === "other" && service === "" && passed === 0 && evidence.every(({ dkimResults }) => dkimResults === "");
}

interface Looked extends Omit<MailSurroundings, "strangers" | "typicalStranger"> {
  strangers: Set<string>[];
  /** Address that unauthenticated mail came from → its messages. */
  byStranger: Map<string, number>;
}

function lookAround(evidence: readonly Evidence[], policyDomain: string): Looked {
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
    byStranger,
    base: passing > 0 ? passing : messages,
    isSending: passing > 0,
  };
}

function count(
  group: Evidence,
  { name, kind }: Pick<CountedSender, "name" | "kind">,
  around: Pick<MailSurroundings, "ownDomain" | "homeKeys" | "workingKeys">,
): CountedSender {
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
    partBits: group.activeParts,
    survived: when(isPass && group.spf !== "pass" && own.passing.some((key) => around.homeKeys.has(key))),
    brokenOnTheWay: when(!isPass && own.broken.some((key) => around.workingKeys.has(key))),
    brokenAlways: when(!isPass && own.broken.length > 0 && !own.broken.some((key) => around.workingKeys.has(key))),
    firstDay: group.firstDay,
    lastDay: group.lastDay,
    evidence: [group],
  };
}

function add(a: CountedSender, b: CountedSender): CountedSender {
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

/** The /24 or /64 of an address as text: servers of one sender are mostly in one. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address.split(".").slice(0, 3).join(".");
  const [head = ""] = address.split("::");
  return head.split(":").slice(0, 4).join(":");
}

function medianOf(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

/** How many are set. */
export function bitsOf(bits: number): number {
  return partsOf(bits).length;
}

/** The parts of a period that are set in bits. */
export function partsOf(bits: number): number[] {
  return Array.from({ length: PERIOD_PARTS }, (_, part) => part).filter((part) => (bits & (1 << part)) !== 0);
}
