/** The hosts that take a domain's mail (RFC 5321 section 5.1). Pure. */
import { isUnanswered, recordsOf } from "../dns/resolver.ts";
import type { Ask } from "./asking.ts";
import { hostOfMx } from "./spf-tree.ts";

/** Hosts, and whether DNSSEC protects what names them. */
export interface MailHosts {
  /** None: the domain takes no mail (RFC 7505: a null MX; or neither MX nor address). */
  hosts: string[];
  isAuthenticated: boolean;
}

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
  return { hosts: [domain], isAuthenticated: found.status === "answers" && found.isAuthenticated === true };
}
