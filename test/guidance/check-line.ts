/** Support: a check of records in one line. */
import type { Check } from "../../shared/guidance/check.ts";
import type { DmarcCheck } from "../../shared/guidance/dmarc-check.ts";

/** The state of the whole, with the codes of what was found that is not simply good. */
export function verdictOf({ state, findings }: Check): string {
  const codes = findings.filter((finding) => finding.state !== "good").map(({ code }) => code);
  return [state, ...new Set(codes)].join(" ");
}

/** The policies of the domain, a subdomain and a name that does not exist; "-" where there are none. */
export function policiesOf({ policies: { domain, subdomain, nonexistent } }: DmarcCheck): string {
  const found = [domain, subdomain, nonexistent].filter((policy) => policy !== undefined).join(" ");
  return found === "" ? "-" : found;
}
