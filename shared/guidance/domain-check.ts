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
  /** Checks that ask before the others, one after the other: there may not be questions for all. */
  first?: readonly CheckKind[] | undefined;
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
  const { resolver, fetchPolicy, selectors, first = [], ruaAddress } = context;
  const dkim = once(() => checkDkim(domain, selectors, resolver));
  const dmarc = once(() => checkDmarc(domain, resolver, ruaAddress, async () => hasKey(await dkim())));
  const run = {
    dmarc,
    spf: once(() => checkSpf(domain, resolver)),
    dkim,
    mtaSts: once(() => checkMtaSts(domain, resolver, fetchPolicy)),
    tlsRpt: once(() => checkTlsRpt(domain, resolver, ruaAddress)),
    dane: once(() => checkDane(domain, resolver)),
    bimi: once(async () => checkBimi(domain, resolver, isEnforcedForAll(await dmarc()))),
  };
  for (const kind of first) await run[kind]();
  const [dmarcFound, spf, dkimFound, mtaSts, tlsRpt, dane, bimi] = await Promise.all([
    dmarc(),
    run.spf(),
    dkim(),
    run.mtaSts(),
    run.tlsRpt(),
    run.dane(),
    run.bimi(),
  ]);
  return { domain, dmarc: dmarcFound, spf, dkim: dkimFound, mtaSts, tlsRpt, dane, bimi };
}

/** A check that begins when it is asked for, and runs once. */
function once<Found>(check: () => Promise<Found>): () => Promise<Found> {
  let found: Promise<Found> | undefined;
  return () => (found ??= check());
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
