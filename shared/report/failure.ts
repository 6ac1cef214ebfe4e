/**
 * Failure reports (RFC 6591, RFC 9991; container RFC 5965): domain-level facts only. Full addresses, subjects and content
 * are personal data and never leave this file.
 */
import type { ExtractedMail } from "../mail/extract.ts";
import { canonicalIp, normalizeDomain, parseDate } from "./values.ts";
import type { FailureReport } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";

/** A report without what the reader of bytes adds. */
export type FailureBody = Omit<FailureReport, "contentHash" | "warnings" | "omittedWarnings">;

/** Header fields by lower-case name, first one first. */
type Fields = Map<string, string[]>;

/** Sentence of gateways (Exim) that send the facts as plain text with no feedback part. */
const PLAIN_TEXT_REPORT = /failed the published DMARC\s+policy for your domain/i;

/**
 * Reads the failure report in a mail.
 *
 * @returns undefined when the mail is none: no feedback part and no known plain text, or feedback of another type
 *   (abuse, opt-out …)
 */
export function readFailure(mail: ExtractedMail, warnings: WarningLog): FailureBody | undefined {
  if (mail.feedback !== undefined) return readFeedback(mail.feedback, warnings);
  return PLAIN_TEXT_REPORT.test(mail.text) ? readPlainText(mail.text, warnings) : undefined;
}

function readFeedback(
  { fields: text, originalHeader }: { fields: string; originalHeader: string },
  warnings: WarningLog,
): FailureBody | undefined {
  const fields = parseFields(text);
  const authFailure = firstWord(field(fields, "auth-failure"));
  if (field(fields, "feedback-type").toLowerCase() !== "auth-failure" && authFailure === "") return undefined;
  const original = parseFields(originalHeader);
  if (authFailure === "") warnings.add("missing_value", "Auth-Failure", "");
  const headerFrom = domainOf(field(original, "from"));
  const reportedDomain = normalizeDomain(field(fields, "reported-domain")) || headerFrom;
  if (field(fields, "reported-domain") === "") warnings.add("missing_value", "Reported-Domain", "From is used");
  const arrival = field(fields, "arrival-date") || field(fields, "received-date");
  return {
    kind: "failure",
    reportedDomain,
    sourceIp: readIp(field(fields, "source-ip"), warnings),
    authFailure,
    ...readArrival(arrival),
    deliveryResult: firstWord(field(fields, "delivery-result")),
    identityAlignment: field(fields, "identity-alignment").toLowerCase(),
    dkimDomain: normalizeDomain(field(fields, "dkim-domain")),
    dkimSelector: field(fields, "dkim-selector"),
    spfDomain: normalizeDomain(/^txt\s*:\s*([^\s:]+)/i.exec(field(fields, "spf-dns"))?.[1] ?? ""),
    mailFromDomain: domainOf(field(fields, "original-mail-from")),
    reportingMta: field(fields, "reporting-mta").replace(/^dns\s*;\s*/i, ""),
    incidents: readIncidents(field(fields, "incidents")),
  };
}

// "A message claiming to be from you has failed the published DMARC policy for your domain." and `Name: value` lines.
function readPlainText(text: string, warnings: WarningLog): FailureBody {
  const fields = parseFields(text.replace(/^[ \t>*-]+/gm, ""));
  warnings.add("missing_value", "message/feedback-report", "facts taken from the text");
  const from = field(fields, "from") || field(fields, "header-from") || field(fields, "sender domain");
  const reportedDomain = domainOf(from) || normalizeDomain(field(fields, "domain"));
  return {
    kind: "failure",
    reportedDomain,
    sourceIp: readIp(
      field(fields, "sending ip address") || field(fields, "source-ip") || field(fields, "sender ip address"),
      warnings,
    ),
    authFailure: "dmarc",
    ...readArrival(field(fields, "received-date") || field(fields, "arrival-date") || field(fields, "date")),
    deliveryResult: "",
    identityAlignment: "",
    dkimDomain: "",
    dkimSelector: "",
    spfDomain: "",
    mailFromDomain: "",
    reportingMta: "",
    incidents: 1,
  };
}

function parseFields(text: string): Fields {
  const fields: Fields = new Map();
  for (const line of text.replace(/\r?\n[ \t]+/g, " ").split(/\r?\n/)) {
    const match = /^([!-9;-~][ !-9;-~]*?)\s*:\s*(.*)$/.exec(line);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined) continue;
    const key = name.toLowerCase();
    fields.set(key, [...(fields.get(key) ?? []), value.trim()]);
  }
  return fields;
}

function field(fields: Fields, name: string): string {
  return fields.get(name)?.[0] ?? "";
}

/** First word, without RFC 5322 comments. */
function firstWord(text: string): string {
  return (
    text
      .replace(/\([^)]*\)/g, "")
      .trim()
      .split(/[\s;]/, 1)[0] ?? ""
  ).toLowerCase();
}

/** Domain of the last address in a header field. */
function domainOf(text: string): string {
  return normalizeDomain(/@([^\s<>@,;"]+)>?[^@]*$/.exec(text)?.[1] ?? "");
}

// Some reporters write more than the address: `192.0.2.1 (mx.example)`.
function readIp(raw: string, warnings: WarningLog): string {
  const address = raw.split(/[\s,;(]/, 1)[0] ?? "";
  const canonical = canonicalIp(address);
  if (canonical === null) warnings.add(raw === "" ? "missing_value" : "invalid_value", "Source-IP", raw);
  return canonical ?? "";
}

function readArrival(raw: string): { arrivalSeconds: number | null; arrivalDate: string } {
  return { arrivalSeconds: parseDate(raw.replace(/\s*\([^)]*\)\s*$/, "")), arrivalDate: raw };
}

// RFC 5965 section 3.2: the number of incidents one report stands for, default 1.
function readIncidents(raw: string): number {
  return /^\d{1,9}$/.test(raw) ? Math.max(1, Number(raw)) : 1;
}
