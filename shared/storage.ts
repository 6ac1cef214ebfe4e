/**
 * The layout of the R2 bucket: raw objects and nothing else. Pure: it builds and reads keys, it never touches R2.
 *
 *   raw/YYYY/MM/DD/<sha256>/<file name>    what came in, exactly; create-only
 */

import { STORAGE_LIMITS } from "./limits.ts";

export const RAW_PREFIX = "raw/";

/** The name under which a mail is stored whole. */
export const WHOLE_MAIL_NAME = "message.eml";

/** Whether a raw object is a mail stored whole. */
export function isWholeMail(key: string): boolean {
  return key.endsWith(`/${WHOLE_MAIL_NAME}`) || key.endsWith(`-${WHOLE_MAIL_NAME}`);
}

/** What is known of a raw object besides its bytes; kept as R2 custom metadata. */
export interface RawMetadata {
  rua: string;
  /** Envelope sender. */
  sender: string;
  /** Headers From, Subject and Message-ID as they came; "" where the mail has none, or came before they were kept. */
  from: string;
  subject: string;
  messageId: string;
  receivedSeconds: number;
  /** File name and MIME type as the mail gave them: labels, never trusted. */
  fileName: string;
  mimeType: string;
  /** Header TLS-Report-Domain (RFC 8460 section 5.3) of the mail it came in; "" where there is none. */
  tlsReportDomain: string;
  /** Objects that the mail was taken apart into, this one included: they share what one mail may cost. */
  objectsOfMail: number;
  /** Parts of the mail that were not stored, evidently being no reports: kind → count. Told by the first of its objects. */
  passedOver: Record<string, number>;
  /** How the mail authenticated (shared/authentication/authentication-results.ts); "" where it came before it was noted. */
  authentication: string;
}

/** Who sent a mail, as it says itself. */
export type MailOrigin = Pick<RawMetadata, "sender" | "from" | "subject" | "messageId">;

/** `YYYY/MM/DD` of a time, UTC. */
export function datePath(seconds: number): string {
  return isoDate(seconds).replaceAll("-", "/");
}

/** `YYYY-MM-DD` of a time, UTC; years outside 0–9999 become the nearest end. */
export function isoDate(seconds: number): string {
  const clamped = Math.min(Math.max(seconds, 0), 253_402_300_799);
  return new Date(clamped * 1000).toISOString().slice(0, 10);
}

/** Key of a raw object. `sha256` is the hex digest of its content. */
export function rawKey(receivedSeconds: number, sha256: string, fileName: string): string {
  return `${RAW_PREFIX}${datePath(receivedSeconds)}/${sha256}/${safeFileName(fileName)}`;
}

/**
 * The name of a raw object whose content came to another address before: each address has an object of its own, so that
 * what became of it can be told for each; and so has each way in which the same content authenticated.
 *
 * @param ruaHash hash of the address and of that, hex
 */
export function fileNameForAddress(ruaHash: string, fileName: string): string {
  return `${ruaHash.slice(0, 16)}-${safeFileName(fileName)}`;
}

/** Whether a text has the form of a dead letter's or conflict's id. */
export function isDatedId(id: string): boolean {
  return /^\d{8}-[0-9a-f]{24}$/.test(id);
}

/** An id that begins with a day, so that its key can be told from it. */
export function datedId(day: string, hash: string): string {
  return `${day.replaceAll(/\D/g, "")}-${hash.slice(0, 24)}`;
}

/** `YYYY/MM/DD` a raw object is filed under; undefined when it is no raw key. */
export function dayOfRawKey(key: string): string | undefined {
  return /^raw\/(\d{4}\/\d{2}\/\d{2})\/[0-9a-f]{64}\//.exec(key)?.[1];
}

/**
 * The range of keys of the days `since` to `until` (both included, `YYYY-MM-DD`, absent = open) below a prefix whose
 * keys go on with `YYYY/MM/DD/`.
 *
 * @returns keys greater than `after` and less than `before`
 */
export function dayRange(
  prefix: string,
  { since, until }: { since?: string | undefined; until?: string | undefined },
): { after: string; before: string } {
  return {
    after: since === undefined ? prefix : prefix + since.replaceAll("-", "/"),
    // "0" is the character after "/".
    before: until === undefined ? `${prefix.slice(0, -1)}0` : `${prefix}${until.replaceAll("-", "/")}0`,
  };
}

/**
 * A file name that is safe in a key: the last path segment, ASCII letters, digits and `._!@=+-`, never empty, never
 * starting with a dot, at most 200 bytes with its extension kept.
 */
export function safeFileName(name: string): string {
  const base = name.split(/[/\\]/).at(-1) ?? "";
  const cleaned = base
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._!@=+-]+/g, "_")
    .replace(/^[._]+|(?<![._])[._]+$/g, "");
  if (cleaned === "") return "unnamed";
  if (cleaned.length <= STORAGE_LIMITS.maxFileNameBytes) return cleaned;
  const extension = /(\.[A-Za-z0-9]{1,5}){0,2}$/.exec(cleaned)?.[0] ?? "";
  return cleaned.slice(0, STORAGE_LIMITS.maxFileNameBytes - extension.length) + extension;
}

/** RawMetadata as R2 custom metadata: text within R2's size, header-safe. */
export function buildRawMetadata(metadata: RawMetadata): Record<string, string> {
  return {
    rua: metadataText(metadata.rua),
    sender: metadataText(metadata.sender),
    from: metadataText(metadata.from),
    subject: metadataText(metadata.subject),
    messageid: metadataText(metadata.messageId),
    received: String(metadata.receivedSeconds),
    name: metadataText(metadata.fileName),
    type: metadataText(metadata.mimeType),
    tlsdomain: metadataText(metadata.tlsReportDomain),
    parts: String(metadata.objectsOfMail),
    passed: Object.entries(metadata.passedOver)
      .map(([kind, count]) => `${kind}=${count}`)
      .join(","),
    auth: metadataText(metadata.authentication),
  };
}

/** Reads back what buildRawMetadata wrote; missing fields become empty or 0. */
export function parseRawMetadata(metadata: Record<string, string> | undefined): RawMetadata {
  const read = (name: string): string => decodeMetadataText(metadata?.[name] ?? "");
  const received = Number(metadata?.received ?? "0");
  const parts = Number(metadata?.parts ?? "1");
  return {
    rua: read("rua"),
    sender: read("sender"),
    from: read("from"),
    subject: read("subject"),
    messageId: read("messageid"),
    receivedSeconds: Number.isFinite(received) ? received : 0,
    fileName: read("name"),
    mimeType: read("type"),
    tlsReportDomain: read("tlsdomain"),
    objectsOfMail: Number.isInteger(parts) && parts > 0 ? parts : 1,
    passedOver: readCounts(metadata?.passed ?? ""),
    authentication: read("auth"),
  };
}

function readCounts(text: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const pair of text.split(",")) {
    const [, kind = "", count = ""] = /^([a-z_]{1,30})=(\d{1,6})$/.exec(pair) ?? [];
    if (kind !== "") counts[kind] = Number(count);
  }
  return counts;
}

/** Text as a value of custom metadata: percent-encoded, which keeps non-ASCII and control characters out of headers. */
export function metadataText(text: string): string {
  const { maxMetadataValueBytes } = STORAGE_LIMITS;
  // Encoded, a text is never shorter: what is behind would be cut anyway.
  const kept = text.slice(0, maxMetadataValueBytes).toWellFormed();
  return encodeURIComponent(kept).replaceAll("%40", "@").slice(0, maxMetadataValueBytes);
}

/** Reads back what metadataText wrote. A value that was cut may end inside an escape; that end is dropped. */
export function decodeMetadataText(text: string): string {
  for (let end = text.length; end >= text.length - 12 && end >= 0; end--) {
    try {
      return decodeURIComponent(text.slice(0, end));
    } catch {
      // Try one character less.
    }
  }
  return "";
}
