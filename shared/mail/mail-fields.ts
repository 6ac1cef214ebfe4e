/** The header fields of a mail that matter for finding reports in it. Pure. */

import { decodeHeaderText } from "./header.ts";

/** The relevant fields of a mail's header. */
export interface MailFields {
  /** TLS-Report-Domain (RFC 8460 section 5.3), "" if there is none. */
  tlsReportDomain: string;
  /** Whether a mail server or program wrote it about another mail: recognises bounces without MIME structure. */
  isNotice: boolean;
}

const NAMES = new Set([
  "from",
  "subject",
  "return-path",
  "auto-submitted",
  "x-failed-recipients",
  "x-autoreply",
  "tls-report-domain",
]);
/** Ours: characters in which the colon of a field is looked for, and characters kept of a value. */
const MAX_NAME_CHARS = 40;
const MAX_VALUE_CHARS = 1000;

/** Reads the fields from the text of a header. */
export function readMailFields(header: string): MailFields {
  const fields = fieldsOf(header);
  const value = (name: string): string => fields.get(name) ?? "";
  return { tlsReportDomain: value("tls-report-domain"), isNotice: isNotice(value) };
}

// Lines are split by position: a regular expression could be quadratic on a hostile line.
function fieldsOf(header: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current = "";
  for (const line of header.split(/\r?\n/)) {
    if (line.startsWith(" ") || line.startsWith("\t")) {
      const before = fields.get(current);
      if (before !== undefined) fields.set(current, `${before}${line}`.slice(0, MAX_VALUE_CHARS));
      continue;
    }
    const colon = line.slice(0, MAX_NAME_CHARS).indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).trim().toLowerCase();
    current = NAMES.has(name) && !fields.has(name) ? name : "";
    if (current !== "") fields.set(current, line.slice(colon + 1, MAX_VALUE_CHARS).trim());
  }
  return fields;
}

const DAEMON = /\bmailer-daemon@|^\s*"?(?:mail delivery (?:sub)?system|mailer-daemon)\b/i;
const DAEMON_OR_POSTMASTER = /\b(?:mailer-daemon|postmaster)\b|mail delivery/i;
const RETURNED =
  /^\s*(?:(?:re|fwd?|wg|aw):\s*)*(?:undeliver|undelivered|delivery (?:status notification|failure|has failed|incomplete)|mail delivery (?:failed|failure|system)|mail system error|returned mail|failure notice|mail could not be delivered|message delivery failure|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|out of (?:the )?office|unzustellbar|mail undeliverable)/i;

/** What Hotmail sends to a sender whose mail a person called spam: the mail itself, without any fields of feedback. */
const COMPLAINT = /^\s*complaint about message from\s/i;

/** The subject of a report (RFC 7489 section 7.2.1.1, RFC 9990 section 3.5.2, RFC 8460 section 5.3), as some write it. */
const REPORT_SUBJECT = /^\s*(?:\[[^\]]{0,40}\]\s*){0,3}(?:dmarc\s+)?(?:aggregate\s+)?report\s+domain:/i;
/** That of those who name it in their own words. */
const NAMED_REPORT = /^[^:]{0,60}\b(?:dmarc|tls)\b/i;
/**
 * REPORT_SUBJECT after a word of any language, which a mail server puts before what it returns. A person forwards, and a gateway
 * tags what comes from outside: neither is a notice.
 */
const RETURNED_REPORT = /^[^:]{2,60}:\s{0,9}report\s+domain:/i;
const FORWARDED = /^\s*(?:re|fwd?|wg|aw|tr|rv|i|enc|vs|vb|doorst)\s*:/i;
const TAGGED = /^[^:]{0,60}\b(?:ext|extern\w{0,3}|spam|junk|bulk|caution|warning|suspicious)\b[^:]{0,40}:/i;

/** What gateways put before any subject, that of a returned mail too. */
const TAGS = /^\s*(?:\[[^\]]{0,40}\]\s*){1,3}/;
/** What says so anywhere before the name of a domain. */
const UNDELIVERED = /undeliver|\bnot (?:be |been )?delivered|nicht zugestellt/i;
const NAMES_DOMAIN = /\breport\s+domain:/i;

/** Whether a subject without tags says that a mail is returned, or answered by a program. */
function saysReturned(untagged: string): boolean {
  return RETURNED.test(untagged) || UNDELIVERED.test(untagged.split(NAMES_DOMAIN, 1)[0] ?? "");
}

/** Without those whose mail is returned: many take reports at dmarc@, or below a host of that name. */
function withoutAddresses(subject: string): string {
  const words = subject.split(" ");
  return words.filter((word) => !word.includes("@")).join(" ");
}

/** RFC 3834 and common signs of bounces; a single one may also occur in a report mail, which programs send as well. */
function isNotice(value: (name: string) => string): boolean {
  if (value("x-failed-recipients") !== "") return true;
  const subject = decodeHeaderText(value("subject"));
  if (COMPLAINT.test(subject)) return true;
  // Some reporters send as MAILER-DAEMON; a returned mail has another subject.
  const untagged = subject.replace(TAGS, "");
  const isReturnedMail = saysReturned(untagged);
  const isTagged = !isReturnedMail && RETURNED_REPORT.test(subject) && TAGGED.test(subject);
  const isReport = isTagged || (!isReturnedMail && REPORT_SUBJECT.test(subject));
  const isNamed = (): boolean => !isReturnedMail && NAMED_REPORT.test(withoutAddresses(untagged));
  if (!isReport && (value("x-autoreply") !== "" || (DAEMON.test(value("from")) && !isNamed()))) return true;
  const isReply = /^\s*auto-replied\b/i.test(value("auto-submitted"));
  const isReturned = /^\s*<\s*>/.test(value("return-path")) || DAEMON_OR_POSTMASTER.test(value("from"));
  const isReturnedReport = RETURNED_REPORT.test(subject) && !FORWARDED.test(subject) && !isTagged;
  return (isReply || isReturned) && (isReturnedMail || isReturnedReport);
}
