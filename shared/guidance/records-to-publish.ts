/**
 * The records a domain has to publish so that reports are sent to an address: new ones, or the existing ones amended.
 * Pure.
 */
import { isPublicSuffix, organizationalDomain } from "../organizational-domain.ts";
import type { RecordToPublish } from "./check.ts";
import { isDmarcRecord, mistakenRecord, type Policy, readDmarcRecord, readReportUris } from "./dmarc-record.ts";
import { knownService } from "./known-services.ts";
import { firstValue, readTagList } from "./tag-list.ts";

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
  /** The policy that applies to the domain by the record of a name above it. */
  inherited?: { policy: Policy; from: string } | undefined;
  /** TXT records at `_smtp._tls`; undefined: DNS gave no answer. */
  tls: readonly string[] | undefined;
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
  // RFC 9990 section 4: a destination outside the organisation must permit the reports.
  if (organizationalDomain(host) !== organizationalDomain(domain)) {
    records.push({
      zone: "rua",
      name: `${domain}._report._dmarc.${host}`,
      type: "TXT",
      value: "v=DMARC1;",
      sentence: `Says that ${host} takes reports about ${domain}. One record *._report._dmarc.${host} does it for all domains.`,
    });
  }
  records.push(tlsRecord(domain, rua, published.tls));
  return records;
}

function dmarcRecord(domain: string, rua: string, published: Published): NeededRecord {
  const name = `_dmarc.${domain}`;
  const { value, why } = amended(domain, rua, published);
  const elsewhere =
    published.alias === undefined
      ? ""
      : ` ${name} is an alias (CNAME) of ${published.alias}: change the record there, or publish this one in place of the alias.`;
  const owner = ownerHint(domain);
  return { zone: "domain", name, type: "TXT", value, sentence: `${why}${elsewhere}${owner}` };
}

function amended(domain: string, rua: string, { dmarc, inherited }: Published): { value: string; why: string } {
  const fresh = `v=DMARC1; p=${inherited?.policy ?? "none"}; rua=mailto:${encodedAddress(rua)}`;
  if (dmarc === undefined) {
    const why = `DNS gave no answer, so it is not known what is published. If there is a record at _dmarc.${domain}, add the address to its rua instead.`;
    return { value: fresh, why };
  }
  const [current, ...others] = dmarc.filter(isDmarcRecord);
  const [mistaken] = dmarc.map(mistakenRecord).filter((one) => one !== undefined);
  if (current === undefined && mistaken?.meant !== undefined) {
    const why = `In place of the record that is there, which receivers ignore: ${mistaken.reason}. With this address added.`;
    return { value: withRua(mistaken.meant, rua), why };
  }
  if (current === undefined) return { value: fresh, why: whyFresh(inherited) };
  const value = withRua(current, rua);
  if (others.length > 0) {
    const why = `In place of all ${dmarc.filter(isDmarcRecord).length} DMARC records that are there: receivers ignore a name with several. Keep the policy that you want.`;
    return { value, why };
  }
  if (current === value) return { value, why: "Published: the DMARC record names this address." };
  return { value, why: `The record that is there, with this address added.${manyHint(value)}` };
}

function whyFresh(inherited: Published["inherited"]): string {
  if (inherited === undefined) return "Asks receivers for reports, and changes nothing about the delivery of mail.";
  return `Asks receivers for reports, and keeps the policy that applies now, from ${inherited.from}.`;
}

function manyHint(value: string): string {
  const count = readDmarcRecord(value).rua.length;
  if (count <= SURE_ADDRESSES) return "";
  return ` It then names ${count} addresses, and some receivers send to the first ${SURE_ADDRESSES} only (RFC 7489 section 6.2): leave out one that you don't need, or put this one first.`;
}

/** Names whose DNS is hardly the person's. */
function ownerHint(domain: string): string {
  if (isPublicSuffix(domain)) {
    return ` ${domain} is a public suffix: its records are its registry's. Did you mean a domain below it?`;
  }
  const service = organizationalDomain(domain) === domain ? knownService(domain) : undefined;
  if (service === undefined) return "";
  return ` ${domain} belongs to ${service}: only those who run its DNS can publish this.`;
}

/** Adds an address to a record's rua unless it is there already; tags that are repeated or empty are left out. */
function withRua(text: string, rua: string): string {
  const { tags, rua: uris } = readDmarcRecord(text);
  const wanted = `mailto:${encodedAddress(rua)}`;
  if (uris.some(({ address }) => address?.toLowerCase() === rua.toLowerCase())) return text;
  const kept = tags.filter(({ value, standing }) => standing !== "repeated" && value !== "");
  const parts = kept.map(({ name, value }) => (name === "rua" ? `rua=${value},${wanted}` : `${name}=${value}`));
  return (kept.some(({ name }) => name === "rua") ? parts : [...parts, `rua=${wanted}`]).join("; ");
}

function tlsRecord(domain: string, rua: string, published: readonly string[] | undefined): NeededRecord {
  const wanted = `mailto:${encodedAddress(rua)}`;
  const record = { zone: "domain", name: `_smtp._tls.${domain}`, type: "TXT" } as const;
  const [current] = (published ?? []).filter((text) => /^v=TLSRPTv1\s*;/.test(text));
  const named = current === undefined ? undefined : firstValue(readTagList(current), "rua");
  if (current === undefined || named === undefined || named === "") {
    const unknown = " DNS gave no answer on whether there is one already: two records there are none.";
    const sentence = `Optional: asks for reports of mail to this domain that could not be encrypted.${published === undefined ? unknown : ""}`;
    return { ...record, value: `v=TLSRPTv1; rua=${wanted}`, sentence };
  }
  if (readReportUris(named).some(({ address }) => address?.toLowerCase() === rua.toLowerCase())) {
    return { ...record, value: current, sentence: "Published: the record of TLS reports names this address." };
  }
  // RFC 8460 section 3: several records are none, several addresses have commas between them.
  const sentence = "Optional: the record of TLS reports that is there, with this address added.";
  return { ...record, value: `v=TLSRPTv1; rua=${named},${wanted}`, sentence };
}

/** In a URI of the record, `,` and `!` stand for something else (RFC 9989 section 4.6). */
function encodedAddress(rua: string): string {
  return rua.replaceAll("%", "%25").replaceAll(",", "%2C").replaceAll("!", "%21").replaceAll(";", "%3B");
}
