/** How much of a sender's failing mail was refused because the policy asks for it. Pure. */
import { isRefused } from "./evidence.ts";
import type { Enforced } from "./next-record.ts";
import type { JudgedSource } from "./roles.ts";

/** Messages that were quarantined or rejected; of these, those from subdomains. */
export interface Refused {
  messages: number;
  below: number;
}

/** Receivers that refuse mail by their own rules are left out: the policy does not ask for it there. */
export function refusedOf({ evidence }: JudgedSource, policyDomain: string, enforced: Enforced): Refused {
  const refused = { messages: 0, below: 0 };
  for (const group of evidence.filter(isRefused)) {
    const isBelow = group.headerFrom !== "" && group.headerFrom !== policyDomain;
    if (!(isBelow ? enforced.below : enforced.domain)) continue;
    refused.messages += group.messages;
    if (isBelow) refused.below += group.messages;
  }
  return refused;
}
