/** What is wrong with a DMARC record as it is written, and what its policy means. Pure. */
import type { Finding } from "./check.ts";
import { firstRecord, isOwners } from "./dmarc-discovery.ts";
import {
  type DmarcRecord,
  effectivePolicy,
  isUsable,
  type JudgedTag,
  POLICIES,
  type PolicySubject,
} from "./dmarc-record.ts";
import { hasOddCharacter } from "./dmarc-repair.ts";
import type { FoundRecord, Walk } from "./dmarc-walk.ts";

/** A name whose policy is looked for. */
interface Subject {
  domain: string;
  subject: PolicySubject;
  /** Where reports should go, if that is known. */
  ruaAddress?: string | undefined;
}

/** Findings of the record that applies to a name. @param about the name */
export function findingsOfRecord({ record, domain: policyDomain }: FoundRecord, walk: Walk, about: Subject): Finding[] {
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
