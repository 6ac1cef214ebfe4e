/**
 * Reads mails and mailboxes and yields events: each part that may be a report is read, the others are passed over with
 * their kind. What a bounce returns, and the mail a failure report is about, is evidence and never read as a report.
 */
import { MAIL_LIMITS, READ_LIMITS } from "../limits.ts";
import { decodeText } from "../mail/charset.ts";
import { Evidence, FEEDBACK_TYPE, MAIL_PARTS } from "../mail/evidence.ts";
import {
  type BodyTexts,
  bodyKindOf,
  bodyTextOf,
  extractMail,
  type FeedbackParts,
  headerOf,
  isAttachedText,
  isHeaderText,
  PASTED,
  type PassedPart,
  type ReadBodyTexts,
  readBodyTexts,
  typeByContent,
} from "../mail/extract.ts";
import { readMailFields } from "../mail/mail-fields.ts";
import { splitMailbox } from "../mail/mailbox.ts";
import { isAboutMail } from "../mail/next-mail.ts";
import { describesFailure, failureFacts, findFailures, findPastedJson, holdsRootTag } from "../mail/pasted.ts";
import { isBodyText, type PassedKind, roleOf } from "../mail/roles.ts";
import { MailStructureError, type StreamedPart, streamParts } from "../mail/stream.ts";
import { SNIFF_BYTES, sniff } from "../sniff.ts";
import { ReadBudget } from "./budget.ts";
import type { Content, Context, Place } from "./content.ts";
import { readFailureMail, readXml } from "./documents.ts";
import { decodeJson } from "./json-text.ts";
import { PartNames } from "./part-names.ts";
import { type FileFacts, problem } from "./problems.ts";
import type { ReadEvent } from "./read.ts";
import { reject } from "./rejection.ts";
import { type ByteSource, bytesSource, holdStream, type Peeked, peek } from "./source.ts";

function insideMail(place: Place): Place {
  if (place.mails >= MAIL_LIMITS.maxMimeDepth) reject("too_deep", "mails within mails");
  return { ...place, mails: place.mails + 1 };
}

/** The mails of a mailbox, one by one. */
export async function* readMailbox(
  chunks: AsyncIterable<Uint8Array>,
  outer: Place,
  context: Context,
): AsyncGenerator<ReadEvent> {
  const place = insideMail(outer);
  const names = new PartNames(place.part);
  let mails = 0;
  for await (const mail of splitMailbox(chunks)) {
    const part = names.name("", `mail ${++mails}`);
    const file: FileFacts = { name: "", mimeType: "message/rfc822" };
    const inner = { ...place, part, notes: [...place.notes], file, isJudged: true };
    if (mail.isCut) {
      yield {
        type: "problem",
        part,
        problem: problem("too_large", `more than ${MAIL_LIMITS.maxMessageBytes} bytes`),
        file,
      };
      continue;
    }
    const source = bytesSource(mail.bytes);
    file.sizeBytes = source.sizeBytes;
    // A mailbox may hold years of mail: each of its mails has the full budget of a mail.
    const own = context.bounds.isLenient && place.mails === 1 && place.depth === 0;
    const budget = own ? new ReadBudget(source.sizeBytes) : context.budget;
    yield* context.read({ chunks: source.stream(), source, isMail: true }, inner, { ...context, budget });
  }
}

/** Reads the reports of one mail. @throws Rejection when it is no mail, or holds no report */
export async function* readMail(source: ByteSource, outer: Place, context: Context): AsyncGenerator<ReadEvent> {
  const place = insideMail(outer);
  if (source.sizeBytes > context.maxParsedMessageBytes) return yield* readLargeMail(source, place, context);
  const mail = await extractMail(await source.read(0, source.sizeBytes));
  if (!mail.ok) return reject(mail.error.code, mail.error.detail);
  const { candidates, feedback, passedOver, isNotice, text } = mail.value;
  let hasReport = false;
  const names = new PartNames(place.part);
  for (const [i, { fileName, mimeType, bytes, tlsReportDomain, isMail }] of candidates.entries()) {
    const part = names.name(fileName, `part ${i + 1}`);
    const { content, file } = fileOf(bytes, fileName, mimeType);
    const inner = { ...place, part, notes: [...place.notes], file, tlsReportDomain, isJudged: true };
    for await (const event of context.read({ ...content, isMail }, inner, context)) {
      hasReport ||= event.type === "report";
      yield event;
    }
  }
  yield* skippedParts(passedOver, place);
  yield* readFailures({ feedback, text, hasReport }, place, context);
  const isNothing = candidates.length === 0 && feedback.length === 0 && !describesFailure(text);
  if (isNothing) rejectMail(isNotice);
}

/** A file in memory, to be read. */
function fileOf(bytes: Uint8Array, name: string, mimeType: string): { content: Content; file: FileFacts } {
  const source = bytesSource(bytes);
  return { content: { chunks: source.stream(), source }, file: { name, mimeType, sizeBytes: bytes.byteLength } };
}

/** A mail too large for memory: its parts are read while streaming, once it is known which of them are evidence. */
async function* readLargeMail(source: ByteSource, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  try {
    const evidence = new Evidence();
    for await (const part of typedParts(source)) evidence.add(part);
    const mail = new LargeMail(evidence, place, context);
    for await (const part of typedParts(source)) yield* mail.readPart(part);
    yield* mail.finish();
  } catch (error) {
    if (!(error instanceof MailStructureError)) throw error;
    reject(error.code, error.message);
  }
}

/** The parts of a mail as they stream, each with the type that its content has. */
async function* typedParts(source: ByteSource): AsyncGenerator<StreamedPart> {
  for await (const part of streamParts(source.stream(), { maxParts: MAIL_LIMITS.maxHeaders })) {
    const { head, chunks, close } = await peek(part.content, SNIFF_BYTES);
    try {
      yield { ...part, mimeType: typeByContent(part.mimeType, head), content: chunks };
    } finally {
      await close();
    }
  }
}

/** The longest text in a large mail that is read like that of a small one; a longer one is read as a file. */
const BODY_TEXT_BYTES = 256 * 1024;
const MAX_HELD_BODY_TEXT_BYTES = 1024 * 1024;

class LargeMail {
  readonly #evidence: Evidence;
  readonly #place: Place;
  readonly #context: Context;
  readonly #names: PartNames;
  /** Feedback parts, each with its container. */
  readonly #feedback: { fields: string; around: number }[] = [];
  /** Headers of reported mails by their containers. */
  readonly #originals = new Map<number, string>();
  /** Headers that are sent as text after the feedback part. */
  readonly #headerTexts = new Map<number, string>();
  /** The parts of the body text that are held, and how much more of it may be. */
  readonly #bodyTexts: BodyTexts = { text: [], html: [] };
  #bodyTextBytesLeft = MAX_HELD_BODY_TEXT_BYTES;
  /** The starts of those that are too long for it. */
  #longText = "";
  #parts = 0;
  #candidates = 0;
  #hasReport = false;
  /** Whether an attached mail is a notice about another one. */
  #hasNotice = false;

  constructor(evidence: Evidence, place: Place, context: Context) {
    this.#evidence = evidence;
    this.#place = place;
    this.#context = context;
    this.#names = new PartNames(place.part);
  }

  async *readPart(part: StreamedPart): AsyncGenerator<ReadEvent> {
    const isInNotice = this.#evidence.isInNotice(part);
    if (isInNotice || this.#evidence.isReported(part)) {
      yield await this.#passEvidence(part, isInNotice);
    } else if (part.mimeType === FEEDBACK_TYPE) {
      const held = await holdStream(part.content, MAIL_LIMITS.maxHeaderBytes);
      const fields = decodeText(await held.read(0, held.sizeBytes), part.charset);
      this.#feedback.push({ fields, around: part.containers.at(-1)?.id ?? 0 });
    } else {
      const peeked = await peek(part.content, part.mimeType.startsWith("text/") ? BODY_TEXT_BYTES + 1 : SNIFF_BYTES);
      if (this.#isHeldBodyText(part, peeked.head)) yield this.#holdBodyText(part, peeked.head);
      else yield* this.#readCandidate(part, peeked);
    }
  }

  /** Takes the end of the mail. @returns the reports in its body text, and its failure reports */
  async *finish(): AsyncGenerator<ReadEvent> {
    const { shown, pasted, findFields } = readBodyTexts(this.#bodyTexts);
    const text = shown + this.#longText;
    const inText = this.#candidates + this.#feedback.length === 0 ? findFields() : undefined;
    const isFailure = this.#feedback.length > 0 || inText !== undefined || describesFailure(text);
    for (const { fileName, bytes } of pasted) {
      const { content, file } = fileOf(bytes, fileName, PASTED);
      if (isFailure) {
        yield { type: "passed_over", part: pathOf(this.#place.part, fileName, "evidence"), kind: "evidence", file };
        continue;
      }
      const part = this.#names.name(fileName, `part ${++this.#parts}`);
      yield* this.#read(content, { ...this.#place, part, file, isJudged: true });
    }
    const feedback = this.#feedback.map(({ fields, around }) => ({
      fields,
      originalHeader:
        this.#originals.get(around) ?? this.#originals.values().next().value ?? this.#headerTexts.get(around) ?? "",
    }));
    if (inText !== undefined) feedback.push(inText);
    yield* readFailures({ feedback, text, hasReport: this.#hasReport }, this.#place, this.#context);
    const isNothing = this.#candidates === 0 && feedback.length === 0 && !describesFailure(text);
    if (isNothing) rejectMail(this.#hasNotice || this.#evidence.hasNotice);
  }

  /** Whether a part is read with the body text, as in a small mail. One that shows a mail is a mail that was taken apart. */
  #isHeldBodyText(part: StreamedPart, head: Uint8Array): boolean {
    if (head.byteLength > Math.min(BODY_TEXT_BYTES, this.#bodyTextBytesLeft)) return false;
    if (!isBodyText({ ...part, head })) {
      const role = roleOf({ ...part, head, sizeBytes: head.byteLength });
      // Of what is not called text only the start is held.
      const isText = role === "text" && isAttachedText(part) && part.mimeType.startsWith("text/");
      return isText && sniff(head.subarray(0, SNIFF_BYTES)) !== "mail";
    }
    if (this.#keepHeaderText(part, head)) return true;
    const type = sniff(head.subarray(0, SNIFF_BYTES));
    if (type !== "mail" && type !== "mbox") return true;
    const text = bodyTextOf(head, part);
    return isAboutMail(text) || readBodyTexts({ text: [text], html: [] }).pasted.some(({ isBare }) => !isBare);
  }

  #keepHeaderText({ mimeType, containers }: StreamedPart, bytes: Uint8Array): boolean {
    const around = containers.at(-1)?.id ?? 0;
    const isBeside = this.#feedback.some((feedback) => feedback.around === around);
    if (!isBeside || this.#headerTexts.has(around) || !isHeaderText({ mimeType, bytes })) return false;
    this.#headerTexts.set(around, headerOf(new TextDecoder("latin1").decode(bytes)));
    return true;
  }

  #holdBodyText(part: StreamedPart, bytes: Uint8Array): ReadEvent {
    const { mimeType, fileName } = part;
    this.#bodyTextBytesLeft -= bytes.byteLength;
    this.#bodyTexts[bodyKindOf(part)].push(bodyTextOf(bytes, part));
    const file: FileFacts = { name: fileName, mimeType, sizeBytes: bytes.byteLength };
    return { type: "passed_over", part: pathOf(this.#place.part, fileName, "text"), kind: "text", file };
  }

  async #passEvidence(part: StreamedPart, isInNotice: boolean): Promise<ReadEvent> {
    const { fileName, mimeType } = part;
    const { head } = await peek(part.content, ORIGINAL_BYTES);
    if (!isInNotice) this.#keepOriginal(part, head);
    const role = roleOf({ ...part, head: head.subarray(0, SNIFF_BYTES) });
    const kind = isInNotice && role !== "candidate" ? role : "evidence";
    const path = pathOf(this.#place.part, fileName, kind);
    return { type: "passed_over", part: path, kind, file: { name: fileName, mimeType } };
  }

  // The header of an unencoded mail has been parsed already; otherwise it is part of the content.
  #keepOriginal({ containers, mimeType }: StreamedPart, head: Uint8Array): void {
    const feedback = this.#evidence.feedbackAround(containers);
    if (feedback === undefined || this.#originals.has(feedback.id)) return;
    const mail = containers.slice(containers.indexOf(feedback) + 1).find(({ type }) => type === "mail");
    const isContent = mail === undefined && (MAIL_PARTS.test(mimeType) || isHeaderText({ mimeType, bytes: head }));
    if (mail === undefined && !isContent) return;
    const header = mail?.header ?? headerOf(new TextDecoder("latin1").decode(head));
    this.#originals.set(feedback.id, header.trimEnd());
  }

  async *#readCandidate(part: StreamedPart, peeked: Peeked): AsyncGenerator<ReadEvent> {
    const { fileName, mimeType, disposition, containers } = part;
    if (isBodyText({ ...part, head: peeked.head })) this.#longText += decodeText(peeked.head, part.charset);
    const name = this.#names.name(fileName, `part ${++this.#parts}`);
    const own = containers.findLast(({ type }) => type === "mail")?.header ?? "";
    const place = {
      ...this.#place,
      part: name,
      file: { name: fileName, mimeType },
      tlsReportDomain: readMailFields(own).tlsReportDomain || this.#place.tlsReportDomain,
      isJudged: false,
      disposition,
    };
    yield* this.#read({ chunks: peeked.chunks }, place);
  }

  async *#read(content: Content, place: Place): AsyncGenerator<ReadEvent> {
    for await (const event of this.#context.read(content, { ...place, notes: [...place.notes] }, this.#context)) {
      if (isNoticeAttached(event, place)) {
        this.#hasNotice = true;
        continue;
      }
      if (event.type !== "passed_over") this.#count(event);
      yield event;
    }
  }

  #count(event: ReadEvent): void {
    if (event.type === "records") return;
    this.#hasReport ||= event.type === "report";
    if (++this.#candidates > READ_LIMITS.maxDocuments) reject("too_many_parts", `${this.#candidates} parts`);
  }
}

/**
 * Text or HTML. It may hold a report as the body text of a mail does: escaped in HTML, in base64, as JSON after some words.
 */
export async function* readText({ head, chunks }: Peeked, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const text = await peek(chunks, READ_LIMITS.maxFrameChars + 1);
  try {
    const isSearched = text.head.byteLength <= READ_LIMITS.maxFrameChars && place.isFromText !== true;
    const files = isSearched ? filesInText(decodeJson(text.head, () => {})) : [];
    if (files.length === 0) return yield* readXml({ head, chunks: text.chunks }, place, context);
    const names = new PartNames(place.part);
    place.notes.push({ part: place.part, detail: "found within a text" });
    for (const [i, { fileName, bytes }] of files.entries()) {
      const part = i === 0 ? place.part : names.name(fileName, `report ${i + 1}`);
      const { content, file } = fileOf(bytes, fileName || place.file.name, place.file.mimeType);
      yield* context.read(content, { ...place, part, notes: [...place.notes], file, isFromText: true }, context);
    }
  } finally {
    await text.close();
  }
}

/** What is XML alone is read as it stands; what is about a mail shows evidence. */
function filesInText(text: string): ReadBodyTexts["pasted"] {
  const isXml = holdsRootTag(text) && findPastedJson(text, "").length === 0;
  if (isXml || isAboutMail(text)) return [];
  return readBodyTexts({ text: [text], html: [text] }).pasted;
}

/** How much of an encoded reported mail is searched for its header. */
const ORIGINAL_BYTES = 256 * 1024;

/** The problem of an attached mail that is a notice: its parts are passed over as those of this mail are. */
function isNoticeAttached(event: ReadEvent, { part, file }: Place): boolean {
  const isOwn = event.type === "problem" && event.part === part && file.format === "mail";
  return isOwn && event.problem.code === "delivery_notice";
}

function rejectMail(isNotice: boolean): never {
  if (isNotice) reject("delivery_notice");
  reject("not_a_report", "the mail holds no report file");
}

function* skippedParts(passed: readonly PassedPart[], { part }: Place): Generator<ReadEvent> {
  for (const { kind, fileName, mimeType, sizeBytes } of passed) {
    yield {
      type: "passed_over",
      part: pathOf(part, fileName, kind),
      kind,
      file: { name: fileName, mimeType, sizeBytes },
    };
  }
}

function pathOf(outer: string, fileName: string, kind: PassedKind): string {
  return new PartNames(outer).name(fileName, kind.replaceAll("_", " "));
}

/** The failure reports in a mail: usually one, in fields, or in plain text if there are none. */
function* readFailures(
  { feedback, text, hasReport }: { feedback: readonly FeedbackParts[]; text: string; hasReport: boolean },
  place: Place,
  context: Context,
): Generator<ReadEvent> {
  const sources = feedback.length > 0 ? feedback : noticesIn(text);
  const names = new PartNames(place.part);
  for (const [i, source] of sources.entries()) {
    const part = i === 0 ? place.part : names.name("", `failure report ${i + 1}`);
    if (i >= MAIL_LIMITS.maxPartsPerMessage && "text" in source) {
      const others = problem("too_many_parts", `more than ${i} failure reports in a text`);
      return yield { type: "problem", part, problem: others, file: place.file };
    }
    const failure = readFailureMail(source, { ...place, part }, context);
    // The body text with another report may only talk about failures.
    if (hasReport && "text" in source && failureFacts(source.text) === "") return;
    if (failure !== undefined) yield failure;
    else {
      const other = problem("not_a_report", "feedback of another type than auth-failure");
      yield { type: "problem", part, problem: other, file: place.file };
    }
  }
}

/** The failure notices in a text: one, or several that somebody put together, each with its facts. */
function noticesIn(text: string): { text: string }[] {
  const notices = findFailures(text).map((text) => ({ text }));
  const different = new Map(notices.map((notice) => [failureFacts(notice.text), notice]));
  different.delete("");
  if (different.size > 1) return [...different.values()];
  return notices.length > 0 ? [{ text }] : [];
}
