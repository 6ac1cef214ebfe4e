/**
 * A DMARC record as it was evidently meant: without what word processors and forms put into it, with separators where they
 * belong, and with addresses as URIs. What is unclear stays as it is. Pure.
 */
import { domainName } from "../domain-name.ts";
import { narrowed, WIDE } from "./tag-list.ts";

const SPACES = /&nbsp;|[\r\n\u00a0\u2000-\u200a\u202f]+/gi;
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b-\u200f\u2060\ufeff]/g;
const QUOTES = /["\u2018-\u201f]/g;

/** Before another tag: white space or commas, and no semicolon. */
const MISSING_SEPARATOR = /(?<=[^;\s,])[\s,]+(?=(?:v|p|sp|np|t|psd|pct|fo|adkim|aspf|rua|ruf|rf|ri)[ \t]*=)/gi;
const DASHES = /[\u2010-\u2015\u2212]/g;
const DOUBLED_EQUALS = /((?:^|;)[ \t]*[a-z]+[ \t]*)=(?:[ \t]*=)+/gi;
const COMMENT = /;[ \t]*#.*$/;
/** Names of tags as they are mistyped or guessed. */
const MISTYPED_RUA = /(^|;[ \t]*)(?:rau|ura|aru|reports?|e?mail)[ \t]*=[ \t]*(?=mailto:)/i;
const MISTYPED_P = /(^|;[ \t]*)policy[ \t]*=[ \t]*(?=(?:none|quarantine|reject)[ \t]*(?:;|$))/i;
const COLON_AFTER_ADDRESS_TAG = /(^|;[ \t]*)(ru[af])[ \t]*:[ \t]*(?=mailto:)/gi;
const COLON_FOR_EQUALS = /(^|;[ \t]*)(p|sp|np)[ \t]*:[ \t]*(?=(?:none|quarantine|reject)[ \t]*(?:;|$))/gi;
/** Between two addresses. */
const WRONG_BETWEEN = /(@[^\s;,@]+)(?:[ \t]*;[ \t]*|[ \t]+)(?=mailto:|[^\s;,@=:]+@)/gi;
/** Behind an address, as mail programs copy one. */
const LINK = /(?<=@[^\s;,<>@]+)<mailto:[^<>;,]*>/gi;

/** Whether a record has a character that no value may have (RFC 9989 section 4.8): a line break, or one that is not ASCII. */
export function hasOddCharacter(text: string): boolean {
  return /[^\x20-\x7e\t]/.test(text);
}

/** Repairs in a row: one may uncover the next mistake. */
const MOST_REPAIRS = 8;

/**
 * The record that was meant. A record without mistakes is returned as it is, and so is a repaired one.
 *
 * @param text of a TXT record
 */
export function repairedDmarc(text: string): string {
  let meant = text;
  for (let repairs = 0; repairs < MOST_REPAIRS; repairs++) {
    const before = meant;
    meant = repairedOnce(before);
    if (meant === before) break;
  }
  return meant;
}

function repairedOnce(text: string): string {
  const clean = text
    .replaceAll(WIDE, narrowed)
    .replaceAll("\\;", ";")
    .replaceAll(DASHES, "-")
    .replaceAll(DOUBLED_EQUALS, "$1=")
    .replaceAll(SPACES, " ")
    .replaceAll(INVISIBLE, "")
    .replaceAll(QUOTES, "")
    .replaceAll(LINK, "")
    .replace(COMMENT, "")
    .replace(MISTYPED_RUA, "$1rua=")
    .replace(MISTYPED_P, "$1p=")
    .replaceAll(WRONG_BETWEEN, "$1,")
    .replaceAll(MISSING_SEPARATOR, "; ")
    .replaceAll(COLON_AFTER_ADDRESS_TAG, "$1$2=")
    .replaceAll(COLON_FOR_EQUALS, "$1$2=");
  const parts = clean.split(";").map((part) => {
    const [, before = "", uris = ""] = /^([ \t]*ru[af][ \t]*=[ \t]*)(.*)$/i.exec(part) ?? [];
    return before === "" ? part : `${before}${repairedUris(uris)}`;
  });
  return joinedRepeats(parts).join(";");
}

function repairedUris(uris: string): string {
  if (uris.trim() === "") return uris;
  return uris
    .split(",")
    .map((uri) => repairedUri(uri.trim()))
    .filter((uri) => uri !== "")
    .join(",");
}

function repairedUri(uri: string): string {
  const [, scheme = "mailto:", typed = "", named = "", size = ""] =
    /^(mailto:)?(?:[ \t]*mailto[:=])*[ \t]*(?:\/\/)?<?([^\s<>@:/?]+)@([^\s<>@:/?!]+?)\.?>?(![^!]*)?$/i.exec(uri) ?? [];
  const domain = hasOddCharacter(named) ? domainName(named) : named;
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/i.test(domain)) return uri;
  const kept = /^!\d+[kmgt]?$/i.test(size) ? size : "";
  return `${scheme}${typed}@${domain}${kept}`;
}

/** Tags that are there twice with the same value are there once, and addresses apart in two tags together in one. */
function joinedRepeats(parts: readonly string[]): string[] {
  const joined: string[] = [];
  const places = new Map<string, { place: number; value: string }>();
  for (const part of parts) {
    const [, typed = "", rest = ""] = /^[ \t]*([a-z]+)[ \t]*=(.*)$/is.exec(part) ?? [];
    const [name, value] = [typed.toLowerCase(), rest.trim()];
    const earlier = name === "" ? undefined : places.get(name);
    if (earlier === undefined) {
      if (name !== "") places.set(name, { place: joined.length, value });
      joined.push(part);
    } else if (earlier.value === "") {
      joined[earlier.place] = part;
      earlier.value = value;
    } else if (earlier.value !== value) {
      const isAddress = /^ru[af]$/.test(name) && value !== "";
      if (isAddress) joined[earlier.place] = `${(joined[earlier.place] ?? "").trimEnd()},${value}`;
      else joined.push(part);
    }
  }
  return joined;
}
