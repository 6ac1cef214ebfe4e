/** Which domain findings are about, when they were made, and the ids of the incidents they may open. Pure. */
import { incidentId } from "../identity.ts";
import type { Finding } from "./finding.ts";
import type { Occasion } from "./transitions.ts";

/** The same findings at the same time have the same ids. */
export async function occasionOf(
  findings: readonly Finding[],
  { account, domain, nowSeconds }: Pick<Occasion, "account" | "domain" | "nowSeconds">,
): Promise<Occasion> {
  const name = ({ rule, subject }: Finding): string => `${rule} ${subject}`;
  const ids = new Map<string, string>();
  for (const finding of findings) {
    ids.set(name(finding), await incidentId(nowSeconds, { account, domain, ...finding }));
  }
  return {
    account,
    domain,
    nowSeconds,
    idOf(finding) {
      const id = ids.get(name(finding));
      if (id === undefined) throw new Error(`${name(finding)} has no id.`);
      return id;
    },
  };
}
