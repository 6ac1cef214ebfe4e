/**
 * Why something could not be read: the closed list of problem codes. Each has one sentence for people, here, and an
 * entry in docs/problems.md (a test compares the two). A problem is a value, never thrown.
 */

/** code → what it means, in plain English. */
export const PROBLEM_MEANINGS = {
  not_a_report: "Nothing in it is a DMARC, failure or TLS report.",
  empty: "There is no content.",
  truncated: "The document ends before its end: part of the report is missing.",
  corrupt_archive: "The gzip or zip data is damaged.",
  encrypted_archive: "The zip archive is protected with a password.",
  unsupported_compression: "The zip archive uses a compression method other than deflate.",
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
  no_metadata: "The report has neither report_metadata nor policy_published.",
  foreign_domain: "The report is about a domain that this address does not accept reports for.",
  over_budget: "The records of one day from this address, or of its account, are more than the operator allows.",
  day_closed: "The report is about a day so long ago that its sums are final.",
  conflict: "A report with the same identity and other content was accepted before; this one is kept for a person.",
  unregistered_rua: "The address the report was sent to is not registered (any more).",
  missing_object: "The stored report is no longer in R2.",
  invalid_message: "A queue message does not have the agreed form.",
  retries_exhausted: "Processing failed on every attempt; the last error is kept with the message.",
} as const;

export type ProblemCode = keyof typeof PROBLEM_MEANINGS;

/** A reason for rejection: `code` for programs, `message` for people. */
export interface Problem {
  code: ProblemCode;
  message: string;
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

/** Text from a report made safe for one line of a message: nothing that acts on a screen, at most `maxChars`. */
export function cleanDetail(text: string, maxChars = 300): string {
  const cleaned = text
    .slice(0, maxChars * 4)
    .replace(ACTING, " ")
    .toWellFormed()
    .trim();
  return cleaned.length > maxChars ? `${cleaned.slice(0, maxChars).toWellFormed()}…` : cleaned;
}
