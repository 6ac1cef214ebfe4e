/**
 * What DNS says of names below a domain that nobody made: a wildcard (RFC 4592) answers for `_dmarc` of all of them, and where
 * each is said to exist, np does not hold (RFC 9989 section 4.10.1). Pure.
 */
import { recordsOf } from "../dns/resolver.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import type { Finding } from "./check.ts";
import { type DmarcRecord, isDmarcRecord, readDmarcRecord } from "./dmarc-record.ts";
import type { Walk } from "./dmarc-walk.ts";
import type { Ask } from "./dns-questions.ts";

/** What stands for the names below a domain that do not exist. */
export interface DmarcWildcard {
  /** `*.example.com`, the topmost wildcard that answers for them; undefined where none has a DMARC record. */
  name?: string | undefined;
  /** Its DMARC record, if it has exactly one. */
  record?: DmarcRecord | undefined;
  /** Whether DNS says of every name below the domain that it exists: by a wildcard of any type, or by how the zone is signed. */
  hasAllNames: boolean;
}

/** Asks for the wildcard at a domain: one further up answers there, too, while nothing between them exists. */
export async function findWildcard(domain: string, ask: Ask): Promise<DmarcWildcard> {
  const answer = await ask(`*.${domain}`, "TXT");
  const hasAllNames = answer.status === "answers" || answer.status === "nodata";
  const [text, ...others] = recordsOf(answer).filter(isDmarcRecord);
  if (text === undefined) return { hasAllNames };
  let name = `*.${domain}`;
  for (const above of namesAbove(domain)) {
    const texts = recordsOf(await ask(`*.${above}`, "TXT"));
    if (!texts.includes(text)) break;
    name = `*.${above}`;
  }
  return { name, hasAllNames, record: others.length === 0 ? readDmarcRecord(text) : undefined };
}

/** From the domain's parent up to its organizational domain. */
function namesAbove(domain: string): string[] {
  const labels = domain.split(".");
  const most = labels.length - organizationalDomain(domain).split(".").length;
  return Array.from({ length: most }, (_, index) => labels.slice(index + 1).join("."));
}

/** The findings about a wildcard. @param walk of the domain */
export function findingsOfWildcard(domain: string, walk: Walk, wildcard: DmarcWildcard): Finding[] {
  const { name, record, hasAllNames } = wildcard;
  const rule = "RFC 4592 section 2.2";
  // Then it may answer for the domain itself.
  const isOwn = walk.found?.domain === domain && record?.text === walk.found.record.text;
  if (name === `*.${domain}`) {
    const sentence =
      `${name} has a DMARC record. It answers for _dmarc of all names below that do not exist, so they take that record ` +
      `and not sp or np of _dmarc.${domain}. ${isOwn ? `First publish the same at _dmarc.${domain} itself, if it is not there; then remove` : "Remove"} the wildcard.`;
    return [{ code: "wildcard_record", state: "attention", sentence, rule }];
  }
  if (name !== undefined && isOwn) {
    const sentence =
      `_dmarc.${domain} has no record of its own: the wildcard ${name} answers for it, as for all names that do not exist, ` +
      "and sp and np of the domain above have no effect on them. Remove the wildcard, or publish a separate record here.";
    return [{ code: "record_of_wildcard", state: "attention", sentence, rule }];
  }
  const below = walk.foundBelow?.record;
  const { np, sp = below?.p } = below ?? {};
  if (!hasAllNames || np === undefined || np === sp) return [];
  const sentence =
    `np=${np} has no effect here: DNS says of every name below ${domain} that it exists, by a wildcard (*.${domain}) or by ` +
    `the way the zone is signed, so receivers apply sp (${sp ?? "none"}). Set sp to what all names below are to have.`;
  return [{ code: "np_without_effect", state: "attention", sentence, rule: "RFC 9989 section 4.10.1" }];
}
