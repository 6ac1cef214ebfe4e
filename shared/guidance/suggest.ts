/**
 * What an owner might decide about an undecided sender, and why: from what they decided about senders near it, from
 * their SPF record, from its mail and its names. A suggestion is never applied by itself, and where nothing speaks for
 * one there is none. Pure.
 */
import { VERDICT_LIMITS } from "../limits.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { AddressName } from "./address-name.ts";
import { hasPass } from "./auth-results.ts";
import type { Decisions } from "./decisions.ts";
import { KNOWN_FORWARDERS, MAILBOX_PROVIDERS } from "./known-forwarders.ts";
import { networkOf } from "./mail-by-sender.ts";
import type { Decision, JudgedSource } from "./roles.ts";
import { senderClue } from "./sender-knowledge.ts";
import { namedInSpf, type SpfNames } from "./spf-names.ts";
import { prefixOf, serviceSubject } from "./subject.ts";

/** Why something is suggested; a code keeps its meaning. */
export const SUGGESTION_CODES = [
  "neighbourDecided",
  "inSpf",
  "ownHost",
  "forwarderHost",
  "partlyLetThrough",
  "signsForDomain",
  "partlyPasses",
  "sendingService",
  "steadySigner",
  "steadyHost",
  "seldomUnsigned",
  "namelessBurst",
  "namelessStranger",
] as const;
export type SuggestionCode = (typeof SUGGESTION_CODES)[number];

/** What to say of whom. */
export interface Suggestion {
  /** Text of the subject (subject.ts): the sender, its service, or the prefix of several like it. */
  subject: string;
  decision: Decision;
  code: SuggestionCode;
  /** The nearby sender, host or service that it rests on; "" where it rests on the mail alone. */
  because: string;
}

/** What is known around a sender. */
export interface SuggestionGround {
  policyDomain: string;
  /** All senders of the period. */
  sources: readonly JudgedSource[];
  decisions: Decisions;
  /** Names of addresses, as far as they were looked up. */
  names: ReadonlyMap<string, AddressName>;
  /** What the domain's SPF record names; empty where it is not known. */
  spf: SpfNames;
  /** Numbers of the networks that the owner's own mail comes from. */
  homeNetworks: ReadonlySet<number>;
}

type Reasoned = Omit<Suggestion, "subject">;

/** A suggestion for each undecided sender, by its name; without one where nothing speaks for any. */
export function suggestAll(ground: SuggestionGround): Map<string, Suggestion> {
  const undecided = ground.sources.filter(({ role, name }) => role === "undecided" && name !== "");
  const inNetwork = new Map<string, number>();
  for (const { kind, name } of undecided) {
    if (kind === "none") inNetwork.set(networkOf(name), (inNetwork.get(networkOf(name)) ?? 0) + 1);
  }
  const neighbours = neighboursOf(ground);
  const suggestions = new Map<string, Suggestion>();
  for (const source of undecided) {
    const found = neighbourDecided(source, ground, neighbours) ?? suggest(source, ground);
    if (found === undefined) continue;
    const hasOthers = (inNetwork.get(networkOf(source.name)) ?? 0) > 1;
    suggestions.set(source.name, { subject: subjectOf(source, hasOthers), ...found });
  }
  return suggestions;
}

// The service rather than one of its domains; the network rather than one of several addresses.
function subjectOf({ kind, name, service }: JudgedSource, hasOthers: boolean): string {
  if (service !== "" && !MAILBOX_PROVIDERS.has(service)) return serviceSubject(service);
  return kind === "none" && hasOthers ? prefixOf(name, name.includes(":") ? 64 : 24) : name;
}

/** What suggests a decision by itself, the strongest first. */
function suggest(source: JudgedSource, ground: SuggestionGround): Reasoned | undefined {
  const host = ground.names.get(source.name)?.host;
  const spfName = namedInSpf(source, ground.spf);
  if (spfName !== undefined) return { decision: "mine", code: "inSpf", because: spfName };
  const hostDomain = organizationalDomain(host ?? "");
  if (hostDomain !== "" && hostDomain === organizationalDomain(ground.policyDomain)) {
    return { decision: "mine", code: "ownHost", because: host ?? "" };
  }
  if (KNOWN_FORWARDERS.has(hostDomain)) return { decision: "forwarder", code: "forwarderHost", because: host ?? "" };
  if (source.letThrough > 0) return { decision: "forwarder", code: "partlyLetThrough", because: "" };
  if (source.reason === "failingSignature") return { decision: "mine", code: "signsForDomain", because: "" };
  return byItsMail(source, host, ground);
}

/** @param host reverse name of an address, "" where it has none, undefined where it was not looked up */
function byItsMail(source: JudgedSource, host: string | undefined, ground: SuggestionGround): Reasoned | undefined {
  const { names, homeNetworks } = ground;
  const { kind, service, passed, activeParts, evidence, name } = source;
  const isSteady = activeParts >= VERDICT_LIMITS.steadyParts;
  if (kind === "none") {
    // Elsewhere it may as well be a forwarder's, or a stranger's who has a name.
    const isNear = homeNetworks.size === 0 || homeNetworks.has(names.get(name)?.asn ?? 0);
    if (isSteady && host && isNear) return { decision: "mine", code: "steadyHost", because: host };
    const stranger = activeParts === 1 ? strangersNetwork(source, ground) : undefined;
    if (stranger !== undefined) return { decision: "notMine", code: "namelessStranger", because: stranger };
    return activeParts === 1 && host === "" ? { decision: "notMine", code: "namelessBurst", because: "" } : undefined;
  }
  const mayForward = MAILBOX_PROVIDERS.has(service);
  if (mayForward) return passed > 0 ? { decision: "forwarder", code: "partlyPasses", because: "" } : undefined;
  if (passed > 0) return { decision: "mine", code: "partlyPasses", because: "" };
  if (service !== "") return { decision: "mine", code: "sendingService", because: service };
  const isSigned = evidence.some(({ dkimResults }) => hasPass(dkimResults));
  if (isSteady) return isSigned ? { decision: "mine", code: "steadySigner", because: "" } : undefined;
  return isSigned ? undefined : { decision: "notMine", code: "seldomUnsigned", because: "" };
}

/** The network of an address that is a stranger's by its name: `AS64500 HOLDER`. */
function strangersNetwork(source: JudgedSource, ground: SuggestionGround): string | undefined {
  if (senderClue(source, organizationalDomain(ground.policyDomain), ground) !== "stranger") return undefined;
  const { asn = 0, holder = "" } = ground.names.get(source.name) ?? {};
  return `AS${asn} ${holder}`.trim();
}

/** Decisions by what nearby senders have in common: a network, or the domain of their reverse names. */
type Neighbours = ReadonlyMap<string, { name: string; decisions: Set<Decision> }>;

function neighboursOf({ decisions, names }: SuggestionGround): Neighbours {
  const neighbours = new Map<string, { name: string; decisions: Set<Decision> }>();
  for (const [subject, decision] of decisions.all) {
    for (const common of commonOf(subject, names)) {
      const known = neighbours.get(common) ?? { name: subject, decisions: new Set() };
      known.decisions.add(decision);
      neighbours.set(common, known);
    }
  }
  return neighbours;
}

/** What an address or a prefix may have in common with others. */
function commonOf(subject: string, names: ReadonlyMap<string, AddressName>): string[] {
  const [address = ""] = subject.split("/");
  if (!/^[\d.]+$|:.*:/.test(address)) return [];
  const host = names.get(address)?.host ?? "";
  return [`network ${networkOf(address)}`, ...(host === "" ? [] : [`host ${organizationalDomain(host)}`])];
}

/** The decision about senders near it, where it is the same for all of them. */
function neighbourDecided(
  source: JudgedSource,
  { names }: SuggestionGround,
  neighbours: Neighbours,
): Reasoned | undefined {
  if (source.kind !== "none") return undefined;
  for (const common of commonOf(source.name, names)) {
    const found = neighbours.get(common);
    const [decision, ...others] = found?.decisions ?? [];
    if (found === undefined || decision === undefined || others.length > 0) continue;
    return { decision, code: "neighbourDecided", because: found.name };
  }
  return undefined;
}
