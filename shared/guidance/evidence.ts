/** Facts about one group of reported records: whether it passes, how, and whether receivers let it through. Pure. */
import type { Evidence } from "../ledger/sources.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { type AuthResult, readAuthResults, readReasons } from "./auth-results.ts";

/** Whether it passes DMARC according to the receiver. */
export function passes({ dkim, spf }: Pick<Evidence, "dkim" | "spf">): boolean {
  return dkim === "pass" || spf === "pass";
}

/**
 * Override reasons that let failing mail through regardless of the policy (RFC 7489 section 7.2, RFC 9990 section
 * 3.1.1.9).
 */
const LETS_THROUGH = new Set(["forwarded", "trusted_forwarder", "mailing_list"]);

/**
 * Whether a receiver let this failing mail through as forwarded or from a list: by the reason's type, or, as Google
 * does, `local_policy` with `arc=pass`. Other local policies, sampling and tests say nothing about the next policy.
 */
export function isLetThrough({ reasons }: Pick<Evidence, "reasons">): boolean {
  return readReasons(reasons).some(
    ({ type, comment }) => LETS_THROUGH.has(type) || (type === "local_policy" && /\barc=pass\b/i.test(comment)),
  );
}

/** Whether it would be hit by a policy that receivers enforce. */
export function wouldBeHit(evidence: Evidence): boolean {
  return !passes(evidence) && !isLetThrough(evidence);
}

/**
 * Whether it would be hit if alignment were strict: it fails now, or what passes is not exactly the From domain's (RFC
 * 9989 section 4.4). A report without authentication results counts as the receiver judged it.
 */
export function wouldBeHitStrictly(evidence: Evidence): boolean {
  if (!passes(evidence)) return !isLetThrough(evidence);
  const results = [...signatures(evidence), ...spfChecks(evidence)].filter(({ result }) => result === "pass");
  return results.length > 0 && !results.some(({ domain }) => domain === evidence.headerFrom);
}

/** Whether it is failing mail that a receiver quarantined or rejected. */
export function isRefused(evidence: Evidence): boolean {
  const { disposition } = evidence;
  return !passes(evidence) && (disposition === "quarantine" || disposition === "reject");
}

/** DKIM results with a domain. */
function signatures({ dkimResults }: Pick<Evidence, "dkimResults">): AuthResult[] {
  return readAuthResults(dkimResults).filter(({ domain }) => domain !== "");
}

/** Names of the signatures that the domain's own keys made, by result: `domain selector`. */
export function ownSignatures(evidence: Evidence, ownDomain: string): { passing: string[]; broken: string[] } {
  const own = signatures(evidence).filter(({ domain }) => organizationalDomain(domain) === ownDomain);
  const name = ({ domain, detail }: AuthResult): string => `${domain} ${detail}`;
  return {
    passing: own.filter(({ result }) => result === "pass").map(name),
    broken: own.filter(({ result }) => BROKEN.has(result)).map(name),
  };
}

/** There was a signature that did not verify: the mail was changed, or the key is wrong. */
const BROKEN = new Set(["fail", "neutral", "policy", "permerror"]);

// Strict alignment is about the return path, not about the name a server greets with.
function spfChecks({ spfResults }: Pick<Evidence, "spfResults">): AuthResult[] {
  return readAuthResults(spfResults).filter(({ domain, detail }) => domain !== "" && detail !== "helo");
}
