/**
 * Why something could not be read: the closed list of problem codes. Each has one sentence for people, here, and an
 * entry in docs/problems.md (a test compares the two). A problem is a value, never thrown.
 */
import type { ContentType } from "../sniff.ts";

/** code → what it means, in plain English. */
export const PROBLEM_MEANINGS = {
  not_a_report: "Nothing in it is a DMARC, failure or TLS report.",
  empty: "There is no content.",
  truncated: "The document is cut off: part of the report is missing.",
  corrupt_archive: "The gzip or zip data is damaged.",
  encrypted_archive: "The zip archive is protected with a password.",
  unsupported_compression: "The zip archive uses a compression method other than deflate.",
  unsupported_format: "The file is of a format that is not read; a report may be in it.",
  delivery_notice: "The mail is a notice about another mail: what it returns was sent from here, not reported to here.",
  too_large: "It is larger, once decompressed, than any real report.",
  too_many_entries: "The archive holds more files than any real archive of reports.",
  too_many_parts: "The mail holds more attachments than any real report mail.",
  too_deep: "Archives, mails or XML elements are nested deeper than in any real report.",
  doctype_refused: "The XML declares a document type or entities, which no report needs and attackers use.",
  malformed_xml: "The XML is damaged beyond safe repair.",
  malformed_json: "The JSON is damaged.",
  malformed_mail: "The mail's structure is damaged beyond reading.",
  missing_domain: "The report does not say which domain it is about (policy_published/domain).",
  missing_dates: "The report has no usable period (date_range/begin and end).",
  implausible_period: "The report's period ends after the report came, or is longer than that of any real report.",
  unusable_records: "More of the report's records cannot be used than of any real report.",
  no_metadata: "The report has neither report_metadata nor policy_published.",
  foreign_domain: "The report is about a domain that this address does not accept reports for.",
  too_large_for_plan:
    "The file is larger than what is read on the plan of Workers that this runs on (MAX_REPORT_BYTES).",
  over_budget:
    "The records of one day from this address or of its account, or the reports of one reporter to it, are more than the operator allows.",
  day_closed: "The report is about a day so long ago that its sums are final.",
  conflict:
    "A report with the same identity but different content was accepted before; a person decides which one counts.",
  unregistered_rua: "The address the report was sent to is not registered (any more).",
  missing_object: "The stored report is no longer in R2.",
  invalid_message: "A queue message does not have the agreed form.",
  too_many_problems: "It has more unreadable parts than are listed one by one.",
  retries_exhausted: "Processing failed on every attempt; the last error is kept with the message.",
} as const;

export type ProblemCode = keyof typeof PROBLEM_MEANINGS;

/** A reason for rejection: `code` for programs, `message` for people. */
export interface Problem {
  code: ProblemCode;
  message: string;
  /** Of too_many_problems: how often each reason occurred. */
  counts?: Partial<Record<ProblemCode, number>>;
}

/** What is known of a file, whatever became of it. */
export interface FileFacts {
  /** As the mail or archive names it; "" where it has no name. */
  name: string;
  /** As the mail declares it; "" where it does not. */
  mimeType: string;
  /** By its first bytes; undefined where it was refused before they were looked at. */
  format?: ContentType;
  /** undefined where it was not read to its end. */
  sizeBytes?: number;
}

/** A part that became no data, and why. */
export interface PartProblem {
  part: string;
  problem: Problem;
  /** The part as a file. */
  file?: FileFacts;
}

/**
 * The problems of one object as they are shown: one by one, or, beyond `most` of them, as one with counts by reason, the
 * most frequent first.
 */
export function gatherProblems(found: readonly PartProblem[], most: number): PartProblem[] {
  if (found.length <= most) return [...found];
  const byCode = new Map<ProblemCode, number>();
  for (const { problem } of found) byCode.set(problem.code, (byCode.get(problem.code) ?? 0) + 1);
  const sorted = [...byCode].sort(([, a], [, b]) => b - a);
  const counted = sorted.map(([code, count]) => `${count} ${code}`).join(", ");
  return [{ part: "", problem: { ...problem("too_many_problems", counted), counts: Object.fromEntries(sorted) } }];
}

/**
 * Builds a problem: the code's sentence, and what was seen here.
 *
 * @param detail figures or names of this case; control characters are removed and it is cut to 300 characters
 */
export function problem(code: ProblemCode, detail = ""): Problem {
  const seen = cleanDetail(detail);
  return { code, message: seen === "" ? PROBLEM_MEANINGS[code] : `${PROBLEM_MEANINGS[code]} (${seen})` };
}

// Controls, line separators, and marks that turn the writing direction or are not seen.
const ACTING = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;

// What JSON does not escape itself; of the controls it leaves only the line ends it writes between its members.
const ACTING_IN_JSON = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** JSON in which every character that acts on a screen is its escape: nothing is lost, and it reads back the same. */
export function escapeActing(json: string): string {
  return json.replace(ACTING_IN_JSON, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Text from a report made safe for one line of a message: nothing that acts on a screen, at most `maxChars`. */
export function cleanDetail(text: string, maxChars = 300): string {
  const cleaned = text
    .slice(0, maxChars * 4)
    .replace(ACTING, " ")
    .toWellFormed()
    .trim();
  return cleaned.length > maxChars ? `${cleaned.slice(0, maxChars).toWellFormed()}…` : cleaned;
}
