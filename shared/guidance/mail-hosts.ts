/** The hosts that take a domain's mail (RFC 5321 section 5.1). Pure. */
import { isUnanswered, recordsOf } from "../dns/resolver.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { Ask } from "./dns-questions.ts";
import { isSpfRecord } from "./spf-record.ts";
import { hostOfMx } from "./spf-tree.ts";

/** Hosts, and whether DNSSEC protects what names them. */
export interface MailHosts {
  /** None: the domain takes no mail (RFC 7505: a null MX; or neither MX nor address). */
  hosts: string[];
  isAuthenticated: boolean;
  /** Whether the host is the domain itself for want of an MX record. */
  isImplicit?: true;
}

/** The most hosts that are looked up: one with an address is enough for mail to arrive. */
const LOOKED_AT = 3;

/**
 * Those of a domain's MX records; without any the domain itself, if it has an address.
 *
 * @returns undefined if DNS gave no answer
 */
export async function findMailHosts(domain: string, ask: Ask): Promise<MailHosts | undefined> {
  const answer = await ask(domain, "MX");
  if (isUnanswered(answer)) return undefined;
  if (answer.status === "answers") {
    const hosts = recordsOf(answer)
      .map(hostOfMx)
      .filter((host) => host !== "");
    return { hosts, isAuthenticated: answer.isAuthenticated === true };
  }
  const addresses = await Promise.all([ask(domain, "A"), ask(domain, "AAAA")]);
  const found = addresses.find(({ status }) => status === "answers");
  if (found === undefined) return addresses.some(isUnanswered) ? undefined : { hosts: [], isAuthenticated: false };
  return {
    hosts: [domain],
    isImplicit: true,
    isAuthenticated: found.status === "answers" && found.isAuthenticated === true,
  };
}

/** Whether mail to a domain can't arrive: it takes none, or its mail servers are its own and none has an address. False where nobody knows. */
export async function isUnreachable(domain: string, ask: Ask): Promise<boolean> {
  const mail = await findMailHosts(domain, ask);
  if (mail === undefined || mail.hosts.length > LOOKED_AT) return false;
  // Somebody else's mail servers are there.
  const own = organizationalDomain(domain);
  if (mail.hosts.some((host) => organizationalDomain(host) !== own && !/^[\d.]+$/.test(host))) return false;
  for (const host of mail.hosts) {
    for (const type of ["A", "AAAA"] as const) {
      const answer = await ask(host, type);
      if (answer.status === "answers" || isUnanswered(answer)) return false;
    }
  }
  return true;
}

/** Why a domain evidently sends no mail, in words of its records; undefined where it may. */
export async function whySendsNothing(domain: string, ask: Ask): Promise<string | undefined> {
  const why = await whySilent(domain, ask);
  // Mail of a service may have its own envelope domain, and this domain's signature.
  return why === undefined || (await mayHaveKeys(domain, ask)) ? undefined : why;
}

async function whySilent(domain: string, ask: Ask): Promise<string | undefined> {
  const spf = recordsOf(await ask(domain, "TXT")).filter(isSpfRecord);
  if (spf.length === 1 && /^v=spf1 +-all *$/i.test(spf[0] ?? "")) return "its SPF record (v=spf1 -all) says so";
  if (spf.length > 0) return undefined;
  // RFC 7505 section 4.2: mail that nobody can answer is not sent.
  return recordsOf(await ask(domain, "MX")).some((data) => hostOfMx(data) === "")
    ? "its null MX says that nobody could answer"
    : undefined;
}

/**
 * Whether a domain may have DKIM keys under selectors that nobody knows: a name above others exists (RFC 8020). Servers that call
 * every name existing show nothing, and a record without a key for all selectors (RFC 6376 section 3.6.1) says no.
 */
async function mayHaveKeys(domain: string, ask: Ask): Promise<boolean> {
  const above = await ask(`_domainkey.${domain}`, "TXT");
  if (above.status === "nxdomain") return false;
  const nobodys = await ask(`no-selector._domainkey.${domain}`, "TXT");
  if (isUnanswered(above) || isUnanswered(nobodys) || nobodys.status === "nxdomain") return true;
  return recordsOf(nobodys).some((text) => /(^|;)\s*p\s*=\s*[^\s;]/.test(text));
}
