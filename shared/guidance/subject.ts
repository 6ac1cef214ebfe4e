/**
 * What an owner decides about: one address, a prefix, an organizational domain, or a known service. The most specific
 * decision that holds for a sender counts. Pure.
 */
import { domainName } from "../domain-name.ts";
import { organizationalDomain } from "../organizational-domain.ts";
import { canonicalIp } from "../report/values.ts";
import { fail, ok, type Result } from "../result.ts";
import { reverseLabels } from "./address-name.ts";
import { KNOWN_SERVICES } from "./known-services.ts";

/** The most specific first: an address before the prefix that holds it, a domain before its service. */
const SUBJECT_KINDS = ["address", "prefix", "domain", "service"] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** A subject; `text` is what is kept and shown: `192.0.2.1`, `192.0.2.0/24`, `helpdesk.example`, `service:Twilio SendGrid`. */
export interface Subject {
  kind: SubjectKind;
  text: string;
}

const SERVICE = "service:";

/** Ours: shorter prefixes hold networks of many owners. */
const MIN_BITS = { four: 16, six: 32 } as const;

/** The subject that a service is. */
export function serviceSubject(service: string): string {
  return `${SERVICE}${service}`;
}

/**
 * Reads what a person typed, or a stored subject. A host name means its organizational domain.
 *
 * @returns a sentence that says what is wrong with it
 */
export function readSubject(written: string): Result<Subject, string> {
  const text = written.trim();
  if (text.toLowerCase().startsWith(SERVICE)) return readService(text.slice(SERVICE.length).trim());
  if (text.includes("/")) return readPrefix(text);
  const address = canonicalIp(text);
  if (address !== null) return ok({ kind: "address", text: address });
  const name = organizationalDomain(domainName(text));
  if (name === "" || name.length > 253 || /[\s/:|]/.test(name)) {
    return fail("Write an address, a prefix (192.0.2.0/24), a domain, or service: and the name of a known service.");
  }
  return ok({ kind: "domain", text: name });
}

const SERVICE_NAMES = new Map([...KNOWN_SERVICES.values()].map((name) => [name.toLowerCase(), name]));

function readService(written: string): Result<Subject, string> {
  const name = SERVICE_NAMES.get(written.toLowerCase());
  if (name === undefined) return fail("This is not a service known by name: write its domain.");
  return ok({ kind: "service", text: serviceSubject(name) });
}

function readPrefix(text: string): Result<Subject, string> {
  const [network = "", length = "", ...rest] = text.split("/");
  const address = canonicalIp(network.trim());
  if (address === null || rest.length > 0 || !/^\d{1,3}$/.test(length)) {
    return fail("Write a prefix as a network and its length: 192.0.2.0/24 or 2001:db8::/64.");
  }
  const bits = Number(length);
  const isSix = address.includes(":");
  const [min, max] = isSix ? [MIN_BITS.six, 128] : [MIN_BITS.four, 32];
  if (bits < min || bits > max) {
    return fail(
      `A prefix of ${isSix ? "IPv6" : "IPv4"} addresses has ${min} to ${max} bits: a shorter one has many owners.`,
    );
  }
  if (bits === max) return ok({ kind: "address", text: address });
  return ok({ kind: "prefix", text: prefixOf(address, bits) });
}

/** The prefix of an address in canonical spelling. @param bits of the address that the prefix keeps */
export function prefixOf(address: string, bits: number): string {
  const kept = addressBits(address).slice(0, bits);
  const isSix = address.includes(":");
  const all = kept.padEnd(isSix ? 128 : 32, "0");
  const numbers = all.match(isSix ? /.{16}/g : /.{8}/g) ?? [];
  const text = isSix
    ? numbers.map((number) => Number.parseInt(number, 2).toString(16)).join(":")
    : numbers.map((number) => Number.parseInt(number, 2)).join(".");
  return `${canonicalIp(text) ?? text}/${bits}`;
}

/** The bits that a prefix has in common with all its addresses, as text; those of IPv4 and IPv6 differ. */
export function prefixBits(prefix: string): string {
  const [network = "", length = "0"] = prefix.split("/");
  return familyBits(network).slice(0, 1 + Number(length));
}

/** Bits of an address for comparison with prefixes; "" if it is not an address. */
export function familyBits(address: string): string {
  const bits = addressBits(address);
  return bits === "" ? "" : `${address.includes(":") ? 6 : 4}${bits}`;
}

/** The 32 or 128 bits of an address, as text; "" if it is not an address. */
function addressBits(address: string): string {
  const labels = reverseLabels(address);
  if (labels === undefined) return "";
  const [base, width] = labels.isFour ? [10, 8] : [16, 4];
  const numbers = labels.text.split(".").reverse();
  return numbers.map((number) => Number.parseInt(number, base).toString(2).padStart(width, "0")).join("");
}
