/** Organizational domains by the Public Suffix List; the one file that knows tldts. Pure. */
import { getDomain } from "tldts";

/**
 * The organizational domain of a host name, as DMARC's relaxed alignment uses it: `mail.example.co.uk` →
 * `example.co.uk`. A name that has none (a public suffix, an address, no name at all) is returned as it is, lower case.
 */
export function organizationalDomain(host: string): string {
  const name = host.toLowerCase();
  return getDomain(name, { allowPrivateDomains: true, validateHostname: false }) ?? name;
}
