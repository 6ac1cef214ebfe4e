/** TXT records as zone files write them. Pure. */
import type { RecordToPublish } from "./check.ts";

/** RFC 1035 section 3.3: octets of one string; a record may have several, which are read as one text. */
const MOST_OCTETS = 255;

/** A record's text as strings that fit. Texts of records to publish are ASCII: a character is an octet. */
function txtStrings(text: string): string[] {
  const strings: string[] = [];
  for (let at = 0; at < text.length || at === 0; at += MOST_OCTETS) strings.push(text.slice(at, at + MOST_OCTETS));
  return strings;
}

/** As in a zone file: `"v=spf1 -all"`; a text that is longer than a string may be as several strings, `"…" "…"`. Quotation marks and backslashes have a backslash before them (RFC 1035 section 5.1). */
export function quotedTxt(text: string): string {
  return txtStrings(text)
    .map((string) => `"${string.replaceAll(/["\\]/g, "\\$&")}"`)
    .join(" ");
}

/** The data of a record to publish, as it is written in a zone file. */
export function zoneData({ type, value }: RecordToPublish): string {
  return type === "TXT" ? quotedTxt(value) : `${value}.`;
}

/** Whether a text has to be published as several strings. */
export function needsStrings(text: string): boolean {
  return text.length > MOST_OCTETS;
}

/** For people: how to enter such a text. */
export const STRINGS_HINT =
  "It is longer than 255 characters: most DNS services split it by themselves; where yours refuses it, enter it as several quoted strings.";
