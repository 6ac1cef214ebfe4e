/**
 * The layout of the R2 bucket: every key and every stored shape. Pure: it builds and reads keys, it never touches R2.
 *
 *   raw/YYYY/MM/DD/<sha256>/<file name>                       what came in, exactly; create-only
 *   reports/<account>/<policy domain>/<YYYY-MM-DD>/<uid>.json  ledger: one report
 *   receipts/YYYY/MM/DD/<sha256>/<file name>                  what became of the raw object of the same name (JSON)
 *   dead-letters/YYYY/MM/DD/<id>.json                         what could not be read or processed, and why
 */

import { STORAGE_LIMITS } from "./limits.ts";
import type { Problem } from "./report/problems.ts";
import type { Report } from "./report/vocabulary.ts";

export const RAW_PREFIX = "raw/";
export const RECEIPT_PREFIX = "receipts/";
export const REPORT_PREFIX = "reports/";
export const DEAD_LETTER_PREFIX = "dead-letters/";

/** The name under which a mail is stored whole. */
export const WHOLE_MAIL_NAME = "message.eml";

/** What is known of a raw object besides its bytes; kept as R2 custom metadata. */
export interface RawMetadata {
  rua: string;
  /** Envelope sender. */
  sender: string;
  receivedSeconds: number;
  /** File name and MIME type as the mail gave them: labels, never trusted. */
  fileName: string;
  mimeType: string;
}

/** One report in the ledger: outlives Analytics Engine's three months. */
export interface LedgerEntry {
  v: 1;
  uid: string;
  account: string;
  rua: string;
  rawKey: string;
  /** Path of the report inside the raw object, "" when it is the object itself. */
  part: string;
  /** 1 for the first reading, higher for each time it was run again. */
  generation: number;
  /** Points in the dataset of its kind; a later generation with fewer covers the rest. */
  pointCount: number;
  receivedSeconds: number;
  processedSeconds: number;
  /** Everything the report says but its records. */
  report: Report;
}

/** What became of one report of a raw object. */
export interface ReceiptOutcome {
  outcome: "accepted" | "duplicate" | "conflict" | "dead_letter";
  /** Report uid, or dead letter id. */
  id: string;
  part: string;
}

/** Says that a raw object has been dealt with; reconcile enqueues raw objects that have none. */
export interface Receipt {
  v: 1;
  rawKey: string;
  processedSeconds: number;
  outcomes: ReceiptOutcome[];
}

/** Something that could not become data, with its reason; nothing accepted is ever dropped. */
export interface DeadLetter {
  v: 1;
  id: string;
  reason: Problem;
  stage: "ingest" | "read" | "registry" | "write" | "queue";
  /** Deliveries used up. */
  attempts: number;
  /** When it was filed, ISO 8601. */
  at: string;
  account: string;
  rua: string;
  /** Policy domain where the document told it. */
  domain: string;
  rawKey: string;
  part: string;
  /** The queue message, whatever it was. */
  message: unknown;
  /** The last error of a platform fault. */
  lastError?: string;
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

/** Key of the receipt of a raw object. The two sort alike, so that one listing can be compared with the other. */
export function receiptKey(raw: string): string {
  return RECEIPT_PREFIX + raw.slice(RAW_PREFIX.length);
}

/** The raw key a receipt key belongs to. */
export function rawKeyOfReceipt(receipt: string): string {
  return RAW_PREFIX + receipt.slice(RECEIPT_PREFIX.length);
}

/** Key of a report in the ledger. */
export function reportKey(account: string, domain: string, beginSeconds: number, uid: string): string {
  return `${REPORT_PREFIX}${safeSegment(account)}/${safeSegment(domain)}/${isoDate(beginSeconds)}/${uid}.json`;
}

/** Key of a dead letter, filed under the day its mail arrived, so that a redelivery meets the same key. */
export function deadLetterKey(receivedSeconds: number, id: string): string {
  return `${DEAD_LETTER_PREFIX}${datePath(receivedSeconds)}/${id}.json`;
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
    .replace(/^[._]+|[._]+$/g, "");
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
    received: String(metadata.receivedSeconds),
    name: metadataText(metadata.fileName),
    type: metadataText(metadata.mimeType),
  };
}

/** Reads back what buildRawMetadata wrote; missing fields become empty or 0. */
export function parseRawMetadata(metadata: Record<string, string> | undefined): RawMetadata {
  const read = (name: string): string => decodeMetadataText(metadata?.[name] ?? "");
  const received = Number(metadata?.received ?? "0");
  return {
    rua: read("rua"),
    sender: read("sender"),
    receivedSeconds: Number.isFinite(received) ? received : 0,
    fileName: read("name"),
    mimeType: read("type"),
  };
}

/** One path segment: lower-case letters, digits, `.`, `_`, `-`; anything else percent-encoded; at most 255 bytes. */
function safeSegment(text: string): string {
  const encoded = encodeURIComponent(text.toLowerCase().toWellFormed())
    .replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
  return encoded === "" ? "_" : encoded.slice(0, 255);
}

// Percent-encoding keeps non-ASCII and control characters out of HTTP headers.
function metadataText(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("%40", "@").slice(0, STORAGE_LIMITS.maxMetadataValueBytes);
}

// A value that was cut may end inside an escape; that end is dropped.
function decodeMetadataText(text: string): string {
  for (let end = text.length; end >= text.length - 12 && end >= 0; end--) {
    try {
      return decodeURIComponent(text.slice(0, end));
    } catch {
      // Try one character less.
    }
  }
  return "";
}
