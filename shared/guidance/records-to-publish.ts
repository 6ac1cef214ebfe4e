/**
 * The records a domain has to publish so that reports are sent to an address: a new record, or the existing one
 * amended. Pure.
 */
import { organizationalDomain } from "../organizational-domain.ts";
import type { RecordToPublish } from "./check.ts";
import { readDmarcRecord } from "./dmarc-record.ts";

/** A record, the reason for it, and who publishes it. */
export interface NeededRecord extends RecordToPublish {
  /** "domain": in the domain's own zone; "rua": in the zone of the address. */
  zone: "domain" | "rua";
  sentence: string;
}

/**
 * The records needed for a domain's reports to be sent to an address.
 *
 * @param domain A-labels
 * @param rua where reports are to go
 * @param published DMARC records at the domain's own `_dmarc`, from DNS; a single one is amended
 */
export function recordsToPublish(domain: string, rua: string, published: readonly string[] = []): NeededRecord[] {
  const [current] = published;
  const value = current === undefined ? `v=DMARC1; p=none; rua=mailto:${encodedAddress(rua)}` : withRua(current, rua);
  const records: NeededRecord[] = [
    { zone: "domain", name: `_dmarc.${domain}`, type: "TXT", value, sentence: whyDmarc(value, current) },
  ];
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
  records.push({
    zone: "domain",
    name: `_smtp._tls.${domain}`,
    type: "TXT",
    value: `v=TLSRPTv1; rua=mailto:${encodedAddress(rua)}`,
    sentence: "Optional: asks for reports of mail to this domain that could not be encrypted.",
  });
  return records;
}

function whyDmarc(value: string, current: string | undefined): string {
  if (current === undefined) return "Asks receivers for reports, and changes nothing about the delivery of mail.";
  if (current === value) return "Published: the DMARC record names this address.";
  return "The record that is there, with this address added.";
}

/** Adds an address to a record's rua unless it is there already. */
function withRua(text: string, rua: string): string {
  const { tags, rua: uris } = readDmarcRecord(text);
  const wanted = `mailto:${encodedAddress(rua)}`;
  if (uris.some(({ address }) => address?.toLowerCase() === rua.toLowerCase())) return text;
  const hasRua = tags.some(({ name, standing }) => name === "rua" && standing === "used");
  const parts = tags.map(({ name, value, standing }) =>
    name === "rua" && standing === "used" ? `rua=${value},${wanted}` : `${name}=${value}`,
  );
  return (hasRua ? parts : [...parts, `rua=${wanted}`]).join("; ");
}

/** In a URI of the record, `,` and `!` stand for something else (RFC 9989 section 4.6). */
function encodedAddress(rua: string): string {
  return rua.replaceAll("%", "%25").replaceAll(",", "%2C").replaceAll("!", "%21").replaceAll(";", "%3B");
}
