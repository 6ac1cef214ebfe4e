/**
 * The layout of the R2 bucket: every key and every stored shape. Pure: it builds and reads keys, it never touches R2.
 *
 *   raw/YYYY/MM/DD/<sha256>/<file name>                       what came in, exactly; create-only
 *   reports/<account>/<policy domain>/<YYYY-MM-DD>/<uid>.json  ledger: one report
 *   receipts/YYYY/MM/DD/<sha256>/<file name>                  what became of the raw object of the same name (JSON)
 *   dead-letters/YYYY/MM/DD/<id>.json                         what could not be read or processed, and why
 *   conflicts/YYYY/MM/DD/<id>.json                            another version of an accepted report, by its begin
 *   jobs/<id>.json                                            a reprocess or reconcile job and how far it is
 *   faults/<sha256 of the message>.json                       last error of a message that is being retried
 *   pending/YYYY/MM/DD/<sha256>/<file name>                   receipt that waits for the slices of its reports
 *   slices/<uid>/<generation>/<slice>                         mark of a slice of points that has been dealt with
 */

import { STORAGE_LIMITS } from "./limits.ts";
import type { Problem } from "./report/problems.ts";
import type { Report } from "./report/vocabulary.ts";

export const RAW_PREFIX = "raw/";
export const RECEIPT_PREFIX = "receipts/";
export const REPORT_PREFIX = "reports/";
export const DEAD_LETTER_PREFIX = "dead-letters/";
export const CONFLICT_PREFIX = "conflicts/";
export const JOB_PREFIX = "jobs/";
export const FAULT_PREFIX = "faults/";
export const PENDING_PREFIX = "pending/";
export const SLICE_PREFIX = "slices/";

/** The name under which a mail is stored whole. */
export const WHOLE_MAIL_NAME = "message.eml";

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
  /** Objects that the mail was taken apart into, this one included: they share what one mail may cost. */
  objectsOfMail: number;
}

/** Who sent a mail, as it says itself. */
export type MailOrigin = Pick<RawMetadata, "sender" | "from" | "subject" | "messageId">;

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
  /** Points in the dataset of its kind. */
  pointCount: number;
  /** Most points any generation had: those from `pointCount` on are stale, and covered by points that count nothing. */
  highestPointCount: number;
  /** Content hashes of other versions a person decided against: met again, they count as duplicates. */
  refusedHashes: string[];
  /** Run again, the object no longer gave this report: its points count nothing, and the next claim takes it over. */
  retracted?: true;
  receivedSeconds: number;
  processedSeconds: number;
  /** Everything the report says but its records. */
  report: Report;
}

/** What became of one report or one part of a raw object. `discarded`: a person, or a setting, decided against it. */
export interface ReceiptOutcome {
  outcome: "accepted" | "duplicate" | "conflict" | "dead_letter" | "discarded";
  /** Report uid (accepted, duplicate), or the id of the dead letter or conflict. */
  id: string;
  part: string;
  /** R2 key of the ledger entry, dead letter or conflict; "" where there is none. */
  key: string;
}

/** Says that a raw object has been dealt with; reconcile enqueues raw objects that have none. */
export interface Receipt {
  v: 1;
  rawKey: string;
  generation: number;
  processedSeconds: number;
  outcomes: ReceiptOutcome[];
  /** The raw object was removed after its facts were stored (setting `failureReports`). */
  rawRemoved?: true;
}

/** How many slices of points a report was cut into. */
export interface SliceCount {
  reportUid: string;
  generation: number;
  slices: number;
}

/** A receipt that is due when every slice has been written or filed as a dead letter. */
export interface PendingReceipt {
  v: 1;
  receipt: Receipt;
  awaited: SliceCount[];
  /** How often the slices were looked for; only the message that says the same looks next. */
  tries: number;
}

/** Something that could not become data, with its reason; nothing accepted is ever dropped. */
export interface DeadLetter {
  v: 1;
  /** `<YYYYMMDD>-<hash>`: the day it is filed under, and what failed. */
  id: string;
  reason: Problem;
  stage: "read" | "queue";
  /** Deliveries used up. */
  attempts: number;
  /** When it was filed, ISO 8601. */
  at: string;
  account: string;
  rua: string;
  /** Policy domain where the document told it. */
  domain: string;
  /** "" for a message that names no raw object. */
  rawKey: string;
  part: string;
  generation: number;
  /** When the mail arrived, seconds since 1970 UTC; when the message was sent, if it names no mail. */
  receivedSeconds: number;
  /** The queue message, whatever it was. */
  message: unknown;
  /** Of a message that ran out of retries: its last error, or that none was left behind. */
  lastError?: string;
}

/** What a person needs to tell two versions of a report apart. */
export interface ReportVersion {
  rawKey: string;
  part: string;
  contentHash: string;
  receivedSeconds: number;
  records: number;
  messages: number;
  /** Of the mail that brought it; absent where the raw object is gone, or the conflict is older than this field. */
  mail?: MailOrigin;
}

/** A report with the identity of an accepted one and other content: kept until a person accepts or discards it. */
export interface Conflict {
  v: 1;
  /** `<YYYYMMDD>-<hash>`. */
  id: string;
  /** When it was filed, ISO 8601. */
  at: string;
  account: string;
  rua: string;
  domain: string;
  reporter: string;
  reportId: string;
  uid: string;
  generation: number;
  /** R2 key of the report that was accepted, in the ledger. */
  ledgerKey: string;
  accepted: ReportVersion;
  other: ReportVersion;
}

/** Which raw objects a job is about; all fields given must hold. Days are `YYYY-MM-DD`, UTC, when the mail arrived. */
export interface JobFilter {
  /** One raw key. */
  key?: string | undefined;
  /** Start of raw keys, such as `raw/2026/11/`. */
  prefix?: string | undefined;
  /** Policy domain: reports accepted about it, found by the ledger. */
  domain?: string | undefined;
  /** First and last day, both included. */
  since?: string | undefined;
  until?: string | undefined;
}

/** A job that goes through R2 a page a message: how far it is. */
export interface Job {
  v: 1;
  id: string;
  kind: "reprocess" | "reconcile";
  filter: JobFilter;
  dryRun: boolean;
  /** Written to every point of a report it runs again: the second the job was started. */
  generation: number;
  state: "running" | "done";
  /** Pages finished. */
  pages: number;
  /** Where the next page begins; "" = at the start. */
  cursor: string;
  /** Keys looked at, and reports enqueued (of a dry run: that would be). */
  scanned: number;
  enqueued: number;
  startedSeconds: number;
  updatedSeconds: number;
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
 * The name of a raw object whose content came to another address before: each address has an object of its own, so that
 * what became of it can be told for each.
 *
 * @param ruaHash hash of the address, hex
 */
export function fileNameForAddress(ruaHash: string, fileName: string): string {
  return `${ruaHash.slice(0, 16)}-${safeFileName(fileName)}`;
}

/** Key of the receipt of a raw object. The two sort alike, so that one listing can be compared with the other. */
export function receiptKey(raw: string): string {
  return RECEIPT_PREFIX + raw.slice(RAW_PREFIX.length);
}

/** Key of the receipt of a raw object that waits for slices. */
export function pendingKey(raw: string): string {
  return PENDING_PREFIX + raw.slice(RAW_PREFIX.length);
}

/** Prefix of the marks of one report's slices in one generation. */
export function slicePrefix({ reportUid, generation }: Pick<SliceCount, "reportUid" | "generation">): string {
  return `${SLICE_PREFIX}${reportUid}/${generation}/`;
}

/** Key of the mark of one slice. */
export function sliceKey(place: Pick<SliceCount, "reportUid" | "generation"> & { slice: number }): string {
  return `${slicePrefix(place)}${String(place.slice).padStart(6, "0")}`;
}

/** The raw key a receipt key belongs to. */
export function rawKeyOfReceipt(receipt: string): string {
  return RAW_PREFIX + receipt.slice(RECEIPT_PREFIX.length);
}

/** Key of a report in the ledger. */
export function reportKey(account: string, domain: string, beginSeconds: number, uid: string): string {
  return `${REPORT_PREFIX}${safeSegment(account)}/${safeSegment(domain)}/${isoDate(beginSeconds)}/${uid}.json`;
}

/** Key of a dead letter; its id tells the day. */
export function deadLetterKey(id: string): string {
  return `${DEAD_LETTER_PREFIX}${dayOfId(id)}/${id}.json`;
}

/** Key of a conflict; its id tells the day. */
export function conflictKey(id: string): string {
  return `${CONFLICT_PREFIX}${dayOfId(id)}/${id}.json`;
}

/** Key of a job. */
export function jobKey(id: string): string {
  return `${JOB_PREFIX}${id}.json`;
}

/** Key of the last error of a message; `hash` is that of its body, which is the same in whatever queue it is. */
export function faultKey(hash: string): string {
  return `${FAULT_PREFIX}${hash}.json`;
}

/** Whether a text has the form of a dead letter's or conflict's id. */
export function isDatedId(id: string): boolean {
  return /^\d{8}-[0-9a-f]{24}$/.test(id);
}

/** An id that begins with a day, so that its key can be told from it. */
export function datedId(day: string, hash: string): string {
  return `${day.replaceAll(/\D/g, "")}-${hash.slice(0, 24)}`;
}

/** `YYYY/MM/DD` a raw object is filed under; undefined when the key is none of ours. */
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

function dayOfId(id: string): string {
  return `${id.slice(0, 4)}/${id.slice(4, 6)}/${id.slice(6, 8)}`;
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
    from: metadataText(metadata.from),
    subject: metadataText(metadata.subject),
    messageid: metadataText(metadata.messageId),
    received: String(metadata.receivedSeconds),
    name: metadataText(metadata.fileName),
    type: metadataText(metadata.mimeType),
    parts: String(metadata.objectsOfMail),
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
    objectsOfMail: Number.isInteger(parts) && parts > 0 ? parts : 1,
  };
}

/** One path segment: lower-case letters, digits, `.`, `_`, `-`; anything else percent-encoded; at most 255 bytes. */
export function safeSegment(text: string): string {
  const encoded = encodeURIComponent(text.toLowerCase().toWellFormed())
    .replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/^\.+$/, (dots) => "%2E".repeat(dots.length));
  return encoded === "" ? "_" : encoded.slice(0, 255);
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
