/**
 * Mail bytes → the parts that may be reports, and those passed over. Pure; knows nothing about the content of reports.
 * Parts are recognised by their bytes: MIME types, names and dispositions are only labels.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { fail, ok, type Result } from "../result.ts";
import { type ContentType, SNIFF_BYTES, sniff } from "../sniff.ts";
import { decodeText } from "./charset.ts";
import { Evidence, FEEDBACK_TYPE, MAIL_PARTS } from "./evidence.ts";
import type { PartHeader } from "./header.ts";
import { readMailFields } from "./mail-fields.ts";
import {
  describesFailure,
  findBase64,
  findFeedback,
  findPastedIn,
  findPastedJson,
  findUnread,
  findUuencoded,
  type PastedFile,
  showHtml,
} from "./pasted.ts";
import { EXTERNAL_BODY, isBodyText, type PartStart, type PassedKind, roleOf } from "./roles.ts";
import { MailStructureError, type StreamedPart, streamParts } from "./stream.ts";

/** A part that may hold a report. */
export interface MailPart {
  /** As named by the mail; "" if unnamed. */
  fileName: string;
  mimeType: string;
  bytes: Uint8Array;
  /** TLS-Report-Domain of its mail (RFC 8460 section 5.3), "" if there is none. */
  tlsReportDomain: string;
  /** Whether it must be read as a separate mail or a mailbox: a forwarded failure report, a bounce, an mbox. */
  isMail: boolean;
}

/** A part that is evidently not a delivered report. */
export interface PassedPart {
  kind: PassedKind;
  fileName: string;
  mimeType: string;
  sizeBytes: number;
}

/** The parts of a feedback report (RFC 5965 section 2). */
export interface FeedbackParts {
  /** The message/feedback-report part: header fields as text. */
  fields: string;
  /** Header of the reported mail, "" if missing. */
  originalHeader: string;
}

export interface ExtractedMail {
  /** In the order of the mail; parts of an attached mail take its place. */
  candidates: MailPart[];
  passedOver: PassedPart[];
  /** The feedback reports; a mail may wrap several. */
  feedback: FeedbackParts[];
  /** Whether it is, or holds, a notice about another mail: a bounce, a receipt. */
  isNotice: boolean;
  /** Readable text of the mail, for reports that come as plain text only. */
  text: string;
}

export interface MailProblem {
  code: MailStructureError["code"];
  detail: string;
}

const TEXT_TYPES: readonly ContentType[] = ["xml", "json", "html", "text"];

/**
 * Reads a mail of at most a few megabytes, in memory.
 *
 * @returns its candidate parts (possibly none), or why its structure cannot be read
 */
export async function extractMail(bytes: Uint8Array): Promise<Result<ExtractedMail, MailProblem>> {
  const work = { bytesLeft: MAIL_LIMITS.maxParsedLevels * Math.max(bytes.byteLength, MIN_WORK_BYTES) };
  return extractLevel(bytes, { depth: 0, partsLeft: MAIL_LIMITS.maxPartsPerMessage, tlsReportDomain: "", work });
}

interface Level {
  /** Mails around this one. */
  depth: number;
  partsLeft: number;
  /** Of the mail around this one. */
  tlsReportDomain: string;
  /** Shared by all levels, because each mail within a mail is parsed again. */
  work: { bytesLeft: number };
}

/** A small mail may be nested up to the depth limit. */
const MIN_WORK_BYTES = 64 * 1024;

async function extractLevel(bytes: Uint8Array, around: Level): Promise<Result<ExtractedMail, MailProblem>> {
  if (around.depth > MAIL_LIMITS.maxMimeDepth) return fail({ code: "too_deep", detail: "mails within mails" });
  around.work.bytesLeft -= bytes.byteLength;
  if (around.work.bytesLeft < 0) return fail({ code: "too_deep", detail: "large mails within mails" });
  const read = await readParts(bytes);
  if (!read.ok) return read;
  const parts = read.value.map((part) => ({ ...part, mimeType: typeByContent(part.mimeType, part.bytes) }));
  const evidence = new Evidence();
  for (const part of parts) evidence.add(part);
  const level = levelOf(parts[0], around);
  const mail: ExtractedMail = { candidates: [], passedOver: [], feedback: [], isNotice: evidence.hasNotice, text: "" };
  const bodyTexts: BodyTexts = { text: [], html: [] };
  for (const part of parts) {
    const kind = evidenceKind(part, evidence);
    if (kind !== undefined) mail.passedOver.push(passed(part, kind));
    else if (part.mimeType === FEEDBACK_TYPE) mail.feedback.push(readFeedback(part, parts));
    else if (isBodyText(startOf(part))) {
      bodyTexts[bodyKindOf(part)].push(bodyTextOf(part.bytes, part));
      mail.passedOver.push(passed(part, "text"));
    } else {
      // A file may hold several mails, one after the other.
      const own = part.containers[0] === parts[0]?.containers[0] ? level : levelOf(part, around);
      const added = await addAttachment(mail, part, own);
      if (!added.ok) return added;
      if (added.value === "text" && isAttachedText(part))
        bodyTexts[bodyKindOf(part)].push(bodyTextOf(part.bytes, part));
    }
  }
  const { shown, pasted, findFields } = readBodyTexts(bodyTexts);
  mail.text = shown;
  const inText = mail.candidates.length + mail.feedback.length === 0 ? findFields() : undefined;
  if (inText !== undefined) mail.feedback.push(inText);
  const isFailure = mail.feedback.length > 0 || describesFailure(shown);
  const [only] = parts;
  const mayBeParts = parts.length === 1 && !isFailure && !mail.isNotice && mail.candidates.length === 0;
  if (only !== undefined && mayBeParts && pasted.every(({ isBare }) => isBare)) {
    const undeclared = await readUndeclaredParts(only, level);
    if (undeclared !== undefined) return ok(undeclared);
  }
  for (const { fileName, bytes } of pasted) {
    // In the body text of a failure report the mail that failed is quoted.
    if (isFailure) mail.passedOver.push({ kind: "evidence", fileName, mimeType: PASTED, sizeBytes: bytes.byteLength });
    else mail.candidates.push(candidate({ fileName, bytes, mimeType: PASTED }, level));
  }
  if (mail.candidates.length <= level.partsLeft) return ok(mail);
  return fail({ code: "too_many_parts", detail: `${mail.candidates.length} parts` });
}

function levelOf(part: ReadPart | undefined, around: Level): Level {
  const { tlsReportDomain } = readMailFields(part?.containers[0]?.header ?? "");
  return { ...around, tlsReportDomain: tlsReportDomain || around.tlsReportDomain };
}

/** A line of dashes, as a boundary is, followed by a header field of a part. */
const BOUNDARY_AND_FIELD = /(?:^|\n)--[^\r\n]{1,200}\r?\ncontent-[a-z-]{2,40}:/i;

/**
 * The parts that are in the text of a mail whose header does not say so: the header was lost or changed on the way, or
 * a whole mail was pasted. @returns undefined if they hold nothing
 */
async function readUndeclaredParts({ bytes }: ReadPart, level: Level): Promise<ExtractedMail | undefined> {
  if (!BOUNDARY_AND_FIELD.test(latin1(bytes.subarray(0, SEARCHED_BYTES)))) return undefined;
  const whole = new Uint8Array(MULTIPART_HEADER.byteLength + bytes.byteLength);
  whole.set(MULTIPART_HEADER);
  whole.set(bytes, MULTIPART_HEADER.byteLength);
  const inner = await extractLevel(whole, { ...level, depth: level.depth + 1 });
  if (!inner.ok) return undefined;
  const { candidates, feedback, isNotice } = inner.value;
  return candidates.length + feedback.length > 0 || isNotice ? inner.value : undefined;
}

/** The boundary is found in the content. */
const MULTIPART_HEADER = new TextEncoder().encode("Content-Type: multipart/mixed\r\n\r\n");

const FIELD = /^[!-9;-~]+[ \t]*:/;
/** RFC 5965 section 3.1: the fields of a feedback part that every one has. */
const FEEDBACK_TYPE_FIELD = /^feedback-type[ \t]*:/im;
const FEEDBACK_FIELD = /^(?:version|user-agent|auth-failure)[ \t]*:/im;
const OTHER_HEADERS = /^(?:message\/(?:rfc822|global)|text\/(?:rfc822-header|html)|multipart\/)/;

const REPORT_FILES: ReadonlySet<ContentType> = new Set(["xml", "gzip", "zip", "json"]);
const NO_TYPE = "application/octet-stream";

/** RFC 3464 sections 2.2 and 2.3: the fields of a delivery status, about the mail and about each recipient. */
const STATUS_FIELDS = [/^reporting-mta[ \t]*:/im, /^final-recipient[ \t]*:/im, /^action[ \t]*:/im];

/**
 * The type of a part: that of a feedback report or delivery status if its content is the fields of one, whatever type it
 * declares, and not if it is a report file.
 */
export function typeByContent(mimeType: string, head: Uint8Array): string {
  if (OTHER_HEADERS.test(mimeType)) return mimeType;
  if (mimeType === FEEDBACK_TYPE) return REPORT_FILES.has(sniff(head.subarray(0, SNIFF_BYTES))) ? NO_TYPE : mimeType;
  const text = latin1(head.subarray(0, SNIFF_BYTES)).trimStart();
  if (!FIELD.test(text)) return mimeType;
  const fields = headerOf(text);
  if (FEEDBACK_TYPE_FIELD.test(fields) && FEEDBACK_FIELD.test(fields)) return FEEDBACK_TYPE;
  return STATUS_FIELDS.every((field) => field.test(text)) ? "message/delivery-status" : mimeType;
}

/** The type of what a body text holds. */
export const PASTED = "text/plain";

/** The body texts of a mail, plain and HTML. */
export interface BodyTexts {
  text: string[];
  html: string[];
}

/** What body texts hold as text. */
export interface ReadBodyTexts {
  /** What a person sees. */
  shown: string;
  /** Reports, and files in an encoding for text. Base64 that nothing names is bare: it may be a part whose header was lost. */
  pasted: { fileName: string; bytes: Uint8Array; isBare: boolean }[];
  /** Finds the fields of a failure report. */
  findFields: () => FeedbackParts | undefined;
}

/** Finds what the body texts of a mail hold. */
export function readBodyTexts(bodyTexts: BodyTexts): ReadBodyTexts {
  const [text, html] = [bodyTexts.text.join("\n"), bodyTexts.html.join("\n")];
  const reports = [...findPastedIn(text, html), ...findPastedJson(text, html)];
  const inText = reports.map((report): PastedFile => ({ fileName: "", text: report }));
  const named = [...inText, ...findUuencoded(text), ...findUnread(text)];
  const bare = findBase64(text, html).filter((file) => !named.some((other) => other.text.includes(startOfText(file))));
  const pasted = (files: PastedFile[], isBare: boolean): ReadBodyTexts["pasted"] =>
    files.map((file) => ({ fileName: file.fileName, bytes: new TextEncoder().encode(file.text), isBare }));
  return {
    shown: shownOf(text, html),
    pasted: [...pasted(named, false), ...pasted(bare, true)],
    findFields: () => findFeedback(text),
  };
}

/** The HTML mostly repeats the text; it is shown where the text is blank, or says nothing of a failure. */
function shownOf(text: string, html: string): string {
  if (!/published/i.test(html) || describesFailure(text)) return text;
  return text.trim() === "" ? showHtml(html) : `${text}\n${showHtml(html)}`;
}

function startOfText({ text }: PastedFile): string {
  return text.slice(0, text.indexOf("\n")).slice(0, 60);
}

/** A part after reading; attached mails are parts like any other. */
interface ReadPart extends Omit<StreamedPart, "content"> {
  bytes: Uint8Array;
}

async function readParts(bytes: Uint8Array): Promise<Result<ReadPart[], MailProblem>> {
  const parts: ReadPart[] = [];
  try {
    const options = { attachedMails: "whole", maxParts: MAIL_LIMITS.maxHeaders } as const;
    for await (const part of streamParts(inPieces(bytes), options)) {
      parts.push({ ...part, bytes: asStored(await readContent(part), part) });
    }
  } catch (error) {
    if (!(error instanceof MailStructureError)) throw error;
    return fail({ code: error.code, detail: error.message });
  }
  return ok(parts);
}

/** The kind a part of a notice or feedback report is passed over as; undefined = it must be examined. */
function evidenceKind(part: ReadPart, evidence: Evidence): PassedKind | undefined {
  const isInNotice = evidence.isInNotice(part);
  if (!isInNotice && !evidence.isReported(part)) return undefined;
  if (!isInNotice) return "evidence";
  const role = roleOf(startOf(part));
  return role === "candidate" ? "evidence" : role;
}

function startOf({ mimeType, disposition, fileName, bytes }: ReadPart): PartStart {
  return { mimeType, disposition, fileName, head: bytes.subarray(0, SEARCHED_BYTES), sizeBytes: bytes.byteLength };
}

function passed({ fileName, mimeType, bytes }: ReadPart, kind: PassedKind): PassedPart {
  return { kind, fileName, mimeType, sizeBytes: bytes.byteLength };
}

function candidate(
  { fileName, mimeType, bytes }: Pick<ReadPart, "fileName" | "mimeType" | "bytes">,
  { tlsReportDomain }: Level,
  isMail = false,
): MailPart {
  return { fileName, mimeType, bytes, tlsReportDomain, isMail };
}

/** Ours: bytes of content handed on at once. */
const PIECE_BYTES = 64 * 1024;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

async function readContent({ content }: StreamedPart): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    pieces.push(piece.slice());
    length += piece.byteLength;
  }
  const [first] = pieces;
  if (first !== undefined && pieces.length === 1) return first;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** Unencoded text with the line ends it had before mailing, which the content hash depends on. */
function asStored(bytes: Uint8Array, { encoding }: PartHeader): Uint8Array {
  if (encoding === "base64" || !TEXT_TYPES.includes(sniff(bytes.subarray(0, SNIFF_BYTES)))) return bytes;
  let end = bytes.indexOf(CARRIAGE_RETURN);
  if (end < 0) return bytes;
  const text = bytes.slice();
  for (let at = end; at < bytes.byteLength; at++) {
    const isLineEnd = bytes[at] === CARRIAGE_RETURN && bytes[at + 1] === LINE_FEED;
    if (!isLineEnd) text[end++] = bytes[at] ?? 0;
  }
  return text.subarray(0, end);
}

/** The text of a part of the body. */
export function bodyTextOf(content: Uint8Array, header: PartHeader): string {
  const text = decodeText(content, header.charset);
  return header.isFlowed ? text.replace(/ \r?\n(?:>[> ]{0,20})?/g, header.dropsFlowSpace ? "" : " ") : text;
}

/** Which of the body texts a part belongs to. */
export function bodyKindOf({ mimeType }: Pick<PartHeader, "mimeType">): keyof BodyTexts {
  return mimeType === "text/html" ? "html" : "text";
}

/** Whether a file that is passed over as text is searched for reports as the body text is. */
export function isAttachedText({ mimeType }: Pick<PartHeader, "mimeType">): boolean {
  return mimeType === "text/plain" || mimeType === "text/html" || mimeType === "application/octet-stream";
}

/** Whether a text is a failure notice that does not begin with the header of a mail, though it may show one. */
export function isBareNotice(bytes: Uint8Array): boolean {
  const start = latin1(bytes.subarray(0, 200)).replace(/^\xef\xbb\xbf/, "");
  if (FIELD.test(start.trimStart())) return false;
  return describesFailure(latin1(bytes.subarray(0, SNIFF_BYTES)));
}

/** @returns the kind it is passed over as; undefined = it is not */
async function addAttachment(
  mail: ExtractedMail,
  part: ReadPart,
  level: Level,
): Promise<Result<PassedKind | undefined, MailProblem>> {
  const type = sniff(part.bytes.subarray(0, SNIFF_BYTES));
  const isElsewhere = part.mimeType === EXTERNAL_BODY;
  const isNotice = type === "mail" && isBareNotice(part.bytes);
  if ((type === "mail" && !isElsewhere && !isNotice) || (type === "text" && isMailType(part)))
    return addMail(mail, part, level);
  const isWhole = type === "mbox" || isNotice;
  const role = isWhole ? "candidate" : roleOf(startOf(part));
  if (role === "candidate") mail.candidates.push(candidate(part, level, isWhole));
  else mail.passedOver.push(passed(part, role));
  return ok(role === "candidate" ? undefined : role);
}

/** A mail within the mail: its parts become parts of this one, unless it is only meaningful as a whole. */
async function addMail(mail: ExtractedMail, part: ReadPart, level: Level): Promise<Result<undefined, MailProblem>> {
  const partsLeft = level.partsLeft - mail.candidates.length;
  const inner = await extractLevel(part.bytes, { ...level, depth: level.depth + 1, partsLeft });
  if (!inner.ok && inner.error.code !== "malformed_mail") return inner;
  if (!inner.ok || isReadWhole(inner.value) || isMisnamed(part, inner.value)) {
    mail.candidates.push(candidate({ ...part, mimeType: "message/rfc822" }, level, true));
    return ok(undefined);
  }
  mail.candidates.push(...inner.value.candidates);
  mail.passedOver.push(...inner.value.passedOver);
  mail.isNotice ||= inner.value.isNotice;
  return ok(undefined);
}

function isReadWhole({ feedback, text }: ExtractedMail): boolean {
  return feedback.length > 0 || describesFailure(text);
}

/** Whether what only looks like a mail (`Error: no data`) is empty and has the name of a report: a problem must say so. */
function isMisnamed({ fileName, mimeType }: ReadPart, { candidates, isNotice }: ExtractedMail): boolean {
  return candidates.length === 0 && !isNotice && !/^message/.test(mimeType) && /\.(?:xml|json|gz|zip)$/i.test(fileName);
}

function isMailType({ mimeType }: ReadPart): boolean {
  return /^message\/(?:rfc822|global)$/.test(mimeType);
}

/** The reported mail is next to the feedback part, or else anywhere in the mail. */
function readFeedback(fields: ReadPart, parts: readonly ReadPart[]): FeedbackParts {
  const originals = parts.filter(({ mimeType }) => MAIL_PARTS.test(mimeType));
  const around = fields.containers.at(-1)?.id;
  const beside = ({ containers }: ReadPart): boolean => containers.at(-1)?.id === around;
  const inText = parts.slice(parts.indexOf(fields) + 1).find((part) => beside(part) && isHeaderText(part));
  const original = originals.find(beside) ?? originals[0] ?? inText;
  const header = original === undefined ? "" : latin1(original.bytes.subarray(0, MAIL_LIMITS.maxHeaderBytes));
  return { fields: decodeText(fields.bytes, fields.charset), originalHeader: headerOf(header) };
}

/** Whether a text is the header of a mail: some redact it, and send it as text or as a file. */
export function isHeaderText({ mimeType, bytes }: Pick<ReadPart, "mimeType" | "bytes">): boolean {
  if (mimeType !== "text/plain" && mimeType !== "application/octet-stream") return false;
  return /^from[ \t]*:/im.test(headerOf(latin1(bytes.subarray(0, SNIFF_BYTES))));
}

/**
 * The end of a header: an empty line, or one of white space after which no field goes on or begins. Another one is folded
 * (RFC 5322 section 4.2).
 */
const HEADER_END = /\r?\n\r?\n|\r?\n[ \t]+\r?\n(?![ \t]|[A-Za-z][\w.-]{0,60}[ \t]{0,9}:)/;

/** The header of a mail, from its text. */
export function headerOf(mail: string): string {
  return mail.split(HEADER_END, 1)[0] ?? "";
}

/** How many bytes of a text are searched for a report. */
const SEARCHED_BYTES = 200_000;

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
