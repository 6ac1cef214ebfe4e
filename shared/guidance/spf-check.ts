/** The check of a domain's SPF record: whether receivers can use it at all, how many lookups it needs, whom it lets in. Pure. */
import { type Resolver, recordsOf } from "../dns/resolver.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { type Check, type Finding, type RecordToPublish, worstState } from "./check.ts";
import { type Ask, startAsking } from "./dns-questions.ts";
import { knownService, serviceGuide } from "./known-services.ts";
import { mergeSpf, resolveText, sizeHint, whyUnusable } from "./spf-merge.ts";
import { hasMacro, isSpfRecord } from "./spf-record.ts";
import { mistakenSpfRecord, repairedSpf } from "./spf-repair.ts";
import {
  allTerms,
  hostOfMx,
  passingTerms,
  qualifierOfAll,
  type ResolvedTerm,
  resolveSpf,
  type SpfTree,
} from "./spf-tree.ts";
import { findLostRecord } from "./wrong-name.ts";

/** An SPF check with the tree of lookups behind it. */
export interface SpfCheck extends Check {
  kind: "spf";
  tree: SpfTree;
}

const LOOKUP_RULE = "RFC 7208 section 4.6.4";

/** Checks a domain's SPF record. @param domain A-labels */
export async function checkSpf(domain: string, resolver: Resolver): Promise<SpfCheck> {
  const { ask, asked, explained } = startAsking(resolver);
  const tree = await resolveSpf(domain, ask);
  const texts = recordsOf(await ask(domain, "TXT"));
  const found =
    tree.root.text === ""
      ? await findingsWithoutRecord(tree, texts, ask)
      : [...findingsOfTree(tree), ...mistakenBeside(domain, texts)];
  await addRepair(found, tree, ask);
  const findings = await explained(found);
  const state = worstState(findings.map((finding) => finding.state));
  return { kind: "spf", state, summary: summaryOf(tree, findings), findings, asked: asked(), tree };
}

function summaryOf({ root, lookups, isCut }: SpfTree, findings: readonly Finding[]): string {
  if (root.problem === "unanswered") return "DNS gave no answer";
  if (root.problem === "severalRecords") return "Several SPF records: receivers use none";
  if (root.text === "") return "No SPF record";
  const broken = findings.filter(({ state }) => state === "broken");
  const count = `${lookups}${isCut ? " or more" : ""} of ${GUIDANCE_LIMITS.maxSpfLookups} lookups`;
  if (broken.length === 0) return count;
  const isOpen = broken.every(({ code }) => code === "all_pass");
  return isOpen ? `Everyone may send; ${count}` : `Receivers can't use the record; ${count}`;
}

async function findingsWithoutRecord({ root }: SpfTree, texts: readonly string[], ask: Ask): Promise<Finding[]> {
  const { domain } = root;
  if (root.problem === "unanswered") {
    const sentence = `DNS gave no answer for ${domain}. Check again later.`;
    return [{ code: "no_answer", state: "unknown", sentence, rule: "RFC 7208 section 4.4" }];
  }
  if (root.problem === "severalRecords") {
    const { value, sentence: remedy } = await mergeSpf(domain, texts, ask);
    const sentence = `${domain} has several SPF records: SPF fails for every sender. ${remedy}`;
    const publish: RecordToPublish | undefined = value === undefined ? undefined : { name: domain, type: "TXT", value };
    return [{ code: "several_records", state: "broken", sentence, rule: "RFC 7208 section 4.5", publish }];
  }
  const mistaken = texts.map(mistakenSpfRecord).filter((one) => one !== undefined);
  if (mistaken.length > 0) {
    return mistaken.map(
      ({ text, reason, meant }): Finding => ({
        code: "mistaken_record",
        state: "broken",
        sentence: `The TXT record "${text.slice(0, 100)}" of ${domain} is not an SPF record for receivers: ${reason}. ${meant === undefined ? "Correct it." : "Publish it like this."}`,
        rule: "RFC 7208 section 4.5",
        publish: meant === undefined ? undefined : { name: domain, type: "TXT", value: meant },
      }),
    );
  }
  const isMeant = isSpfRecord;
  const lost = await findLostRecord({ prefix: "", domain, isMeant, rule: "RFC 7208 section 3" }, ask);
  if (lost !== undefined) return [lost];
  const include = await includeOfMailHosts(domain, ask);
  if (include !== undefined) {
    const sentence = `${domain} has no SPF record. Its mail servers are those of ${include.service}: if it sends by them alone, publish this one; else add its other senders.`;
    const value = `v=spf1 include:${include.domain} ~all`;
    const publish: RecordToPublish = { name: domain, type: "TXT", value };
    return [{ code: "no_record", state: "attention", sentence, rule: "RFC 7208 section 3", publish }];
  }
  return [
    {
      code: "no_record",
      state: "attention",
      sentence: `${domain} has no SPF record. If it sends no mail, publish this one; else one that names your senders.`,
      rule: "RFC 7208 section 3",
      publish: { name: domain, type: "TXT", value: "v=spf1 -all" },
    },
  ];
}

/** What the service that takes a domain's mail has its customers include. */
async function includeOfMailHosts(domain: string, ask: Ask): Promise<{ service: string; domain: string } | undefined> {
  for (const data of recordsOf(await ask(domain, "MX"))) {
    const service = knownService(hostOfMx(data)) ?? "";
    const include = serviceGuide(service)?.spf;
    if (include !== undefined) return { service, domain: include };
  }
  return undefined;
}

/** Codes of findings that a repair may resolve, the one with the most to lose first. */
const REPAIRABLE = ["syntax_error", "include_without_record", "ignored_modifier"];

/** Adds the record that was meant to what is wrong with the terms of the one that is there, where it is clear. */
async function addRepair(findings: Finding[], { root }: SpfTree, ask: Ask): Promise<void> {
  const value = root.text === "" ? undefined : repairedSpf(root.text);
  const code = REPAIRABLE.find((one) => findings.some((finding) => finding.code === one));
  const found = findings.find((finding) => finding.code === code);
  if (value === undefined || found === undefined) return;
  if (whyUnusable(await resolveText(root.domain, value, ask)) !== undefined) return;
  found.publish = { name: root.domain, type: "TXT", value };
  found.sentence = `${found.sentence.replace(/ Remove it\b.*$/, "")} Publish the record like this.${sizeHint(value)}`;
}

/** A second record that only looks like one: the senders it names are not let in. */
function mistakenBeside(domain: string, texts: readonly string[]): Finding[] {
  return texts.flatMap((text): Finding[] => {
    const mistaken = mistakenSpfRecord(text);
    if (mistaken === undefined) return [];
    const sentence = `The TXT record "${text.slice(0, 100)}" of ${domain} is not an SPF record for receivers: ${mistaken.reason}. Put those of its terms that you need into the right one beside it, and remove it.`;
    return [{ code: "mistaken_record", state: "attention", sentence, rule: "RFC 7208 section 4.5" }];
  });
}

function findingsOfTree(tree: SpfTree): Finding[] {
  return [
    ...findingsOfLookups(tree),
    ...allTerms(tree.root).flatMap(({ domain, resolved }) => findingsOfTerm(resolved, domain, tree.root.domain)),
    ...findingsOfRepeated(tree),
    ...findingsOfAll(tree),
    ...findingsOfRedirect(tree),
    ...findingsOfWidth(tree),
    ...findingsOfText(tree),
  ];
}

function findingsOfLookups({ root, lookups, voidLookups, isCut }: SpfTree): Finding[] {
  const findings: Finding[] = [];
  const { maxSpfLookups, warnSpfLookups, maxVoidSpfLookups } = GUIDANCE_LIMITS;
  const count = `${lookups}${isCut ? " or more" : ""}`;
  if (lookups > maxSpfLookups) {
    findings.push({
      code: "too_many_lookups",
      state: "broken",
      sentence:
        `The record needs ${count} DNS lookups; ${maxSpfLookups} are allowed, so SPF fails for every sender. ` +
        `Remove includes that you no longer need.${costsOf(root)}`,
      rule: LOOKUP_RULE,
    });
  } else if (lookups >= warnSpfLookups) {
    findings.push({
      code: "many_lookups",
      state: "attention",
      sentence:
        `The record needs ${count} of the ${maxSpfLookups} lookups allowed. One more service, or a change at one ` +
        "of them, may break it.",
      rule: LOOKUP_RULE,
    });
  } else {
    const sentence = `The record needs ${count} of the ${maxSpfLookups} lookups allowed.`;
    findings.push({ code: "lookups", state: "good", sentence, rule: LOOKUP_RULE });
  }
  if (voidLookups > maxVoidSpfLookups) {
    findings.push({
      code: "too_many_void_lookups",
      state: "broken",
      sentence:
        `${voidLookups} lookups find nothing; receivers stop after ${maxVoidSpfLookups}, and SPF fails for every ` +
        "sender. Remove those terms, which are named below.",
      rule: LOOKUP_RULE,
    });
  }
  return findings;
}

/** What the costliest terms of the record itself need, with a space before it; "" where none needs more than one lookup. */
function costsOf({ terms }: SpfTree["root"]): string {
  const costly = terms.filter(({ allLookups }) => allLookups > 1).sort((a, b) => b.allLookups - a.allLookups);
  const named = costly.slice(0, 3).map(({ term, allLookups }) => `${term.text.slice(0, 100)} (${allLookups})`);
  return named.length === 0 ? "" : ` Those that need the most: ${named.join(", ")}.`;
}

function findingsOfTerm(resolved: ResolvedTerm, domain: string, own: string): Finding[] {
  const { term, problem, isVoid } = resolved;
  const at = `"${term.text.slice(0, 200)}" in the record of ${domain}`;
  if (term.kind === "broken") {
    const sentence = `${at} is ${term.reason}: SPF fails for every sender until it is removed or corrected.`;
    return [{ code: "syntax_error", state: "broken", sentence, rule: "RFC 7208 section 4.6" }];
  }
  const isRedirect = term.kind === "modifier" && term.name === "redirect";
  const found = problem === undefined ? undefined : findingOfProblem(problem, at, isRedirect);
  if (found !== undefined) return [found];
  // Hosts of mx may be named and have no address.
  const isEmpty =
    term.kind === "mechanism" && term.name === "mx" && resolved.lookups === 1 && resolved.networks.length === 0;
  if (isVoid || (isEmpty && problem === undefined && !hasMacro(term.domain ?? ""))) {
    const sentence = `${at} finds nothing in DNS. Remove it if it isn't needed.`;
    return [{ code: "void_lookup", state: "attention", sentence, rule: LOOKUP_RULE }];
  }
  if (term.kind === "modifier" && MECHANISM_NAMES.has(term.name)) {
    const sentence = `${at} is ignored: it has = instead of a colon. Write "${term.text.slice(0, 200).replace("=", ":")}".`;
    return [{ code: "ignored_modifier", state: "attention", sentence, rule: "RFC 7208 section 6" }];
  }
  if (term.kind === "modifier" && term.name === "v") {
    const sentence = `${at} is ignored: v=spf1 belongs at the beginning only. Remove it.`;
    return [{ code: "ignored_modifier", state: "attention", sentence, rule: "RFC 7208 section 6" }];
  }
  if (domain === own && term.kind === "mechanism" && isPrivate(term.network ?? "")) {
    const sentence = `${at} names a private network: receivers see the public address of your servers. Name that, or remove the term.`;
    return [{ code: "private_network", state: "attention", sentence, rule: "RFC 1918 section 3" }];
  }
  if (term.kind === "mechanism" && term.name === "ptr") {
    const sentence = `${at} is slow, unreliable, and should not be used. Name the servers by ip4, ip6 or include.`;
    return [{ code: "ptr", state: "attention", sentence, rule: "RFC 7208 section 5.5" }];
  }
  return [];
}

/** Whether an address is one that is used within networks alone (RFC 1918, RFC 6598, RFC 4193, and loopback). */
function isPrivate(network: string): boolean {
  return /^(10|127|192\.168|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\.|^f[cd][0-9a-f]{2}:|^fe80:/.test(
    network,
  );
}

/** Each is a modifier that nobody knows where `=` follows it. */
const MECHANISM_NAMES: ReadonlySet<string> = new Set(["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"]);

function findingOfProblem(
  problem: NonNullable<ResolvedTerm["problem"]>,
  at: string,
  isRedirect: boolean,
): Finding | undefined {
  switch (problem) {
    case "noRecord":
      return {
        code: "include_without_record",
        state: "broken",
        sentence: `${at} leads to a name without an SPF record: SPF fails for every sender. ${isRedirect ? "Remove it." : "Remove it; a server of yours is named by a and a colon instead."}`,
        rule: `RFC 7208 section ${isRedirect ? "6.1" : "5.2"}`,
      };
    case "severalRecords":
      return {
        code: "include_of_several_records",
        state: "broken",
        sentence: `${at} leads to a name with several SPF records: SPF fails for every sender.`,
        rule: "RFC 7208 section 4.5",
      };
    case "loop":
      return {
        code: "loop",
        state: "broken",
        sentence: `${at} leads back to a record that it came from: receivers stop after ten lookups, and SPF fails. Remove it.`,
        rule: LOOKUP_RULE,
      };
    case "tooManyMxHosts":
      return {
        code: "too_many_mx_hosts",
        state: "broken",
        sentence:
          `${at} has more than ${GUIDANCE_LIMITS.maxSpfMxHosts} hosts: SPF fails for every sender. Name the ` +
          "servers by ip4, ip6 or include.",
        rule: LOOKUP_RULE,
      };
    case "unanswered":
      return {
        code: "no_answer",
        state: "unknown",
        sentence: `DNS gave no answer for ${at}. Check again later.`,
        rule: "RFC 7208 section 4.4",
      };
    default:
      // "brokenBelow" and "notFollowed" are reported at the term below and by the count.
      return undefined;
  }
}

/** Terms of the record itself that are there twice: the second changes nothing, and costs its lookups again. */
function findingsOfRepeated({ root }: SpfTree): Finding[] {
  const seen = new Set<string>();
  return root.terms.flatMap(({ term, allLookups }): Finding[] => {
    if (term.kind !== "mechanism" || term.name === "all") return [];
    const key = term.text.toLowerCase().replace(/^[+?~-]|\.$/g, "");
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    const cost = allLookups === 0 ? "" : ` and costs ${allLookups} ${allLookups === 1 ? "lookup" : "lookups"}`;
    const sentence = `"${term.text.slice(0, 200)}" is in the record of ${root.domain} twice: the second changes nothing${cost}. Remove it.`;
    const state = allLookups === 0 ? "good" : "attention";
    return [{ code: "repeated_term", state, sentence, rule: "RFC 7208 section 4.6.2" }];
  });
}

function findingsOfAll({ root }: SpfTree): Finding[] {
  const rule = "RFC 7208 section 5.1";
  const last = root.terms.findIndex(({ term }) => term.kind === "mechanism" && term.name === "all");
  const after = last < 0 ? [] : root.terms.slice(last + 1).filter(({ term }) => term.kind === "mechanism");
  const findings: Finding[] = [];
  if (after.length > 0) {
    const sentence = `Terms after "all" are never read: ${after
      .map(({ term }) => term.text)
      .join(" ")
      .slice(0, 200)
      .trimEnd()}. Put them before it.`;
    findings.push({ code: "terms_after_all", state: "attention", sentence, rule });
  }
  const qualifier = qualifierOfAll(root);
  if (qualifier === "+") {
    const sentence = "+all lets anyone send in this domain's name. Replace it by ~all or -all.";
    findings.push({ code: "all_pass", state: "broken", sentence, rule });
  } else if (qualifier === "?" || (qualifier === undefined && !hasUnknownEnd(root))) {
    const sentence = `${qualifier === "?" ? "?all" : "A record without all"} says nothing about other senders. End it with ~all or -all.`;
    findings.push({ code: "all_neutral", state: "attention", sentence, rule });
  }
  return findings;
}

/** The senders of an ignored redirect are not let in. */
function findingsOfRedirect({ root }: SpfTree): Finding[] {
  const isEnded = root.terms.some(({ term }) => term.kind === "mechanism" && term.name === "all");
  const redirect = root.terms.find(({ term }) => term.kind === "modifier" && term.name === "redirect")?.term;
  if (!isEnded || redirect?.kind !== "modifier") return [];
  const sentence = `"${redirect.text.slice(0, 200)}" is ignored beside "all". If its senders are yours, write include:${redirect.domain.slice(0, 200)} before "all" instead; else remove it.`;
  return [{ code: "ignored_redirect", state: "attention", sentence, rule: "RFC 7208 section 6.1" }];
}

/** The widest networks that are not worth a word: 8 bits are 16 million addresses. */
const WIDE_BITS = { four: 8, six: 16 };

/** Everybody may be let in by other terms than the record's own `all`, too. */
function findingsOfWidth({ root }: SpfTree): Finding[] {
  return passingTerms(root).flatMap(({ domain, resolved: { term, networks } }): Finding[] => {
    const at = `"${term.text.slice(0, 200)}" in the record of ${domain}`;
    const isAll = term.kind === "mechanism" && term.name === "all";
    const narrowest = Math.min(...networks.map(widthOf));
    // The record's own `all` has its own finding.
    if ((isAll && domain !== root.domain && !isReachedByRedirect(root, domain)) || narrowest === 0) {
      const sentence = `${at} lets anyone send in this domain's name. Remove what leads to it.`;
      return [{ code: "all_pass", state: "broken", sentence, rule: "RFC 7208 section 5" }];
    }
    if (narrowest > 1) return [];
    const sentence = `${at} lets in a large part of the Internet. Name the networks that send for you.`;
    return [{ code: "wide_network", state: "attention", sentence, rule: "RFC 7208 section 5.6" }];
  });
}

/** 0: all addresses; 1: a large part of them; 2: fewer. */
function widthOf(network: string): number {
  const bits = Number(network.slice(network.indexOf("/") + 1));
  const most = network.includes(":") ? WIDE_BITS.six : WIDE_BITS.four;
  return bits === 0 ? 0 : bits < most ? 1 : 2;
}

function isReachedByRedirect({ terms }: SpfTree["root"], domain: string): boolean {
  const redirect = terms.find(({ term }) => term.kind === "modifier" && term.name === "redirect")?.record;
  return redirect !== undefined && (redirect.domain === domain || isReachedByRedirect(redirect, domain));
}

// Behind a redirect that was not answered, or that has a macro, another `all` may stand.
function hasUnknownEnd({ terms }: SpfTree["root"]): boolean {
  return terms.some(
    ({ term, record }) => term.kind === "modifier" && term.name === "redirect" && (record?.text ?? "") === "",
  );
}

function findingsOfText({ root }: SpfTree): Finding[] {
  const octets = new TextEncoder().encode(root.text).length;
  if (octets <= GUIDANCE_LIMITS.maxSpfOctets) return [];
  const sentence = `The record has ${octets} octets; beyond ${GUIDANCE_LIMITS.maxSpfOctets} some receivers can't read the answer.`;
  return [{ code: "long_record", state: "attention", sentence, rule: "RFC 7208 section 3.4" }];
}
