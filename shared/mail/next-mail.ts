/**
 * Where the next mail of a file begins that holds several, one after the other, without lines that separate them: at the
 * header of a mail. Pure.
 */
import { describesFailure } from "./pasted.ts";

const latin1 = new TextDecoder("latin1");
/** The fields that headers of mails begin with. */
const FIRST_FIELD =
  /^(?:received|return-path|delivered-to|x-[a-z0-9-]{1,60}|from|to|date|subject|message-id|mime-version|content-type|dkim-signature|arc-[a-z-]{1,30}|authentication-results)[ \t]*:/i;
/** Fields that a person who forwards a mail, or a program that quotes one, does not show. */
const TRACES = ["received", "return-path", "delivered-to", "message-id", "mime-version", "dkim-signature"];
const OTHERS = [...TRACES, "to", "date", "subject"];
const FIELD_NAMES = /^[A-Za-z][A-Za-z0-9-]{1,60}(?=[ \t]*:)/gm;
const [COLON, NEW_LINE] = [0x3a, 0x0a];

/** A parameter of the content type in quoted-printable: the header is shown in a text that is encoded so. */
const STILL_ENCODED = /^content-type[ \t]*:(?:[^\r\n]|\r?\n[ \t])*;\s{0,9}[a-z-]{2,20}=3D/im;

/** Where the header of a mail may begin in some whole lines; -1 if nowhere. Of a line only its first colon is looked at. */
export function findMailStart(lines: Uint8Array): number {
  let colon = lines.indexOf(COLON);
  while (colon >= 0) {
    let start = colon;
    while (start > 0 && lines[start - 1] !== NEW_LINE && colon - start <= MAX_NAME_CHARS) start--;
    const isName = colon - start >= MIN_NAME_CHARS && (start === 0 || lines[start - 1] === NEW_LINE);
    if (isName && FIRST_FIELD.test(latin1.decode(lines.subarray(start, colon + 1)))) return start;
    const end = lines.indexOf(NEW_LINE, colon);
    colon = end < 0 ? -1 : lines.indexOf(COLON, end);
  }
  return -1;
}

/** Ours: characters of the name of a field that may begin a header. */
const MIN_NAME_CHARS = 2;
const MAX_NAME_CHARS = 70;

/** Whether a line is a field of a header, or continues one. */
export function isHeaderLine(line: Uint8Array): boolean {
  return /^(?:[!-9;-~]{1,100}[ \t]*:|[ \t]+\S)/.test(latin1.decode(line.subarray(0, 120)));
}

/**
 * Whether complete lines are the header of a mail.
 *
 * @param isInText whether they are in a text, where a mail may be quoted: then it needs fields that nobody quotes
 */
export function isMailHeader(header: Uint8Array, isInText: boolean): boolean {
  const names = new Set(
    latin1
      .decode(header)
      .match(FIELD_NAMES)
      ?.map((name) => name.toLowerCase()),
  );
  if (!names.has("from") || STILL_ENCODED.test(latin1.decode(header).replace(/=\r?\n/g, ""))) return false;
  return isInText ? TRACES.filter((name) => names.has(name)).length >= 2 : OTHERS.some((name) => names.has(name));
}

/** Whether a text is about a mail, whose header it may show: a failure report. */
export function isAboutMail(text: string): boolean {
  return /^[ \t>|]*feedback-type[ \t]*:/im.test(text) || describesFailure(text);
}
