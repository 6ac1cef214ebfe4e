/** Which DKIM selectors reports about a domain name. Pure. */
import type { SeenSelector } from "./dkim-check.ts";

/** What a source of mail says of its signatures. */
interface SelectorSource {
  /** A line a result: domain of the signature, selector, result. */
  dkimResults: string;
  /** Day on which it was last seen, days since 1970 UTC. */
  lastDay: number;
}

/** DKIM selectors that reports name for a domain and its subdomains, most recently seen first. */
export function seenSelectors(domain: string, sources: readonly SelectorSource[]): SeenSelector[] {
  const seen = new Map<string, SeenSelector>();
  for (const { dkimResults, lastDay: day } of sources) {
    for (const line of dkimResults.split("\n")) {
      const [signer = "", selector = ""] = line.split(" ");
      const isOurs = signer === domain || signer.endsWith(`.${domain}`);
      if (!isOurs || selector === "") continue;
      const known = seen.get(`${selector} ${signer}`);
      seen.set(`${selector} ${signer}`, {
        selector,
        domain: signer,
        lastSeenDay: Math.max(day, known?.lastSeenDay ?? 0),
      });
    }
  }
  return [...seen.values()].sort((a, b) => (b.lastSeenDay ?? 0) - (a.lastSeenDay ?? 0));
}
