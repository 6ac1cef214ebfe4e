/** Whether a key of the domain that a source signs with no longer verifies, or never did: it expired, was removed, or is wrong. Pure. */
import type { Evidence } from "../ledger/sources.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { ownSignatures, wouldBeHit } from "./evidence.ts";

/** Ours: messages; of fewer each may have been changed on its way. */
export const MIN_MESSAGES = 10;

/**
 * The name in DNS of a key behind most of the failing mail that has not verified since; undefined where there is none. One that goes
 * on verifying for other mail of the source is right: that mail was changed on its way, as by a forwarder.
 */
export function stoppedKey(
  { evidence, hit }: { evidence: readonly Evidence[]; hit: number },
  policyDomain: string,
): string | undefined {
  const ownDomain = organizationalDomain(policyDomain);
  const lastPassed = new Map<string, number>();
  const signed = evidence.map((group) => ({ group, ...ownSignatures(group, ownDomain) }));
  for (const { group, passing } of signed) {
    for (const key of passing) lastPassed.set(key, Math.max(group.lastDay, lastPassed.get(key) ?? 0));
  }
  const stopped = new Map<string, number>();
  for (const { group, broken } of signed) {
    const passed = (key: string): number => lastPassed.get(key) ?? 0;
    // On the day that it stops, some of its mail may pass.
    const key = broken.find((one) => group.firstDay >= passed(one) && group.lastDay > passed(one));
    if (key !== undefined && wouldBeHit(group)) stopped.set(key, group.messages + (stopped.get(key) ?? 0));
  }
  const [most] = [...stopped].sort((a, b) => b[1] - a[1]);
  if (most === undefined || most[1] < MIN_MESSAGES || 2 * most[1] <= hit) return undefined;
  const [domain = "", selector = ""] = most[0].split(" ");
  return `${selector === "" ? "?" : selector}._domainkey.${domain}`;
}
