/**
 * Stable ids derived from content, so that two deliveries are recognised as one report, and two failures as one dead
 * letter.
 */
import type { ReportHeader } from "./report-header.ts";
import { datedId, isoDate } from "./storage.ts";

/**
 * The uid of a report in an account: (account, kind, reporter, report id, domains, begin, end), each normalised. Report
 * ids are compared as a whole, without one pair of angle brackets; `2940` from two reporters, or for two days, is two
 * reports.
 *
 * @param contentHash replaces the report id of a failure report, which has none
 * @returns 32 hex digits
 */
export async function reportUid(account: string, header: ReportHeader, contentHash: string): Promise<string> {
  const { kind, reporterKey, reportId, domains, beginSeconds, endSeconds } = header;
  const id = kind === "failure" ? contentHash : normalizeId(reportId);
  return hashId([account, kind, ...reporterKey.map(normalize), id, ...domains, beginSeconds, endSeconds]);
}

/** The uid of a version that a person decided to count as a separate report. */
export async function versionUid(uid: string, contentHash: string): Promise<string> {
  return hashId(["version", uid, contentHash]);
}

/** Id of an event about a part of a raw object, such as `duplicate`. Repeated events have the same id. */
export async function eventId(rawKey: string, part: string, outcome: string): Promise<string> {
  return hashId(["event", rawKey, part, outcome]);
}

/**
 * Id of a dead letter, beginning with the day the object arrived: the same part of the same object failing for the same
 * reason is one dead letter.
 *
 * @param day `YYYY/MM/DD` or `YYYY-MM-DD`
 */
export async function deadLetterId(
  day: string,
  { rawKey, part, code }: { rawKey: string; part: string; code: string },
): Promise<string> {
  return datedId(day, await hashId(["dead-letter", rawKey, part, code]));
}

/**
 * Id of a conflict, beginning with the day the report begins: another version of an accepted report is one conflict,
 * however often and at whichever address of the account it arrives.
 */
export async function conflictId(beginSeconds: number, uid: string, contentHash: string): Promise<string> {
  return datedId(isoDate(beginSeconds), await hashId(["conflict", uid, contentHash]));
}

/** Id of an incident: what a rule finds about the same subject is the same one, from the day it was opened. */
export async function incidentId(
  openedSeconds: number,
  { account, domain, rule, subject }: { account: string; domain: string; rule: string; subject: string },
): Promise<string> {
  return datedId(isoDate(openedSeconds), await hashId(["incident", account, domain, rule, subject]));
}

/** Id of the event for a written slice of points. */
export async function sliceEventId(place: { reportUid: string; generation: number; slice: number }): Promise<string> {
  return hashId(["slice", place.reportUid, place.generation, place.slice]);
}

/** SHA-256 of a text in UTF-8, hex. */
export async function sha256Text(text: string): Promise<string> {
  return sha256Hex(new Uint8Array(new TextEncoder().encode(text)));
}

/** SHA-256 of bytes, hex. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

async function hashId(parts: (string | number)[]): Promise<string> {
  return (await sha256Text(JSON.stringify(parts))).slice(0, 32);
}

function normalize(text: string): string {
  return text.trim().toLowerCase().replace(/\s+/g, " ");
}

/** A report id as it is compared: without one pair of angle brackets, any white space as one space. */
export function normalizeId(id: string): string {
  return id
    .trim()
    .replace(/\s+/g, " ")
    .replace(/^<(.*)>$/, "$1");
}

/** Bytes of hex digits, two each. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const HEX_OF_BYTES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes as lower-case hex digits. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_OF_BYTES[byte];
  return text;
}
