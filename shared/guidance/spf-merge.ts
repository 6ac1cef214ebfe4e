/**
 * The one SPF record that several at a name should have been (RFC 7208 section 4.5: receivers use none of several): the terms of
 * all, each once, and one end. Whether receivers could use it is tried as they would. Pure: DNS is asked through an argument.
 */
import { recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { Ask } from "./dns-questions.ts";
import { isSpfRecord, type Qualifier, type SpfTerm } from "./spf-record.ts";
import { repairedSpf } from "./spf-repair.ts";
import {
  allTerms,
  BREAKING_PROBLEMS,
  qualifierOfAll,
  type ResolvedSpf,
  type ResolvedTerm,
  resolveSpf,
  type SpfProblem,
  type SpfTree,
} from "./spf-tree.ts";
import { needsStrings, STRINGS_HINT } from "./txt-strings.ts";

/** A record to publish in place of several, or why none can be given. */
export interface SpfMerge {
  /** Undefined: receivers could not use the terms of all in one record, or nobody knows. */
  value?: string;
  /** The sentence about it. */
  sentence: string;
}

/** Joins the SPF records of a domain. @param texts its TXT records @param domain A-labels */
export async function mergeSpf(domain: string, texts: readonly string[], ask: Ask): Promise<SpfMerge> {
  const records = texts.filter(isSpfRecord);
  const trees: SpfTree[] = [];
  for (const text of records) trees.push(await resolveText(domain, repairedSpf(text) ?? text, ask));
  const parts = partsOf(trees.map(({ root }) => root));
  const value = ["v=spf1", ...parts.terms, parts.end].join(" ");
  const merged = await resolveText(domain, value, ask);
  const reason = whyUnusable(merged);
  const leftOut = parts.leftOut.length === 0 ? "" : ` Left out: ${parts.leftOut.join("; ")}.`;
  if (reason !== undefined) return { sentence: `${reason}${leftOut}` };
  const { lookups } = merged;
  const count = `It needs ${lookups} of the ${GUIDANCE_LIMITS.maxSpfLookups} lookups allowed.`;
  const sentence = `Publish this one in place of all ${records.length}: it has the terms of each. ${count}${parts.why}${leftOut}${sizeHint(value)}`;
  return { value, sentence };
}

/** A record's text as the domain's only one, followed as a receiver would follow it. */
export async function resolveText(domain: string, text: string, ask: Ask): Promise<SpfTree> {
  return await resolveSpf(domain, async (name, type) => {
    const answer = await ask(name, type);
    if (name !== domain || type !== "TXT") return answer;
    return { status: "answers", records: [...recordsOf(answer).filter((other) => !isSpfRecord(other)), text] };
  });
}

/** What the joined record is made of. */
interface Parts {
  /** Without the end. */
  terms: string[];
  /** `~all`, or a redirect that all of them have. */
  end: string;
  /** About the end, with a space before it; "" where the records agree. */
  why: string;
  /** Terms that are not in it, each with the reason. */
  leftOut: string[];
}

function partsOf(roots: readonly ResolvedSpf[]): Parts {
  const redirect = commonRedirect(roots);
  const { terms, leftOut } = joinedTerms(roots, redirect);
  if (redirect !== undefined) return { terms, end: `redirect=${redirect}`, why: "", leftOut };
  const ends = roots.map(qualifierOfAll);
  const isStrict = ends.every((qualifier) => qualifier === "-");
  return { terms, end: isStrict ? "-all" : "~all", why: isStrict ? "" : whyEnd(ends), leftOut };
}

/** The record that all of them lead to, where none has an `all` of its own, nor takes something out of that record. */
function commonRedirect(roots: readonly ResolvedSpf[]): string | undefined {
  const [first, ...others] = roots.map(redirectOf);
  const isPlain = roots.every(({ terms }) => terms.every(({ term }) => passes(term.text)));
  return isPlain && first !== undefined && others.every((one) => one === first) ? first : undefined;
}

function redirectOf({ terms }: ResolvedSpf): string | undefined {
  const redirect = terms.find(({ term }) => term.kind === "modifier" && term.name === "redirect")?.term;
  return terms.some(isAll) || redirect?.kind !== "modifier" ? undefined : redirect.domain;
}

/**
 * Every term but ends, as it is written, the first of equal ones; a redirect as the include that passes the same senders. A term
 * with `-`, `~` or `?` takes something out of what comes after it: it stays before the terms of its own record, and comes
 * behind those of the others, which were to let their senders in.
 */
function joinedTerms(roots: readonly ResolvedSpf[], redirect: string | undefined): Pick<Parts, "terms" | "leftOut"> {
  const leftOut = roots.flatMap(termsLeftOut);
  const lists = roots.map((root) => matchingTerms(root, redirect === undefined));
  const bodies = lists.map((list) => list.slice(0, list.findLastIndex(passes) + 1));
  const ends = lists.map((list) => list.slice(list.findLastIndex(passes) + 1));
  const plain = bodies.filter((body) => body.every(passes));
  const excepting = bodies.filter((body) => !body.every(passes));
  const terms = new Map<string, string>();
  for (const text of [...plain, ...excepting, ...ends].flat()) addFirst(terms, keyOf(text), text);
  const modifiers = new Map<string, string>();
  for (const { term } of roots.flatMap((root) => root.terms)) {
    if (term.kind === "modifier" && term.name !== "redirect") addFirst(modifiers, term.name, term.text);
  }
  return { terms: [...terms.values(), ...modifiers.values()], leftOut: [...new Set(leftOut)] };
}

function passes(text: string): boolean {
  return !/^[?~-]/.test(text);
}

function addFirst(texts: Map<string, string>, key: string, text: string): void {
  if (!texts.has(key)) texts.set(key, text);
}

/** The terms of a record that match senders, up to its `all`, in order. @param hasRedirect whether a redirect becomes one */
function matchingTerms(root: ResolvedSpf, hasRedirect: boolean): string[] {
  const target = hasRedirect ? redirectOf(root) : undefined;
  const found = termsUpToAll(root).flatMap(({ term, problem }) =>
    term.kind === "mechanism" && whyLeftOut(term, problem) === undefined ? [term.text] : [],
  );
  const isUsable = !root.terms.some(({ term, problem }) => term.kind === "modifier" && problem === "noRecord");
  return target === undefined || !isUsable ? found : [...found, `include:${target}`];
}

function termsUpToAll({ terms }: ResolvedSpf): ResolvedTerm[] {
  const all = terms.findIndex(isAll);
  return all < 0 ? terms : terms.slice(0, all);
}

function isAll({ term }: ResolvedTerm): boolean {
  return term.kind === "mechanism" && term.name === "all";
}

function termsLeftOut(root: ResolvedSpf): string[] {
  const read = new Set(termsUpToAll(root));
  return root.terms.flatMap((resolved) => {
    const { term, problem } = resolved;
    const isBehind = !read.has(resolved) && term.kind === "mechanism" && !isAll(resolved);
    const reason = isBehind ? "it stands behind all, where nobody reads it" : whyLeftOut(term, problem);
    return reason === undefined ? [] : [`${term.text.slice(0, 100)} (${reason})`];
  });
}

/** A term without its sign: of two that match the same, only the first is ever used. */
function keyOf(text: string): string {
  return text
    .replace(/^[+?~-]/, "")
    .toLowerCase()
    .replace(/\.$/, "");
}

function whyLeftOut(term: SpfTerm, problem: SpfProblem | undefined): string | undefined {
  if (term.kind === "broken") return term.reason;
  return problem === "noRecord" ? "it leads to a name without an SPF record" : undefined;
}

function whyEnd(ends: readonly (Qualifier | undefined)[]): string {
  const said = [...new Set(ends.map((qualifier) => (qualifier === undefined ? "no all" : `${qualifier}all`)))];
  if (said.length > 1) {
    return ` They end differently (${said.join(", ")}): this one ends in ~all, with which no mail is refused for SPF alone. Write -all, the stricter end, once the reports show that no sender of yours is missing.`;
  }
  if (said[0] === "~all") return "";
  return said[0] === "+all"
    ? " It ends in ~all: +all lets anyone send."
    : ` It ends in ~all: ${said[0]} says nothing about other senders.`;
}

/** Why receivers could not use a record that several are joined to: what is said about the several; undefined if they can. */
export function whyUnusable({ root, lookups, voidLookups, isCut }: SpfTree): string | undefined {
  const terms = allTerms(root).map(({ resolved }) => resolved);
  const { maxSpfLookups, maxVoidSpfLookups } = GUIDANCE_LIMITS;
  const unanswered = terms.find(({ problem }) => problem === "unanswered");
  const broken = terms.find(
    ({ term, problem }) => term.kind === "broken" || (problem !== undefined && BREAKING_PROBLEMS.has(problem)),
  );
  const join = "Join their terms into one record";
  if (unanswered !== undefined) {
    return `${join}. DNS gave no answer for ${unanswered.term.text.slice(0, 100)}: check again later for that record.`;
  }
  if (broken !== undefined) {
    return `${join}, without ${broken.term.text.slice(0, 100)}, which no receiver can use, or what leads to it.`;
  }
  if (isCut || lookups > maxSpfLookups) {
    return `${join}, which needs ${lookups}${isCut ? " or more" : ""} lookups with all of them, of ${maxSpfLookups} allowed: leave out the includes that you no longer need.`;
  }
  if (voidLookups > maxVoidSpfLookups) {
    return `${join}, without those that find nothing: there are ${voidLookups}, and receivers stop after ${maxVoidSpfLookups}.`;
  }
  return undefined;
}

/** What is to be said about a long record, with a space before it; "" of others. */
export function sizeHint(text: string): string {
  const strings = needsStrings(text) ? ` ${STRINGS_HINT}` : "";
  if (text.length <= GUIDANCE_LIMITS.maxSpfOctets) return strings;
  return ` It then has ${text.length} octets; beyond ${GUIDANCE_LIMITS.maxSpfOctets} some receivers can't read the answer (RFC 7208 section 3.4).${strings}`;
}
