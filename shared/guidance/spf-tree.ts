/**
 * What an SPF record comes to when DNS is asked: every include and redirect followed, every term's addresses, lookups and
 * empty lookups counted over the whole (RFC 7208 section 4.6.4). It judges nothing. Pure.
 */
import { isUnanswered, type RecordType, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { Ask } from "./dns-questions.ts";
import { networkHolds } from "./networks.ts";
import {
  expandMacros,
  hasMacro,
  isSpfRecord,
  type Mechanism,
  type Qualifier,
  readSpfTerms,
  type SpfTerm,
} from "./spf-record.ts";

/** What is wrong at a name or a term, beyond a term that cannot be read. */
export type SpfProblem =
  | "noRecord"
  | "severalRecords"
  | "loop"
  | "tooManyMxHosts"
  | "unanswered"
  | "notFollowed"
  | "brokenBelow";

/** Those by which receivers can't use the whole record. */
export const BREAKING_PROBLEMS: ReadonlySet<SpfProblem> = new Set([
  "noRecord",
  "severalRecords",
  "loop",
  "tooManyMxHosts",
]);

/** A term and its result. */
export interface ResolvedTerm {
  term: SpfTerm;
  /** Lookups of the term itself: 1 or 0. */
  lookups: number;
  /** Lookups of it and all below. */
  allLookups: number;
  isVoid: boolean;
  /** Networks it covers: "192.0.2.0/24". Those of an include are at its own terms. */
  networks: string[];
  problem?: SpfProblem;
  /** The record that an include or a redirect leads to. */
  record?: ResolvedSpf;
}

/** A record and its result. */
export interface ResolvedSpf {
  domain: string;
  /** "" where there is none. */
  text: string;
  terms: ResolvedTerm[];
  problem?: SpfProblem;
}

/** The whole tree with its counts. */
export interface SpfTree {
  root: ResolvedSpf;
  lookups: number;
  voidLookups: number;
  /** Whether counting ended before the tree did. */
  isCut: boolean;
}

/** Follows a domain's record. @param domain A-labels */
export async function resolveSpf(domain: string, ask: Ask): Promise<SpfTree> {
  const count = { lookups: 0, voids: 0, isCut: false };
  const text = await findRecord(domain, ask);
  const root = await resolveRecord(domain, text, { ask, count, path: [domain] });
  return { root, lookups: count.lookups, voidLookups: count.voids, isCut: count.isCut };
}

interface Walk {
  ask: Ask;
  count: { lookups: number; voids: number; isCut: boolean };
  /** The names from the root to here. */
  path: string[];
}

type FoundText = { text: string } | { problem: SpfProblem; isVoid?: boolean };

async function findRecord(domain: string, ask: Ask): Promise<FoundText> {
  const answer = await ask(domain, "TXT");
  if (isUnanswered(answer)) return { problem: "unanswered" };
  const [text, ...others] = recordsOf(answer).filter(isSpfRecord);
  if (others.length > 0) return { problem: "severalRecords" };
  return text === undefined ? { problem: "noRecord", isVoid: answer.status !== "answers" } : { text };
}

async function resolveRecord(domain: string, found: FoundText, walk: Walk): Promise<ResolvedSpf> {
  if ("problem" in found) return { domain, text: "", terms: [], problem: found.problem };
  const record: ResolvedSpf = { domain, text: found.text, terms: [] };
  const terms = readSpfTerms(found.text);
  const all = terms.findIndex((term) => term.kind === "mechanism" && term.name === "all");
  for (const [index, term] of terms.entries()) {
    // Sections 5.1 and 6.1: where there is an `all`, what comes after it is never read, and redirect is ignored.
    const isIgnored = all >= 0 && (index > all || (term.kind === "modifier" && term.name === "redirect"));
    record.terms.push(isIgnored ? plain(term) : await resolveTerm(term, domain, walk));
  }
  return record;
}

function plain(term: SpfTerm): ResolvedTerm {
  return { term, lookups: 0, allLookups: 0, isVoid: false, networks: [] };
}

async function resolveTerm(term: SpfTerm, domain: string, walk: Walk): Promise<ResolvedTerm> {
  if (term.kind === "broken") return plain(term);
  const named = expandMacros(term.domain ?? domain, { domain, sender: walk.path[0] ?? domain });
  if (term.kind === "modifier") return term.name === "redirect" ? follow(term, named, walk) : plain(term);
  switch (term.name) {
    case "all":
      return plain(term);
    case "ip4":
    case "ip6":
      return { ...plain(term), networks: [networkOf(term)] };
    case "include":
      return follow(term, named, walk);
    default:
      return await lookUp(term, named, walk);
  }
}

async function follow(term: SpfTerm, domain: string, walk: Walk): Promise<ResolvedTerm> {
  const counted = countLookup(walk, plain(term));
  if (counted.problem !== undefined || hasMacro(domain)) return counted;
  if (walk.path.includes(domain)) return { ...counted, problem: "loop" };
  const before = walk.count.lookups;
  const found = await findRecord(domain, walk.ask);
  if ("problem" in found && found.isVoid === true) {
    walk.count.voids += 1;
    counted.isVoid = true;
  }
  const record = await resolveRecord(domain, found, { ...walk, path: [...walk.path, domain] });
  const resolved: ResolvedTerm = { ...counted, record, allLookups: 1 + walk.count.lookups - before };
  const problem = record.problem ?? (record.terms.some(isBroken) ? "brokenBelow" : undefined);
  if (problem !== undefined) resolved.problem = problem;
  return resolved;
}

function isBroken({ term, problem }: ResolvedTerm): boolean {
  return term.kind === "broken" || (problem !== undefined && problem !== "unanswered" && problem !== "notFollowed");
}

function countLookup(walk: Walk, resolved: ResolvedTerm): ResolvedTerm {
  if (walk.count.lookups >= GUIDANCE_LIMITS.maxCountedSpfLookups) {
    walk.count.isCut = true;
    return { ...resolved, problem: "notFollowed" };
  }
  walk.count.lookups += 1;
  return { ...resolved, lookups: 1, allLookups: 1 };
}

async function lookUp(term: Mechanism, domain: string, walk: Walk): Promise<ResolvedTerm> {
  const counted = countLookup(walk, plain(term));
  if (counted.problem !== undefined || hasMacro(domain) || term.name === "ptr") return counted;
  const { addresses, problem, isVoid } =
    term.name === "mx" ? await addressesOfMx(domain, walk.ask) : await addressesOf(domain, term.name, walk.ask);
  if (isVoid) walk.count.voids += 1;
  const networks = term.name === "exists" ? [] : addresses.map((address) => withLength(address, term));
  const resolved: ResolvedTerm = { ...counted, networks, isVoid };
  if (problem !== undefined) resolved.problem = problem;
  return resolved;
}

interface Addresses {
  addresses: string[];
  problem?: SpfProblem;
  isVoid: boolean;
}

async function addressesOf(domain: string, name: MechanismOfAddresses, ask: Ask): Promise<Addresses> {
  // Section 5.7: exists always asks for an A record.
  const types: RecordType[] = name === "exists" ? ["A"] : ["A", "AAAA"];
  const answers = await Promise.all(types.map((type) => ask(domain, type)));
  const addresses = answers.flatMap(recordsOf);
  if (addresses.length === 0 && answers.some(isUnanswered)) return { addresses, problem: "unanswered", isVoid: false };
  return { addresses, isVoid: addresses.length === 0 };
}

type MechanismOfAddresses = Mechanism["name"];

async function addressesOfMx(domain: string, ask: Ask): Promise<Addresses> {
  const answer = await ask(domain, "MX");
  if (isUnanswered(answer)) return { addresses: [], problem: "unanswered", isVoid: false };
  const hosts = recordsOf(answer).map(hostOfMx);
  if (hosts.length > GUIDANCE_LIMITS.maxSpfMxHosts) return { addresses: [], problem: "tooManyMxHosts", isVoid: false };
  const found = await Promise.all(hosts.filter((host) => host !== "").map((host) => addressesOf(host, "a", ask)));
  const addresses = found.flatMap((host) => host.addresses);
  // Where some hosts answered, what they said is shown; where none did, nobody knows whom the term lets in.
  if (addresses.length === 0 && found.some(({ problem }) => problem === "unanswered")) {
    return { addresses, problem: "unanswered", isVoid: false };
  }
  return { addresses, isVoid: hosts.length === 0 };
}

/** The host of an MX record's data `10 mx.example.com`; "" for a null MX (RFC 7505). */
export function hostOfMx(data: string): string {
  const host = data.slice(data.indexOf(" ") + 1).trim();
  return host === "." ? "" : host.toLowerCase().replace(/\.$/, "");
}

function networkOf({ network = "", bits4, bits6 }: Mechanism): string {
  const bits = network.includes(":") ? (bits6 ?? 128) : (bits4 ?? 32);
  return `${network}/${bits}`;
}

function withLength(address: string, { bits4, bits6 }: Mechanism): string {
  return networkOf({
    text: "",
    kind: "mechanism",
    qualifier: "+",
    name: "a",
    network: address,
    ...lengths(bits4, bits6),
  });
}

function lengths(bits4: number | undefined, bits6: number | undefined): Pick<Mechanism, "bits4" | "bits6"> {
  return { ...(bits4 === undefined ? {} : { bits4 }), ...(bits6 === undefined ? {} : { bits6 }) };
}

/** What a record's `all`, its own or that of its redirect, says about everybody else; undefined where there is none. */
export function qualifierOfAll(record: ResolvedSpf): Qualifier | undefined {
  for (const { term } of record.terms) {
    if (term.kind === "mechanism" && term.name === "all") return term.qualifier;
  }
  const redirect = record.terms.find(({ term }) => term.kind === "modifier" && term.name === "redirect");
  return redirect?.record === undefined ? undefined : qualifierOfAll(redirect.record);
}

/** Every term by which a sender passes: not those behind a `-`, `~` or `?`, nor what an include below such a one has. */
export function passingTerms({ domain, terms }: ResolvedSpf): { domain: string; resolved: ResolvedTerm }[] {
  return terms.flatMap((resolved) => {
    const { term, record } = resolved;
    if (term.kind === "broken" || (term.kind === "mechanism" && term.qualifier !== "+")) return [];
    return [{ domain, resolved }, ...(record === undefined ? [] : passingTerms(record))];
  });
}

/** What a record says of an address or a network as a whole: "some" where it says so of a part of it alone, or nobody knows. */
export type SpfMatch = Qualifier | "none" | "some";

/**
 * What a record says of a network, term by term in order, as a receiver goes through it (RFC 7208 section 4.6.2): the first that
 * matches decides. Terms that depend on the mail (macros, ptr) are taken to match nothing.
 *
 * @param network `192.0.2.1` or `192.0.2.0/24`
 */
export function matchOf({ terms }: ResolvedSpf, network: string): SpfMatch {
  for (const { term, networks, record } of terms) {
    if (term.kind === "broken") return "some";
    if (term.kind === "modifier") continue;
    if (term.name === "all") return term.qualifier;
    const below = term.name === "include" && record !== undefined ? matchOf(record, network) : undefined;
    if (below === "some") return "some";
    if (below === "+" || networks.some((one) => networkHolds(one, network))) return term.qualifier;
    if (networks.some((one) => networkHolds(network, one))) return "some";
  }
  const redirect = terms.find(({ term }) => term.kind === "modifier" && term.name === "redirect")?.record;
  return redirect === undefined ? "none" : matchOf(redirect, network);
}

/** Every term of the tree, a record's terms before those below. */
export function allTerms(record: ResolvedSpf): { domain: string; resolved: ResolvedTerm }[] {
  return record.terms.flatMap((resolved) => [
    { domain: record.domain, resolved },
    ...(resolved.record === undefined ? [] : allTerms(resolved.record)),
  ]);
}
