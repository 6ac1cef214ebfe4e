/**
 * What a part of a mail is for: something that may be a report, or evidently a part of the letter. When in doubt it may be
 * a report: what cannot be read then is told, and never lost. Bytes decide, labels only where bytes say nothing. Pure.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { type ContentType, SNIFF_BYTES, sniff } from "../sniff.ts";
import type { PartHeader } from "./header.ts";
import { holdsRootTag } from "./pasted.ts";

/** What is passed over, and why it cannot be a report that came. */
export type PassedKind =
  /** The letter itself, in plain text or HTML, disclaimers and footers too. */
  | "text"
  | "picture"
  /** Signatures, keys and other parts of how a mail is protected. */
  | "signature"
  /** Calendar entries and business cards. */
  | "calendar"
  /** What became of a delivery (RFC 3464, RFC 8098), in fields. */
  | "notice"
  /** A mail that another one is about: a bounce returns it, a failure report shows it. */
  | "evidence"
  /** A part without content and without a name. */
  | "empty"
  /** What macOS keeps beside a file. */
  | "resource_fork";

/** What is known of a part before it is read. */
export interface PartStart extends Pick<PartHeader, "mimeType" | "disposition" | "fileName"> {
  /** Its first bytes: SNIFF_BYTES, or more to look for a report in text. */
  head: Uint8Array;
  /** undefined where it is not known yet. */
  sizeBytes?: number;
}

/** Types that may hold a report. */
const CANDIDATES: ReadonlySet<ContentType> = new Set(["gzip", "zlib", "zip", "xml", "json"]);
const NOTICE_TYPES =
  /^message\/(?:global-)?(?:delivery-status|disposition-notification|feedback-report|tracking-status)$/;
const SIGNATURE_TYPES = /^application\/(?:x-)?(?:pkcs7-signature|pgp-signature|pgp-keys|pgp-encrypted)$/;
const SIGNATURE_NAME = /\.(?:p7s|sig)$/i;
const LETTER_TYPES =
  /^text\/(?:plain|html|enriched|richtext|markdown|x-amp-html|x-watch-html|x-markdown|rfc822-headers)$/;
const CALENDAR_TYPES = /^(?:text\/(?:calendar|x-vcalendar|vcard|x-vcard|directory)|application\/ics)$/;
const APPLE_TYPES = /^application\/(?:applefile|mac-binhex40)$/;
const REPORT_NAME =
  /!|dmarc|report|tlsrpt|tls-rpt|\.(?:xml|json|gz|gzip|zip|zlib|z|7z|bz2?|xz|zst|tar|t[gxb]z2?|rar|csv|eml|msg|mbox)\b/i;
/** A file of text that is called nothing in particular: larger ones are no disclaimers. */
const MAX_LETTER_BYTES = 256 * 1024;
const MAX_SIGNATURE_BYTES = 64 * 1024;
const APPLE_DOUBLE = [0x00, 0x05, 0x16, 0x07];

/** Whether a file is called as reporters call theirs, or as archives are. */
export function looksLikeReportName(fileName: string): boolean {
  return REPORT_NAME.test(fileName);
}

/** What a part is for; mails, which are read in their own right, may be candidates here. */
export function roleOf(part: PartStart): PassedKind | "candidate" {
  const { head, mimeType, fileName, sizeBytes = 0 } = part;
  if (isLetter(part) && !holdsRootTag(latin1.decode(head))) return "text";
  const type = sniff(head.subarray(0, SNIFF_BYTES));
  if (CANDIDATES.has(type)) return type === "xml" && isDrawing(head, mimeType) ? "picture" : "candidate";
  if (NOTICE_TYPES.test(mimeType)) return "notice";
  switch (type) {
    case "image":
      return sizeBytes <= MAIL_LIMITS.maxPictureBytes ? "picture" : "candidate";
    case "signature":
    case "calendar":
      return type;
    case "empty":
      return fileName === "" ? "empty" : "candidate";
    case "text":
    case "html":
    case "mail":
    case "smime":
    case "binary":
      return roleByLabel(part, type);
    default:
      return "candidate";
  }
}

function roleByLabel(part: PartStart, type: ContentType): PassedKind | "candidate" {
  const { mimeType, fileName, sizeBytes = 0, head } = part;
  const isSignature = SIGNATURE_TYPES.test(mimeType) || SIGNATURE_NAME.test(fileName);
  if (isSignature && sizeBytes <= MAX_SIGNATURE_BYTES) return "signature";
  const isFork = APPLE_DOUBLE.every((byte, i) => head[i] === byte) || APPLE_TYPES.test(mimeType);
  if (isFork && !looksLikeReportName(fileName)) return "resource_fork";
  if (type === "smime" || type === "binary") return "candidate";
  if (holdsRootTag(latin1.decode(head))) return "candidate";
  if (CALENDAR_TYPES.test(mimeType)) return "calendar";
  if (LETTER_TYPES.test(mimeType) && part.disposition !== "attachment" && fileName === "") return "text";
  const isCalledText = LETTER_TYPES.test(mimeType) || /\.(?:txt|html?)$/i.test(fileName);
  const isLarge = sizeBytes > MAX_LETTER_BYTES;
  return isCalledText && !isLarge && !looksLikeReportName(fileName) ? "text" : "candidate";
}

const latin1 = new TextDecoder("latin1");

/** What a letter can be taken for by its first bytes. */
const LETTER_CONTENT: ReadonlySet<ContentType> = new Set([
  "text",
  "html",
  "xml",
  "mail",
  "mbox",
  "empty",
  "binary",
  "calendar",
  "signature",
]);

/** Whether a part is the letter itself, or an alternative of it; a report may be pasted into it all the same. */
export function isLetter({ mimeType, disposition, fileName, head }: PartStart): boolean {
  if (disposition === "attachment" || (mimeType !== "text/plain" && mimeType !== "text/html")) return false;
  return !looksLikeReportName(fileName) && LETTER_CONTENT.has(sniff(head.subarray(0, SNIFF_BYTES)));
}

// A drawing is XML, and no report.
function isDrawing(head: Uint8Array, mimeType: string): boolean {
  const text = latin1.decode(head.subarray(0, SNIFF_BYTES));
  return (mimeType === "image/svg+xml" || /<svg[\s>]/.test(text)) && !holdsRootTag(text);
}
