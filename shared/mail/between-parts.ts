/**
 * What is in a multipart where RFC 2046 section 5.1.1 has nothing that counts, before its first part and after its last,
 * and is a report all the same; and a multipart that is encoded as a whole, which RFC 2045 section 6.4 forbids. Pure.
 */
import type { PartHeader } from "./header.ts";

const latin1 = new TextDecoder("latin1");
const LINE_FEED = 0x0a;
const MAX_SIGN_BYTES = 64 * 1024;
/**
 * How a report may begin, or a file that holds one: XML, JSON, uuencode, gzip, zip, and base64 of these. Nothing of the
 * kind is in the usual text before and after the parts of a multipart.
 */
const REPORT_SIGN =
  /<\?xml\s|<(?:[A-Za-z_][\w.-]{0,60}:)?feedback[\s>]|^[ \t]{0,9}\{[ \t\r]{0,9}(?:"|$)|^begin(?:-base64)? [0-7]{3,4} |^(?:H4sI|UEsDB|PD94bW|PGZlZWRi|eyJ|ewog|ew0K|77u\/|\x1f\x8b|PK\x03\x04)/im;
/** How the content of a multipart begins that is encoded as a whole. */
const ENCODED: ReadonlyMap<string, RegExp> = new Map([
  ["base64", /^(?:LS0[A-Za-z0-9+/]|[A-Za-z0-9+/]{20})[A-Za-z0-9+/]*={0,2}[ \t\r\n]*$/],
  ["quoted-printable", /^--.{0,400}=3D/i],
]);

/** What lines begin with that are signs at their start. */
const SIGN_BYTES: ReadonlySet<number> = new Set(Array.from(" \t{bBHUPe7\x1f", (char) => char.charCodeAt(0)));
const LESS_THAN = 0x3c;

/** Whether one line may be where a report begins: a quick look, for nearly none is. */
export function isReportLine(line: Uint8Array): boolean {
  return (SIGN_BYTES.has(line[0] ?? 0) || line.includes(LESS_THAN)) && findReportLine(line) >= 0;
}

/** Where in some lines the first line begins that a report may begin with; -1 if none does. */
export function findReportLine(lines: Uint8Array): number {
  const sign = REPORT_SIGN.exec(latin1.decode(lines.subarray(0, MAX_SIGN_BYTES)));
  if (sign === null) return -1;
  return sign.index === 0 ? 0 : lines.lastIndexOf(LINE_FEED, sign.index - 1) + 1;
}

/** Whether the content of a multipart is encoded as its header says, by its first line. */
export function isEncodedMultipart({ encoding }: PartHeader, line: Uint8Array): boolean {
  return ENCODED.get(encoding)?.test(latin1.decode(line.subarray(0, MAX_SIGN_BYTES))) === true;
}

/** The header that makes a mail of the decoded content of a multipart. */
export function mailHeaderFor({ mimeType, boundary, reportType }: PartHeader): Uint8Array {
  const type = reportType === "" ? "" : `; report-type=${quoted(reportType)}`;
  const named = boundary === "" ? "" : `; boundary=${quoted(boundary)}`;
  return new TextEncoder().encode(`Content-Type: ${mimeType}${type}${named}\r\n\r\n`);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
