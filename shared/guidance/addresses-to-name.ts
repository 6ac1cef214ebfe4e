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
  const open = judgeSources(evidence, policyDomain, () => undefined)
    .filter(({ kind, role, name }) => kind === "none" && role === "undecided" && name !== "unknown")
    .map(({ name }) => name);
  if (open.length === 0) return [];
  return [...new Set([...homeAddresses, ...open])].slice(0, GUIDANCE_LIMITS.maxNamedOfVerdict);
}
