/**
 * A file that was found, and what it holds: read here, on the user's machine, so that only what may be a report is sent
 * anywhere. It opens only the given file.
 */
import { createHash } from "node:crypto";
import { noteAuthentication } from "../../shared/authentication/authentication-results.ts";
import { fieldValue, type HeaderField, readHeaderFields } from "../../shared/authentication/header-fields.ts";
import { AUTHENTICATION_LIMITS, IMPORT_LIMITS } from "../../shared/limits.ts";
import { cleanDetail, type ProblemCode } from "../../shared/report/problems.ts";
import { readReports } from "../../shared/report/read.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import { headerOf } from "../../shared/report-header.ts";
import { SNIFF_BYTES, sniff } from "../../shared/sniff.ts";

/** A file, or a mail of a mailbox. */
export interface FoundFile {
  /** For people: a path, or a mailbox and the mail in it. */
  origin: string;
  name: string;
  source: ByteSource;
  /** If it has not been read: the Blob to send it as. */
  blob(): Promise<Blob>;
}

/** What a file holds. */
export type Content =
  /** `domains` is empty where it is broken: the pipeline makes it a dead letter, so that nothing is lost in silence. */
  { type: "report"; domains: string[] } | { type: "no_report"; reason: string };

/** A mail's own words. */
export interface MailFacts {
  recipients: string[];
  from: string;
  subject: string;
  messageId: string;
  /** How it authenticated, as the receiver that was named says; "" if it is no mail. */
  authentication: string;
}

/** Problems that say that no report is there, not that one is broken. */
const NO_REPORT = new Set<ProblemCode>(["not_a_report", "empty", "delivery_notice"]);

/** Record layouts learned from earlier files. */
const shapes = new RecordShapes();

/** Problems of what has the root of a report. */
const OF_A_REPORT = new Set<ProblemCode>([
  "missing_domain",
  "missing_dates",
  "implausible_period",
  "unusable_records",
  "no_metadata",
]);
/** RFC 9990 section 4.2.1 and RFC 8460 section 5.3 have the subject of a report's mail begin so. */
const REPORT_SUBJECT = /\breport[- ]domain:/i;

/**
 * Reads a file to its end.
 *
 * @param mail what its header says, if it is a mail: one that has a broken attachment and nothing of a report may be
 * anybody's letter, and is not sent
 * @throws whatever the source throws
 */
export async function readContent(
  { name, source }: FoundFile,
  nowSeconds: number,
  mail: MailFacts | undefined,
): Promise<Content> {
  const domains = new Set<string>();
  const isOfReports = mail === undefined || REPORT_SUBJECT.test(mail.subject);
  let isBroken = false;
  let reason = "There is no report in it.";
  const file = { name, mimeType: "", tlsReportDomain: "" };
  for await (const event of readReports(source, { nowSeconds, shapes, file })) {
    if (event.type === "refused") {
      return isOfReports ? { type: "report", domains: [] } : { type: "no_report", reason: event.problem.message };
    }
    if (event.type === "report") for (const domain of headerOf(event.report).domains) domains.add(domain);
    if (event.type !== "problem") continue;
    const { code, message } = event.problem;
    if (OF_A_REPORT.has(code) || (isOfReports && !NO_REPORT.has(code))) isBroken = true;
    else reason = message;
  }
  if (domains.size > 0 || isBroken) return { type: "report", domains: [...domains].filter((domain) => domain !== "") };
  return { type: "no_report", reason };
}

/** SHA-256 of a file, hex. @throws whatever the source throws */
export async function hashOf(source: ByteSource): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of source.stream()) hash.update(piece);
  return hash.digest("hex");
}

/** Ours: addresses of one mail that are looked at. */
const MAX_RECIPIENTS = 50;
/** The envelope recipient, where a server noted it, before those that the author wrote. */
const RECIPIENT_FIELDS = ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to", "cc"];
const ADDRESS = /[^\s<>,;:"()[\]]{1,64}@[^\s<>,;:"()[\]]{1,255}/g;

/**
 * What the header of a mail says; undefined if the file is not a mail.
 *
 * @param authservId receiver whose results are believed; "" = none
 */
export async function readMailFacts(source: ByteSource, authservId: string): Promise<MailFacts | undefined> {
  if (sniff(await source.read(0, SNIFF_BYTES)) !== "mail") return undefined;
  const head = await source.read(0, AUTHENTICATION_LIMITS.maxHeaderBytes);
  const { fields } = readHeaderFields(head, AUTHENTICATION_LIMITS.maxHeaderBytes);
  const value = (name: string): string => textOf(fields.find((field) => field.name === name));
  const recipients = RECIPIENT_FIELDS.flatMap((name) => fields.filter((field) => field.name === name))
    .flatMap((field) => fieldValue(field).match(ADDRESS) ?? [])
    .slice(0, MAX_RECIPIENTS);
  return {
    recipients,
    from: value("from"),
    subject: value("subject"),
    messageId: value("message-id"),
    authentication: noteAuthentication(head, authservId),
  };
}

const utf8 = new TextDecoder();

function textOf(field: HeaderField | undefined): string {
  if (field === undefined) return "";
  const text = utf8.decode(Uint8Array.from(fieldValue(field), (char) => char.charCodeAt(0)));
  return cleanDetail(text, IMPORT_LIMITS.maxNameChars);
}
