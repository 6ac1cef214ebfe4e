/** Runs all checks of a domain's published records. Pure: DNS and policy files are accessed through arguments. */
import type { Resolver } from "../dns/resolver.ts";
import { checkBimi } from "./bimi-check.ts";
import { CHECK_KINDS, type Check, type CheckKind } from "./check.ts";
import { checkDane } from "./dane-check.ts";
import { checkDkim, type DkimCheck, hasKey, type SeenSelector } from "./dkim-check.ts";
import { checkDmarc, type DmarcCheck } from "./dmarc-check.ts";
import { checkMtaSts, type FetchPolicyFile, type MtaStsCheck } from "./mta-sts-check.ts";
import { checkSpf, type SpfCheck } from "./spf-check.ts";
import { checkTlsRpt } from "./tls-rpt-check.ts";

/** What the checks need. */
export interface CheckContext {
  resolver: Resolver;
  fetchPolicy: FetchPolicyFile;
  /** DKIM selectors that the domain's reports name, last seen first. */
  selectors: SeenSelector[];
  /** The address for its reports, for records to publish. */
  ruaAddress?: string;
}

/** A domain's checks. */
export interface DomainCheck extends Record<CheckKind, Check> {
  domain: string;
  dmarc: DmarcCheck;
  spf: SpfCheck;
  dkim: DkimCheck;
  mtaSts: MtaStsCheck;
}

/** Checks a domain. Never throws because of DNS: failures are states. @param domain A-labels, no trailing dot */
export async function checkDomain(domain: string, context: CheckContext): Promise<DomainCheck> {
  const { resolver, fetchPolicy, selectors, ruaAddress } = context;
  const dmarc = checkDmarc(domain, resolver, ruaAddress, async () => hasKey(await dkim));
  const dkim = checkDkim(domain, selectors, resolver);
  const bimi = dmarc.then((found) => checkBimi(domain, resolver, isEnforcedForAll(found)));
  const [spf, ofKeys, mtaSts, tlsRpt, dane] = await Promise.all([
    checkSpf(domain, resolver),
    dkim,
    checkMtaSts(domain, resolver, fetchPolicy),
    checkTlsRpt(domain, resolver, ruaAddress),
    checkDane(domain, resolver),
  ]);
  return { domain, dmarc: await dmarc, spf, dkim: ofKeys, mtaSts, tlsRpt, dane, bimi: await bimi };
}

/** Whether the policy is one under which logos are shown (the draft of BIMI, section 3.2). */
function isEnforcedForAll({ record, policies: { domain, subdomain } }: DmarcCheck): boolean {
  const isStrong = domain === "quarantine" || domain === "reject";
  return isStrong && subdomain !== "none" && record?.pct === 100 && !record.isTesting;
}

/** The checks of a domain, in display order. */
export function listChecks(found: DomainCheck): Check[] {
  return CHECK_KINDS.map((kind) => found[kind]);
}
