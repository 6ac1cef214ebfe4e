/**
 * Parses single values of a report: text, numbers, addresses, domains, words of a closed list. Pure; an invalid value
 * becomes null or "unknown", and the caller records the warning.
 */
import ipaddr from "ipaddr.js";
import { domainName } from "../domain-name.ts";
import { READ_LIMITS } from "../limits.ts";

/** Characters that XML 1.0 section 2.2 forbids, removed from every value: controls and non-characters. */
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

/**
 * A text of a report for storage: well-formed Unicode without control characters other than tab and line ends, cut to
 * `maxChars`. Nothing else is changed, because texts are identity and evidence; whoever displays one escapes it
 * (cleanDetail here, the pages and the command line for themselves).
 */
export function storedText(text: string, maxChars: number = READ_LIMITS.maxValueChars): string {
  return detach(text.slice(0, maxChars).replace(FORBIDDEN, "").toWellFormed());
}

/** The same of the text of an element (XmlElement), in which nothing stands that is not stored. */
export function keptText(text: string): string {
  return text.length > READ_LIMITS.maxValueChars ? storedText(text) : detach(text);
}

/** Copies a text: a slice of a string keeps the whole document alive. */
export function detach(text: string): string {
  return ` ${text}`.slice(1);
}

/**
 * A whole number written in digits, at most 2^53-1, with the plus sign that xs:integer allows, or a fraction of zeros;
 * null for anything else (minus signs, other fractions, exponents).
 */
export function parseCount(text: string): number | null {
  const [, digits] = /^\+?([0-9]+)(?:\.0+)?$/.exec(text) ?? [];
  if (digits === undefined) return null;
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : null;
}

/** The latest accepted time, the year 2100. Later "seconds" are milliseconds or nonsense. */
const MAX_EPOCH_SECONDS = 4_102_444_800;

/**
 * Seconds since 1970 as written by reporters: digits, possibly with a fraction (`1337270400.0`), which is dropped.
 *
 * @returns null for anything else, and for times before 1970-01-02 or after 2100
 */
export function parseEpochSeconds(text: string): number | null {
  const match = /^\+?0*([0-9]{1,12})(\.[0-9]+)?$/.exec(text);
  const value = Number(match?.[1] ?? Number.NaN);
  return value >= 86_400 && value <= MAX_EPOCH_SECONDS ? value : null;
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/** Hours of the zone names in RFC 5322 section 4.3; other names are ambiguous and read as UTC. */
const ZONE_HOURS = new Map([
  ["EDT", -4],
  ["EST", -5],
  ["CDT", -5],
  ["CST", -6],
  ["MDT", -6],
  ["MST", -7],
  ["PDT", -7],
  ["PST", -8],
]);
const CLOCK = String.raw`(?<hour>\d\d?):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,]\d{1,50})?)?(?:\s?(?<half>[AaPp])\.?[Mm]\b\.?)?`;
/** `GMT+0100`, as JavaScript writes it, is the offset. */
const ZONE = String.raw`(?:\s?(?:(?:GMT|UTC)(?=[+-]))?(?<zone>[+-]\d\d(?::?\d\d)?|[A-Za-z]{1,5})\b)?`;
/** Marks of writing direction and the like. */
export const INVISIBLE = /[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const DATE_FORMS = [
  // RFC 3339, RFC 5322, and the form of asctime.
  new RegExp(
    String.raw`^(?<year>\d{4})(?<mark>[-/])(?<month>\d\d?)\k<mark>(?<day>\d\d?)(?:[Tt ]${CLOCK}${ZONE}(?:\[[A-Za-z/_]{1,40}\]| [A-Z]{3,4})?)?$`,
  ),
  // The basic format of ISO 8601, also without its `T`.
  /^(?<year>\d{4})(?<month>\d\d)(?<day>\d\d)(?:T?(?<hour>\d\d)(?<minute>\d\d)(?<second>\d\d)(?<zone>Z|[+-]\d{4})?)?$/,
  new RegExp(
    String.raw`^(?:\p{L}{2,12}\.?,? ?)?(?<day>\d\d?)[ -](?<name>[A-Za-z]{3})[a-z]{0,6}[ -](?<year>\d{4}|\d\d),? ${CLOCK}${ZONE}`,
    "u",
  ),
  new RegExp(String.raw`^[A-Za-z]{3} (?<name>[A-Za-z]{3}) (?<day>\d\d?) ${CLOCK}${ZONE} (?<year>\d{4})`),
  // That of JavaScript, and the long form of the United States.
  new RegExp(
    String.raw`^(?:[A-Za-z]{3,9},? )?(?<name>[A-Za-z]{3})[a-z]{0,6} (?<day>\d\d?),? (?<year>\d{4}),? ${CLOCK}${ZONE}`,
  ),
];

/** Seconds or milliseconds since 1970, from 2001 on. */
const EPOCH = /^(?:(\d{10})(?:\.\d{1,9})?|(\d{10})\d{3})$/;
/** RFC 5322 section 4.3. */
const fullYear = (year: number): number => (year < 50 ? 2000 + year : year < 100 ? 1900 + year : year);

/**
 * Seconds since 1970 of an RFC 3339 or RFC 5322 date, or of a time since 1970. A date without a zone is always read as
 * UTC.
 *
 * @returns null if it is not a date, if the day does not exist, or before 1970 or after 2100
 */
export function parseDate(text: string): number | null {
  const trimmed = text.slice(0, 100).replace(INVISIBLE, "").replace(/\s+/g, " ").trim();
  const [epoch, seconds1970, ofMilliseconds] = EPOCH.exec(trimmed) ?? [];
  if (epoch !== undefined) return inTime(Number(seconds1970 ?? ofMilliseconds));
  const parts = DATE_FORMS.map((form) => form.exec(trimmed)?.groups).find((groups) => groups !== undefined);
  if (parts === undefined) return null;
  const month = parts.name === undefined ? Number(parts.month) - 1 : MONTHS.indexOf(parts.name.toLowerCase());
  const [year, day, hour] = [fullYear(Number(parts.year)), Number(parts.day), hourOf(parts.hour ?? "0", parts.half)];
  const [minute, second] = [Number(parts.minute ?? 0), Number(parts.second ?? 0)];
  if (hour > 24 || minute > 59 || second > 60) return null;
  const midnight = new Date(Date.UTC(year, month, day));
  if (month < 0 || midnight.getUTCMonth() !== month || midnight.getUTCDate() !== day) return null;
  const seconds = midnight.getTime() / 1000 + hour * 3600 + minute * 60 + second - zoneSeconds(parts.zone ?? "");
  return inTime(seconds);
}

/** The hour of the day; on a clock of twelve hours, 12 is the first. */
function hourOf(raw: string, half: string | undefined): number {
  const hour = Number(raw);
  if (half === undefined || hour > 12) return hour;
  return (hour % 12) + (half.toLowerCase() === "p" ? 12 : 0);
}

function inTime(seconds: number): number | null {
  return seconds >= 0 && seconds <= MAX_EPOCH_SECONDS ? seconds : null;
}

function zoneSeconds(zone: string): number {
  const [, sign, hours, minutes = "0"] = /^([+-])(\d\d)(?::?(\d\d))?$/.exec(zone) ?? [];
  if (sign === undefined) return (ZONE_HOURS.get(zone.toUpperCase()) ?? 0) * 3600;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}

const DECIMAL_IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;

/** Brackets, a port after them or after an IPv4 address, and the tag of an address literal (RFC 5321 section 4.1.3). */
const BRACKETED = /^\[\s{0,9}(?:IPv6:)?([^\]]{1,100}?)\s{0,9}\]?(?::\d{1,5})?$/i;
const TAGGED = /^IPv6:\s{0,9}([^\]]{1,100})\]?$/i;
const IPV4_WITH_PORT = /^((?:\d{1,3}\.){3}\d{1,3})(?::\d{1,5}|\])$/;
/** A form that ipaddr.js mistakes for an IPv4-mapped address (RFC 4291 section 2.5.5.1). */
const COMPATIBLE = /^::((?:\d{1,3}\.){3}\d{1,3})$/;

/**
 * An IP address in canonical form: dotted decimal, including IPv4-mapped IPv6 addresses, or RFC 5952 for IPv6.
 * Brackets, a port and the tag `IPv6:` are removed.
 *
 * @returns null if it is not an address (names, prefixes, zones, and octal or short IPv4 forms are not)
 */
export function canonicalIp(text: string): string | null {
  if (DECIMAL_IPV4.test(text)) return text;
  const address = bareAddress(text);
  if (DECIMAL_IPV4.test(address)) return address;
  if (!address.includes(":") || address.includes("%")) return null;
  const compatible = COMPATIBLE.exec(address)?.[1];
  if (compatible !== undefined) return DECIMAL_IPV4.test(compatible) ? compatibleText(compatible) : null;
  if (!ipaddr.IPv6.isValid(address)) return null;
  const parsed = ipaddr.IPv6.parse(address);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  const { parts } = parsed;
  const [high = 0, low = 0] = parts.slice(6);
  if (parts.slice(0, 6).some((part) => part !== 0) || high === 0) return parsed.toRFC5952String();
  return `::${[high >> 8, high & 255, low >> 8, low & 255].join(".")}`;
}

/** The addresses among the words of a text, each in canonical form: `mx.example [192.0.2.1]`, `ip4:192.0.2.1`. */
export function addressesIn(text: string): string[] {
  return text
    .slice(0, MAX_ADDRESS_CHARS)
    .replace(INVISIBLE, "")
    .split(/[\s,;()<>[\]"']+/)
    .map((word) => canonicalIp(word.replace(/^(?:ip|ipv)[46]:(?=.*[.:])|(?<=\d)\.$/gi, "")))
    .filter((address) => address !== null);
}

/** Ours: characters of a text in which addresses are looked for. */
const MAX_ADDRESS_CHARS = 100;

function bareAddress(text: string): string {
  const found = BRACKETED.exec(text) ?? TAGGED.exec(text) ?? IPV4_WITH_PORT.exec(text);
  return found?.[1] ?? text;
}

// With this many leading zeros, only addresses below 65536 are already in RFC 5952 form (`::1`).
function compatibleText(dotted: string): string {
  return dotted.startsWith("0.0.") ? ipaddr.IPv6.parse(hexOf(dotted)).toRFC5952String() : `::${dotted}`;
}

function hexOf(dotted: string): string {
  const [, , third = 0, fourth = 0] = dotted.split(".").map(Number);
  return `::${(256 * third + fourth).toString(16)}`;
}

const ZONE_OR_PREFIX = /(?:%[\w.-]{1,40}|\/\d{1,3})$/;
const ZERO_PADDED_IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/**
 * Whether a text still identifies an address although it is malformed: with a zone or prefix length, or dotted decimal
 * with leading zeros (which some parsers read as octal).
 */
export function isOddAddress(text: string): boolean {
  if (ZERO_PADDED_IPV4.test(text)) return text.split(".").every((octet) => Number(octet) <= 255);
  return ZONE_OR_PREFIX.test(text) && canonicalIp(text.replace(ZONE_OR_PREFIX, "")) !== null;
}

/**
 * Whether a text is an IPv6 address already in RFC 5952 form: lower case, no leading zeros, the only run of two or more
 * zero groups as `::`. Some canonical forms (several runs of zeros, leading `::`, embedded IPv4) are not recognised and
 * return false.
 */
export function isCanonicalIpv6(text: string): boolean {
  let groups = 0;
  let groupStart = 0;
  let hasGap = false;
  /** Whether a zero or the gap precedes: another zero would have to be in the same gap. */
  let afterZero = false;
  for (let colon = text.indexOf(":"); groupStart <= text.length; colon = text.indexOf(":", groupStart)) {
    const end = colon < 0 ? text.length : colon;
    if (end > groupStart) {
      const isZero = end === groupStart + 1 && text[groupStart] === "0";
      if ((isZero && afterZero) || !(isZero || isGroup(text, groupStart, end))) return false;
      afterZero = isZero;
      groups++;
    } else if (end < text.length) {
      if (end === 0 || hasGap || afterZero) return false;
      hasGap = true;
      afterZero = true;
    } else if (!text.endsWith("::")) return false;
    groupStart = end + 1;
  }
  return hasGap ? groups <= 6 : groups === 8;
}

/** One to four lower-case hexadecimal digits, the first of them not zero. */
function isGroup(text: string, start: number, end: number): boolean {
  if (end - start > 4 || text[start] === "0") return false;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (!((code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66))) return false;
  }
  return true;
}

/** Whether a text can be a domain name: 1 to 253 characters, all allowed in names. Both forms of IDNs pass. */
export function isDomainLike(text: string): boolean {
  return text.length >= 1 && text.length <= 253 && /^[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)*$/u.test(text);
}

/** The type that fields of RFC 3464 put before a name. */
const NAME_TYPE = /^\s{0,9}(?:dns|rfc822|smtp)\s{0,9};/i;

/**
 * The domain at the start of a header field, "" if there is none. Some reporters list several, add a comment, quote it,
 * or write an address.
 */
export function domainAtStart(text: string): string {
  const name = text
    .slice(0, 1000)
    .replace(NAME_TYPE, "")
    .replace(/^[\s<"']{1,20}/, "");
  const first = name.split(/[\s<>;,("']/, 1)[0] ?? "";
  const domain = domainName(first.slice(first.lastIndexOf("@") + 1));
  // What is no domain at its start may be anything: `<script>`.
  return isDomainLike(domain) && (name === text || domain.includes(".")) ? domain : "";
}

/** Whether a mail address stands in place of a domain, or the empty one (RFC 5321 section 4.5.5). */
export function holdsAddress(text: string): boolean {
  return text.includes("@") || text === "<>";
}

/** A word of a closed list, compared without case; undefined if not listed. */
export function matchWord<W extends string>(text: string, words: readonly W[]): W | undefined {
  const lower = text.toLowerCase();
  return words.find((word) => word === lower);
}
