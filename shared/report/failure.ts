/**
 * Failure reports (RFC 6591, RFC 9991; container RFC 5965): domain-level facts only. Full addresses, subjects and content
 * are personal data and never leave this file.
 */
import { READ_LIMITS } from "../limits.ts";
import { decodeText } from "../mail/charset.ts";
import type { FeedbackParts } from "../mail/extract.ts";
import { findFailure } from "../mail/pasted.ts";
import { type Bounds, isFuture } from "./bounds.ts";
import { linesHash } from "./fast-hash.ts";
import { addressesIn, domainAtStart, isOddAddress, parseCount, parseDate, storedText } from "./values.ts";
import type { FailureReport } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";

/** A report without what the reader of bytes adds. */
export type FailureBody = Omit<FailureReport, "contentHash" | "warnings" | "omittedWarnings">;

/** Header fields by lower-case name, in order. */
type Fields = Map<string, string[]>;

/** Real feedback parts have some twenty fields of at most a few hundred characters. */
const MAX_FIELDS_CHARS = 262_144;
const MAX_NAME_CHARS = 100;
const MAX_WORD_CHARS = 100;
const MAX_FIELD_CHARS = 2000;
const MAX_SAME_FIELDS = 20;

/**
 * Reads a failure report.
 *
 * @returns undefined if it is not one: neither a feedback part nor known plain text, or feedback of another type
 *   (abuse, opt-out …)
 */
export function readFailure(source: FailureSource, context: FailureContext): FailureBody | undefined {
  if ("fields" in source) return readFeedback(source, context);
  const notice = findFailure(source.text);
  return notice === undefined ? undefined : readPlainText(notice, context);
}

/** The input: the parts of a feedback report, or the text of a mail. */
export type FailureSource = FeedbackParts | { text: string };

/** The bounds for dates, and the destination of warnings. */
export interface FailureContext {
  bounds: Bounds;
  warnings: WarningLog;
}

function readFeedback(
  { fields: text, originalHeader }: FeedbackParts,
  context: FailureContext,
): FailureBody | undefined {
  const { warnings } = context;
  const fields = parseFields(text);
  const authFailure = firstWord(field(fields, "auth-failure"));
  if (firstWord(field(fields, "feedback-type")) !== "auth-failure" && authFailure === "") return undefined;
  const original = parseFields(originalHeader);
  warnAboutRepeated(fields, warnings);
  if (authFailure === "") warnings.add("missing_value", "Auth-Failure", "");
  const rawDomain = field(fields, "reported-domain");
  const domain = domainAtStart(rawDomain);
  // `-`, `unknown`.
  const ownDomain = domain.includes(".") ? domain : "";
  const reportedDomain = ownDomain || domainOf(utf8Of(field(original, "from"))) || fromOfResults(fields);
  if (ownDomain === "")
    warnings.add("missing_value", "Reported-Domain", "the From domain of the reported mail is used");
  const arrival = field(fields, "arrival-date") || field(fields, "received-date");
  return {
    kind: "failure",
    reportedDomain,
    sourceIp: readIp(field(fields, "source-ip"), warnings),
    authFailure,
    ...readArrival(arrival, context),
    deliveryResult: firstWord(field(fields, "delivery-result")),
    identityAlignment: field(fields, "identity-alignment").toLowerCase().slice(0, MAX_WORD_CHARS),
    dkimDomain: domainAtStart(field(fields, "dkim-domain")),
    dkimSelector: firstWord(field(fields, "dkim-selector")),
    spfDomain: domainAtStart(/^(?:txt|spf)\s{0,9}:\s{0,9}([^\s:]+)/i.exec(field(fields, "spf-dns"))?.[1] ?? ""),
    mailFromDomain: domainOf(field(fields, "original-mail-from")),
    reportingMta: domainAtStart(field(fields, "reporting-mta").replace(/^dns\s{0,9};\s{0,9}/i, "")),
    incidents: readIncidents(field(fields, "incidents"), warnings),
    originalHash: linesHash(originalHeader.slice(0, MAX_FIELDS_CHARS)),
  };
}

/** Fields that RFC 5965 section 3.1 and RFC 6591 section 3.1 allow once, and the domain, of which one is counted. */
const ONCE = ["auth-failure", "source-ip", "arrival-date", "delivery-result", "incidents", "reported-domain"];

function warnAboutRepeated(fields: Fields, warnings: WarningLog): void {
  for (const name of ONCE) {
    const [, ...others] = fields.get(name) ?? [];
    if (others.length > 0) warnings.add("duplicate_element", name, `the first is used, not ${others.join(", ")}`);
  }
  const named = field(fields, "reported-domain").split(/[\s;,]+/);
  const [domain = "", ...more] = new Set(named.map(domainAtStart).filter((name) => name.includes(".")));
  if (more.length > 0) warnings.add("invalid_value", "reported-domain", `${domain} is used, not ${more.join(", ")}`);
  const [word = "", ...others] = field(fields, "auth-failure")
    .replace(/\([^()]*\)/g, "")
    .split(/[\s;,]+/)
    .filter((one) => one !== "");
  if (others.length > 0) warnings.add("invalid_value", "auth-failure", `${word} is used, not ${others.join(", ")}`);
}

// "A message claiming to be from you has failed the published DMARC policy for your domain." and `Name: value` lines.
function readPlainText(text: string, context: FailureContext): FailureBody {
  const { warnings } = context;
  const fields = parseFields(unwrapped(text.slice(0, MAX_FIELDS_CHARS)));
  warnings.add("missing_value", "message/feedback-report", "facts taken from the text");
  const ownDomain = domainAtStart(field(fields, "sender domain")) || domainAtStart(field(fields, "domain"));
  const reportedDomain = ownDomain || domainOf(field(fields, "from")) || domainOf(field(fields, "header-from"));
  return {
    kind: "failure",
    reportedDomain,
    sourceIp: readIp(
      field(fields, "sending ip address") || field(fields, "source-ip") || field(fields, "sender ip address"),
      warnings,
    ),
    authFailure: "dmarc",
    ...readArrival(
      field(fields, "received date") ||
        field(fields, "received-date") ||
        field(fields, "arrival-date") ||
        field(fields, "date"),
      context,
    ),
    deliveryResult: "",
    identityAlignment: "",
    dkimDomain: "",
    dkimSelector: "",
    spfDomain: "",
    mailFromDomain: "",
    reportingMta: "",
    incidents: 1,
    originalHash: linesHash(text.slice(0, MAX_FIELDS_CHARS)),
  };
}

// Mail programs put marks before the lines, other spaces between the words, and break a line anywhere.
function unwrapped(text: string): string {
  return text
    .replaceAll("\u00a0", " ")
    .replace(/^[ \t>*-]+/gm, "")
    .replace(/\b(send(?:er|ing))\s{1,9}(domain|ip\s{1,9}address)\s{0,3}:\s{0,3}/gi, joinWords)
    .replace(/\b(received)\s{1,9}(date)\s{0,3}:\s{0,3}/gi, joinWords)
    .replace(/^(received date: [^\n:]{6,40})\s{1,3}(\d\d?:\d\d)/gim, "$1 $2");
}

function joinWords(_label: string, first: string, rest: string): string {
  return `\n${first} ${rest.replace(/\s+/g, " ")}: `;
}

// Lines are split by position: a regular expression could be quadratic on a hostile line.
function parseFields(text: string): Fields {
  const fields: Fields = new Map();
  const unfolded = text.slice(0, MAX_FIELDS_CHARS).replace(/(?:\r\n|\n|\r)[ \t]+/g, " ");
  for (const line of unfolded.split(/[\r\n]+/)) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase().replaceAll("_", "-");
    if (name === "" || name.length > MAX_NAME_CHARS) continue;
    const values = fields.get(name) ?? [];
    if (values.length < MAX_SAME_FIELDS) values.push(storedText(line.slice(colon + 1), MAX_FIELD_CHARS).trim());
    fields.set(name, values);
  }
  return fields;
}

function field(fields: Fields, name: string): string {
  return fields.get(name)?.[0] ?? "";
}

/** First word, without RFC 5322 comments. */
function firstWord(text: string): string {
  return (
    text
      .replace(/\([^()]*\)/g, "")
      .trim()
      .split(/[\s;,]/, 1)[0] ?? ""
  )
    .toLowerCase()
    .slice(0, MAX_WORD_CHARS);
}

/** The From domain that Authentication-Results names (RFC 8601 section 2.7.6), "" if it does not. */
function fromOfResults(fields: Fields): string {
  const results = (fields.get("authentication-results") ?? []).join(" ");
  return domainAtStart(
    /\bheader\.from\s{0,9}=\s{0,9}"?(?:[^\s;"@]{1,99}@)?([^\s;"@]{1,255})/i.exec(results)?.[1] ?? "",
  );
}

/** A field of the reported mail, if it is decoded as windows-1252, in UTF-8 (RFC 6532 section 3.2) where it is that. */
function utf8Of(text: string): string {
  if (!/[^\0-\x7f]/.test(text)) return text;
  const bytes = Array.from(text, (char) => BYTES.indexOf(char));
  // Of a body text, and of a large mail, the text is decoded already.
  return bytes.includes(-1) ? text : decodeText(Uint8Array.from(bytes), "");
}

/** Each byte in windows-1252. */
const BYTES = new TextDecoder("latin1").decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));

/** Domain of the last address in a header field, "" if it has none; an address in a comment is none. */
function domainOf(field: string): string {
  const text = field.replace(/\([^()]{0,1000}\)/g, " ").trimEnd();
  return domainAtStart(text.slice(text.lastIndexOf("@") + 1 || text.length));
}

// Some reporters add to the address: `192.0.2.1 (mx.example)`, `mx.example [192.0.2.1]`; one with a zone or a prefix is kept.
function readIp(raw: string, warnings: WarningLog): string {
  const [first = "", ...others] = new Set(addressesIn(raw));
  if (first === "") warnings.add(raw === "" ? "missing_value" : "invalid_value", "Source-IP", raw);
  else if (others.length > 0) warnings.add("invalid_value", "Source-IP", `${raw}: the first is used`);
  return first === "" && isOddAddress(raw) ? raw.toLowerCase() : first;
}

function readArrival(
  raw: string,
  { bounds, warnings }: FailureContext,
): { arrivalSeconds: number | null; arrivalDate: string } {
  const arrivalDate = raw.slice(0, MAX_WORD_CHARS);
  const arrivalSeconds = parseDate(raw);
  if (arrivalSeconds === null && raw !== "")
    warnings.add("invalid_value", "Arrival-Date", `'${arrivalDate}' is no date`);
  if (arrivalSeconds === null || !isFuture(arrivalSeconds, bounds)) return { arrivalSeconds, arrivalDate };
  warnings.add("invalid_value", "Arrival-Date", `${arrivalDate} is after the report came`);
  return { arrivalSeconds: null, arrivalDate };
}

// RFC 5965 section 3.2: the number of incidents in one report, default 1.
function readIncidents(raw: string, warnings: WarningLog): number {
  const read = parseCount(firstWord(raw));
  const count = read !== null && read <= READ_LIMITS.maxCount ? read : 1;
  if (raw !== "" && String(count) !== raw) warnings.add("invalid_value", "Incidents", raw);
  return Math.max(1, count);
}
