/**
 * An SPF record as it was evidently meant: without what forms and word processors put into it, with one space between terms, and
 * with terms as RFC 7208 writes them. What is unclear is not repaired. Pure.
 */
import { isSpfRecord, readSpfTerms } from "./spf-record.ts";
import { narrowed, WIDE, withoutSigns } from "./tag-list.ts";

const SPACES = /&nbsp;|[\t\r\n\u00a0\u2000-\u200a\u202f]/gi;
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b-\u200f\u2060\ufeff]/g;
const QUOTES = /["'\u2018-\u201f]/g;
const DASHES = /[\u2010-\u2015\u2212](?=all\b)/gi;
const TILDES = /[\u02dc\u223c\uff5e](?=all\b)/gi;

const SIGN_APART = /(^| )([+?~-]) +(?=all( |$))/gi;
const SIGN_BEHIND = /(^| )all([?~-])(?= |$)/gi;
const SPACE_BEHIND_COLON = /\b(ip[46]|include|a|mx|exists|redirect|exp)([:=]) +(?=\S)/gi;
const SPACE_BEFORE_LENGTH = /(\bip[46]:[0-9a-f.:]+) +(?=\/\d)/gi;
/** Beside `all` a redirect is ignored; what it leads to has its own. */
const ALL_BEHIND_REDIRECT = /((?:^| )redirect=[^ ]*[a-z0-9}])[-~?+]all(?= |$)/gi;
/** No name ends like that: there is no top-level domain with a sign in it. */
const MISSING_SPACE = /(?<=[a-z0-9}])(?=[-~?+]all( |$))/gi;

/** An address of IPv4 ends before a letter. */
const RUN_TOGETHER = /(\bip4:[\d./]+\d)(?=(?:ip[46]|include|exists|redirect|mx|a)(?:[:= ]|$))/gi;
/** What belongs to another record. */
const FOREIGN = /\bv\s*=\s*(?:DMARC|DKIM|BIMI|STS|TLSRPT)v?1.*$/i;

const FOUR = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const SIX = /^(?=.*:.*:)[0-9a-f:.]+(\/\d{1,3})?$/i;

/** Repairs in a row: one may uncover the next mistake. */
const MOST_REPAIRS = 8;

/** The record that was meant; undefined where nothing is to be repaired, or not all of it can be. @param text of an SPF record */
export function repairedSpf(text: string): string | undefined {
  let meant = text;
  for (let repairs = 0; repairs < MOST_REPAIRS; repairs++) {
    const before = meant;
    meant = repairedOnce(before);
    if (meant === before) break;
  }
  const isWhole = readSpfTerms(meant).every(({ kind }) => kind !== "broken");
  return isWhole && meant.toLowerCase() !== text.trim().replaceAll(/ +/g, " ").toLowerCase() ? meant : undefined;
}

function repairedOnce(text: string): string {
  const clean = text
    .replaceAll(INVISIBLE, "")
    .replaceAll(WIDE, narrowed)
    .replaceAll(SPACES, " ")
    .replaceAll(QUOTES, "")
    .replaceAll(DASHES, "-")
    .replaceAll(TILDES, "~")
    .replaceAll(SIGN_APART, "$1$2")
    .replaceAll(SIGN_BEHIND, "$1$2all")
    .replaceAll(SPACE_BEHIND_COLON, "$1$2")
    .replaceAll(SPACE_BEFORE_LENGTH, "$1")
    .replaceAll(ALL_BEHIND_REDIRECT, "$1")
    .replaceAll(MISSING_SPACE, " ")
    .replaceAll(RUN_TOGETHER, "$1 ")
    .replace(FOREIGN, "")
    .replaceAll(";", " ");
  const [, ...terms] = clean.split(" ").filter((term) => term !== "");
  return ["v=spf1", ...terms.flatMap(repairedTerm)].join(" ");
}

function repairedTerm(written: string): string[] {
  const term = withoutMarks(written);
  if (term === "" || /^v=spf1$/i.test(term)) return [];
  const [, sign = "", name = "", separator = "", value = ""] = /^([+?~-]?)([a-z0-9]+)([:=])(.+)$/i.exec(term) ?? [];
  if (name === "") return [addressTerm("", term) ?? term];
  if (SIX.test(term)) return [`ip6:${term}`];
  switch (name.toLowerCase()) {
    case "ip4":
    case "ip6":
    case "ip":
    case "ipv4":
    case "ipv6":
      return value
        .split(",")
        .filter((one) => one !== "")
        .map((one) => addressTerm(sign, one) ?? `${sign}${name}:${one}`);
    case "redirect":
    case "exp":
      return [`${name}=${hostOf(value)}`];
    case "include":
    case "inlcude":
    case "inculde":
    case "includes":
    case "incude":
      return [addressTerm(sign, value) ?? `${sign}include:${hostOf(value)}`];
    case "a":
    case "mx":
    case "ptr":
    case "exists":
      return [addressTerm(sign, value) ?? `${sign}${name}:${value}`];
    default:
      return [`${sign}${name}${separator}${value}`];
  }
}

/** Without what separates the terms of other lists. */
function withoutMarks(term: string): string {
  let end = term.length;
  while (end > 0 && ";,\\".includes(term.charAt(end - 1))) end -= 1;
  return term.slice(0, end);
}

/** @returns undefined for what is no address and no network */
function addressTerm(sign: string, value: string): string | undefined {
  const [, three] = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\*$/.exec(value) ?? [];
  if (three !== undefined) return `${sign}ip4:${three}.0/24`;
  if (FOUR.test(value)) return `${sign}ip4:${value}`;
  return SIX.test(value) ? `${sign}ip6:${value}` : undefined;
}

function hostOf(value: string): string {
  return value.replace(/^https?:\/\/|^@/i, "").replace(/\/$/, "");
}

/** Before the terms, whatever stands there: `v=spf1` after other signs, mistyped, without `v=`; or nothing where a term does. */
const MEANT_AS_ONE =
  /^[^=]*?\bv\s*=\s*["']?spf1?[\s;,:]*|^[\s"']*spf1?(?![\w.=-])[\s;,:]*|^[\s"']*(?=(?:include|ip[46]):\S)/i;

/** What is wrong with a TXT record that was meant as an SPF record; undefined where it is one, or is about something else. */
export function mistakenSpfRecord(text: string): { text: string; reason: string; meant?: string } | undefined {
  if (isSpfRecord(text) || !MEANT_AS_ONE.test(text)) return undefined;
  const rest = withoutSigns(text.replace(MEANT_AS_ONE, ""));
  const meant = repairedSpf(`v=spf1 ${rest}`) ?? `v=spf1 ${rest}`;
  const isClear = rest !== "" && readSpfTerms(meant).every(({ kind }) => kind !== "broken");
  return { text, reason: mistakeOf(text), ...(isClear ? { meant } : {}) };
}

function mistakeOf(text: string): string {
  if (/^\s/.test(text)) return "it begins with white space";
  if (/^["']/.test(text)) return "quotation marks are part of it";
  if (/^[^\x20-\x7e]/.test(text)) return "it begins with an invisible character, or with a typographic quotation mark";
  if (/^v=spf1\t/i.test(text)) return "there is a tab instead of a space after v=spf1";
  if (/^v=spf1/i.test(text)) return "there is no space after v=spf1";
  return "it does not begin with v=spf1";
}
