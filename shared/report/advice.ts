/** What a person can do about a problem: a sentence for each code, and for each format that is not read. */
import { type ContentType, FORMAT_NAMES } from "../sniff.ts";
import type { FileFacts, ProblemCode } from "./problems.ts";

/** code → what to do; docs/problems.md shows the same. */
const FILE_ADVICE: Record<ProblemCode, string> = {
  not_a_report:
    "Usually right: covering letters, pictures and spam also reach the address. If it is a report, the detail " +
    "says what its bytes look like; file an issue with the file.",
  empty: "Nothing to do. If a reporter always sends empty files, tell it.",
  truncated:
    "Ask the reporter to send it again; it was cut off on the way. None of it was counted: a report counts whole or not at all.",
  corrupt_archive:
    "Ask the reporter to send it again. Checksums, sizes and the zip directory are all verified, and entries that share data are refused.",
  encrypted_archive: "Ask the reporter to send it without a password. Passwords are never tried.",
  unsupported_compression: "Ask the reporter for gzip, or zip with deflate.",
  unsupported_format:
    "Unpack it or take the report out of it, and send that; ask the reporter for gzip or zip. The dead letter " +
    "says what to do with each format.",
  delivery_notice:
    "Nothing to do: it says that a sent mail could not be delivered, or it is an automatic reply. If a reporter " +
    "sends its reports this way, take the report out and send it as an attachment.",
  too_large:
    "The detail names the limit. Real reports stay far below all of them (docs/limits.md); raise one in " +
    "`shared/limits.ts` only for a report you trust, then retry it.",
  too_many_entries: "Unpack the archive and send the reports one by one, if they are real.",
  too_many_parts: "The same, for a mail: send its attachments in several mails.",
  too_deep:
    "Unwrap it and send it again, if it is real. Two nested archives are read (`.gz.gz`, gzip in zip, zip in " +
    "gzip), and twenty nested mails or multiparts.",
  doctype_refused:
    "Nothing to do: it is an attack or a broken sender. Entities are never expanded, nothing is ever fetched.",
  malformed_xml:
    "The detail says where the structure breaks. What can be repaired without guessing is repaired, with a warning; this could not be.",
  malformed_json: "Ask the reporter to send it again.",
  malformed_mail: "Take the report out of the mail and run `dmarc parse` on it, or send it again as an attachment.",
  missing_domain: "Nothing to do: a report about no domain cannot be counted for one.",
  missing_dates:
    "Nothing to do: a report without a period cannot be placed on a day. The detail shows what was there. Times " +
    "before 1970-01-02 or after 2100 are not accepted, nor, in XML, milliseconds.",
  implausible_period:
    "Nothing to do: it is made up, or its reporter's clock is wrong. Daily, weekly and monthly reports are " +
    "accepted: up to 35 days, and two days ahead for clocks and time zones. `dmarc parse` shows one that is only " +
    "too long, with a warning.",
  unusable_records:
    "The detail says what is wrong with the last of them. Up to a thousand are skipped, each with a warning.",
  no_metadata: "Nothing to do: the document has the root of a report but none of its content.",
  foreign_domain:
    "If the domain is yours, add it to `domains` of the address in the registry and retry the dead letter. If " +
    "not, your address is misused, or a former customer's domain still names it.",
  too_large_for_plan:
    "It is kept but not counted, and `dmarc import` does not change that. Deploy on the Workers Paid plan (`npm " +
    "run deploy -- --plan paid`) and retry the dead letter. Until then, `dmarc parse` shows the content of its " +
    "file on your machine. docs/deploy.md says what the free plan accepts.",
  over_budget:
    "It is kept but not counted. If the reports are real, retry the dead letter: that lifts the limit for it. " +
    "The limits are `ADDRESS_RECORDS_PER_DAY`, `ACCOUNT_RECORDS_PER_DAY` and `REPORTER_REPORTS_PER_DAY` in " +
    "wrangler.process.toml (docs/authentication.md).",
  day_closed:
    "Nothing to do: the details of that day were removed because of their age, and a sum cannot be corrected without them.",
  conflict:
    "Compare both in the dashboard or with `dmarc parse`: the first stays counted. Some reporters reuse ids for " +
    "other content, but a forgery looks the same.",
  unregistered_rua: "Register the address again and retry the dead letter, or leave it.",
  missing_object: "The object was removed from R2, by hand or by a lifecycle rule. Nothing can be read again.",
  invalid_message:
    "A message from an older or newer version, or one sent by hand. Deploy the Workers of one version, then reprocess the raw key.",
  too_many_problems:
    "The detail counts them by code, most frequent first; `dmarc parse` on one of them says more. The rest of the object was counted.",
  retries_exhausted:
    "Look at the error kept with it. If it was a platform fault that is over, retry it: nothing is counted twice.",
};

const UNPACK = "Unpack it, and send the reports in it; ask the reporter for gzip or zip.";
const SAVE_AS_EML = "Save the mail as .eml (not .msg), or take the report out of it, and send that as an attachment.";
const TAKE_OUT = "If a report is in it, take it out and send it as an attachment; otherwise discard it.";

/** format → what to do, if there is better advice than for the code. */
const FORMAT_ADVICE: Partial<Record<ContentType, string>> = {
  ole: SAVE_AS_EML,
  tnef: "Ask the sender for mail in HTML or plain text instead of rich text, or take the report out of it and send that.",
  sevenZip: UNPACK,
  rar: UNPACK,
  bzip2: UNPACK,
  xz: UNPACK,
  lzma: UNPACK,
  lzip: UNPACK,
  lz4: UNPACK,
  zstd: UNPACK,
  compress: UNPACK,
  cab: UNPACK,
  arj: UNPACK,
  tar: UNPACK,
  pdf: TAKE_OUT,
  office: TAKE_OUT,
  rtf: TAKE_OUT,
  pgp: "Decrypt it, and send the report in it; ask the reporter not to encrypt.",
  yenc: "Ask the sender to attach it in base64, as mail programs do, or take it out and send it as an attachment.",
  utf32: "Save it in UTF-8, and send that; ask the reporter for UTF-8.",
  smime: "Decrypt it or save its content in your mail program, and send the report in it.",
  garbled:
    "It cannot be undone: a program on the way took the file for text. Ask the sender for it again, or take it from where it was before.",
  external:
    "The mail only says where the file is; nothing is fetched. Get it from there and send it as an attachment, or ask the sender to attach it.",
  fragment:
    "A program sent one mail in several (message/partial). Put them together, or ask the sender to send it whole.",
  program: "Do not open it. No reporter sends programs; discard it.",
};

/** What to do about a problem with a file. */
export function adviceOf(code: ProblemCode, file?: FileFacts): string {
  const ofFormat = file?.format === undefined ? undefined : FORMAT_ADVICE[file.format];
  return code === "unsupported_format" ? (ofFormat ?? FILE_ADVICE[code]) : FILE_ADVICE[code];
}

/** A file in one line: its name, declared type, and actual format. */
export function describeFile({ name, mimeType, format, sizeBytes }: FileFacts): string {
  return [
    name === "" ? "a part without a name" : name,
    ...(format === undefined ? [] : [FORMAT_NAMES[format]]),
    ...(mimeType === "" ? [] : [`declared as ${mimeType}`]),
    ...(sizeBytes === undefined ? [] : [`${sizeBytes} bytes`]),
  ].join(", ");
}
