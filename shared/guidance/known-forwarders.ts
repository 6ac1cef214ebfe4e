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
  "gnome.org",
  "gnu.org",
  "googlegroups.com",
  "groups.io",
  "haskell.org",
  "ietf.org",
  "infradead.org",
  "jiscmail.ac.uk",
  "kde.org",
  "kernel.org",
  "launchpad.net",
  "linux.dev",
  "linuxfoundation.org",
  "listbox.com",
  "lists.freedesktop.org",
  "llvm.org",
  "mozilla.org",
  "nanog.org",
  "nongnu.org",
  "openldap.org",
  "opensuse.org",
  "openwall.com",
  "postfix.org",
  "postgresql.org",
  "python.org",
  "riseup.net",
  "samba.org",
  "simplelists.com",
  "sourceforge.net",
  "sourceware.org",
  "sr.ht",
  "topicbox.com",
  "w3.org",
  "yahoogroups.com",
];

const RELAYS = [
  "33mail.com",
  "8alias.com",
  "acm.org",
  "addy.io",
  "aleeas.com",
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
  "porkbun.com",
  "registrar-servers.com",
  "silomails.com",
  "simplelogin.co",
  "simplelogin.com",
  "simplelogin.io",
  "slmail.me",
  "slmails.com",
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
  "Alibaba Mail",
  "Apple iCloud",
  "Aruba",
  "Bluehost",
  "Comcast",
  "domainfactory",
  "DreamHost",
  "easyDNS",
  "Fastmail",
  "freenet",
  "Gandi",
  "Gmail",
  "GMX",
  "GoDaddy",
  "Google",
  "Google Workspace",
  "Hetzner",
  "Host Europe",
  "HostGator",
  "Hostinger",
  "Hostpoint",
  "Hushmail",
  "Infomaniak",
  "InMotion Hosting",
  "IONOS",
  "La Poste",
  "Libero",
  "Locaweb",
  "Loopia",
  "Mail.ru",
  "Mailbox.org",
  "Mailfence",
  "Microsoft 365",
  "Migadu",
  "Mittwald",
  "MXroute",
  "Namecheap",
  "Naver",
  "netcup",
  "NetEase Mail",
  "one.com",
  "OpenSRS Hosted Email",
  "Outlook.com",
  "OVHcloud",
  "Posteo",
  "Proton Mail",
  "Purelymail",
  "QQ Mail",
  "Rackspace Email",
  "Register.it",
  "Runbox",
  "Seznam",
  "SiteGround",
  "StartMail",
  "STRATO",
  "T-Online",
  "TransIP",
  "Tuta",
  "WEB.DE",
  "Yahoo",
  "Yandex",
  "Zoho",
]);

/**
 * Mailbox providers whose servers are theirs alone: the others in the list above rent out servers too, with names below
 * the same domain.
 */
const MAILBOXES_ALONE: ReadonlySet<string> = new Set([
  "Alibaba Mail",
  "Apple iCloud",
  "Fastmail",
  "freenet",
  "Gmail",
  "GMX",
  "Google",
  "Hushmail",
  "La Poste",
  "Libero",
  "Mail.ru",
  "Mailbox.org",
  "Mailfence",
  "Microsoft 365",
  "Migadu",
  "Naver",
  "NetEase Mail",
  "Outlook.com",
  "Posteo",
  "Proton Mail",
  "Purelymail",
  "QQ Mail",
  "Rackspace Email",
  "Runbox",
  "Seznam",
  "StartMail",
  "T-Online",
  "Tuta",
  "WEB.DE",
  "Yahoo",
  "Yandex",
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
