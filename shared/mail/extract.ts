/**
 * Mail bytes → the parts that may be reports. Pure, knows nothing of what reports say. Parts are told by their bytes: MIME
 * types, names and dispositions are kept as labels only.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { fail, ok, type Result } from "../result.ts";
import { type ContentType, SNIFF_BYTES, sniff } from "../sniff.ts";
import { decodeText } from "./charset.ts";
import type { PartHeader } from "./header.ts";
import { findPastedIn, holdsRootTag } from "./pasted.ts";
import { MailStructureError, type StreamedPart, streamParts } from "./stream.ts";

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
}

export interface MailProblem {
  code: MailStructureError["code"];
  detail: string;
}

/** Types that can hold a report. */
const CANDIDATE_TYPES: readonly ContentType[] = ["gzip", "zlib", "zip", "xml", "json"];

const TEXT_TYPES: readonly ContentType[] = ["xml", "json", "html", "text"];

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
  const read = await readParts(bytes);
  if (!read.ok) return read;
  const { attachments, text, html } = read.value;
  const feedback = readFeedback(attachments);
  const mail: ExtractedMail = { candidates: [], ...(feedback === undefined ? {} : { feedback }), text };
  for (const attachment of attachments) {
    const added = await addAttachment(mail, attachment, level);
    if (!added.ok) return added;
  }
  for (const report of findPastedIn(text, html)) {
    mail.candidates.push({ fileName: "", mimeType: "text/plain", bytes: new TextEncoder().encode(report) });
  }
  if (mail.candidates.length > level.partsLeft) {
    return fail({ code: "too_many_parts", detail: `${mail.candidates.length} parts` });
  }
  return ok(mail);
}

/** The parts of one mail; mails attached to it are parts like others. */
interface Parts {
  attachments: MailPart[];
  /** Of its letter: plain text and HTML, each put together. */
  text: string;
  html: string;
}

async function readParts(bytes: Uint8Array): Promise<Result<Parts, MailProblem>> {
  const attachments: MailPart[] = [];
  const texts: string[] = [];
  const htmls: string[] = [];
  try {
    const options = { attachedMails: "whole", maxParts: MAIL_LIMITS.maxHeaders } as const;
    for await (const part of streamParts(inPieces(bytes), options)) {
      const content = asStored(await readContent(part), part);
      if (!isLetter(part)) attachments.push({ fileName: part.fileName, mimeType: part.mimeType, bytes: content });
      else (part.mimeType === "text/html" ? htmls : texts).push(letterText(content, part));
    }
  } catch (error) {
    if (!(error instanceof MailStructureError)) throw error;
    return fail({ code: error.code, detail: error.message });
  }
  return ok({ attachments, text: texts.join("\n"), html: htmls.join("\n") });
}

const PIECE_BYTES = 64 * 1024;

async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}

async function readContent({ content }: StreamedPart): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    pieces.push(piece);
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

/** Text that was not encoded, with the line ends it had before it was mailed: what stands for the content's hash. */
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

function isLetter({ mimeType, disposition }: PartHeader): boolean {
  return disposition !== "attachment" && (mimeType === "text/plain" || mimeType === "text/html");
}

function letterText(content: Uint8Array, { charset, isFlowed }: PartHeader): string {
  const text = decodeText(content, charset);
  return isFlowed ? text.replaceAll(" \n", " ") : text;
}

async function addAttachment(
  mail: ExtractedMail,
  { fileName, mimeType, bytes }: MailPart,
  level: Level,
): Promise<Result<void, MailProblem>> {
  const type = sniff(bytes.subarray(0, SNIFF_BYTES));
  // The mail that a feedback report is about is evidence, not a delivery.
  if (type === "mail" && mail.feedback === undefined) {
    const inner = await extractLevel(bytes, {
      depth: level.depth + 1,
      partsLeft: level.partsLeft - mail.candidates.length,
      work: level.work,
    });
    if (!inner.ok) return inner;
    mail.candidates.push(...inner.value.candidates);
    if (inner.value.feedback !== undefined) mail.feedback = inner.value.feedback;
    return ok(undefined);
  }
  if (CANDIDATE_TYPES.includes(type) || (type !== "mail" && holdsReport(bytes))) {
    mail.candidates.push({ fileName, mimeType, bytes });
  }
  return ok(undefined);
}

function readFeedback(attachments: MailPart[]): FeedbackParts | undefined {
  const fields = attachments.find(({ mimeType }) => mimeType === "message/feedback-report");
  if (fields === undefined) return undefined;
  const original = attachments.find(({ mimeType }) => /^(message\/rfc822|text\/rfc822-headers)$/.test(mimeType));
  const originalText = original === undefined ? "" : latin1(original.bytes.subarray(0, MAIL_LIMITS.maxHeaderBytes));
  return {
    fields: new TextDecoder().decode(fields.bytes),
    originalHeader: originalText.split(/\r?\n\r?\n/, 1)[0] ?? "",
  };
}

/** Bytes of a text that are looked through for a report. */
const SEARCHED_BYTES = 200_000;

function holdsReport(bytes: Uint8Array): boolean {
  return holdsRootTag(latin1(bytes.subarray(0, SEARCHED_BYTES)));
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
