/** The policies that receivers apply to a domain and to names below it, by RFC 9989 and by RFC 7489. Pure. */
import { type DmarcRecord, effectivePolicy, type Policy, type PolicySubject } from "./dmarc-record.ts";
import type { FoundRecord, OlderAnswer } from "./dmarc-walk.ts";
import type { DmarcWildcard } from "./dmarc-wildcard.ts";

/** The policies that receivers apply. Undefined: no DMARC. */
export interface EffectivePolicies {
  domain?: Policy;
  subdomain?: Policy;
  nonexistent?: Policy;
}

/** The record of a domain, and that of a name below it. */
interface Found {
  found?: FoundRecord | undefined;
  foundBelow?: FoundRecord | undefined;
}

/** What a domain's policies depend on besides its records. */
export interface PolicyPlace {
  subject: PolicySubject;
  wildcard: DmarcWildcard;
}

/**
 * The policies by RFC 9989. A name below the domain that has no record does not take that of the domain if the domain is not the
 * organizational domain.
 */
export function policiesOf({ found, foundBelow }: Found, { subject, wildcard }: PolicyPlace): EffectivePolicies {
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

/** The policies by RFC 7489, which knows neither t nor np. */
export function olderPolicies(
  { found, foundBelow }: OlderAnswer,
  { subject, wildcard }: PolicyPlace,
): EffectivePolicies {
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
