/**
 * Checks a domain's DMARC record: the effective policy, mistakes, and whether its reports may be sent where it asks.
 * Pure.
 */
import { type Resolver, recordsOf } from "../dns/resolver.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { type Check, type CheckState, type Finding, worstState } from "./check.ts";
import { checkDestinations, type Destination, findingsOfDestinations } from "./dmarc-destinations.ts";
import { findingsOfApex, findingsOfDiscovery, firstRecord, hasAny, isOwners, WALK_RULE } from "./dmarc-discovery.ts";
import { mergedDmarc } from "./dmarc-merge.ts";
import { type EffectivePolicies, olderPolicies, policiesOf } from "./dmarc-policies.ts";
import {
  type DmarcRecord,
  effectivePolicy,
  isDmarcRecord,
  isUsable,
  mailtoUri,
  type PolicySubject,
  readDmarcRecord,
} from "./dmarc-record.ts";
import { findingsOfRecord } from "./dmarc-record-findings.ts";
import { hasOddCharacter, repairedDmarc } from "./dmarc-repair.ts";
import { type FoundRecord, findByPublicSuffix, type Walk, walkTree } from "./dmarc-walk.ts";
import { findingsOfWildcard, findWildcard } from "./dmarc-wildcard.ts";
import { type Ask, startAsking } from "./dns-questions.ts";
import { whySendsNothing } from "./mail-hosts.ts";
import { recordAtStage } from "./next-record.ts";
import { ownerHint, stricterHint } from "./records-to-publish.ts";
import { withoutSigns } from "./tag-list.ts";
import { addAliasHint, aliasOf, findLostRecord } from "./wrong-name.ts";

/** A DMARC check with its details. */
export interface DmarcCheck extends Check {
  kind: "dmarc";
  /** The record that applies by RFC 9989. */
  record?: DmarcRecord;
  /** The name it was found at. */
  policyDomain?: string;
  organizationalDomain: string;
  policies: EffectivePolicies;
  /** What RFC 7489 receivers find. */
  older: { organizationalDomain: string; policyDomain?: string; policies: EffectivePolicies };
  destinations: Destination[];
}

/**
 * Checks a domain.
 *
 * @param domain A-labels
 * @param ruaAddress where reports should go, for the record to publish if there is none
 * @param isSigning whether mail is known to be signed for the domain: then it sends some, whatever its SPF record says
 */
export async function checkDmarc(
  domain: string,
  resolver: Resolver,
  ruaAddress?: string,
  isSigning = async () => false,
): Promise<DmarcCheck> {
  const { ask, asked, explained } = startAsking(resolver);
  const walk = await walkTree(domain, ask);
  const older = await findByPublicSuffix(domain, ask);
  const destinations = await checkDestinations(walk, ask);
  const isOwn = walk.found?.domain === domain;
  const apex = isOwn ? undefined : await ask(domain, "TXT");
  // Only NXDOMAIN means that a name does not exist (RFC 9989 section 4.10.1).
  const subject: PolicySubject = isOwn ? "domain" : apex?.status === "nxdomain" ? "nonexistent" : "subdomain";
  const wildcard = await findWildcard(domain, ask);
  const misplaced = apex === undefined ? [] : findingsOfApex(domain, recordsOf(apex));
  if (misplaced.length === 0) misplaced.push(...(await findMisplaced(domain, walk, ask)));
  // One record to publish at a name: two of them would be none.
  const discovered = findingsOfDiscovery(domain, walk, older, ruaAddress).filter(
    ({ code }) => code !== "no_record" || misplaced.length === 0,
  );
  const noRecord = discovered.find(({ code }) => code === "no_record");
  if (noRecord !== undefined) await addToMissing(noRecord, domain, { ask, ruaAddress, isSigning });
  await addMerged(discovered, walk, ask);
  const findings = await explained([
    ...discovered,
    ...misplaced,
    ...(walk.found === undefined ? [] : findingsOfRecord(walk.found, walk, { domain, subject, ruaAddress })),
    ...findingsOfWildcard(domain, walk, wildcard),
    ...findingsOfDestinations(destinations),
    ...(walk.found === undefined ? [] : await findingsOfTtl(`_dmarc.${walk.found.domain}`, ask)),
  ]);
  if (walk.found !== undefined) {
    addRepair(findings, walk.found);
    if (!(await isSigning())) await addPolicyOfIdle(findings, walk.found, { domain, ask });
    if (isOwners(walk.found.domain, domain)) addAddress(findings, walk.found, ruaAddress);
    findings.push(...findingsOfOrganization(findings, walk, domain));
  }
  const state = worstState(findings.map((finding) => finding.state));
  return {
    kind: "dmarc",
    state,
    summary: summaryOf(walk, { domain, subject, state }),
    findings,
    asked: asked(),
    organizationalDomain: walk.organizationalDomain,
    policies: policiesOf(walk, { subject, wildcard }),
    older: {
      organizationalDomain: older.organizationalDomain,
      policies: olderPolicies(older, { subject, wildcard }),
      ...(older.found === undefined ? {} : { policyDomain: older.found.domain }),
    },
    destinations,
    ...(walk.found === undefined ? {} : { record: walk.found.record, policyDomain: walk.found.domain }),
  };
}

/** The record where it was put at a wrong name, if nothing was found or lost at the right one. */
async function findMisplaced(domain: string, { steps: [own] }: Walk, ask: Ask): Promise<Finding[]> {
  if (hasAny(own) || own?.status === "servfail") return [];
  const lost = await findLostRecord({ prefix: "_dmarc", domain, isMeant: isDmarcRecord, rule: WALK_RULE }, ask);
  if (lost?.publish === undefined) return [];
  return [{ ...lost, sentence: `${lost.sentence}${stricterHint("", lost.publish.value)}` }];
}

function summaryOf(
  { found, isUncertain, steps }: Walk,
  { domain, subject, state }: { domain: string; subject: PolicySubject; state: CheckState },
): string {
  if (found === undefined) {
    if (isUncertain) return "DNS gave no answer";
    if ((steps[0]?.records.length ?? 0) > 1) return "Several DMARC records: receivers use none";
    return steps[0]?.mistaken.length === 0 ? "No DMARC record" : "The DMARC record can't be used";
  }
  const policy = effectivePolicy(found.record, subject);
  if (policy === undefined) return "The DMARC record can't be used";
  const from = found.domain === domain ? "" : `, from ${found.domain}`;
  const testing = found.record.isTesting ? " while testing" : "";
  return `Policy ${policy}${testing}${from}${state === "good" ? "" : "; see below"}`;
}

/** Adds the record to publish in place of several at the domain itself, unless they are an alias's. */
async function addMerged(findings: readonly Finding[], { steps: [own] }: Walk, ask: Ask): Promise<void> {
  const several = findings.find(({ code }) => code === "several_records");
  if (several === undefined || own === undefined || own.records.length < 2) return;
  const name = `_dmarc.${own.domain}`;
  const value = mergedDmarc(own.records);
  if (value === undefined || (await aliasOf(name, ask)) !== undefined) return;
  several.publish = { name, type: "TXT", value };
  several.sentence = `${several.sentence.replace(/ Keep one.*$/, "")} Publish this one in place of all: it has the addresses of each, and the weakest of the policies.${stricterHint("", value)}`;
}

/** Adds an address to a record without, where it is known and nothing else is given for the name. */
function addAddress(findings: readonly Finding[], { record, domain }: FoundRecord, rua: string | undefined): void {
  const silent = findings.find(({ code }) => code === "no_rua");
  const name = `_dmarc.${domain}`;
  const isFlawed =
    record.malformed.length > 0 || record.tags.some((tag) => tag.name === "rua" || tag.standing === "repeated");
  if (silent === undefined || rua === undefined || isFlawed || findings.some(({ publish }) => publish?.name === name))
    return;
  silent.sentence += " Publish it like this.";
  silent.publish = { name, type: "TXT", value: withTag(record.text, `rua=${mailtoUri(rua)}`) };
}

/**
 * A domain that somebody registered below a name that has a record without `psd`: by the tree walk that name is the organisation
 * (RFC 9989 section 4.10.2), though by the Public Suffix List the domain is its own.
 */
function findingsOfOrganization(
  others: readonly Finding[],
  { found, organizationalDomain: above }: Walk,
  domain: string,
): Finding[] {
  if (found?.domain !== domain || found.record.psd !== "u" || above === domain) return [];
  // A top-level domain with such a record is most likely a brand's, and all below it, too.
  if (organizationalDomain(domain) !== domain || !above.includes(".")) return [];
  const sentence = `For receivers that follow RFC 9989 ${domain} is a part of ${above}, whose DMARC record does not say that it is a public suffix (psd=y): names below ${domain} take the policy of ${above}, and mail of its other domains passes as yours. If ${above} is not yours, add psd=n.`;
  const finding: Finding = {
    code: "organization_above",
    state: "attention",
    sentence,
    rule: "RFC 9989 section 4.10.2",
  };
  const name = `_dmarc.${domain}`;
  if (others.some(({ publish }) => publish?.name === name)) return [finding];
  return [{ ...finding, publish: { name, type: "TXT", value: withTag(found.record.text, "psd=n") } }];
}

function withTag(text: string, tag: string): string {
  return `${withoutSigns(text)}; ${tag}`;
}

/** What else is known of a domain without a record: names that can't have one, and mail that is never sent. */
async function addToMissing(
  finding: Finding,
  domain: string,
  { ask, ruaAddress, isSigning }: { ask: Ask; ruaAddress: string | undefined; isSigning: () => Promise<boolean> },
): Promise<void> {
  const { status } = await ask(domain, "TXT");
  const why = (await isSigning()) ? undefined : await whySendsNothing(domain, ask);
  if (why !== undefined) {
    finding.publish = firstRecord(domain, ruaAddress, "reject");
    finding.sentence += ` With it receivers reject all mail in the name of ${domain}, which sends none: ${why}.`;
  }
  const isNowhere = status === "nxdomain" && organizationalDomain(domain) === domain;
  const hint = isNowhere ? ` DNS has no domain ${domain}: check its spelling, and whether it is registered.` : "";
  finding.sentence += `${ownerHint(domain)}${hint}`;
  await addAliasHint(finding, `_dmarc.${domain}`, ask);
}

/** A domain that sends nothing need not wait for reports. Another record that is given for the name already stays. */
async function addPolicyOfIdle(
  findings: readonly Finding[],
  { record, domain: policyDomain }: FoundRecord,
  { domain, ask }: { domain: string; ask: Ask },
): Promise<void> {
  const name = `_dmarc.${policyDomain}`;
  const weak = findings.find(({ code }) => code === "policy_none");
  if (weak === undefined || policyDomain !== domain) return;
  const why = await whySendsNothing(domain, ask);
  if (why === undefined) return;
  weak.sentence = `p=none protects nothing, and ${domain} sends no mail: ${why}. Have receivers reject what is sent in its name.`;
  if (findings.some(({ publish }) => publish?.name === name)) return;
  weak.publish = { name, type: "TXT", value: recordAtStage(record.text, REJECT, { before: "", after: "" }) };
}

const REJECT = { p: "reject", isTest: false } as const;

/** Codes of findings that a repair may resolve, the one with the most to lose first. */
const REPAIRABLE = [
  "repeated_tag",
  "no_policy",
  "policy_ignored",
  "destination_not_supported",
  "malformed_tag",
  "invalid_tag",
  "unknown_tag",
  "odd_character",
  "empty_address",
];

/** Adds the record that was meant to what is wrong with the one that is there, where it is clear. */
function addRepair(findings: Finding[], { record, domain }: FoundRecord): void {
  const value = repairedDmarc(record.text);
  const meant = readDmarcRecord(value);
  const isRepeated = meant.tags.some(({ standing }) => standing === "repeated");
  const isWhole = meant.p !== undefined && meant.malformed.length === 0 && !isRepeated && !hasOddCharacter(value);
  if (value === record.text || !isWhole || !isUsable(meant)) return;
  const code = REPAIRABLE.find((one) => findings.some((finding) => finding.code === one));
  const found = findings.find((finding) => finding.code === code);
  if (found === undefined) return;
  found.publish = { name: `_dmarc.${domain}`, type: "TXT", value: value.trim() };
  found.sentence += ` Publish it like this.${stricterHint(record.text, value)}`;
}

/** Two days: who raises a policy too early waits as long until receivers know that it was taken back. */
const LONG_SECONDS = 172_800;

async function findingsOfTtl(name: string, ask: Ask): Promise<Finding[]> {
  const answer = await ask(name, "TXT");
  const seconds = answer.status === "answers" ? (answer.ttlSeconds ?? 0) : 0;
  if (seconds <= LONG_SECONDS) return [];
  const sentence = `Receivers may keep the record for ${Math.round(seconds / 86_400)} days (TTL ${seconds}), so a mistake in it can't be taken back sooner. Set the TTL to an hour (3600) before you change the policy.`;
  return [{ code: "long_ttl", state: "attention", sentence, rule: "RFC 1035 section 3.2.1" }];
}
