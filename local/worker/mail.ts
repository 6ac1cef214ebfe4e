/**
 * What Cloudflare's Email Service refuses of a mail (developers.cloudflare.com/email-service/api/send-emails/workers-api/#error-codes,
 * …/email-service/reference/headers/), with its codes, and how it takes attachments: the bytes of a buffer, and a text as it stands,
 * never as base64. Pure: sends nothing.
 */
import { encodeBase64 } from "../../shared/base64.ts";

/** The structured form of a mail (Email Service, Workers API), as far as it is used here. */
export interface MailMessage {
  from: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  attachments: MailAttachment[];
}

export interface MailAttachment {
  disposition: string;
  contentId: string;
  filename: string;
  type: string;
  content: string | ArrayBuffer | ArrayBufferView;
}

/** Headers that may be set, besides those that begin with X-; there are more, none of which is used here. */
const ALLOWED_HEADERS = ["in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted"];
const AUTO_SUBMITTED = ["auto-generated", "auto-replied", "auto-notified"];
/** Characters of the subject (RFC 5322). */
const MAX_SUBJECT_CHARS = 998;
/** Bytes of a whole mail to an address that is not verified. */
const MAX_MAIL_BYTES = 5 * 1024 * 1024;
const MAX_ATTACHMENTS = 32;
const MAX_HEADER_NAME_BYTES = 100;
const MAX_HEADER_VALUE_BYTES = 2048;
const MAX_HEADERS_BYTES = 16_000;

const encoder = new TextEncoder();

/** @returns the message of the error that the service would throw; undefined if it takes the mail */
export function mailRefusal(mail: MailMessage): string | undefined {
  const { from, to, subject, text, html, attachments } = mail;
  if (from === "" || to === "" || subject === "") return "E_FIELD_MISSING: from, to and subject are required";
  if (text === "" && html === "") return "E_FIELD_MISSING: text or html is required";
  if (![from, to].every(isAddress)) return "E_VALIDATION_ERROR: not an address";
  if (subject.length > MAX_SUBJECT_CHARS) return "E_VALIDATION_ERROR: subject is too long";
  if (attachments.length > MAX_ATTACHMENTS) return `E_TOO_MANY_ATTACHMENTS: ${attachments.length}`;
  if (attachments.some(({ disposition, contentId }) => disposition === "inline" && contentId === ""))
    return "E_VALIDATION_ERROR: an inline attachment needs a contentId";
  return headersRefusal(mail.headers) ?? sizeRefusal(mail);
}

function headersRefusal(headers: Record<string, string>): string | undefined {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase();
    if (!/^(x-[a-z0-9_-]+|[a-z0-9-]+)$/.test(lower) || name.length > MAX_HEADER_NAME_BYTES)
      return `E_HEADER_NAME_INVALID: ${name}`;
    if (!lower.startsWith("x-") && !ALLOWED_HEADERS.includes(lower))
      return `E_HEADER_NOT_ALLOWED: ${name} cannot be set`;
    const isKnown = lower !== "auto-submitted" || AUTO_SUBMITTED.includes(value);
    if (value === "" || /[\r\n]/.test(value) || !isKnown) return `E_HEADER_VALUE_INVALID: ${name}`;
    const valueBytes = encoder.encode(value).length;
    if (valueBytes > MAX_HEADER_VALUE_BYTES) return `E_HEADER_VALUE_TOO_LONG: ${name}`;
    // With ": " and the end of the line.
    bytes += name.length + valueBytes + 4;
  }
  return bytes > MAX_HEADERS_BYTES ? `E_HEADERS_TOO_LARGE: ${bytes} bytes` : undefined;
}

function sizeRefusal(mail: MailMessage): string | undefined {
  const bytes = encoder.encode(JSON.stringify(encodedMail(mail))).length;
  return bytes > MAX_MAIL_BYTES ? "E_CONTENT_TOO_LARGE: the mail is too large" : undefined;
}

/** The mail with attachments as base64, as they are in what a recipient gets. */
export function encodedMail(mail: MailMessage): object {
  const attachments = mail.attachments.map((one) => ({ ...one, content: encodeBase64(bytesOf(one.content)) }));
  return { ...mail, attachments };
}

function bytesOf(content: MailAttachment["content"]): Uint8Array {
  if (typeof content === "string") return encoder.encode(content);
  if (!ArrayBuffer.isView(content)) return new Uint8Array(content);
  return new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
}

function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text);
}
