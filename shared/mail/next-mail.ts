/**
 * Where the next mail of a file begins that holds several, one after the other, without lines that separate them: at the
 * header of a mail. Pure.
 */
import { describesFailure } from "./pasted.ts";

const latin1 = new TextDecoder("latin1");
/** The fields that headers of mails begin with. */
const FIRST_FIELD =
  /^(?:received|return-path|delivered-to|x-[a-z0-9-]{1,60}|from|to|date|subject|message-id|mime-version|content-type|dkim-signature|arc-[a-z-]{1,30}|authentication-results)[ \t]*:/im;
/** Fields that a person who forwards a mail, or a program that quotes one, does not show. */
const TRACES = ["received", "return-path", "delivered-to", "message-id", "mime-version", "dkim-signature"];
const OTHERS = [...TRACES, "to", "date", "subject"];
const FIELD_NAMES = /^[A-Za-z][A-Za-z0-9-]{1,60}(?=[ \t]*:)/gm;
const [COLON, NEW_LINE] = [0x3a, 0x0a];

/**
 * Where the header of a mail may begin in some whole lines; -1 if nowhere.
 *
 * @param isBase64 whether the lines are base64, in which no colon is
 */
export function findMailStart(lines: Uint8Array, isBase64: boolean): number {
  if (!isBase64) return latin1.decode(lines).search(FIRST_FIELD);
  const colon = lines.indexOf(COLON);
  if (colon < 0) return -1;
  const start = lines.lastIndexOf(NEW_LINE, colon) + 1;
  return FIRST_FIELD.test(latin1.decode(lines.subarray(start, start + 80))) ? start : -1;
}

/** Whether a line is a field of a header, or continues one. */
export function isHeaderLine(line: Uint8Array): boolean {
  return /^(?:[!-9;-~]{1,100}[ \t]*:|[ \t]+\S)/.test(latin1.decode(line.subarray(0, 120)));
}

/**
 * Whether complete lines are the header of a mail.
 *
 * @param isInText whether they stand in a text, where a mail may be quoted: then it needs fields that nobody quotes
 */
export function isMailHeader(header: Uint8Array, isInText: boolean): boolean {
  const names = new Set(
    latin1
      .decode(header)
      .match(FIELD_NAMES)
      ?.map((name) => name.toLowerCase()),
  );
  if (!names.has("from")) return false;
  return isInText ? TRACES.filter((name) => names.has(name)).length >= 2 : OTHERS.some((name) => names.has(name));
}

/** Whether a text is about a mail, whose header it may show: a failure report. */
export function isAboutMail(text: string): boolean {
  return /^[ \t>|]*feedback-type[ \t]*:/im.test(text) || describesFailure(text);
}
