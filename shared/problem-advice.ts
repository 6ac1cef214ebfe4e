/** What to do about a dead letter, by its reason: one or two sentences for people. docs/problems.md says more. Pure. */
import type { ProblemCode } from "./report/problems.ts";

const ASK_AGAIN = "Ask the reporter to send it again, then discard this.";
const NOTHING = "Nothing to do: discard it.";

/** code → what to do. */
export const DEAD_LETTER_ADVICE: Record<ProblemCode, string> = {
  not_a_report: "Discard it. If it is a report, file an issue with the unchanged file.",
  empty: NOTHING,
  truncated: ASK_AGAIN,
  corrupt_archive: ASK_AGAIN,
  encrypted_archive: "Ask the reporter to send it without a password; passwords are never tried.",
  unsupported_compression: "Ask the reporter for gzip, or zip with deflate.",
  unsupported_format: "If it is a report, send its content as XML, JSON, gzip or zip; otherwise discard it.",
  delivery_notice: "Nothing to do: it is not a report but a notice about a mail sent in your name. Discard it.",
  too_large: "If you trust it, raise the limit that the sentence names and retry it; otherwise discard it.",
  too_many_entries: "If they are real, unpack the archive and send the reports one by one.",
  too_many_parts: "If they are real, send its attachments in several mails.",
  too_deep: "If it is real, unwrap it and send the report itself.",
  doctype_refused: "Nothing to do: it is an attack or a broken sender. Discard it.",
  malformed_xml: ASK_AGAIN,
  malformed_json: ASK_AGAIN,
  malformed_mail: "Take the report out of the mail and send it as an attachment.",
  missing_domain: "Nothing to do: a report about no domain cannot be counted. Discard it.",
  missing_dates: "Nothing to do: a report without a period cannot be placed on a day. Discard it.",
  implausible_period: "Nothing to do: it is made up, or its reporter's clock is wrong. Discard it.",
  unusable_records: ASK_AGAIN,
  no_metadata: "Nothing to do: it has the root of a report but none of its content. Discard it.",
  foreign_domain:
    "If the domain is yours, add it to the domains of the RUA address and retry this; otherwise discard it.",
  too_large_for_plan:
    "It is kept but not counted, imported or not. Deploy on the Workers Paid plan (npm run deploy -- --plan " +
    "paid) and retry this. Until then, `dmarc parse` shows what is in the downloaded file.",
  over_budget:
    "If the reports are real, retry this: then it counts regardless of the budget. If it is a flood, discard it.",
  day_closed: "Nothing to do: the sums of that day are final. Discard it.",
  conflict: "Compare both versions under Conflicts and decide which counts.",
  unregistered_rua: "Register the RUA address again and retry this, or discard it.",
  missing_object: "Nothing can be read again: the file was removed from R2. Discard it.",
  invalid_message: "Deploy the Workers of one version, then reprocess the file that the message names.",
  too_many_problems: "Look at one part with `dmarc parse`; retry it once its cause is gone, or discard it.",
  retries_exhausted: "Look at the last error. If the fault is over, retry this: nothing is counted twice.",
};

const ADVICE = new Map<string, string>(Object.entries(DEAD_LETTER_ADVICE));

/** What to do about a dead letter; after going back to an earlier version, there may be some that only the newer one knows. */
export function adviceOnDeadLetter(code: string): string {
  return (
    ADVICE.get(code) ?? "This version does not know the reason. Deploy the newer one that filed it, or discard it."
  );
}
