/** Organizational domains by the Public Suffix List; the only file that imports tldts. Pure. */
import { getDomain, getPublicSuffix } from "tldts";

/**
 * The organizational domain of a host name, as DMARC's relaxed alignment uses it: `mail.example.co.uk` →
 * `example.co.uk`. A name without one (a public suffix, an address, not a name) is returned in lower case.
 */
export function organizationalDomain(host: string): string {
  const name = host.toLowerCase();
  return getDomain(name, { allowPrivateDomains: true, validateHostname: false }) ?? name;
}

/** Whether a name is itself a public suffix, as `co.uk` and `github.io` are: others register below it. */
export function isPublicSuffix(name: string): boolean {
  return getPublicSuffix(name, { allowPrivateDomains: true, validateHostname: false }) === name.toLowerCase();
}
