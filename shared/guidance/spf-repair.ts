/**
 * An SPF record as it was evidently meant: without what forms and word processors put into it, with one space between terms, and
 * with terms as RFC 7208 writes them. What cannot be told is not repaired. Pure.
 */
import { readSpfTerms } from "./spf-record.ts";

const SPACES = /&nbsp;|[\t\r\n\u00a0\u2000-\u200a\u202f]/gi;
const INVISIBLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b-\u200f\u2060\ufeff]/g;
const QUOTES = /["'\u2018-\u201f]/g;
const DASHES = /[\u2010-\u2015\u2212](?=all\b)/gi;
const TILDES = /[\u02dc\u223c\uff5e](?=all\b)/gi;

const SIGN_APART = /(^| )([+?~-]) +(?=all( |$))/gi;
const SPACE_BEHIND_COLON = /\b(ip[46]|include|a|mx|exists|redirect|exp)([:=]) +(?=\S)/gi;
/** No name ends like that: there is no top-level domain with a sign in it. */
const MISSING_SPACE = /(?<=[a-z0-9}])(?=[-~?+]all( |$))/gi;

const FOUR = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const SIX = /^(?=.*:.*:)[0-9a-f:.]+(\/\d{1,3})?$/i;

/** The record that was meant; undefined where nothing is to be repaired, or not all of it can be. @param text of an SPF record */
export function repairedSpf(text: string): string | undefined {
  const clean = text
    .replaceAll(INVISIBLE, "")
    .replaceAll(SPACES, " ")
    .replaceAll(QUOTES, "")
    .replaceAll(DASHES, "-")
    .replaceAll(TILDES, "~")
    .replaceAll(SIGN_APART, "$1$2")
    .replaceAll(SPACE_BEHIND_COLON, "$1$2")
    .replaceAll(MISSING_SPACE, " ");
  const [, ...terms] = clean.split(" ").filter((term) => term !== "");
  const value = ["v=spf1", ...terms.flatMap(repairedTerm)].join(" ");
  const isWhole = readSpfTerms(value).every(({ kind }) => kind !== "broken");
  return isWhole && value.toLowerCase() !== text.trim().replaceAll(/ +/g, " ").toLowerCase() ? value : undefined;
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
  if (FOUR.test(value)) return `${sign}ip4:${value}`;
  return SIX.test(value) ? `${sign}ip6:${value}` : undefined;
}

function hostOf(value: string): string {
  return value.replace(/^https?:\/\//i, "").replace(/\/$/, "");
}
