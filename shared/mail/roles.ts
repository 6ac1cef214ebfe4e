/**
 * The role of a part in its mail: possibly a report, or evidently something else. In doubt it may be a report: if it
 * cannot be read it becomes a dead letter and is never lost. Bytes decide; labels only count when the bytes say
 * nothing. Pure.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { type ContentType, SNIFF_BYTES, sniff } from "../sniff.ts";
import type { PartHeader } from "./header.ts";
import { holdsRootTag } from "./pasted.ts";

/** The kinds of parts that are passed over. */
export type PassedKind =
  /** The text of the mail, plain or HTML, including disclaimers and footers. */
  | "text"
  | "picture"
  /** Signatures, keys and other security parts. */
  | "signature"
  /** Calendar entries and business cards. */
  | "calendar"
  /** Delivery status fields (RFC 3464, RFC 8098). */
  | "notice"
  /** A mail that another one is about: returned by a bounce or shown by a failure report. */
  | "evidence"
  /** A part without content and without a name. */
  | "empty"
  /** Metadata that macOS or Windows keeps beside files. */
  | "resource_fork";

/** What is known about a part before reading it. */
export interface PartStart extends Pick<PartHeader, "mimeType" | "disposition" | "fileName"> {
  /** Its first bytes: SNIFF_BYTES, or more to look for a report in text. */
  head: Uint8Array;
  /** Undefined if not yet known. */
  sizeBytes?: number;
}

/** Types that may hold a report. */
const CANDIDATES: ReadonlySet<ContentType> = new Set(["gzip", "zlib", "zip", "xml", "json", "base64", "uuencoded"]);
const NOTICE_TYPES =
  /^message\/(?:global-)?(?:delivery-status|disposition-notification|feedback-report|tracking-status)$/;
const SIGNATURE_TYPES = /^application\/(?:x-)?(?:pkcs7-signature|pgp-signature|pgp-keys|pgp-encrypted)$/;
/** RFC 2046 section 5.2.3: the file is elsewhere, and this says where. It cannot be read, and must not be lost. */
export const EXTERNAL_BODY = "message/external-body";
const SIGNATURE_NAME = /\.(?:p7s|sig)$/i;
const BODY_TEXT_TYPES =
  /^text\/(?:plain|html|enriched|richtext|markdown|x-amp-html|x-watch-html|x-markdown|rfc822-headers)$/;
const CALENDAR_TYPES = /^(?:text\/(?:calendar|x-vcalendar|vcard|x-vcard|directory)|application\/ics)$/;
const APPLE_TYPES = /^application\/(?:applefile|mac-binhex40)$/;
/** What macOS and Windows keep in a folder, and put into archives of it. */
const FOLDER_METADATA = /(?:^|[/\\])(?:\.DS_Store|Thumbs\.db|ehthumbs\.db|desktop\.ini)$/i;
const REPORT_NAME =
  /!|dmarc|report|tlsrpt|tls-rpt|\.(?:xml|json|gz|gzip|zip|zlib|z|7z|bz2?|xz|zst|tar|t[gxb]z2?|rar|csv|eml|msg|mbox)\b/i;
/** The largest text file without a telling name that counts as a disclaimer. */
const MAX_BODY_TEXT_BYTES = 256 * 1024;
const MAX_SIGNATURE_BYTES = 64 * 1024;
const APPLE_DOUBLE = [0x00, 0x05, 0x16, 0x07];

/** Whether a file name looks like a reporter's or an archive's. */
function looksLikeReportName(fileName: string): boolean {
  return REPORT_NAME.test(fileName);
}

/** The role of a part; mails, which are read separately, may be candidates here. */
export function roleOf(part: PartStart): PassedKind | "candidate" {
  const { head, mimeType, fileName, sizeBytes = 0 } = part;
  if (mimeType === EXTERNAL_BODY) return "candidate";
  if (isBodyText(part) && !holdsRootTag(latin1.decode(head))) return "text";
  const type = sniff(head.subarray(0, SNIFF_BYTES));
  if (CANDIDATES.has(type)) return type === "xml" && isDrawing(head, mimeType) ? "picture" : "candidate";
  if (FOLDER_METADATA.test(fileName)) return "resource_fork";
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
  if (APPLE_DOUBLE.every((byte, i) => head[i] === byte)) return "resource_fork";
  if (APPLE_TYPES.test(mimeType) && !looksLikeReportName(fileName)) return "resource_fork";
  if (type === "smime" || type === "binary") return "candidate";
  if (holdsRootTag(latin1.decode(head))) return "candidate";
  if (CALENDAR_TYPES.test(mimeType)) return "calendar";
  if (BODY_TEXT_TYPES.test(mimeType) && part.disposition !== "attachment" && fileName === "") return "text";
  const isCalledText = BODY_TEXT_TYPES.test(mimeType) || /\.(?:txt|html?)$/i.test(fileName);
  const isLarge = sizeBytes > MAX_BODY_TEXT_BYTES;
  return isCalledText && !isLarge && !looksLikeReportName(fileName) ? "text" : "candidate";
}

const latin1 = new TextDecoder("latin1");

/** The formats that the first bytes of plain text may be taken for. */
const BODY_TEXT_CONTENT: ReadonlySet<ContentType> = new Set([
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

/** Whether a part is the mail's text or an alternative of it; a report may still be pasted into it. */
export function isBodyText({ mimeType, disposition, fileName, head }: PartStart): boolean {
  if (disposition === "attachment" || (mimeType !== "text/plain" && mimeType !== "text/html")) return false;
  return !looksLikeReportName(fileName) && BODY_TEXT_CONTENT.has(sniff(head.subarray(0, SNIFF_BYTES)));
}

// SVG is XML but not a report.
function isDrawing(head: Uint8Array, mimeType: string): boolean {
  const text = latin1.decode(head.subarray(0, SNIFF_BYTES));
  return (mimeType === "image/svg+xml" || /<svg[\s>]/.test(text)) && !holdsRootTag(text);
}
