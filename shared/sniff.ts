/**
 * What bytes are, by the bytes themselves: MIME types and file names lie. Pure; looks at the start of the content only.
 */

export type ContentType =
  | "empty"
  | "gzip"
  | "zlib"
  | "zip"
  | "xml"
  | "html"
  | "json"
  | "mail"
  | "text"
  | "image"
  | "document"
  | "binary";

/** Bytes worth giving to `sniff`: enough for the headers of a mail that starts with long trace lines. */
export const SNIFF_BYTES = 4096;

const SIGNATURES: [ContentType, number[]][] = [
  ["gzip", [0x1f, 0x8b]],
  ["zip", [0x50, 0x4b, 0x03, 0x04]],
  ["zip", [0x50, 0x4b, 0x05, 0x06]],
  ["zip", [0x50, 0x4b, 0x07, 0x08]],
  ["image", [0x89, 0x50, 0x4e, 0x47]],
  ["image", [0xff, 0xd8, 0xff]],
  ["image", [0x47, 0x49, 0x46, 0x38]],
  ["document", [0x25, 0x50, 0x44, 0x46]],
];

/** Bytes before an archive that mail gateways add: white space and zeros, at most this many. */
export const MAX_LEADING_BYTES = 64;

const latin1 = new TextDecoder("latin1");

/** Names the content that starts with `head`. */
export function sniff(head: Uint8Array): ContentType {
  for (const [type, signature] of SIGNATURES) {
    if (signature.every((byte, i) => head[i] === byte)) return type;
  }
  const archive = sniffLeadingArchive(head);
  if (archive !== undefined) return archive;
  if (isZlib(head)) return "zlib";
  return sniffText(head);
}

/** How many white-space and zero bytes stand before the first other byte, up to MAX_LEADING_BYTES. */
export function leadingBlankBytes(head: Uint8Array): number {
  let count = 0;
  while (count < MAX_LEADING_BYTES && isBlank(head[count])) count++;
  return count;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a || byte === 0x00;
}

function sniffLeadingArchive(head: Uint8Array): ContentType | undefined {
  const skipped = leadingBlankBytes(head);
  if (skipped === 0) return undefined;
  const rest = head.subarray(skipped, skipped + 4);
  if (rest[0] === 0x1f && rest[1] === 0x8b && rest[2] === 0x08) return "gzip";
  return rest[0] === 0x50 && rest[1] === 0x4b && rest[2] === 0x03 && rest[3] === 0x04 ? "zip" : undefined;
}

// RFC 1950: deflate with a 32 KiB window and a header checksum; no text starts with these two bytes.
function isZlib(head: Uint8Array): boolean {
  const [first = 0, second = 0] = head;
  return first === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(second);
}

function sniffText(head: Uint8Array): ContentType {
  const raw = latin1.decode(head.subarray(0, SNIFF_BYTES));
  const wide = /^(\xff\xfe|\xfe\xff|[<{]\0|\0[<{]\0)/.test(raw);
  const unmarked = wide
    ? raw.replace(/^(\xff\xfe|\xfe\xff)/, "").replaceAll("\0", "")
    : raw.replace(/^\xef\xbb\xbf/, "");
  const text = unmarked.replace(/^[\s\0]+/, "");
  if (text === "") return "empty";
  if (text.startsWith("<")) return isHtml(text) ? "html" : "xml";
  // Not `[External mail] …`, which gateways put in front of a pasted report.
  if (/^[[{]\s*(["{}[\]]|$)/.test(text)) return "json";
  if (isMail(text)) return "mail";
  return /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(text) ? "binary" : "text";
}

function isHtml(text: string): boolean {
  return /^<(!doctype\s+html|html|head|body|div|p\b|table)/i.test(text);
}

// Two header lines in a row, or one of the fields every mail has.
function isMail(text: string): boolean {
  return (
    /^(From [^\n]*\n)?([!-9;-~]+:[^\n]*\n([ \t][^\n]*\n)*){2}/.test(text) ||
    /^(received|from|subject|mime-version|content-type|return-path|delivered-to|message-id):/im.test(text)
  );
}
