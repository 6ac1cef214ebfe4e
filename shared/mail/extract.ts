/**
 * Mail bytes → the parts that may be reports. The only importer of postal-mime; pure, knows nothing of what reports say.
 * Parts are told by their bytes: MIME types, names and dispositions are kept as labels only.
 */
import PostalMime, { type Attachment, type Email } from "postal-mime";
import { MAIL_LIMITS } from "../limits.ts";
import { fail, ok, type Result } from "../result.ts";
import { type ContentType, sniff } from "../sniff.ts";

/** A part that may hold a report. */
export interface MailPart {
  /** As the mail names it; "" where it has no name. */
  fileName: string;
  mimeType: string;
  bytes: Uint8Array;
}

/** The parts of a feedback report (RFC 5965 section 2). */
export interface FeedbackParts {
  /** The message/feedback-report part: header fields as text. */
  fields: string;
  /** Header of the reported mail, "" where it is missing. */
  originalHeader: string;
}

export interface ExtractedMail {
  /** In the order of the mail; parts of attached mails where the mail is attached. */
  candidates: MailPart[];
  /** Set when the mail is a feedback report. */
  feedback?: FeedbackParts;
  /** Readable text of the mail, for reports that come as plain text only. */
  text: string;
  subject: string;
}

export type MailProblem = { code: "too_deep" | "too_many_parts" | "malformed_mail"; detail: string };

/** Types that can hold a report. */
const CANDIDATE_TYPES: readonly ContentType[] = ["gzip", "zlib", "zip", "xml", "json"];
const ROOT_TAG = /<(?:[A-Za-z_][\w.-]*:)?feedback[\s>]/;
/** What a report holds besides its root, so that a letter that talks about `<feedback>` is none. */
const REPORT_TAG = /<(?:[A-Za-z_][\w.-]*:)?(?:report_metadata|policy_published|record)[\s>]/;

/**
 * Reads a mail of at most a few megabytes, held whole.
 *
 * @returns its candidate parts (none is no error), or why its structure cannot be read
 */
export async function extractMail(bytes: Uint8Array): Promise<Result<ExtractedMail, MailProblem>> {
  const work = { bytesLeft: MAIL_LIMITS.maxParsedLevels * Math.max(bytes.byteLength, MIN_WORK_BYTES) };
  return extractLevel(bytes, { depth: 0, partsLeft: MAIL_LIMITS.maxPartsPerMessage, work });
}

interface Level {
  /** Mails around this one. */
  depth: number;
  partsLeft: number;
  /** Shared by all levels: each mail within a mail is parsed again. */
  work: { bytesLeft: number };
}

/** A small mail may be forwarded as often as the depth allows. */
const MIN_WORK_BYTES = 64 * 1024;

async function extractLevel(bytes: Uint8Array, level: Level): Promise<Result<ExtractedMail, MailProblem>> {
  if (level.depth > MAIL_LIMITS.maxMimeDepth) return fail({ code: "too_deep", detail: "mails within mails" });
  level.work.bytesLeft -= bytes.byteLength;
  if (level.work.bytesLeft < 0) return fail({ code: "too_deep", detail: "large mails within mails" });
  const parsed = await parseMime(bytes);
  if (!parsed.ok) return parsed;
  const email = parsed.value;
  const feedback = readFeedback(email.attachments);
  const mail: ExtractedMail = {
    candidates: [],
    ...(feedback === undefined ? {} : { feedback }),
    text: email.text ?? "",
    subject: email.subject ?? "",
  };
  for (const attachment of email.attachments) {
    const added = await addAttachment(mail, attachment, level);
    if (!added.ok) return added;
  }
  for (const report of findPastedIn(mail.text, email.html ?? "")) {
    mail.candidates.push({ fileName: "", mimeType: "text/plain", bytes: new TextEncoder().encode(report) });
  }
  if (mail.candidates.length > level.partsLeft) {
    return fail({ code: "too_many_parts", detail: `${mail.candidates.length} parts` });
  }
  return ok(mail);
}

async function parseMime(bytes: Uint8Array): Promise<Result<Email, MailProblem>> {
  try {
    const options = {
      attachmentEncoding: "arraybuffer",
      maxNestingDepth: MAIL_LIMITS.maxMimeDepth,
      maxHeadersSize: MAIL_LIMITS.maxHeaderBytes,
      rfc822Attachments: true,
    } as const;
    return ok(await PostalMime.parse(withoutBlankFolds(bytes), options));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return fail({ code: /nesting/i.test(detail) ? "too_deep" : "malformed_mail", detail });
  }
}

const HEADER_BYTES = 64 * 1024;
/** A line of white space between two header fields: a fold with nothing in it (RFC 5322 section 4.2). */
const BLANK_FOLD = /^[ \t]+\r?\n(?=[!-9;-~]+:)/gm;

// postal-mime ends the header at such a line, and with it the structure of the mail.
function withoutBlankFolds(bytes: Uint8Array): Uint8Array {
  const start = latin1(bytes.subarray(0, HEADER_BYTES));
  const header = /^[\s\S]*?\n(?=\r?\n)/.exec(start)?.[0] ?? "";
  const mended = header.replace(BLANK_FOLD, "");
  if (mended.length === header.length) return bytes;
  const joined = new Uint8Array(bytes.byteLength - header.length + mended.length);
  for (let i = 0; i < mended.length; i++) joined[i] = mended.charCodeAt(i);
  joined.set(bytes.subarray(header.length), mended.length);
  return joined;
}

async function addAttachment(
  mail: ExtractedMail,
  attachment: Attachment,
  level: Level,
): Promise<Result<void, MailProblem>> {
  const bytes = contentBytes(attachment);
  const type = sniff(bytes);
  // The mail that a feedback report is about is evidence, not a delivery.
  if (type === "mail" && mail.feedback === undefined) {
    const inner = await extractLevel(bytes, {
      depth: level.depth + 1,
      partsLeft: level.partsLeft - mail.candidates.length,
      work: level.work,
    });
    if (!inner.ok) return inner;
    mail.candidates.push(...inner.value.candidates);
    if (inner.value.feedback !== undefined && mail.feedback === undefined) mail.feedback = inner.value.feedback;
    return ok(undefined);
  }
  if (CANDIDATE_TYPES.includes(type) || (type !== "mail" && holdsReport(bytes))) {
    mail.candidates.push({ fileName: attachment.filename ?? "", mimeType: attachment.mimeType, bytes });
  }
  return ok(undefined);
}

function readFeedback(attachments: Attachment[]): FeedbackParts | undefined {
  const fields = attachments.find(({ mimeType }) => mimeType === "message/feedback-report");
  if (fields === undefined) return undefined;
  const original = attachments.find(({ mimeType }) => /^(message\/rfc822|text\/rfc822-headers)$/.test(mimeType));
  const originalText = original === undefined ? "" : latin1(contentBytes(original));
  return {
    fields: new TextDecoder().decode(contentBytes(fields)),
    originalHeader: originalText.split(/\r?\n\r?\n/, 1)[0] ?? "",
  };
}

function findPastedIn(text: string, html: string): string[] {
  const inText = findPasted(text);
  if (inText.length > 0 || !html.includes("feedback")) return inText;
  const inHtml = findPasted(html);
  return inHtml.length > 0 ? inHtml : findPasted(showHtml(html));
}

/** What a mail program shows of HTML, as far as a report pasted into it needs: tags gone, entities decoded. */
function showHtml(html: string): string {
  return html
    .replace(/<[^<>]*>/g, "")
    .replaceAll("&nbsp;", " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

/**
 * Reports pasted into text, from root tag to root tag, one after the other; one that is cut goes to the end of the text.
 * The XML declaration stays behind: the text is decoded already. Every character is looked at a fixed number of times.
 */
function findPasted(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const root = ROOT_TAG.exec(text.slice(at));
    if (root === null) break;
    const start = at + root.index;
    const endTag = /<\/(?:[A-Za-z_][\w.-]*:)?feedback\s*>/.exec(text.slice(start));
    const end = endTag === null ? text.length : start + endTag.index + endTag[0].length;
    const report = text.slice(start, end);
    if (REPORT_TAG.test(report)) found.push(report);
    if (found.length > MAIL_LIMITS.maxPartsPerMessage) break;
    at = end;
  }
  return found;
}

function holdsReport(bytes: Uint8Array): boolean {
  return ROOT_TAG.test(latin1(bytes.subarray(0, 200_000)));
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

function contentBytes({ content }: Attachment): Uint8Array {
  if (typeof content === "string") return new TextEncoder().encode(content);
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}
