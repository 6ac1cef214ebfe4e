/**
 * The records a domain has to publish so that reports are sent to an address: new ones, or the existing ones amended.
 * Pure.
 */
import { isPublicSuffix, organizationalDomain } from "../organizational-domain.ts";
import type { RecordToPublish } from "./check.ts";
import {
  type DmarcRecord,
  effectivePolicy,
  isDmarcRecord,
  type JudgedTag,
  mailtoUri,
  mistakenRecord,
  POLICIES,
  type Policy,
  type ReportUri,
  readDmarcRecord,
  readReportUris,
} from "./dmarc-record.ts";
import { hasOddCharacter, repairedDmarc } from "./dmarc-repair.ts";
import { knownService } from "./known-services.ts";
import { firstValue, readTagList } from "./tag-list.ts";
import { needsStrings, STRINGS_HINT } from "./txt-strings.ts";

/** A record, the reason for it, and who publishes it. */
export interface NeededRecord extends RecordToPublish {
  /** "domain": in the domain's own zone; "rua": in the zone of the address. */
  zone: "domain" | "rua";
  sentence: string;
}

/** What is published already, as DNS says. */
export interface Published {
  /** TXT records at the domain's own `_dmarc`; undefined: DNS gave no answer. */
  dmarc: readonly string[] | undefined;
  /** The name that `_dmarc` is an alias of, if it is one. */
  alias?: string | undefined;
  /** What applies to the domain by the record of a name above it. */
  inherited?: Inherited | undefined;
  /** The organizational domain by RFC 9989's tree walk, once the domain has a record; undefined: not known. */
  organization?: string | undefined;
  /** TXT records at `_smtp._tls`; undefined: DNS gave no answer. */
  tls: readonly string[] | undefined;
  /** Why the domain sends no mail, if it evidently doesn't (mail-hosts.ts). */
  sendsNothing?: string | undefined;
  takesNoMail?: boolean;
}

/** A policy from above, and whether it asks for strict alignment. */
export interface Inherited {
  policy: Policy;
  from: string;
  isStrictDkim?: boolean;
  isStrictSpf?: boolean;
}

export const NOTHING_PUBLISHED: Published = { dmarc: [], tls: [] };

/** Receivers need not send to more (RFC 7489 section 6.2). */
const SURE_ADDRESSES = 2;

/**
 * The records needed for a domain's reports to be sent to an address.
 *
 * @param domain A-labels
 * @param rua where reports are to go
 */
export function recordsToPublish(domain: string, rua: string, published = NOTHING_PUBLISHED): NeededRecord[] {
  const records = [dmarcRecord(domain, rua, published)];
  const host = rua.slice(rua.lastIndexOf("@") + 1);
  const permission = whyPermission(domain, host, published.organization);
  if (permission !== undefined) {
    records.push({
      zone: "rua",
      name: `${domain}._report._dmarc.${host}`,
      type: "TXT",
      value: "v=DMARC1;",
      sentence: permission,
    });
  }
  // Of mail that is not taken there is nothing to report.
  if (published.takesNoMail !== true || published.tls?.length !== 0)
    records.push(tlsRecordToPublish(domain, rua, published.tls));
  return records;
}

/** RFC 9990 section 4: a destination outside the organization must permit the reports. @returns undefined inside it */
function whyPermission(domain: string, host: string, organization: string | undefined): string | undefined {
  if (organizationalDomain(host) !== organizationalDomain(domain)) {
    return `Says that ${host} takes reports about ${domain}. One record *._report._dmarc.${host} does it for all domains.`;
  }
  if (organization === undefined || host === organization || host.endsWith(`.${organization}`)) return undefined;
  return `Says that ${host} takes reports about ${domain}: no name above ${domain} has a DMARC record, so receivers that follow RFC 9990 take the two for different organizations.`;
}

function dmarcRecord(domain: string, rua: string, published: Published): NeededRecord {
  const name = `_dmarc.${domain}`;
  const { value, why } = amended(domain, rua, published);
  const elsewhere =
    published.alias === undefined
      ? ""
      : ` ${name} is an alias (CNAME) of ${published.alias}: change the record there, or publish this one in place of the alias.`;
  const owner = ownerHint(domain);
  const strings = needsStrings(value) && published.dmarc?.includes(value) !== true ? ` ${STRINGS_HINT}` : "";
  return { zone: "domain", name, type: "TXT", value, sentence: `${why}${elsewhere}${owner}${strings}` };
}

function amended(
  domain: string,
  rua: string,
  { dmarc, inherited, sendsNothing }: Published,
): { value: string; why: string } {
  const fresh = freshRecord(rua, inherited);
  if (dmarc === undefined) {
    const why = `DNS gave no answer, so it is not known what is published. If there is a record at _dmarc.${domain}, add the address to its rua instead.`;
    return { value: fresh, why };
  }
  const [current, ...others] = dmarc.filter(isDmarcRecord);
  const [mistaken] = dmarc.map(mistakenRecord).filter((one) => one !== undefined);
  if (current === undefined && mistaken?.meant !== undefined) {
    const { value, hint } = withRua(mistaken.meant, rua);
    const why = `In place of the record that is there, which receivers ignore: ${mistaken.reason}. With this address added.`;
    return { value, why: `${why}${hint}${stricterHint(mistaken.text, value)}` };
  }
  if (current === undefined && inherited === undefined && sendsNothing !== undefined) {
    const why = `Asks receivers for reports, and to reject all mail in the name of ${domain}, which sends none: ${sendsNothing}.`;
    return { value: fresh.replace("p=none", "p=reject"), why };
  }
  if (current === undefined) return { value: fresh, why: whyFresh(domain, inherited) };
  const { value, hint } = withRua(current, rua);
  // Of several records receivers use none.
  const stricter = stricterHint(others.length > 0 ? "" : current, value);
  if (others.length > 0) {
    const why = `In place of all ${dmarc.filter(isDmarcRecord).length} DMARC records that are there: receivers ignore a name with several. Keep the policy that you want.`;
    return { value, why: `${why}${hint}${stricter}` };
  }
  if (current === value) return { value, why: "Published: the DMARC record names this address." };
  const isNamed = namesAddress(readDmarcRecord(current).rua, rua);
  const what = isNamed
    ? "The record that is there, which names this address, set right."
    : "The record that is there, with this address added.";
  return { value, why: `${what}${hint}${stricter}${manyHint(value)}` };
}

function freshRecord(rua: string, inherited: Inherited | undefined): string {
  return [
    "v=DMARC1",
    `p=${inherited?.policy ?? "none"}`,
    ...(inherited?.isStrictDkim === true ? ["adkim=s"] : []),
    ...(inherited?.isStrictSpf === true ? ["aspf=s"] : []),
    `rua=${mailtoUri(rua)}`,
  ].join("; ");
}

function whyFresh(domain: string, inherited: Inherited | undefined): string {
  if (inherited === undefined) return "Asks receivers for reports, and changes nothing about the delivery of mail.";
  return `Asks receivers for reports, and keeps the policy that applies now, from ${inherited.from}. Reports about ${domain} then no longer go to the addresses in the record of ${inherited.from}: name those here, too, if they are still needed.`;
}

/** A word of warning where a changed record makes receivers reject or quarantine what they let through so far; "" elsewhere. */
export function stricterHint(published: string, value: string): string {
  const now = isDmarcRecord(published) ? effectivePolicy(readDmarcRecord(published), "domain") : undefined;
  const then = effectivePolicy(readDmarcRecord(value), "domain") ?? "none";
  if (POLICIES.indexOf(then) <= POLICIES.indexOf(now ?? "none")) return "";
  return ` Its policy then holds, which receivers ignore now: with ${then} mail that fails is no longer delivered as before. Write p=none until the reports show that nothing of yours fails.`;
}

function manyHint(value: string): string {
  const count = readDmarcRecord(value).rua.length;
  if (count <= SURE_ADDRESSES) return "";
  return ` It then names ${count} addresses, and some receivers send to the first ${SURE_ADDRESSES} only (RFC 7489 section 6.2): leave out one that you don't need, or put this one first.`;
}

/** Names whose DNS is hardly the person's. */
export function ownerHint(domain: string): string {
  if (isPublicSuffix(domain)) {
    return ` ${domain} is a public suffix: its records are its registry's. Did you mean a domain below it?`;
  }
  const below = domain.replace(/^www\./, "");
  if (below !== domain && !isPublicSuffix(below)) {
    return ` ${domain} is the name of a website: hardly any mail is sent from it. Did you mean ${below}, whose record holds for all names below it?`;
  }
  const service = organizationalDomain(domain) === domain ? knownService(domain) : undefined;
  if (service === undefined) return "";
  return ` ${domain} belongs to ${service}: only those who run its DNS can publish this.`;
}

/**
 * A record with an address in its rua. Every tag that is there stays, those that nobody knows too; mistakes that can be set
 * right are; of repeated tags the first stays, and empty ones and parts that are no tags are left out.
 *
 * @returns the record, as it is published if there is nothing to change; and what is to be said about the change
 */
function withRua(published: string, rua: string): { value: string; hint: string } {
  const repaired = readDmarcRecord(repairedDmarc(published));
  const { tags, rua: uris, malformed } = repaired;
  const wanted = mailtoUri(rua);
  const kept = tags.filter(({ value, standing }) => standing !== "repeated" && value !== "");
  const isNamed = namesAddress(uris, rua);
  const meansTheSame = meaningOf(readDmarcRecord(published)) === meaningOf(repaired) && !hasOddCharacter(published);
  if (isNamed && meansTheSame && kept.length === tags.length && malformed.length === 0)
    return { value: published, hint: "" };
  const parts = kept.map(({ name, value }) => {
    if (name !== "rua") return `${name}=${value}`;
    return `rua=${[...new Set([...uris.map(({ text }) => text), ...(isNamed ? [] : [wanted])])].join(",")}`;
  });
  const hasRua = kept.some(({ name }) => name === "rua");
  const value = (hasRua ? parts : [...parts, `rua=${wanted}`]).join("; ");
  return { value, hint: changeHint(tags, malformed) };
}

/** A record's tags as text, white space between them and between addresses apart. */
function meaningOf({ tags, malformed, rua, ruf }: DmarcRecord): string {
  const uris = [rua, ruf].map((list) => list.map(({ text }) => text));
  const others = tags.filter(({ name }) => name !== "rua" && name !== "ruf").map(({ name, value }) => [name, value]);
  return JSON.stringify([others, malformed, uris]);
}

function namesAddress(uris: readonly ReportUri[], rua: string): boolean {
  return uris.some(({ address }) => address?.toLowerCase() === rua.toLowerCase());
}

function changeHint(tags: readonly JudgedTag[], malformed: readonly string[]): string {
  const repeated = tags.filter(({ standing }) => standing === "repeated").map(({ name, value }) => `${name}=${value}`);
  const left = [...repeated, ...malformed].map((part) => part.slice(0, 100));
  const invalid = tags.filter(({ value, standing }) => standing === "invalid" && value !== "");
  const leftOut = left.length === 0 ? "" : ` Left out, because receivers can't use it: ${left.join("; ")}.`;
  const toCorrect = invalid.map(({ name, value }) => `${name}=${value.slice(0, 100)}`);
  return toCorrect.length === 0 ? leftOut : `${leftOut} Correct ${toCorrect.join(", ")}, which is no valid value.`;
}

/** The record that asks for TLS reports, or the existing one amended. @param published TXT records at `_smtp._tls`; undefined: DNS gave no answer */
export function tlsRecordToPublish(
  domain: string,
  rua: string,
  published: readonly string[] | undefined,
): NeededRecord {
  const wanted = mailtoUri(rua);
  const record = { zone: "domain", name: `_smtp._tls.${domain}`, type: "TXT" } as const;
  const [current, ...others] = (published ?? []).filter((text) => /^v=TLSRPTv1[ \t]*;/.test(text));
  if (current === undefined) {
    const isMistaken = (published ?? []).some((text) => /\bv\s*=\s*["']?tlsrpt/i.test(text));
    const unknown = " DNS gave no answer on whether there is one already: two records there are none.";
    const instead = isMistaken ? " In place of the record that is there, which senders can't use." : "";
    const sentence = `Optional: asks for reports of mail to this domain that couldn't be encrypted.${published === undefined ? unknown : instead}`;
    return { ...record, value: `v=TLSRPTv1; rua=${wanted}`, sentence };
  }
  // RFC 8460 section 3: several records are none, several addresses have commas between them, other fields are kept.
  const { tags } = readTagList(current);
  const uris = readReportUris(firstValue({ tags, malformed: [] }, "rua") ?? "");
  const instead =
    others.length === 0 ? "" : ` In place of all ${others.length + 1} records that are there: several are none.`;
  if (namesAddress(uris, rua)) {
    const sentence = `${others.length === 0 ? "Published: the" : "The"} record of TLS reports names this address.${instead}`;
    return { ...record, value: current, sentence };
  }
  const rest = tags.filter(({ name, value }, at) => at > 0 && name !== "rua" && name !== "v" && value !== "");
  const named = [...uris.map(({ text }) => text), wanted].join(",");
  const value = ["v=TLSRPTv1", `rua=${named}`, ...rest.map((tag) => `${tag.name}=${tag.value}`)].join("; ");
  const sentence =
    uris.length === 0
      ? `Optional: asks for reports of mail to this domain that couldn't be encrypted.${instead}`
      : `Optional: the record of TLS reports that is there, with this address added.${instead}`;
  return { ...record, value, sentence };
}
