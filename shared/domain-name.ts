/**
 * Domain names as they are compared and stored: A-labels (RFC 5890), lower case, no trailing dot. The only place that
 * decides this, for report identity, the registry and the ledger. Also reads what people type. Pure.
 */
import { fail, ok, type Result } from "./result.ts";
import { toULabels } from "./u-labels.ts";

const IS_PLAIN = /^[\x21-\x7e]*$/;

/**
 * The normal form of a domain name.
 *
 * @returns a text that is not a domain name is returned in lower case without its trailing dot
 */
export function domainName(text: string): string {
  const lower = text.trim().toLowerCase();
  const name = lower.endsWith(".") ? lower.slice(0, -1) : lower;
  return IS_PLAIN.test(name) ? name : toALabels(name);
}

/** The domain of a mail address, or of the last address in a text; "" if there is none. */
export function domainOfAddress(text: string): string {
  const at = text.lastIndexOf("@");
  return at < 0 ? "" : domainName(text.slice(at + 1).replace(/[>\s].*$/s, ""));
}

/**
 * The policy domain in the name of a report's file: `receiver!policy-domain!begin!end.xml.gz` (RFC 7489 section
 * 7.2.1.1, RFC 8460 section 5.1). A guess: anybody can choose a file name.
 *
 * @returns "" if the name does not have that form
 */
export function domainOfFileName(fileName: string): string {
  const [, domain = "", begin = ""] = (fileName.split(/[/\\]/).at(-1) ?? "").split("!");
  const name = domainName(domain);
  return /^\d+$/.test(begin) && /^(?=.{1,253}$)([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}$/.test(name) ? name : "";
}

/** A domain name that a person typed. */
export interface TypedDomain {
  /** A-labels. */
  name: string;
  /** What it was extracted from, if more than a name was typed: a URL, an address, the name of a record. */
  takenFrom: string | undefined;
}

/**
 * Reads a domain name as people type and paste it: in capitals, with a trailing dot, as U-labels, within a URL, a mail
 * address or the name of a record such as `_dmarc.example.com`.
 *
 * @returns a sentence about what is wrong, if it is not a domain name
 */
export function readDomainName(typed: string): Result<TypedDomain, string> {
  const text = typed.trim();
  const host = hostOf(withoutMarks(text));
  const name = domainName(host);
  const shown = text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS).toWellFormed()}…` : text;
  const reason = whyPasted(host) ?? whyNoName(name);
  if (reason !== undefined) return fail(`'${shown}' is not a domain name: ${reason}.`);
  return ok({ name, takenFrom: host === text ? undefined : text });
}

/**
 * The lines of a list of domains, as people keep and paste it: what comes after a `#`, or in a line that begins with `;`, is a
 * comment; a line with several names, apart by commas, semicolons or white space, is several.
 */
export function readDomainList(text: string): string[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/#.*$|^\s*;.*$/, "").trim())
    .filter((line) => line !== "")
    .flatMap((line) => {
      const parts = line.split(/[\s,;]+/).filter((part) => part !== "");
      return parts.every((part) => readDomainName(part).ok) ? parts : [line];
    });
}

/** Ours: characters of a wrong name that a sentence quotes. */
const MAX_SHOWN_CHARS = 100;
/** RFC 1035 section 2.3.4, as text without the last dot. */
const MAX_NAME_CHARS = 253;
const MAX_LABEL_CHARS = 63;

/** Names below a domain at which its records are: DMARC, MTA-STS, TLS reports, DKIM and BIMI. */
const RECORD_NAME = /^(?:(?:_dmarc|_mta-sts|_smtp\._tls|[^.]+\._domainkey|[^.]+\._bimi)\.)+/i;

/** As in a list of a spreadsheet: in quotation marks, with a comma or a semicolon at its end. */
function withoutMarks(text: string): string {
  return /^["']?([^"',;]*)["']?[,;]?$/.exec(text)?.[1]?.trim() ?? text;
}

/** What is wrong with a text that was meant well: the end of a sentence. */
function whyPasted(host: string): string | undefined {
  const parts = host.split(/[\s,;]+/);
  if (parts.length > 1 && parts.every((part) => whyNoName(domainName(part)) === undefined)) {
    return "it holds several; put each on a line of its own";
  }
  if (host.startsWith("*.")) {
    return `a DMARC record holds for all names below it: leave out the *, and name ${host.slice("*.".length)} itself`;
  }
  return undefined;
}

function hostOf(text: string): string {
  const url = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#\\]*)/i.exec(text);
  const pasted = url?.[1] ?? text.replace(/^mailto:/i, "").replace(/[/?#].*$/s, "");
  const isMore = url !== null || pasted.includes("@");
  const at = pasted.lastIndexOf("@");
  const host = at < 0 ? pasted : pasted.slice(at + 1).replace(/[>\s].*$/s, "");
  // Of a website's address the domain is meant.
  const isSite = url !== null || (at < 0 && pasted !== text);
  const site = isSite && /^www\.[^.]+\.[^.]/i.test(host) ? host.slice("www.".length) : host;
  const withoutPort = isMore || /:\d+$/.test(site) ? site.replace(/:\d*$/, "") : site;
  return withoutPort.replace(RECORD_NAME, "");
}

/** @param name as A-labels. @returns the end of a sentence, or undefined if the name is valid */
function whyNoName(name: string): string | undefined {
  if (name === "") return "it is empty";
  if (name.length > MAX_NAME_CHARS) return `it has more than ${MAX_NAME_CHARS} characters`;
  const labels = name.split(".");
  if (labels.includes("")) return "it has an empty part before or between its dots";
  for (const label of labels) {
    if (label.length > MAX_LABEL_CHARS) return `one of its labels has more than ${MAX_LABEL_CHARS} characters`;
    if (!/^[a-z0-9_-]+$/.test(label)) return "a label has letters, digits, hyphens and underscores only";
    if (/^-|-$/.test(label)) return "a label neither begins nor ends with a hyphen";
  }
  if (labels.length === 1) return "it has one label only, as 'example' of 'example.com'";
  if (/^\d+$/.test(labels.at(-1) ?? "")) return "it ends like an IP address";
  if (labels.some((label) => label.startsWith("xn--") && !isWellFormed(label)))
    return "one of its xn-- labels is not valid";
  return undefined;
}

// Whether it is the encoding of its U-label.
function isWellFormed(aLabel: string): boolean {
  const uLabel = toULabels(aLabel);
  return uLabel !== undefined && uLabel !== aLabel && domainName(uLabel) === aLabel;
}

// UTS #46, as both runtimes have it in their URL parser (WHATWG URL, "host parsing").
function toALabels(lower: string): string {
  // A-labels are longer, so a text of this length is already too long.
  if (lower.length > MAX_NAME_CHARS || /[/\\?#@:\s\u0000-\u001f]/.test(lower)) return lower;
  try {
    const { hostname } = new URL(`http://${lower}`);
    // Digits of another script would be read as an IPv4 address.
    return /^[\d.]+$|^\[/.test(hostname) || hostname === "" ? lower : hostname.replace(/\.$/, "");
  } catch {
    return lower;
  }
}
