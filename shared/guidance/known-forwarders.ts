/**
 * Organizational domains of mailing lists and forwarding services: they pass on other people's mail, which fails DMARC
 * if they change it or rewrite its return path. From their own documents. Others are recognised by their
 * mail (roles.ts).
 */
import { organizationalDomain } from "../organizational-domain.ts";
import { knownService } from "./known-services.ts";

/** list: changes subject or body, so signatures break; relay: passes mail on unchanged, or with another return path. */
export type ForwarderKind = "list" | "relay";

const LISTS = [
  "apache.org",
  "debian.org",
  "fedoraproject.org",
  "freebsd.org",
  "freelists.org",
  "gaggle.email",
  "gnu.org",
  "googlegroups.com",
  "groups.io",
  "ietf.org",
  "infradead.org",
  "kernel.org",
  "linux.dev",
  "linuxfoundation.org",
  "listbox.com",
  "mozilla.org",
  "nongnu.org",
  "openldap.org",
  "postfix.org",
  "postgresql.org",
  "python.org",
  "sourceforge.net",
  "simplelists.com",
  "topicbox.com",
  "w3.org",
  "yahoogroups.com",
];

const RELAYS = [
  "acm.org",
  "addy.io",
  "anonaddy.com",
  "anonaddy.me",
  "appleid.com",
  "cloudflare-email.com",
  "cloudflare-email.net",
  "computer.org",
  "duck.com",
  "forwardemail.net",
  "forwardmx.io",
  "forwardmx.net",
  "ieee.org",
  "improvmx.com",
  "mozmail.com",
  "pobox.com",
  "registrar-servers.com",
  "simplelogin.co",
  "simplelogin.io",
];

/** All known domains. */
export const KNOWN_FORWARDERS: ReadonlyMap<string, ForwarderKind> = new Map([
  ...LISTS.map((domain): [string, ForwarderKind] => [domain, "list"]),
  ...RELAYS.map((domain): [string, ForwarderKind] => [domain, "relay"]),
]);

/**
 * Services (known-services.ts) that are mailboxes: people have their mail forwarded by them, so mail that passes for them
 * and for the owner is no sign that the owner uses the service.
 */
export const MAILBOX_PROVIDERS: ReadonlySet<string> = new Set([
  "Apple iCloud",
  "Fastmail",
  "Gandi",
  "Gmail",
  "GoDaddy",
  "Google",
  "Google Workspace",
  "Hetzner",
  "Infomaniak",
  "IONOS",
  "Mailbox.org",
  "Microsoft 365",
  "OVHcloud",
  "Outlook.com",
  "Proton Mail",
  "Rackspace Email",
  "STRATO",
  "Yahoo",
  "Zoho",
]);

/**
 * Mailbox providers whose servers are theirs alone: the others in the list above rent out servers too, with names below
 * the same domain.
 */
const MAILBOXES_ALONE: ReadonlySet<string> = new Set([
  "Apple iCloud",
  "Fastmail",
  "Gmail",
  "Google",
  "Mailbox.org",
  "Microsoft 365",
  "Outlook.com",
  "Proton Mail",
  "Rackspace Email",
  "Yahoo",
  "Zoho",
]);

/** Endings under which universities have their domains: old students and staff have their mail forwarded there. */
const UNIVERSITIES = /\.(edu|ac)(\.[a-z]{2})?$/;

/** Whether a server of this name passes on mail of others: a forwarding service's, a list's, a mailbox provider's, a university's. */
export function forwarderHost(host: string): boolean {
  if (KNOWN_FORWARDERS.has(organizationalDomain(host))) return true;
  const service = knownService(host);
  return service === undefined ? UNIVERSITIES.test(host) : MAILBOXES_ALONE.has(service);
}
