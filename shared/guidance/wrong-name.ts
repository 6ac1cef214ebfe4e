/**
 * Records that are at another name than meant: a DNS service that adds the domain by itself was given it, too, so that the
 * record of `_dmarc.example.com` is at `_dmarc.example.com.example.com`; or the underscore is missing. Pure.
 */
import { recordsOf } from "../dns/resolver.ts";
import type { Finding } from "./check.ts";
import type { Ask } from "./dns-questions.ts";

/** What is looked for. */
export interface LostRecord {
  /** `_dmarc`; "" for the domain itself. */
  prefix: string;
  domain: string;
  isMeant: (text: string) => boolean;
  rule: string;
}

/** @returns a finding with the record to publish where it was meant to be; undefined where there is none, or several */
export async function findLostRecord(lost: LostRecord, ask: Ask): Promise<Finding | undefined> {
  const { prefix, domain, isMeant, rule } = lost;
  const meant = prefix === "" ? domain : `${prefix}.${domain}`;
  const doubled = `${meant}.${domain}`;
  const extended = await findExtendedAlias({ ...lost, prefix: meant }, ask);
  if (extended !== undefined) return extended;
  const bare = prefix.replace(/(^|\.)_/g, "$1");
  // Below mta-sts a web server is, and few write smtp.tls.
  for (const name of bare === prefix || /^_(mta-sts|smtp)/.test(prefix) ? [doubled] : [doubled, `${bare}.${domain}`]) {
    if (name.length > MAX_NAME_CHARS) continue;
    const [text, ...others] = recordsOf(await ask(name, "TXT")).filter(isMeant);
    if (text === undefined || others.length > 0) continue;
    // A wildcard answers at any name, and was not meant for this one.
    if (recordsOf(await ask(`*.${domain}`, "TXT")).includes(text)) continue;
    const host = prefix === "" ? "@" : prefix;
    const why =
      name === doubled
        ? `your DNS service adds ${domain} by itself, so enter "${host}" as the name`
        : `its name has to begin with ${prefix}, with the underscore`;
    const sentence = `The record is at ${name}, where nobody looks for it: ${why}. Publish it at ${meant}.`;
    return {
      code: "record_at_wrong_name",
      state: "broken",
      sentence,
      rule,
      publish: { name: meant, type: "TXT", value: text },
    };
  }
  return undefined;
}

/** An alias whose target was given without a dot at its end, so that the DNS service added the domain to it, too. @param lost whose prefix is the whole name */
async function findExtendedAlias(lost: LostRecord, ask: Ask): Promise<Finding | undefined> {
  const { prefix: name, domain, isMeant, rule } = lost;
  const target = (await aliasOf(name, ask)) ?? "";
  const value = target.slice(0, -domain.length - 1);
  if (!target.endsWith(`.${domain}`) || !value.includes(".")) return undefined;
  if (!recordsOf(await ask(value, "TXT")).some(isMeant)) return undefined;
  const sentence = `${name} is an alias (CNAME) of ${target.slice(0, 200)}, which does not exist: your DNS service added ${domain} to the target. Write a dot at its end (${value.slice(0, 200)}.).`;
  return { code: "record_at_wrong_name", state: "broken", sentence, rule, publish: { name, type: "CNAME", value } };
}

/**
 * Says of a record that is missing that its name is an alias: nothing may be beside one (RFC 1034 section 3.6.2), nor below a
 * DNAME (RFC 6672 section 2.4), where it cannot be published at all.
 */
export async function addAliasHint(finding: Finding, name: string, ask: Ask): Promise<void> {
  const found = await findAlias(name, ask);
  if (found === undefined) return;
  const target = found.target.slice(0, 200);
  if (!found.isMade) {
    finding.sentence += ` ${name} is an alias (CNAME) of ${target}, where there is none: publish it in place of the alias.`;
    return;
  }
  finding.publish = undefined;
  // No record is shown any more that "this" could be.
  finding.sentence = finding.sentence.replace(/(publish )this(?: one| record)/i, "$1one");
  finding.sentence += ` It can't be published at ${name}: the names there are those of another domain (DNAME). At ${target} it is for both domains.`;
}

/** What a name is an alias of; undefined where it is none, or a wildcard answers for it: a record of its own takes the place of that. */
export async function aliasOf(name: string, ask: Ask): Promise<string | undefined> {
  return (await findAlias(name, ask))?.target;
}

/** @returns also whether a DNAME above the name makes the alias: then it makes one of each name beside it */
async function findAlias(name: string, ask: Ask): Promise<{ target: string; isMade: boolean } | undefined> {
  const [target] = recordsOf(await ask(name, "CNAME"));
  if (target === undefined) return undefined;
  const beside = (one: string): string => `*${one.slice(one.indexOf("."))}`;
  const [ofAll] = recordsOf(await ask(beside(name), "CNAME"));
  return ofAll === target ? undefined : { target, isMade: ofAll?.toLowerCase() === beside(target).toLowerCase() };
}

/** RFC 1035 section 2.3.4, as text without the last dot. */
const MAX_NAME_CHARS = 253;
