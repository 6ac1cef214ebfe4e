/**
 * What letting a source in does to an SPF record: the record before and after, its lookups, and the cheapest term; or why SPF
 * can't help there. Receivers ask SPF for the domain of the return path alone (RFC 7208 section 2.4), and it counts for DMARC
 * where that belongs to the From domain (RFC 9989 section 4.4). It changes nothing. Pure: DNS is asked through an argument.
 */
import { type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { CheckState } from "./check.ts";
import { type Ask, startAsking } from "./dns-questions.ts";
import { serviceGuide } from "./known-services.ts";
import { addressTerms, networkHolds } from "./networks.ts";
import { resolveText, sizeHint } from "./spf-merge.ts";
import { mistakenSpfRecord } from "./spf-repair.ts";
import {
  allTerms,
  BREAKING_PROBLEMS,
  hostOfMx,
  matchOf,
  passingTerms,
  type ResolvedSpf,
  resolveSpf,
  type SpfTree,
} from "./spf-tree.ts";

/** A source that is to be let in. */
export interface SpfSender {
  /** As it is shown. */
  name: string;
  /** Addresses or networks it sends from, those with the most messages first. */
  networks: readonly string[];
  /** Name of the known service; "" for another one. */
  service: string;
  /** Domains of its return paths by reports, the most messages first; undefined where nothing was reported. */
  returnPaths: readonly string[] | undefined;
  isForwarder: boolean;
}

/** For programs; a code keeps its meaning. */
export const SPF_ADVICE = [
  "add",
  "listed",
  "otherReturnPath",
  "forwarder",
  "tooManyLookups",
  "tooManyAddresses",
  "brokenRecord",
  "unknown",
] as const;
export type SpfAdviceCode = (typeof SPF_ADVICE)[number];

/** A record and what it costs. */
export interface SpfSide {
  /** "" = there is none. */
  text: string;
  lookups: number;
}

/** A term that would let the source in. */
export interface SpfChoice {
  term: string;
  /** Of the whole record with it. */
  lookups: number;
  /** Whether receivers could use that record. */
  isUsable: boolean;
}

/** What to do about SPF. */
export interface SpfAdvice {
  /** Whose record it is: the domain of the return path. */
  domain: string;
  source: string;
  code: SpfAdviceCode;
  state: CheckState;
  sentence: string;
  before?: SpfSide;
  after?: SpfSide;
  /** The proposed one. */
  term?: string;
  /** Every one that was looked at, the proposed one first. */
  choices: SpfChoice[];
}

/** Looks at a domain's record with a source added. @param domain the From domain, A-labels */
export async function adviseSpf(domain: string, sender: SpfSender, resolver: Resolver): Promise<SpfAdvice> {
  const useless = whySpfCannotHelp(domain, sender);
  if (useless !== undefined) return useless;
  const own = organizationalDomain(domain);
  const target = sender.returnPaths?.find((path) => organizationalDomain(path) === own) ?? domain;
  const { ask } = startAsking(resolver);
  const tree = await resolveSpf(target, ask);
  const before: SpfSide = { text: tree.root.text, lookups: tree.lookups };
  const about = { domain: target, source: sender.name, before, choices: [] };
  const broken = adviceOfRecord(tree, target) ?? (await adviceOfMistaken(tree, target, ask));
  if (broken !== undefined) return { ...about, ...broken };
  if (isListed(tree.root, sender.networks) || isIncluded(tree.root, sender)) {
    const sentence =
      `The SPF record of ${target} already lists ${sender.name}. Mail that still fails was forwarded, or came from ` +
      "other servers.";
    return { ...about, code: "listed", state: "good", sentence };
  }
  const terms = await possibleTerms(target, sender, ask);
  if (terms.length === 0) {
    const sentence =
      `${sender.name} sends from too many addresses to name them. Ask who runs it for an include, or turn on DKIM ` +
      `for ${domain} there.`;
    return { ...about, code: "tooManyAddresses", state: "attention", sentence };
  }
  const weighed = await Promise.all(terms.map((term) => weigh(term, { target, text: tree.root.text, ask })));
  if (weighed.every(({ isUnanswered }) => isUnanswered)) return { ...about, ...unanswered(terms.join(", ")) };
  return { ...about, ...choose(weighed, sender, domain) };
}

function whySpfCannotHelp(
  domain: string,
  { name, service, returnPaths, isForwarder }: SpfSender,
): SpfAdvice | undefined {
  const about = { domain, source: name, state: "attention" as const, choices: [] };
  if (isForwarder) {
    const sentence =
      `SPF can't help: ${name} passes mail on, and the addresses of forwarders are not yours to list. DKIM ` +
      `signatures survive forwarding: sign all mail of ${domain}.`;
    return { ...about, code: "forwarder", sentence };
  }
  const own = organizationalDomain(domain);
  const [first] = returnPaths ?? [];
  const isElsewhere = first !== undefined && !returnPaths?.some((path) => organizationalDomain(path) === own);
  if (isElsewhere) {
    const sentence =
      `SPF can't help: ${name} uses ${first} as its return path, and receivers ask that domain's SPF record, not ` +
      `the one of ${domain}. Turn on DKIM for ${domain} there, or a return path below ${domain}.`;
    return { ...about, code: "otherReturnPath", sentence };
  }
  if (first === undefined && service !== "" && serviceGuide(service)?.spf === undefined) {
    const sentence = `SPF can't help: ${name} sends with its own return path. Turn on DKIM for ${domain} there.`;
    return { ...about, code: "otherReturnPath", sentence };
  }
  return undefined;
}

type Judged = Pick<SpfAdvice, "code" | "state" | "sentence">;

function adviceOfRecord({ root, lookups, voidLookups, isCut }: SpfTree, target: string): Judged | undefined {
  if (root.problem === "unanswered") return unanswered(target);
  const terms = allTerms(root).map(({ resolved }) => resolved);
  const isBroken = terms.some(
    ({ term, problem }) => term.kind === "broken" || (problem !== undefined && BREAKING_PROBLEMS.has(problem)),
  );
  if (root.problem === "severalRecords" || isBroken) {
    const sentence =
      `The SPF record of ${target} is broken: nothing can be added before it is repaired. The page Records says ` +
      "what is wrong.";
    return { code: "brokenRecord", state: "broken", sentence };
  }
  if (isCut || lookups > GUIDANCE_LIMITS.maxSpfLookups) {
    const sentence =
      `The SPF record of ${target} needs ${lookups} lookups already, of ${GUIDANCE_LIMITS.maxSpfLookups} allowed: ` +
      "SPF fails for every sender. Remove includes that you no longer need first.";
    return { code: "brokenRecord", state: "broken", sentence };
  }
  if (voidLookups > GUIDANCE_LIMITS.maxVoidSpfLookups) {
    const sentence = `${voidLookups} lookups of the SPF record of ${target} find nothing, of ${GUIDANCE_LIMITS.maxVoidSpfLookups} allowed: SPF fails for every sender. Remove those terms first. The page Records names them.`;
    return { code: "brokenRecord", state: "broken", sentence };
  }
  const unknown = terms.find(({ problem }) => problem === "unanswered");
  return unknown === undefined ? undefined : unanswered(unknown.term.text);
}

/** A record that was meant as one would be beside the new one, and what it lists would be lost. */
async function adviceOfMistaken({ root }: SpfTree, target: string, ask: Ask): Promise<Judged | undefined> {
  if (root.text !== "") return undefined;
  const [mistaken] = recordsOf(await ask(target, "TXT")).flatMap((text) => mistakenSpfRecord(text) ?? []);
  if (mistaken === undefined) return undefined;
  const sentence = `The TXT record "${mistaken.text.slice(0, 100)}" of ${target} is not an SPF record for receivers: ${mistaken.reason}. Set it right first, or what it lists is lost. The page Records says how.`;
  return { code: "brokenRecord", state: "broken", sentence };
}

function unanswered(what: string): Judged {
  const sentence = `Unknown: DNS gave no answer for ${what.slice(0, 200)}. Try again later.`;
  return { code: "unknown", state: "unknown", sentence };
}

/** Whether a record passes all of some networks: no term before says something else of them. */
function isListed(root: ResolvedSpf, networks: readonly string[]): boolean {
  return networks.length > 0 && networks.every((one) => matchOf(root, one) === "+");
}

/** Whether the record, or one that it includes, has the include of the sender's service: a second one would change nothing. */
function isIncluded(root: ResolvedSpf, { service }: SpfSender): boolean {
  const include = service === "" ? undefined : serviceGuide(service)?.spf;
  if (include === undefined) return false;
  // A record stands only with terms that receivers follow: not behind `all`, nor with a redirect beside one.
  return passingTerms(root).some(({ resolved }) => resolved.record?.domain === include && resolved.record.text !== "");
}

/** Terms that would let the sender in. Of a known service the include alone: its addresses change without notice. */
async function possibleTerms(target: string, { networks, service }: SpfSender, ask: Ask): Promise<string[]> {
  const include = service === "" ? undefined : serviceGuide(service)?.spf;
  if (include !== undefined) return [`include:${include}`];
  if (networks.length === 0) return [];
  const terms = addressTerms(networks);
  const named = terms.length <= GUIDANCE_LIMITS.maxAddedSpfTerms ? [terms.join(" ")] : [];
  const [own, ofMx] = await Promise.all([addressesAt(target, ask), mailHostAddresses(target, ask)]);
  const areAll = (found: readonly string[]): boolean =>
    networks.every((one) => found.some((address) => networkHolds(address, one)));
  return [...named, ...(areAll(own) ? ["a"] : []), ...(areAll(ofMx) ? ["mx"] : [])];
}

async function addressesAt(name: string, ask: Ask): Promise<string[]> {
  const answers = await Promise.all([ask(name, "A"), ask(name, "AAAA")]);
  return answers.flatMap(recordsOf);
}

async function mailHostAddresses(target: string, ask: Ask): Promise<string[]> {
  const hosts = recordsOf(await ask(target, "MX")).map(hostOfMx);
  const named = hosts.filter((host) => host !== "").slice(0, GUIDANCE_LIMITS.maxSpfMxHosts);
  return (await Promise.all(named.map((host) => addressesAt(host, ask)))).flat();
}

interface Weighed extends SpfChoice {
  text: string;
  isUnanswered: boolean;
}

/** The record with a term added, followed as a receiver would follow it. */
async function weigh(
  term: string,
  { target, text, ask }: { target: string; text: string; ask: Ask },
): Promise<Weighed> {
  const added = withTerm(text, term);
  const tree = await resolveText(target, added, ask);
  const terms = allTerms(tree.root).map(({ resolved }) => resolved);
  const isBroken = terms.some(({ problem }) => problem !== undefined && BREAKING_PROBLEMS.has(problem));
  const isUnanswered = terms.some(({ problem }) => problem === "unanswered");
  const { lookups } = tree;
  const { maxSpfLookups, maxVoidSpfLookups } = GUIDANCE_LIMITS;
  const isWithinLimits = !tree.isCut && lookups <= maxSpfLookups && tree.voidLookups <= maxVoidSpfLookups;
  const isUsable = !isBroken && !isUnanswered && isWithinLimits;
  return { term, text: added, lookups, isUsable, isUnanswered };
}

/**
 * A record with terms put before its `all`, or before its redirect, or at its end; and before the first term with a `-`, `~` or
 * `?`, which could say something else of the same addresses.
 */
export function withTerm(text: string, term: string): string {
  if (text === "") return `v=spf1 ${term} ~all`;
  const terms = text.split(" ").filter((one) => one !== "");
  const end = terms.findIndex((one) => /^(\+?all$|[?~-]|redirect=)/i.test(one));
  const at = end < 0 ? terms.length : end;
  return [...terms.slice(0, at), term, ...terms.slice(at)].join(" ");
}

/** Whom else a term lets in: a network proposed for some of its addresses. "" where it names those asked for alone. */
function widthHint(term: string, networks: readonly string[]): string {
  const wider = term
    .split(" ")
    .map((one) => /^ip[46]:(.+\/\d+)$/.exec(one)?.[1] ?? "")
    .filter((one) => one !== "" && !networks.includes(one));
  if (wider.length === 0) return "";
  const verb = wider.length === 1 ? "holds" : "hold";
  return ` ${wider.join(", ")} also ${verb} other addresses: where those belong to somebody else, name each address instead.`;
}

function choose(weighed: readonly Weighed[], { name, networks }: SpfSender, domain: string) {
  const sorted = [...weighed].sort(
    (a, b) => Number(b.isUsable) - Number(a.isUsable) || a.lookups - b.lookups || a.term.length - b.term.length,
  );
  const [best] = sorted;
  if (best === undefined) throw new Error("There is a term to choose from.");
  const { maxSpfLookups, warnSpfLookups } = GUIDANCE_LIMITS;
  const choices = sorted.map(({ term, lookups, isUsable }) => ({ term, lookups, isUsable }));
  const found = { after: { text: best.text, lookups: best.lookups }, term: best.term, choices };
  if (!best.isUsable && best.isUnanswered) return { ...unanswered(best.term), choices };
  if (!best.isUsable) {
    const why =
      best.lookups > maxSpfLookups
        ? `the record would need ${best.lookups} lookups of ${maxSpfLookups} allowed, and SPF would fail for every ` +
          `sender. Remove includes that you no longer need first, or turn on DKIM for ${domain} there`
        : `${best.term} leads to no usable record`;
    return {
      ...found,
      code: "tooManyLookups" as const,
      state: "broken" as const,
      sentence: `Don't add ${best.term}: ${why}.`,
    };
  }
  const isMany = best.lookups >= warnSpfLookups;
  const count = `The record then needs ${best.lookups} of the ${maxSpfLookups} lookups allowed`;
  const also = widthHint(best.term, networks);
  const sentence = `Add ${best.term} to let ${name} in.${also} ${count}${isMany ? ": one more service may break it" : ""}.${sizeHint(best.text)}`;
  return { ...found, code: "add" as const, state: isMany ? ("attention" as const) : ("good" as const), sentence };
}
