/** Which addresses a verdict needs the names of: those that its mail leaves open, and where the owner's own mail comes from. Pure. */
import type { Evidence } from "../ledger/sources.ts";
import { GUIDANCE_LIMITS } from "../limits.ts";
import { judgeSources } from "./roles.ts";

/** A domain's mail, as far as it is needed. */
export interface MailToName {
  evidence: readonly Evidence[];
  /** Addresses that mail passing SPF as the domain came from, the largest first. */
  homeAddresses: readonly string[];
}

/** Addresses, those that matter most first; a bounded number, and none where the mail leaves nothing open. */
export function addressesToName({ evidence, homeAddresses }: MailToName, policyDomain: string): string[] {
  const unauthenticated = judgeSources(evidence, policyDomain, () => undefined).filter(
    ({ kind, name }) => kind === "none" && name !== "" && name !== "unknown",
  );
  const open = unauthenticated.filter(({ role }) => role === "undecided");
  if (open.length === 0) return [];
  // A few of those that spoofers send from tell whether one that is left open is among them.
  const foreign = unauthenticated.filter(({ role }) => role === "foreign").slice(0, GUIDANCE_LIMITS.maxNamedStrangers);
  const names = [...open, ...foreign].map(({ name }) => name);
  return [...new Set([...homeAddresses, ...names])].slice(0, GUIDANCE_LIMITS.maxNamedOfVerdict);
}
