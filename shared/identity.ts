/** What makes two deliveries the same report, and two failures the same dead letter: stable ids from their content. */
import type { Report } from "./report/vocabulary.ts";
import { datedId, isoDate } from "./storage.ts";

/** The reporter of a report as stored and shown. */
export function reporterOf(report: Report): string {
  switch (report.kind) {
    case "aggregate":
      return report.metadata.orgName;
    case "tls":
      return report.orgName;
    case "failure":
      return report.reportingMta;
  }
}

/** The domain a report is about: the policy domain; of a TLS report with several, the first. */
export function domainOf(report: Report): string {
  switch (report.kind) {
    case "aggregate":
      return report.policy.domain;
    case "tls":
      return report.policies.find(({ policyDomain }) => policyDomain !== "")?.policyDomain ?? "";
    case "failure":
      return report.reportedDomain;
  }
}

/** Start of the period a report covers, seconds since 1970 UTC; 0 if it tells none. */
export function beginOf(report: Report): number {
  switch (report.kind) {
    case "aggregate":
      return report.metadata.beginSeconds;
    case "tls":
      return report.beginSeconds;
    case "failure":
      return report.arrivalSeconds ?? 0;
  }
}

/**
 * The uid of a report in an account: (account, reporter, report id, policy domain, begin, end), each normalised. Ids are
 * compared whole, without one pair of angle brackets: `2940` of two reporters, or of two days, are two reports.
 *
 * @returns 32 hex digits
 */
export async function reportUid(account: string, report: Report): Promise<string> {
  return hashId([account, report.kind, ...identityParts(report)]);
}

function identityParts(report: Report): (string | number)[] {
  switch (report.kind) {
    case "aggregate": {
      const { orgName, reportId, beginSeconds, endSeconds } = report.metadata;
      return [normalize(orgName), normalizeId(reportId), report.policy.domain, beginSeconds, endSeconds];
    }
    case "tls": {
      const { orgName, contactInfo, reportId, beginSeconds, endSeconds } = report;
      const reporter = contactInfo.slice(contactInfo.lastIndexOf("@") + 1) || orgName;
      return [normalize(reporter), normalizeId(reportId), beginSeconds, endSeconds];
    }
    // Failure reports have no id of their own: the same mail is the same report.
    case "failure":
      return [report.contentHash];
  }
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

/** Id of the event that a slice of points was written. */
export async function sliceEventId(place: { reportUid: string; generation: number; slice: number }): Promise<string> {
  return hashId(["slice", place.reportUid, place.generation, place.slice]);
}

/** Hash of a text, hex. */
export async function textHash(text: string): Promise<string> {
  return sha256Hex(new Uint8Array(new TextEncoder().encode(text)));
}

/** SHA-256 of bytes, hex. */
export async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

async function hashId(parts: (string | number)[]): Promise<string> {
  return (await textHash(JSON.stringify(parts))).slice(0, 32);
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
