/** What makes two deliveries the same report, and two failures the same dead letter: stable ids from their content. */
import type { ReportHeader } from "./report-header.ts";
import { datedId, isoDate } from "./storage.ts";

/**
 * The uid of a report in an account: (account, kind, reporter, report id, domains, begin, end), each normalised. Ids are
 * compared whole, without one pair of angle brackets: `2940` of two reporters, or of two days, are two reports.
 *
 * @param contentHash what stands for the id of a failure report, which has none: the same content is the same report
 * @returns 32 hex digits
 */
export async function reportUid(account: string, header: ReportHeader, contentHash: string): Promise<string> {
  const { kind, reporterKey, reportId, domains, beginSeconds, endSeconds } = header;
  const id = kind === "failure" ? contentHash : normalizeId(reportId);
  return hashId([account, kind, ...reporterKey.map(normalize), id, ...domains, beginSeconds, endSeconds]);
}

/** The uid of another version of a report that a person lets count as a report of its own. */
export async function versionUid(uid: string, contentHash: string): Promise<string> {
  return hashId(["version", uid, contentHash]);
}

/** Id of an event about a part of a raw object, such as `duplicate`: told again, it is the same event. */
export async function eventId(rawKey: string, part: string, outcome: string): Promise<string> {
  return hashId(["event", rawKey, part, outcome]);
}

/**
 * Id of what cannot become data: the same part of the same object failing for the same reason is one dead letter, filed
 * under the day the object arrived.
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
 * Id of another version of an accepted report, filed under the day the report begins: however often and to whichever
 * address of the account it comes, it is one conflict.
 */
export async function conflictId(beginSeconds: number, uid: string, contentHash: string): Promise<string> {
  return datedId(isoDate(beginSeconds), await hashId(["conflict", uid, contentHash]));
}

/** Id of an incident: what a rule finds of the same subject is the same one, from the day it was opened. */
export async function incidentId(
  openedSeconds: number,
  { account, domain, rule, subject }: { account: string; domain: string; rule: string; subject: string },
): Promise<string> {
  return datedId(isoDate(openedSeconds), await hashId(["incident", account, domain, rule, subject]));
}

/** Id of the event that a slice of points was written. */
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
  return text.trim().toLowerCase();
}

function normalizeId(id: string): string {
  return id.trim().replace(/^<(.*)>$/, "$1");
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
