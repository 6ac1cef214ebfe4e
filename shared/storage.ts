/**
 * The layout of the R2 bucket, which holds only raw objects. Pure: builds and parses keys, never accesses R2.
 *
 *   raw/YYYY/MM/DD/<sha256>/<file name>    what came in, exactly; create-only
 */

import { STORAGE_LIMITS } from "./limits.ts";
import { SECONDS_PER_DAY } from "./report-day.ts";

export const RAW_PREFIX = "raw/";

/** The name under which a mail is stored whole. */
export const WHOLE_MAIL_NAME = "message.eml";

/** Whether a raw object is a mail stored whole. */
export function isWholeMail(key: string): boolean {
  return key.endsWith(`/${WHOLE_MAIL_NAME}`) || key.endsWith(`-${WHOLE_MAIL_NAME}`);
}

/** Metadata of a raw object, stored as R2 custom metadata. */
export interface RawMetadata {
  rua: string;
  /** Envelope sender. */
  sender: string;
  /** Headers From, Subject and Message-ID as received; "" if missing, or if the mail came before they were recorded. */
  from: string;
  subject: string;
  messageId: string;
  receivedSeconds: number;
  /** File name and MIME type as given by the mail: labels, never trusted. */
  fileName: string;
  mimeType: string;
  /** Header TLS-Report-Domain (RFC 8460 section 5.3) of its mail; "" if there is none. */
  tlsReportDomain: string;
  /** Number of objects the mail was split into, including this one: they share the limits of one mail. */
  objectsOfMail: number;
  /**
   * Parts of the mail that were not stored because they are evidently not reports: kind → count. Only on the mail's
   * first object.
   */
  passedOver: Record<string, number>;
  /**
   * How the mail authenticated (shared/authentication/authentication-results.ts); "" if it came before this was
   * recorded.
   */
  authentication: string;
  /** Where it was found, if a person imported it; "" if it came by mail. */
  importedFrom: string;
}

/** Who sent a mail, according to the mail. */
export type MailOrigin = Pick<RawMetadata, "sender" | "from" | "subject" | "messageId">;

/** The mail that an object came with. */
export function mailOrigin({ sender, from, subject, messageId }: MailOrigin): MailOrigin {
  return { sender, from, subject, messageId };
}

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
 * The name of a raw object whose content already came to another address: each address has its own object and outcome,
 * and so has each way in which the same content authenticated.
 *
 * @param ruaHash hash of the address and the authentication, hex
 */
export function fileNameForAddress(ruaHash: string, fileName: string): string {
  return `${ruaHash.slice(0, 16)}-${safeFileName(fileName)}`;
}

/** Whether a text has the form of a dead letter's or conflict's id. */
export function isDatedId(id: string): boolean {
  return /^\d{8}-[0-9a-f]{24}$/.test(id);
}

/** An id that begins with a day. */
export function datedId(day: string, hash: string): string {
  return `${day.replaceAll(/\D/g, "")}-${hash.slice(0, 24)}`;
}

/** The `YYYY/MM/DD` of a raw key; undefined if it is not a raw key. */
export function dayOfRawKey(key: string): string | undefined {
  return /^raw\/(\d{4}\/\d{2}\/\d{2})\/[0-9a-f]{64}\//.exec(key)?.[1];
}

/** The SHA-256 in a raw key, hex; "" if it is not a raw key. */
export function sha256OfRawKey(key: string): string {
  return /^raw\/\d{4}\/\d{2}\/\d{2}\/([0-9a-f]{64})\//.exec(key)?.[1] ?? "";
}

/**
 * The range of keys for the days `since` to `until` (both included, `YYYY-MM-DD`, absent = open) under a prefix that is
 * followed by `YYYY/MM/DD/`.
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

/** The last day that JavaScript has (ECMA-262, time values), days since 1970-01-01 UTC. */
const LAST_DAY = 100_000_000;

/** The days of keys below `raw/`, `raw/YYYY/`, `raw/YYYY/MM/` or `raw/YYYY/MM/DD/`; undefined for any other prefix. */
export function daysOfPrefix(prefix: string): { firstDay: number; lastDay: number } | undefined {
  const [, year, month, day] = /^raw\/(?:(\d{4})\/(?:(\d{2})\/(?:(\d{2})\/)?)?)?$/.exec(prefix) ?? [];
  if (year === undefined) return prefix === RAW_PREFIX ? { firstDay: 0, lastDay: LAST_DAY } : undefined;
  const first = Date.UTC(Number(year), month === undefined ? 0 : Number(month) - 1, Number(day ?? 1));
  const next =
    day !== undefined
      ? first + SECONDS_PER_DAY * 1000
      : Date.UTC(month === undefined ? Number(year) + 1 : Number(year), month === undefined ? 0 : Number(month), 1);
  return { firstDay: first / 1000 / SECONDS_PER_DAY, lastDay: next / 1000 / SECONDS_PER_DAY - 1 };
}

/**
 * Makes a file name safe for a key: the last path segment, ASCII letters, digits and `._!@=+-`, never empty, never
 * starting with a dot, at most 200 bytes including its extension.
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

/** RawMetadata as R2 custom metadata: header-safe and within R2's size limit. */
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
    ...(metadata.importedFrom === "" ? {} : { imported: metadataText(metadata.importedFrom) }),
  };
}

/** Parses what buildRawMetadata wrote; missing fields become empty or 0. */
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
    importedFrom: read("imported"),
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
  // Encoding never shortens a text: the rest would be cut anyway.
  const kept = text.slice(0, maxMetadataValueBytes).toWellFormed();
  return encodeURIComponent(kept).replaceAll("%40", "@").slice(0, maxMetadataValueBytes);
}

/** Decodes what metadataText wrote. A value that was cut may end inside an escape, which is dropped. */
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
