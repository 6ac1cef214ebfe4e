/** A published policy in one line, in the tags of the DNS record (RFC 9989 section 4.7). Pure. */
import type { PolicyPublished } from "./vocabulary.ts";

/** @example policyText(policy) // "p=none; sp=none; np=none; adkim=r; aspf=r; pct=100" */
export function policyText({ p, sp, np, adkim, aspf, pct, fo, testing }: PolicyPublished): string {
  const tags = [`p=${p}`, `sp=${sp}`, `np=${np}`, `adkim=${adkim}`, `aspf=${aspf}`, `pct=${pct}`];
  if (fo !== "") tags.push(`fo=${fo}`);
  if (testing) tags.push("t=y");
  return tags.join("; ");
}
