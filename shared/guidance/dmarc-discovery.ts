/** What the search for the DMARC record of a domain found: none, several, one that is none, or one at the wrong name. Pure. */
import { organizationalDomain } from "../organizational-domain.ts";
import type { Finding, RecordToPublish } from "./check.ts";
import { effectivePolicy, isDmarcRecord, mailtoUri, type Policy } from "./dmarc-record.ts";
import type { OlderAnswer, Walk } from "./dmarc-walk.ts";
import { stricterHint } from "./records-to-publish.ts";

/** The rule behind findings of the search itself. */
export const WALK_RULE = "RFC 9989 section 4.10";

/** Findings of the search itself. @param older what receivers find that follow RFC 7489 @param ruaAddress where reports should go, if known */
export function findingsOfDiscovery(domain: string, walk: Walk, older: OlderAnswer, ruaAddress?: string): Finding[] {
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
export function hasAny(step: Walk["steps"][number] | undefined): boolean {
  return step !== undefined && step.records.length + step.mistaken.length > 0;
}

/** The record to publish where a domain has none. */
export function firstRecord(domain: string, ruaAddress: string | undefined, policy: Policy = "none"): RecordToPublish {
  const rua = ruaAddress === undefined ? "" : ` rua=${mailtoUri(ruaAddress)}`;
  return { name: `_dmarc.${domain}`, type: "TXT", value: `v=DMARC1; p=${policy};${rua}` };
}

/** Whether the domain's owner may change the record: one of a registry is not theirs. */
export function isOwners(policyDomain: string, domain: string): boolean {
  return organizationalDomain(policyDomain) === organizationalDomain(domain);
}

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

/** The finding of a DMARC record at the domain itself. @param texts its TXT records */
export function findingsOfApex(domain: string, texts: string[]): Finding[] {
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
