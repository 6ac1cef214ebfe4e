/** How many messages of a period each step of a policy would have hit, by whose they are. Plain counts. Pure. */
import type { Evidence } from "../ledger/sources.ts";
import { wouldBeHit, wouldBeHitStrictly } from "./evidence.ts";
import type { JudgedSource, Role } from "./roles.ts";

/** Messages by role of their source. */
export interface HitCounts {
  own: number;
  undecided: number;
  foreign: number;
  /** The owner's mail, or anybody's, handed on by forwarders and lists that receivers make no exception for. */
  forwarder: number;
}

/**
 * A policy that might be published: quarantine, reject, each as a test (`t=y`, RFC 9989 section 4.7: one level below), reject
 * with strict alignment, and reject for what comes from subdomains (sp; and np, as reports do not say whether a name exists).
 */
export const POLICY_STEPS = ["quarantineTest", "quarantine", "rejectTest", "reject", "strict", "subdomains"] as const;
export type PolicyStep = (typeof POLICY_STEPS)[number];

export type WouldHit = Record<PolicyStep, HitCounts>;

/** What is true of a message that a step hits. */
export const HITS: Record<PolicyStep, (evidence: Evidence, policyDomain: string) => boolean> = {
  // Applied as none: receivers that know t deliver it. Those of RFC 7489 ignore t and quarantine as the next step does.
  quarantineTest: () => false,
  quarantine: wouldBeHit,
  rejectTest: wouldBeHit,
  reject: wouldBeHit,
  strict: wouldBeHitStrictly,
  subdomains: (evidence, policyDomain) =>
    wouldBeHit(evidence) && evidence.headerFrom !== "" && evidence.headerFrom !== policyDomain,
};

/** Messages of a source that a step hits. */
export function hitsOf(source: JudgedSource | undefined, step: PolicyStep, policyDomain: string): number {
  let hits = 0;
  for (const group of source?.evidence ?? []) if (HITS[step](group, policyDomain)) hits += group.messages;
  return hits;
}

/** Messages of sources that a step hits, by role. */
export function whatIf(sources: readonly JudgedSource[], policyDomain: string): WouldHit {
  const counts = (step: PolicyStep): HitCounts => {
    const sums: Record<Role, number> = { own: 0, undecided: 0, foreign: 0, forwarder: 0 };
    for (const source of sources) sums[source.role] += hitsOf(source, step, policyDomain);
    return sums;
  };
  return {
    quarantineTest: counts("quarantineTest"),
    quarantine: counts("quarantine"),
    rejectTest: counts("rejectTest"),
    reject: counts("reject"),
    strict: counts("strict"),
    subdomains: counts("subdomains"),
  };
}

/** The messages of a step that must not be lost. */
export function mustNotBeLost({ own, undecided, forwarder }: HitCounts): number {
  return own + undecided + forwarder;
}
