/** Whether a source signs with a key of the domain, and in vain: the key expired, was removed, or never was right. Pure. */
import type { Evidence } from "../ledger/sources.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { ownSignatures, wouldBeHit } from "./evidence.ts";

/**
 * The name in DNS of the key that made most of the signatures that don't verify; undefined where most of the failing mail has
 * no signature of the domain.
 */
export function brokenKey(
  { evidence, hit }: { evidence: readonly Evidence[]; hit: number },
  policyDomain: string,
): string | undefined {
  const ownDomain = organizationalDomain(policyDomain);
  const keys = new Map<string, number>();
  let broken = 0;
  for (const group of evidence) {
    const [key] = wouldBeHit(group) ? ownSignatures(group, ownDomain).broken : [];
    if (key === undefined) continue;
    broken += group.messages;
    keys.set(key, group.messages + (keys.get(key) ?? 0));
  }
  if (2 * broken <= hit) return undefined;
  const [most = ""] = [...keys].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  const [domain = "", selector = ""] = most.split(" ");
  return `${selector === "" ? "?" : selector}._domainkey.${domain}`;
}
