/**
 * Recognises formats by their bytes, because MIME types and file names lie. Pure; examines only the start of the
 * content.
 */

import { decodeBase64 } from "./base64.ts";

/** The recognised formats, in words for people. Those from `pdf` on are not read. */
export const FORMAT_NAMES = {
  empty: "nothing",
  gzip: "gzip archive",
  zlib: "zlib data",
  zip: "zip archive",
  xml: "XML",
  html: "HTML",
  json: "JSON",
  mail: "mail",
  mbox: "mailbox (mbox)",
  base64: "base64 text",
  uuencoded: "uuencoded text",
  text: "text",
  image: "picture",
  calendar: "calendar entry or contact",
  signature: "signature",
  binary: "unknown binary data",
  pdf: "PDF document",
  ole: "Outlook message (.msg) or old Office document",
  office: "Office document (.docx, .xlsx, .pptx, .odt …)",
  rtf: "RTF document",
  tnef: "Outlook attachment (winmail.dat)",
  sevenZip: "7z archive",
  rar: "RAR archive",
  bzip2: "bzip2 archive",
  xz: "xz archive",
  lzma: "LZMA archive",
  lzip: "lzip archive",
  lz4: "LZ4 archive",
  zstd: "Zstandard archive",
  compress: "compress archive (.Z)",
  cab: "cabinet archive (.cab)",
  arj: "ARJ archive",
  tar: "tar archive",
  pgp: "PGP encrypted message",
  yenc: "file in yEnc",
  utf32: "text in UTF-32",
  smime: "S/MIME message, encrypted or with its content inside the signature",
  garbled: "gzip archive that was changed into text on the way",
  program: "program",
  media: "sound or film",
  database: "SQLite database",
  external: "reference to a file that is not in the mail",
  fragment: "fragment of a mail",
} as const;

/** A recognised format. */
export type ContentType = keyof typeof FORMAT_NAMES;

/** Formats that are not read although a report may be inside. */
export const UNREAD_FORMATS: ReadonlySet<ContentType> = new Set(
  (Object.keys(FORMAT_NAMES) as ContentType[]).slice(Object.keys(FORMAT_NAMES).indexOf("pdf")),
);

/** Bytes to give to `sniff`: enough for the headers of a mail that starts with long trace lines. */
export const SNIFF_BYTES = 4096;

/** Object identifier 1.2.840.113549.1.7 without its last number. */
const PKCS7 = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";

/** Signatures, one character per byte: the start of the content, and what must follow further on. */
const SIGNATURES: [type: ContentType, start: string, further?: { at: number; text: string }][] = [
  ["gzip", "\x1f\x8b"],
  ["zip", "PK\x03\x04"],
  ["zip", "PK\x05\x06"],
  ["zip", "PK\x07\x08"],
  // What some write before an archive that was to be in several volumes.
  ["zip", "PK00PK\x03\x04"],
  // The second byte of gzip as a character of Latin-1 in UTF-8, or as the one that stands for what is none.
  ["garbled", "\x1f\xc2\x8b\x08"],
  ["garbled", "\x1f\xef\xbf\xbd\x08"],
  ["image", "\x89PNG"],
  ["image", "\xff\xd8\xff"],
  ["image", "GIF8"],
  ["image", "RIFF", { at: 8, text: "WEBP" }],
  ["image", "II*\0"],
  ["image", "MM\0*"],
  ["image", "\0\0\x01\0"],
  // A bitmap: its size, and reserved fields of zeros.
  ["image", "BM", { at: 6, text: "\0\0\0\0" }],
  ["pdf", "%PDF"],
  ["ole", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
  ["rtf", "{\\rtf"],
  ["tnef", "\x78\x9f\x3e\x22"],
  ["sevenZip", "7z\xbc\xaf\x27\x1c"],
  ["rar", "Rar!\x1a\x07"],
  // The size of its blocks, then the number of the first block, or of the end.
  ["bzip2", "BZh", { at: 4, text: "1AY&SY" }],
  ["bzip2", "BZh", { at: 4, text: "\x17rE8P\x90" }],
  ["xz", "\xfd7zXZ\0"],
  ["lzma", "\x5d\0\0"],
  ["lzip", "LZIP"],
  ["lz4", "\x04\x22\x4d\x18"],
  ["zstd", "\x28\xb5\x2f\xfd"],
  ["compress", "\x1f\x9d"],
  ["compress", "\x1f\xa0"],
  ["cab", "MSCF\0\0\0\0"],
  ["arj", "\x60\xea"],
  ["tar", "", { at: 257, text: "ustar" }],
  // PKCS #7 (RFC 5652) in DER or BER: the length takes none to three bytes.
  ["smime", "\x30", { at: 2, text: PKCS7 }],
  ["smime", "\x30", { at: 3, text: PKCS7 }],
  ["smime", "\x30", { at: 4, text: PKCS7 }],
  ["smime", "\x30", { at: 5, text: PKCS7 }],
  ["pgp", "-----BEGIN PGP MESSAGE-----"],
  ["yenc", "=ybegin "],
  ["utf32", "\xff\xfe\0\0"],
  ["utf32", "\0\0\xfe\xff"],
  ["utf32", "<\0\0\0"],
  ["utf32", "\0\0\0<"],
  ["signature", "-----BEGIN PGP SIGNATURE-----"],
  ["signature", "-----BEGIN PGP PUBLIC KEY BLOCK-----"],
  ["calendar", "BEGIN:VCALENDAR"],
  ["calendar", "BEGIN:VCARD"],
  ["program", "MZ\x90\0"],
  ["program", "\x7fELF"],
  ["media", "ID3"],
  ["media", "OggS"],
  ["media", "RIFF", { at: 8, text: "WAVE" }],
  ["media", "RIFF", { at: 8, text: "AVI " }],
  ["media", "", { at: 4, text: "ftyp" }],
  ["database", "SQLite format 3\0"],
];

/** The most white space and zero bytes accepted before an archive, which mail gateways add. */
const MAX_LEADING_BYTES = 64;

const latin1 = new TextDecoder("latin1");

/** The format of content that starts with `head`. */
export function sniff(head: Uint8Array): ContentType {
  // Nearly all input is one of these.
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  if (head[0] === LESS_THAN && head[1] === QUESTION_MARK) return "xml";
  if (head[0] !== LESS_THAN || head[1] === 0) {
    const known = sniffSignature(head);
    if (known !== undefined) return known;
    const archive = sniffLeadingArchive(head);
    if (archive !== undefined) return archive;
    if (isZlib(head)) return "zlib";
  }
  return sniffText(head);
}

function sniffSignature(head: Uint8Array): ContentType | undefined {
  const stands = (text: string, at: number): boolean => {
    for (let i = 0; i < text.length; i++) if (head[at + i] !== text.charCodeAt(i)) return false;
    return true;
  };
  return SIGNATURES.find(
    ([, start, further]) => stands(start, 0) && (further === undefined || stands(further.text, further.at)),
  )?.[0];
}

/** The number of leading white-space and zero bytes, up to MAX_LEADING_BYTES. */
export function leadingBlankBytes(head: Uint8Array): number {
  let count = 0;
  while (count < MAX_LEADING_BYTES && isBlank(head[count])) count++;
  return count;
}

const LESS_THAN = 0x3c;
const QUESTION_MARK = 0x3f;

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
  // Excludes `[External mail] …`, which gateways put in front of a pasted report.
  if (/^[[{]\s*(["{}[\]]|$)/.test(text) || ODD_JSON.test(text)) return "json";
  if (UUENCODED_START.test(text)) return "uuencoded";
  if (isBase64(text)) return "base64";
  if (MBOX_START.test(text) || text.startsWith(MMDF_START)) return "mbox";
  if (isMail(text)) return "mail";
  return /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/.test(text) ? "binary" : "text";
}

/** A report in JSON as JavaScript allows it: comments, and names of members in other quotation marks or in none. */
const ODD_JSON =
  /^(?:(?:\/\/[^\n]{0,200}\n|\/\*[^*]{0,200}\*\/)\s{0,100}){0,4}\{\s{0,100}(?:(?:\/\/[^\n]{0,200}\n|\/\*[^*]{0,200}\*\/)\s{0,100}){0,4}(?:"|['"]?(?:organization[-_]?name|date[-_]?range|contact[-_]?info|report[-_]?id|policies)['"]?\s{0,9}:)/i;

function isHtml(text: string): boolean {
  return /^<(!doctype\s+html|html|head|body|div|p\b|pre\b|span\b|table)/i.test(text);
}

/** The line before each mail of an MMDF mailbox. */
const MMDF_START = "\x01\x01\x01\x01\n";

/** RFC 4155: a line with a sender and a time, followed by the header of a mail. */
const MBOX_START = /^From [^\n]*\n[!-9;-~]+:/;

/** POSIX uuencode: the line before the data, in its own alphabet or in base64. */
const UUENCODED_START = /^begin(?:-base64)? [0-7]{3,4} [^\r\n]{1,300}\r?\n/;
/** Lines of base64 at the start of a text, in either alphabet (RFC 4648), the first of them a long one. */
const BASE64_LINES = /^[A-Za-z0-9+/_-]{40,}(?:={0,2}[ \t]*(?:\r?\n|$))[A-Za-z0-9+/_\s-]*/;
const IN_BASE64: readonly ContentType[] = ["gzip", "zlib", "zip", "xml", "json", "mail", "mbox", "base64", "uuencoded"];

function isBase64(text: string): boolean {
  const lines = BASE64_LINES.exec(text)?.[0].replace(/[\s=]/g, "") ?? "";
  const digits = lines.replaceAll("-", "+").replaceAll("_", "/");
  const bytes = decodeBase64(digits.slice(0, digits.length - (digits.length % 4)));
  return bytes !== undefined && bytes.byteLength > 0 && IN_BASE64.includes(sniff(bytes));
}

/** Header fields, the last of which continues beyond the inspected bytes. */
const LONG_FIELD = /^(?:[A-Za-z][A-Za-z0-9-]{1,60}:[^\n]*(?:\n[ \t][^\n]*)*(?:\n|$))+$/;

// Two header lines in a row, one of the fields that every mail has, or one among the first of thousands of characters.
function isMail(text: string): boolean {
  return (
    /^([A-Za-z0-9][\w.-]*:[^\n]*\n([ \t][^\n]*\n)*){2}/.test(text) ||
    (text.length > 3000 && LONG_FIELD.test(text)) ||
    /^(received|from|subject|mime-version|content-type|return-path|delivered-to|message-id):/im.test(text)
  );
}
