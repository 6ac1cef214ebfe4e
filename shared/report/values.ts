/**
 * Single values of a report: text, numbers, addresses, domains, words of a closed list. Pure; a value that is not what
 * it should be comes back as null or "unknown", and the caller records the warning.
 */
import ipaddr from "ipaddr.js";

/** A whole number written in digits, at most 2^53-1; null for anything else (signs, fractions, exponents). */
export function parseCount(text: string): number | null {
  if (!/^[0-9]+$/.test(text)) return null;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : null;
}

/** Latest time accepted: the year 2100. Later "seconds" are milliseconds or nonsense. */
const MAX_EPOCH_SECONDS = 4_102_444_800;

/**
 * Seconds since 1970 from what reporters write: digits, or digits with a fraction (`1337270400.0`), which is dropped.
 *
 * @returns null for anything else, and for times before 1970-01-02 or after 2100
 */
export function parseEpochSeconds(text: string): number | null {
  const match = /^([0-9]{1,12})(\.[0-9]+)?$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  return value >= 86_400 && value <= MAX_EPOCH_SECONDS ? value : null;
}

/** Seconds since 1970 of an RFC 3339 or RFC 5322 date; a date without a zone is read as UTC; null if it is none. */
export function parseDate(text: string): number | null {
  const zoned = /[zZ]$|[+-]\d\d:?\d\d$|[A-Z]{1,4}\)?$/.test(text.trim());
  const milliseconds = Date.parse(zoned || !/^\d{4}-\d\d-\d\dT/.test(text) ? text : `${text}Z`);
  return Number.isNaN(milliseconds) ? null : Math.floor(milliseconds / 1000);
}

const DECIMAL_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

/**
 * An IP address in its one canonical spelling: dotted decimal, or RFC 5952 for IPv6 (an IPv4-mapped one stays IPv6).
 *
 * @returns null when it is no address (names, prefixes, zones and octal or short IPv4 forms are none)
 */
export function canonicalIp(text: string): string | null {
  if (DECIMAL_IPV4.test(text)) return text;
  const address = text.replace(/^\[?(?:IPv6:)?(.*?)\]?$/i, "$1");
  if (!address.includes(":") || address.includes("%") || !ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.isIPv4MappedAddress() ? `::ffff:${parsed.toIPv4Address().toString()}` : parsed.toRFC5952String();
}

/** A domain name for storing and comparing: lower case, without surrounding space and trailing dot. */
export function normalizeDomain(text: string): string {
  return text.trim().toLowerCase().replace(/\.$/, "");
}

/** Whether a text can be a domain name: 1 to 253 characters, none that a name cannot hold. IDNs pass in both forms. */
export function isDomainLike(text: string): boolean {
  return text.length >= 1 && text.length <= 253 && /^[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*$/u.test(text);
}

/** A word of a closed list, compared without case; undefined if it is not on it. */
export function matchWord<W extends string>(text: string, words: readonly W[]): W | undefined {
  const lower = text.toLowerCase();
  return words.find((word) => word === lower);
}
