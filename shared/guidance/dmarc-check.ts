/**
 * Checks a domain's DMARC record: the effective policy, mistakes, and whether its reports may be sent where it asks.
 * Pure.
 */
import { type Resolver, recordsOf } from "../dns/resolver.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { type Check, type CheckState, type Finding, type RecordToPublish, worstState } from "./check.ts";
import { checkDestinations, type Destination, findingsOfDestinations } from "./dmarc-destinations.ts";
import { mergedDmarc } from "./dmarc-merge.ts";
import {
  type DmarcRecord,
  effectivePolicy,
  isDmarcRecord,
  isUsable,
  type JudgedTag,
  mailtoUri,
  POLICIES,
  type Policy,
  type PolicySubject,
  readDmarcRecord,
} from "./dmarc-record.ts";
import { hasOddCharacter, repairedDmarc } from "./dmarc-repair.ts";
import { type FoundRecord, findByPublicSuffix, type OlderAnswer, type Walk, walkTree } from "./dmarc-walk.ts";
import { type DmarcWildcard, findingsOfWildcard, findWildcard } from "./dmarc-wildcard.ts";
import { type Ask, startAsking } from "./dns-questions.ts";
import { whySendsNothing } from "./mail-hosts.ts";
import { recordAtStage } from "./next-record.ts";
import { ownerHint, stricterHint } from "./records-to-publish.ts";
import { withoutSigns } from "./tag-list.ts";
import { addAliasHint, aliasOf, findLostRecord } from "./wrong-name.ts";

/** The policies that receivers apply. Undefined: no DMARC. */
export interface EffectivePolicies {
  domain?: Policy;
  subdomain?: Policy;
  nonexistent?: Policy;
}

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

/** The record of a domain, and that of a name below it. */
interface Found {
  found?: FoundRecord | undefined;
  foundBelow?: FoundRecord | undefined;
}

/** What a domain's policies depend on besides its records. */
interface PolicyPlace {
  subject: PolicySubject;
  wildcard: DmarcWildcard;
}

// Of a name below the domain that has no record of its own; it does not take that of the domain if the domain is not the
// organizational domain.
function policiesOf({ found, foundBelow }: Found, { subject, wildcard }: PolicyPlace): EffectivePolicies {
  const policies: EffectivePolicies = {};
  const own = found && effectivePolicy(found.record, subject);
  const subdomain = foundBelow && effectivePolicy(foundBelow.record, "subdomain");
  const nonexistent = nonexistentPolicy(foundBelow, wildcard);
  if (own !== undefined) policies.domain = own;
  if (subdomain !== undefined) policies.subdomain = subdomain;
  if (nonexistent !== undefined) policies.nonexistent = nonexistent;
  return policies;
}

/** Of a name that nobody made: a wildcard's record is its own, and where DNS says that all names exist np does not hold. */
function nonexistentPolicy(foundBelow: FoundRecord | undefined, wildcard: DmarcWildcard): Policy | undefined {
  if (wildcard.record !== undefined) return effectivePolicy(wildcard.record, "domain");
  return foundBelow && effectivePolicy(foundBelow.record, wildcard.hasAllNames ? "subdomain" : "nonexistent");
}

// RFC 7489 knows neither t nor np.
function olderPolicies({ found, foundBelow }: OlderAnswer, { subject, wildcard }: PolicyPlace): EffectivePolicies {
  const record = wildcard.record && olderRecord(wildcard.record);
  return policiesOf(
    { found: asOlder(found), foundBelow: asOlder(foundBelow) },
    { subject, wildcard: { ...wildcard, record } },
  );
}

function asOlder(found: FoundRecord | undefined): FoundRecord | undefined {
  return found && { domain: found.domain, record: olderRecord(found.record) };
}

function olderRecord({ np: _, ...known }: DmarcRecord): DmarcRecord {
  // pct=0: the policy holds for none of the mail, and the one a level weaker for all of it (RFC 7489 section 6.6.4).
  return { ...known, isTesting: known.pct === 0 };
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

const WALK_RULE = "RFC 9989 section 4.10";

function findingsOfDiscovery(domain: string, walk: Walk, older: OlderAnswer, ruaAddress?: string): Finding[] {
  const findings: Finding[] = [];
  for (const { domain: name, records } of walk.steps) {
    if (records.length < 2) continue;
    findings.push({
      code: "several_records",
      state: "broken",
      sentence: `_dmarc.${name} has ${records.length} DMARC records, so receivers use none of them. Keep one, and remove the others.`,
      rule: "RFC 9989 section 4.10.1; RFC 7489 section 6.6.3",
    });
  }
  findings.push(...mistakenRecords(walk));
  if (walk.isUncertain) {
    findings.push({
      code: "no_answer",
      state: "unknown",
      sentence: "DNS gave no answer for one of the names, so it is not known which record applies. Check again later.",
      rule: WALK_RULE,
    });
  } else if (walk.found === undefined && !hasAny(walk.steps[0])) {
    findings.push({
      code: "no_record",
      state: "broken",
      sentence: `${domain} has no DMARC record: anyone can send in its name, and no reports come. Publish this one.`,
      rule: WALK_RULE,
      publish: firstRecord(domain, ruaAddress),
    });
  }
  findings.push(...differences(domain, walk, older), ...findingsOfLabels(domain, walk, ruaAddress));
  return findings;
}

/** Whether something is at a name already that was meant as a record, though receivers use none of it. */
function hasAny(step: Walk["steps"][number] | undefined): boolean {
  return step !== undefined && step.records.length + step.mistaken.length > 0;
}

function firstRecord(domain: string, ruaAddress: string | undefined, policy: Policy = "none"): RecordToPublish {
  const rua = ruaAddress === undefined ? "" : ` rua=${mailtoUri(ruaAddress)}`;
  return { name: `_dmarc.${domain}`, type: "TXT", value: `v=DMARC1; p=${policy};${rua}` };
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

/** Whether the domain's owner may change the record: one of a registry is not theirs. */
function isOwners(policyDomain: string, domain: string): boolean {
  return organizationalDomain(policyDomain) === organizationalDomain(domain);
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

/** Records of the walk that receivers do not take for DMARC records though they were meant as such. */
function mistakenRecords({ steps }: Walk): Finding[] {
  return steps.flatMap(({ domain, mistaken, record }) =>
    mistaken.map(({ text, reason, meant }): Finding => {
      const shown = `The TXT record "${text.slice(0, 100)}" at _dmarc.${domain}`;
      const remedy = record === undefined ? "Publish it like this." : "Remove it: there is a right one beside it.";
      const finding: Finding = {
        code: "mistaken_record",
        state: record === undefined ? "broken" : "attention",
        sentence:
          `${shown} is not a DMARC record for receivers: ${reason}. ` +
          `${meant === undefined && record === undefined ? "Correct it." : remedy}`,
        rule: "RFC 9989 section 4.8",
      };
      if (meant !== undefined && record === undefined) {
        finding.publish = { name: `_dmarc.${domain}`, type: "TXT", value: meant };
        finding.sentence += stricterHint(text, meant);
      }
      return finding;
    }),
  );
}

function differences(domain: string, { found }: Walk, older: OlderAnswer): Finding[] {
  if (found === undefined || older.isUncertain || older.found?.domain === found.domain) return [];
  const others = older.found === undefined ? "find no record" : `use the record of ${older.found.domain}`;
  return [
    {
      code: "differs_by_rfc",
      state: "attention",
      sentence:
        `Receivers that follow RFC 7489 ${others}; those that follow RFC 9989 use that of ${found.domain}. Publish ` +
        `a record at _dmarc.${domain} to get one answer.`,
      rule: "RFC 9989 appendix C.3",
    },
  ];
}

/** RFC 9989 section 4.10: the tree walk asks at most eight times. */
const MOST_LABELS_WALKED = 8;

function findingsOfLabels(domain: string, { found }: Walk, ruaAddress: string | undefined): Finding[] {
  const labels = domain.split(".");
  if (labels.length <= MOST_LABELS_WALKED || found?.domain === domain) return [];
  return [
    {
      code: "name_too_long",
      state: "attention",
      sentence:
        `${domain} has more than eight labels: receivers ask for its own record, then only from ` +
        `${labels.slice(-7).join(".")} on. Publish a separate record.`,
      rule: "RFC 9989 sections 4.10 and 5.1.8",
      publish: firstRecord(domain, ruaAddress, found && effectivePolicy(found.record, "subdomain")),
    },
  ];
}

function findingsOfApex(domain: string, texts: string[]): Finding[] {
  const [misplaced] = texts.filter(isDmarcRecord);
  if (misplaced === undefined) return [];
  return [
    {
      code: "record_at_apex",
      state: "broken",
      sentence: `There is a DMARC record at ${domain}, where receivers do not look for it. Move it to _dmarc.${domain}.${stricterHint("", misplaced)}`,
      rule: WALK_RULE,
      publish: { name: `_dmarc.${domain}`, type: "TXT", value: misplaced },
    },
  ];
}

/** A name whose policy is looked for. */
interface Subject {
  domain: string;
  subject: PolicySubject;
  /** Where reports should go, if that is known. */
  ruaAddress?: string | undefined;
}

function findingsOfRecord({ record, domain: policyDomain }: FoundRecord, walk: Walk, about: Subject): Finding[] {
  const name = `_dmarc.${policyDomain}`;
  const ofTags = record.tags.flatMap(findingsOfTag);
  const findings = [...(record.isTesting ? ofTags.map(withoutTestHint) : ofTags), ...findingsOfSyntax(record)];
  if (!isUsable(record)) {
    findings.push({
      code: "no_policy",
      state: "broken",
      sentence: `The record at ${name} has no valid p and no address for reports, so receivers ignore it.`,
      rule: "RFC 9989 section 4.10.1",
      publish: isOwners(policyDomain, about.domain) ? firstRecord(policyDomain, about.ruaAddress) : undefined,
    });
  } else if (record.p === undefined || record.hasInvalidSubdomainPolicy) {
    findings.push({
      code: "policy_ignored",
      state: "broken",
      sentence: `A policy of the record at ${name} is missing or invalid, so receivers act as if p=none.`,
      rule: "RFC 9989 section 4.10.1",
      publish: withoutPolicy(record) ? { name, type: "TXT", value: withPolicyNone(record) } : undefined,
    });
  } else {
    findings.push(findingOfPolicy(record, about.subject), ...findingsBelow(record, walk, policyDomain));
  }
  findings.push(...findingsOfReports(record));
  return [...findings, ...findingsOfPlace(record, policyDomain, { walk, domain: about.domain })];
}

/** It is a test already. */
function withoutTestHint(finding: Finding): Finding {
  return { ...finding, sentence: finding.sentence.replace("Use t=y to test, and remove pct.", "Remove pct.") };
}

/** Whether p is simply not there, and nothing that could have been meant as one. */
function withoutPolicy({ tags, malformed, sp, np, hasInvalidSubdomainPolicy }: DmarcRecord): boolean {
  const isFlawed = tags.some(({ name, standing, value }) => name === "p" || standing === "repeated" || value === "");
  // Adding p would put sp and np into force, too.
  const isAboutBelow = sp !== undefined || np !== undefined || hasInvalidSubdomainPolicy;
  return !isFlawed && malformed.length === 0 && !isAboutBelow;
}

/** The record with the values that receivers use written out. */
function withPolicyNone({ tags }: DmarcRecord): string {
  const others = tags.filter(({ name }) => name !== "v").map(({ name, value }) => `${name}=${value}`);
  return ["v=DMARC1", "p=none", ...others].join("; ");
}

function findingsOfSyntax({ text, tags, malformed }: DmarcRecord): Finding[] {
  const rule = "RFC 9989 section 4.8";
  const findings = malformed.map((part): Finding => {
    const hint = /^(mailto|https?):/i.test(part) ? " Addresses have commas between them." : "";
    const sentence = `"${part.slice(0, 100)}" is not a tag and is ignored. Tags are name=value, with ; between them.${hint}`;
    return { code: "malformed_tag", state: "attention", sentence, rule };
  });
  if (hasOddCharacter(text)) {
    const sentence =
      "The record has a line break or a character that is not on every keyboard in it, such as a no-break space pasted " +
      "from a text: some receivers can't read it. Type it anew.";
    findings.push({ code: "odd_character", state: "attention", sentence, rule });
  }
  const lists = tags.filter(({ name, standing }) => (name === "rua" || name === "ruf") && standing === "used");
  for (const { name, value } of lists.filter((tag) => /^,|,[ \t]*(,|$)/.test(tag.value))) {
    const sentence = `${name}=${value.slice(0, 100)} has a comma with no address beside it. Remove it.`;
    findings.push({ code: "empty_address", state: "attention", sentence, rule });
  }
  return findings;
}

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

/** Receivers need not send to more (RFC 7489 section 6.2). */
const SURE_ADDRESSES = 2;

function findingsOfReports({ rua, ruf, tags }: DmarcRecord): Finding[] {
  const findings: Finding[] = [];
  if (rua.length === 0) {
    findings.push({
      code: "no_rua",
      state: "attention",
      sentence: "The record asks for no reports (rua), so you can't see who sends in your name.",
      rule: "RFC 9989 section 4.7",
    });
  }
  if (rua.length > SURE_ADDRESSES) {
    findings.push({
      code: "many_addresses",
      state: "attention",
      sentence:
        `The record names ${rua.length} addresses for reports. Some receivers send to the first ${SURE_ADDRESSES} ` +
        "only: put those that matter first.",
      rule: "RFC 7489 section 6.2",
    });
  }
  const sized = [...rua, ...ruf].filter(({ hasSize }) => hasSize);
  if (sized.length > 0) {
    findings.push({
      code: "size_limit",
      state: "attention",
      sentence:
        `${sized.map(({ text }) => text.slice(0, 100)).join(", ")}: the size after ! is no longer part of DMARC. ` +
        "Older receivers send no larger report there. Remove it.",
      rule: "RFC 9989 section 4.6",
    });
  }
  if (ruf.length === 0 && tags.some(({ name, standing }) => name === "fo" && standing === "used")) {
    findings.push({
      code: "fo_without_ruf",
      state: "good",
      sentence: "fo has no effect without ruf and can be removed.",
      rule: "RFC 9989 section 4.7",
    });
  }
  return findings;
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

/** What depends on whose record it is. */
function findingsOfPlace(
  record: DmarcRecord,
  policyDomain: string,
  { walk, domain }: { walk: Walk; domain: string },
): Finding[] {
  const rule = "RFC 9989 section 4.7";
  if (record.psd === "y" && policyDomain !== domain) {
    const sentence =
      `${domain} has no DMARC record: that of the public suffix ${policyDomain} applies, and its reports go there. ` +
      "Publish one.";
    return [{ code: "record_of_public_suffix", state: "attention", sentence, rule: "RFC 9989 section 4.10.1" }];
  }
  if (record.psd === "y") {
    const sentence = `psd=y says that ${policyDomain} is a public suffix, as co.uk is. Remove it unless you run a registry.`;
    return [{ code: "psd_on_ordinary_domain", state: "attention", sentence, rule }];
  }
  const ignored = record.tags.filter(({ name, standing }) => (name === "sp" || name === "np") && standing === "used");
  if (walk.organizationalDomain === policyDomain || ignored.length === 0) return [];
  const shown = ignored.map(({ name, value }) => `${name}=${value}`).join(" and ");
  const sentence =
    `${shown} has no effect in the record of ${policyDomain}: for names below it receivers use the record of ` +
    `${walk.organizationalDomain}.`;
  return [{ code: "subdomain_policy_ignored", state: "attention", sentence, rule }];
}

function findingOfPolicy(record: DmarcRecord, subject: PolicySubject): Finding {
  const policy = effectivePolicy(record, subject);
  const rule = "RFC 9989 section 4.7";
  if (record.isTesting) {
    const sentence =
      record.p === "none"
        ? "t=y has no effect on p=none. Remove it, or raise p."
        : `t=y: receivers apply ${policy} instead of ${effectivePolicy({ ...record, isTesting: false }, subject)}; ` +
          "older ones, which don't know t, do not. Remove it when the reports show no problem.";
    return { code: "testing", state: "attention", sentence, rule };
  }
  if (policy === "none") {
    const sentence =
      subject === "domain"
        ? "p=none asks for reports and protects nothing. Raise it when the verdict says it is safe."
        : "Here the policy is none, which protects nothing. Raise it when the verdict says it is safe.";
    return { code: "policy_none", state: "attention", sentence, rule };
  }
  const sentence = `Receivers are asked to ${policy === "reject" ? "reject" : "quarantine"} mail that fails.`;
  return { code: `policy_${policy}`, state: "good", sentence, rule };
}

/** Whether names below are left with less than the domain itself. */
function findingsBelow(record: DmarcRecord, walk: Walk, policyDomain: string): Finding[] {
  const { p = "none", sp = p, np = sp } = record;
  // What holds below a public suffix is not its own mail.
  if (walk.organizationalDomain !== policyDomain || record.psd === "y") return [];
  const weakest = POLICIES.indexOf(sp) < POLICIES.indexOf(p) ? `sp=${sp}` : undefined;
  const tag = weakest ?? (POLICIES.indexOf(np) < POLICIES.indexOf(p) ? `np=${np}` : undefined);
  if (tag === undefined) return [];
  const names = weakest === undefined ? "names below that do not exist" : "its subdomains";
  const sentence = `${tag} is weaker than p=${p}: failing mail in the name of ${names} is treated less strictly than that of ${policyDomain}. Raise it once the reports show that nothing of yours fails there.`;
  return [{ code: "weaker_below", state: "attention", sentence, rule: "RFC 9989 section 4.7" }];
}

/** Another tag within a value. */
const SWALLOWED_TAG = /[\s,](?:p|sp|np|t|psd|pct|fo|adkim|aspf|rua|ruf)=/i;

function findingsOfTag(tag: JudgedTag): Finding[] {
  const shown = `${tag.name}=${tag.value.slice(0, 100)}`;
  const rule = "RFC 9989 section 4.7";
  if (tag.standing === "unknown") {
    return [{ code: "unknown_tag", state: "attention", sentence: `${shown} is not a DMARC tag and is ignored.`, rule }];
  }
  if (tag.standing === "repeated") {
    const sentence = `${shown} repeats a tag: receivers may use either, or ignore the whole record. Keep one.`;
    return [{ code: "repeated_tag", state: "broken", sentence, rule: "RFC 6376 section 3.2" }];
  }
  if (tag.standing === "invalid") {
    const isPolicy = ["p", "sp", "np"].includes(tag.name);
    const ignored = isPolicy ? "" : " It is ignored.";
    const used = tag.usedValue === undefined ? ignored : ` Receivers use ${tag.usedValue}.`;
    const valid = isPolicy ? " Valid are none, quarantine and reject." : "";
    const hint = SWALLOWED_TAG.test(tag.value) ? " A ; is missing in it." : valid;
    const sentence = `${shown} is not a valid value.${used}${hint}`;
    return [{ code: "invalid_tag", state: "attention", sentence, rule }];
  }
  if (tag.standing === "historic") return [historicTag(tag)];
  return [];
}

function historicTag({ name, value }: JudgedTag): Finding {
  const isHarmless = name !== "pct" || value === "100";
  const sentence = isHarmless
    ? `${name} is no longer part of DMARC and can be removed.`
    : `pct=${value} is honoured only by older receivers; the others apply the whole policy. Use t=y to test, and remove pct.`;
  return {
    code: "historic_tag",
    state: isHarmless ? "good" : "attention",
    sentence,
    rule: "RFC 9989 appendix C",
  };
}
