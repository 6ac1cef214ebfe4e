/**
 * Checks a domain's DMARC record: the effective policy, mistakes, and whether its reports may be sent where it asks.
 * Pure.
 */
import { isUnanswered, type Resolver, recordsOf } from "../dns/resolver.ts";
import { type Ask, startAsking } from "./asking.ts";
import { type Check, type CheckState, type Finding, worstState } from "./check.ts";
import {
  type DmarcRecord,
  effectivePolicy,
  isDmarcRecord,
  isUsable,
  type JudgedTag,
  type Policy,
  type ReportUri,
  readDmarcRecord,
} from "./dmarc-record.ts";
import { findByPublicSuffix, type OlderAnswer, type Walk, walkTree } from "./dmarc-walk.ts";

/** Whether reports may be sent to a URI (RFC 9990 section 4). */
export interface Destination {
  uri: string;
  host?: string;
  /** "inside": of the same organisation, no record needed. */
  outcome: "inside" | "authorized" | "redirected" | "refused" | "notSupported" | "unknown";
  /** The name whose TXT record decides, if one is needed. */
  recordName?: string;
}

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

/** A record for a domain that has none. */
const FIRST_RECORD = "v=DMARC1; p=none;";

/**
 * Checks a domain.
 *
 * @param domain A-labels
 * @param ruaAddress where reports should go, for the record to publish if there is none
 */
export async function checkDmarc(domain: string, resolver: Resolver, ruaAddress?: string): Promise<DmarcCheck> {
  const { ask, asked } = startAsking(resolver);
  const walk = await walkTree(domain, ask);
  const older = await findByPublicSuffix(domain, ask);
  const destinations = await checkDestinations(walk, ask);
  const findings = [
    ...findingsOfDiscovery(domain, walk, older, ruaAddress),
    ...(await findingsOfApex(domain, walk, ask)),
    ...(walk.found === undefined ? [] : findingsOfRecord(walk.found.record, walk.found.domain, domain)),
    ...destinations.flatMap(findingsOfDestination),
  ];
  const state = worstState(findings.map((finding) => finding.state));
  const check: DmarcCheck = {
    kind: "dmarc",
    state,
    summary: summaryOf(walk, domain, state),
    findings,
    asked: asked(),
    organizationalDomain: walk.organizationalDomain,
    policies: policiesOf(walk.found, domain),
    older: { organizationalDomain: older.organizationalDomain, policies: olderPolicies(older, domain) },
    destinations,
  };
  if (walk.found !== undefined) {
    check.record = walk.found.record;
    check.policyDomain = walk.found.domain;
  }
  if (older.found !== undefined) check.older.policyDomain = older.found.domain;
  return check;
}

function policiesOf(found: Walk["found"], domain: string): EffectivePolicies {
  if (found === undefined) return {};
  const policies: EffectivePolicies = {};
  const own = effectivePolicy(found.record, found.domain === domain ? "domain" : "subdomain");
  const subdomain = effectivePolicy(found.record, "subdomain");
  const nonexistent = effectivePolicy(found.record, "nonexistent");
  if (own !== undefined) policies.domain = own;
  if (subdomain !== undefined) policies.subdomain = subdomain;
  if (nonexistent !== undefined) policies.nonexistent = nonexistent;
  return policies;
}

// RFC 7489 knows neither t nor np.
function olderPolicies(older: OlderAnswer, domain: string): EffectivePolicies {
  if (older.found === undefined) return {};
  const { record, domain: policyDomain } = older.found;
  const { np: _, ...known } = record;
  return policiesOf({ domain: policyDomain, record: { ...known, isTesting: false } }, domain);
}

function summaryOf({ found, isUncertain }: Walk, domain: string, state: CheckState): string {
  if (found === undefined) return isUncertain ? "DNS gave no answer" : "No DMARC record";
  const policy = effectivePolicy(found.record, found.domain === domain ? "domain" : "subdomain");
  if (policy === undefined) return "The DMARC record can't be used";
  const from = found.domain === domain ? "" : `, from ${found.domain}`;
  const testing = found.record.isTesting ? " while testing" : "";
  return `Policy ${policy}${testing}${from}${state === "good" ? "" : "; see below"}`;
}

function findingsOfDiscovery(domain: string, walk: Walk, older: OlderAnswer, ruaAddress?: string): Finding[] {
  const findings: Finding[] = [];
  const rule = "RFC 9989 section 4.10";
  for (const { domain: name, records } of walk.steps) {
    if (records.length < 2) continue;
    findings.push({
      code: "several_records",
      state: "broken",
      sentence: `_dmarc.${name} has ${records.length} DMARC records, so receivers use none of them. Keep one.`,
      rule: "RFC 9989 section 4.10.1; RFC 7489 section 6.6.3",
    });
  }
  if (walk.isUncertain) {
    findings.push({
      code: "no_answer",
      state: "unknown",
      sentence: "DNS gave no answer for one of the names, so it is not known which record holds. Check again later.",
      rule,
    });
  } else if (walk.found === undefined) {
    findings.push({
      code: "no_record",
      state: "broken",
      sentence: `${domain} has no DMARC record: anyone can send in its name, and no reports come. Publish this one.`,
      rule,
      publish: {
        name: `_dmarc.${domain}`,
        type: "TXT",
        value: ruaAddress === undefined ? FIRST_RECORD : `${FIRST_RECORD} rua=mailto:${ruaAddress}`,
      },
    });
  }
  if (walk.found !== undefined && !older.isUncertain && older.found?.domain !== walk.found.domain) {
    findings.push({
      code: "differs_by_rfc",
      state: "attention",
      sentence: `Receivers that follow RFC 7489 ${older.found === undefined ? "find no record" : `use the record of ${older.found.domain}`}; those that follow RFC 9989 use that of ${walk.found.domain}. Publish a record at _dmarc.${domain} to get one answer.`,
      rule: "RFC 9989 appendix C.3",
    });
  }
  if (domain.split(".").length > 8) {
    findings.push({
      code: "name_too_long",
      state: "attention",
      sentence: `${domain} has more than eight labels: records at the names between it and ${domain.split(".").slice(-7).join(".")} are never found.`,
      rule: "RFC 9989 section 4.10",
    });
  }
  return findings;
}

async function findingsOfApex(domain: string, walk: Walk, ask: Ask): Promise<Finding[]> {
  if (walk.found?.domain === domain) return [];
  const [misplaced] = recordsOf(await ask(domain, "TXT")).filter(isDmarcRecord);
  if (misplaced === undefined) return [];
  return [
    {
      code: "record_at_apex",
      state: "broken",
      sentence: `A DMARC record stands at ${domain}, where receivers do not look for it. Move it to _dmarc.${domain}.`,
      rule: "RFC 9989 section 4.10",
      publish: { name: `_dmarc.${domain}`, type: "TXT", value: misplaced },
    },
  ];
}

function findingsOfRecord(record: DmarcRecord, policyDomain: string, domain: string): Finding[] {
  const findings = record.tags.flatMap(findingsOfTag);
  const name = `_dmarc.${policyDomain}`;
  for (const part of record.malformed) {
    findings.push({
      code: "malformed_tag",
      state: "attention",
      sentence: `"${part.slice(0, 100)}" is no tag and is ignored. Tags are name=value, with ; between them.`,
      rule: "RFC 9989 section 4.8",
    });
  }
  if (!isUsable(record)) {
    findings.push({
      code: "no_policy",
      state: "broken",
      sentence: `The record at ${name} has no valid p and no address for reports, so receivers ignore it.`,
      rule: "RFC 9989 section 4.10.1",
      publish: { name, type: "TXT", value: FIRST_RECORD },
    });
  } else if (record.p === undefined || record.hasInvalidSubdomainPolicy) {
    findings.push({
      code: "policy_ignored",
      state: "broken",
      sentence: `A policy of the record at ${name} is missing or invalid, so receivers act as if p=none.`,
      rule: "RFC 9989 section 4.10.1",
    });
  } else {
    findings.push(findingOfPolicy(record, policyDomain === domain));
  }
  if (record.rua.length === 0) {
    findings.push({
      code: "no_rua",
      state: "attention",
      sentence: "The record asks for no reports (rua), so you can't see who sends in your name.",
      rule: "RFC 9989 section 4.7",
    });
  }
  if (record.psd === "y") {
    findings.push({
      code: "psd_on_ordinary_domain",
      state: "attention",
      sentence: `psd=y says that ${policyDomain} is a public suffix, as co.uk is. Remove it unless you run a registry.`,
      rule: "RFC 9989 section 4.7",
    });
  }
  return findings;
}

function findingOfPolicy(record: DmarcRecord, isOwn: boolean): Finding {
  const policy = effectivePolicy(record, isOwn ? "domain" : "subdomain");
  const rule = "RFC 9989 section 4.7";
  if (record.isTesting) {
    const sentence =
      record.p === "none"
        ? "t=y has no effect on p=none. Remove it, or raise p."
        : `t=y: receivers apply ${policy} instead of ${record.p}. Remove it when the reports show no problem.`;
    return { code: "testing", state: "attention", sentence, rule };
  }
  if (policy === "none") {
    const sentence = "p=none asks for reports and protects nothing. Raise it when the verdict says it is safe.";
    return { code: "policy_none", state: "attention", sentence, rule };
  }
  const sentence = `Receivers are asked to ${policy === "reject" ? "reject" : "quarantine"} mail that fails.`;
  return { code: `policy_${policy}`, state: "good", sentence, rule };
}

function findingsOfTag(tag: JudgedTag): Finding[] {
  const shown = `${tag.name}=${tag.value.slice(0, 100)}`;
  const rule = "RFC 9989 section 4.7";
  if (tag.standing === "unknown") {
    return [{ code: "unknown_tag", state: "attention", sentence: `${shown} is no DMARC tag and is ignored.`, rule }];
  }
  if (tag.standing === "repeated") {
    return [{ code: "repeated_tag", state: "attention", sentence: `${shown} repeats a tag; keep one.`, rule }];
  }
  if (tag.standing === "invalid") {
    const used = tag.usedValue === undefined ? "It is ignored" : `Receivers use ${tag.usedValue}`;
    return [{ code: "invalid_tag", state: "attention", sentence: `${shown} is not a valid value. ${used}.`, rule }];
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

async function checkDestinations(walk: Walk, ask: Ask): Promise<Destination[]> {
  if (walk.found === undefined) return [];
  const { record, domain } = walk.found;
  return await Promise.all([...record.rua, ...record.ruf].map((uri) => checkDestination(uri, domain, walk, ask)));
}

async function checkDestination(uri: ReportUri, policyDomain: string, walk: Walk, ask: Ask): Promise<Destination> {
  const { text, host } = uri;
  if (host === undefined) return { uri: text, outcome: "notSupported" };
  const own = await walkTree(host, ask);
  if (own.organizationalDomain === walk.organizationalDomain || isBelow(host, walk.organizationalDomain)) {
    return { uri: text, host, outcome: own.isUncertain && own.found === undefined ? "unknown" : "inside" };
  }
  const recordName = `${policyDomain}._report._dmarc.${host}`;
  if (recordName.length > 253) return { uri: text, host, outcome: "refused", recordName };
  const answer = await ask(recordName, "TXT");
  if (isUnanswered(answer)) return { uri: text, host, outcome: "unknown", recordName };
  const [permit] = recordsOf(answer).filter(isDmarcRecord).map(readDmarcRecord);
  if (permit === undefined) return { uri: text, host, outcome: "refused", recordName };
  const isElsewhere = permit.rua.some((other) => other.host !== host);
  if (isElsewhere) return { uri: text, host, outcome: "refused", recordName };
  return { uri: text, host, outcome: permit.rua.length > 0 ? "redirected" : "authorized", recordName };
}

function isBelow(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function findingsOfDestination({ uri, host, outcome, recordName }: Destination): Finding[] {
  const rule = "RFC 9990 section 4";
  const shown = uri.slice(0, 200);
  switch (outcome) {
    case "refused":
      return [
        {
          code: "destination_refused",
          state: "broken",
          sentence: `No reports go to ${shown}: ${host} does not say that it takes reports for this domain. It has to publish this record.`,
          rule,
          publish: { name: recordName ?? "", type: "TXT", value: "v=DMARC1;" },
        },
      ];
    case "notSupported":
      return [
        {
          code: "destination_not_supported",
          state: "broken",
          sentence: `${shown} is no mailto address that reports can be sent to.`,
          rule: "RFC 9989 section 4.6",
        },
      ];
    case "unknown":
      return [
        {
          code: "destination_unknown",
          state: "unknown",
          sentence: `DNS gave no answer on whether ${host} takes reports for this domain. Check again later.`,
          rule,
        },
      ];
    case "redirected":
      return [
        {
          code: "destination_redirected",
          state: "good",
          sentence: `${host} takes the reports for ${shown} at another address of its own.`,
          rule,
        },
      ];
    default:
      return [];
  }
}
