/**
 * The entry point for reading: bytes of any kind in, reports and problems out. Containers are recognised by their bytes
 * and opened as they stream; what cannot be read comes out as a problem, never as an exception.
 */

import { MAIL_LIMITS, READ_LIMITS } from "../limits.ts";
import { isBareNotice } from "../mail/extract.ts";
import { EXTERNAL_BODY, type PassedKind, roleOf } from "../mail/roles.ts";
import { type ContentType, FORMAT_NAMES, SNIFF_BYTES, sniff, UNREAD_FORMATS } from "../sniff.ts";
import { describeFile } from "./advice.ts";
import { ReadBudget, Refusal } from "./budget.ts";
import type { Content, Context, Place } from "./content.ts";
import { type ContainerNote, readJson, readXml, readXmlWhole } from "./documents.ts";
import { decodeBase64, decodeUuencoded } from "./encoded-text.ts";
import { type ArchiveNote, gunzip, gunzipWhole, inflateZlib } from "./inflate.ts";
import { readMail, readMailbox, readText } from "./mails.ts";
import { PartNames } from "./part-names.ts";
import { type FileFacts, type Problem, problem } from "./problems.ts";
import { Rejection, reject } from "./rejection.ts";
import { RecordShapes } from "./shapes/record-shapes.ts";
import { type ByteSource, holdStream, type Peeked, peek } from "./source.ts";
import type { AggregateRecord, Report } from "./vocabulary.ts";
import { readZip } from "./zip.ts";

/** An incremental hash, such as node:crypto's createHash("sha256"). */
export interface ContentHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

/** How a file came. */
export interface SourceFile {
  /** "" where it has none. */
  name: string;
  mimeType: string;
  /** Of its mail (RFC 8460 section 5.3), "" where there is none. */
  tlsReportDomain: string;
}

export interface ReadOptions {
  /** When the mail came, or now; seconds since 1970 UTC. No report may be about what is later (bounds.ts). */
  nowSeconds: number;
  /** Takes what is only doubtful with a warning, for a person to see; default false. */
  isLenient?: boolean;
  /** What the mail says of the file. Problems name it, and it gives the domain that a TLS report may lack. */
  file?: SourceFile;
  /** Objects that the mail was taken apart into, this one included; default 1. */
  objectsOfMail?: number;
  /**
   * Makes the hash of a document's decompressed bytes. Absent = contentHash stays empty, as it does where aggregate reports
   * follow one another in a file.
   */
  createHash?: () => ContentHash;
  /** What is known of how records are written, to be used again for the next file; by default each file starts anew. */
  shapes?: RecordShapes;
  /** Reads every record with the general reader: the reference that the fast path is compared with. */
  generalReaderOnly?: boolean;
  /** Mails larger than this are read as they stream; default MAIL_LIMITS.maxParsedMessageBytes. */
  maxParsedMessageBytes?: number;
}

/**
 * What reading finds, in order. `part` is the path inside the file, "" for the file itself. The records of a document
 * come before its report; if a problem of the same part comes instead, they must be forgotten. `passed_over` is a part that
 * evidently is no report that came (shared/mail/roles.ts). `refused` comes last, if the file as a whole is more than is read
 * (budget.ts): all earlier events must be discarded.
 */
export type ReadEvent =
  | { type: "records"; part: string; firstOrdinal: number; records: AggregateRecord[] }
  | { type: "report"; part: string; report: Report }
  | { type: "problem"; part: string; problem: Problem; file?: FileFacts }
  | { type: "passed_over"; part: string; kind: PassedKind; file: FileFacts }
  | { type: "refused"; part: ""; problem: Problem };

/**
 * Reads every report in a file: a mail, a mailbox, an archive, XML or JSON, whatever its name. Every part of it comes out as a
 * report, as a problem or as passed over.
 */
export async function* readReports(source: ByteSource, options: ReadOptions): AsyncGenerator<ReadEvent> {
  try {
    const context = contextOf(source, options);
    const place = placeOf(source, options.file);
    const content: Content = { chunks: lazyStream(source), source };
    const events = source.bytes === undefined ? undefined : readSmall(source.bytes, { content, place, context });
    if (events === undefined) yield* readSource(content, place, context);
    for (const event of events ?? []) yield event;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    yield { type: "refused", part: "", problem: error.problem };
  }
}

function contextOf({ sizeBytes }: ByteSource, options: ReadOptions): Context {
  const shapes = options.generalReaderOnly === true ? new RecordShapes({ learns: false }) : options.shapes;
  return {
    budget: new ReadBudget(sizeBytes, options.objectsOfMail),
    bounds: { nowSeconds: options.nowSeconds, isLenient: options.isLenient ?? false },
    maxParsedMessageBytes: options.maxParsedMessageBytes ?? MAIL_LIMITS.maxParsedMessageBytes,
    createHash: options.createHash,
    shapes: shapes ?? new RecordShapes(),
    read: readContent,
  };
}

function placeOf({ sizeBytes }: ByteSource, file: SourceFile | undefined): Place {
  const { name = "", mimeType = "", tlsReportDomain = "" } = file ?? {};
  const facts: FileFacts = { name, mimeType, sizeBytes };
  return { part: "", depth: 0, mails: 0, notes: [], file: facts, tlsReportDomain, isJudged: true };
}

// Most files are read whole and never as a stream.
function lazyStream(source: ByteSource): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => source.stream()[Symbol.asyncIterator]() };
}

async function* readSource(content: Content, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  let hasResult = false;
  for await (const event of readContent(content, place, context)) {
    hasResult ||= event.type === "report" || event.type === "problem";
    yield event;
  }
  if (!hasResult) yield { type: "problem", part: "", problem: problem("not_a_report"), file: place.file };
}

const CONTAINERS = new Set<ContentType>(["gzip", "zlib", "zip", "mail", "mbox", "base64", "uuencoded"]);

async function* readContent(content: Content, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  try {
    const bytes = content.source?.bytes ?? (await content.whole?.());
    const events = bytes === undefined ? undefined : readSmall(bytes, { content, place, context });
    if (events === undefined) return yield* openContent(content, place, context);
    for (const event of events) yield event;
  } catch (error) {
    yield eventOf(error, content, place);
  }
}

/** The event of a Rejection; anything else is thrown again. */
function eventOf(error: unknown, content: Content, place: Place): ReadEvent {
  if (!(error instanceof Rejection)) throw error;
  const role = passedAs(error.problem, content, place);
  if (role === undefined) return { type: "problem", part: place.part, problem: error.problem, file: place.file };
  return { type: "passed_over", part: place.part, kind: role, file: place.file };
}

/** Reads a small file in memory, without a stream's cost; undefined when it has to be read as one. */
function readSmall(
  bytes: Uint8Array,
  { content, place, context }: { content: Content; place: Place; context: Context },
): ReadEvent[] | undefined {
  const document = smallDocument(bytes, place, context);
  if (document === undefined) return undefined;
  try {
    // Charged as the streams do: the output of an archive, and that of a gzip in it.
    if (content.source === undefined) context.budget.takeOutput(bytes.byteLength);
    if (document !== bytes) context.budget.takeOutput(document.byteLength);
    context.budget.takeDocument();
    place.file.format = document === bytes ? "xml" : "gzip";
    return readXmlWhole(document, place, context);
  } catch (error) {
    return [eventOf(error, content, place)];
  }
}

// A file in an archive, or in a large mail, that turned out to hold no report.
function passedAs({ code }: Problem, { source }: Content, place: Place): PassedKind | undefined {
  if (place.isJudged || !["not_a_report", "empty", "unsupported_format"].includes(code) || place.head === undefined)
    return undefined;
  const { name: fileName, mimeType } = place.file;
  const sizeBytes = place.file.sizeBytes ?? source?.sizeBytes;
  const role = roleOf({
    fileName,
    mimeType,
    disposition: place.disposition ?? "attachment",
    head: place.head,
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  });
  return role === "candidate" ? undefined : role;
}

/** The XML of a small file in memory that is nothing but XML or a plain gzip of it; any other is read as a stream. */
function smallDocument(bytes: Uint8Array, { depth }: Place, { budget }: Context): Uint8Array | undefined {
  // As much as both could make together: near the end of the budget a document is read as a stream.
  const isWithinBudget = budget.outputBytesLeft >= 2 * READ_LIMITS.maxSmallDocumentBytes;
  if (bytes.byteLength > READ_LIMITS.maxSmallDocumentBytes || !isWithinBudget) return undefined;
  const isGzip = bytes[0] === 0x1f && depth < READ_LIMITS.maxArchiveDepth;
  const document = isGzip ? gunzipWhole(bytes, READ_LIMITS.maxSmallDocumentBytes) : bytes;
  if (document === undefined || sniff(document.subarray(0, SNIFF_BYTES)) !== "xml") return undefined;
  return document;
}

async function* openContent(content: Content, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const peeked = await peek(content.chunks, SNIFF_BYTES);
  try {
    yield* readPeeked({ ...content, ...peeked }, place, context);
  } finally {
    await peeked.close();
  }
}

async function* readPeeked(content: Content & Peeked, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const { head, chunks } = content;
  const note: ArchiveNote = (detail) => place.notes.push({ part: place.part, detail });
  const type = typeOf(content, place);
  place.file.format ??= type;
  place.head = head;
  if (!CONTAINERS.has(type)) context.budget.takeDocument();
  switch (type) {
    case "gzip":
      return yield* readGzip(chunks, place, context);
    case "zlib":
      return yield* readContent({ chunks: inflateZlib(chunks, context.budget) }, inside(place), context);
    case "base64":
      note("base64 text in place of the file");
      return yield* readContent({ chunks: decodeBase64(content, context.budget) }, inside(place, TEXT_DEPTH), context);
    case "uuencoded":
      note("uuencoded text in place of the file");
      return yield* readContent(
        { chunks: decodeUuencoded(chunks, context.budget) },
        inside(place, TEXT_DEPTH),
        context,
      );
    case "zip":
      return yield* readHeld(content, (source) => readArchive(source, place, context));
    case "mail":
      return yield* readHeld(isBareNotice(head) ? { chunks: withHeader(chunks) } : content, (source) =>
        readMail(source, place, context),
      );
    case "mbox":
      return yield* readMailbox(chunks, place, context);
    case "text":
    case "html":
      return yield* readText(content, place, context);
    case "xml":
      return yield* readXml(content, place, context);
    case "json":
      return yield* readJson(content, place, context);
    case "empty":
      // Blanks that fill the first bytes may come before a report.
      if (head.byteLength >= SNIFF_BYTES && !head.includes(0)) return yield* readXml(content, place, context);
      return reject("empty");
    default:
      return rejectFormat(type, place);
  }
}

const LAST_MEMBER = "last gzip member";

/** A gzip. If a later member is lost, the reports before it are not: the loss is a separate problem. */
async function* readGzip(chunks: AsyncIterable<Uint8Array>, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const lost: Problem[] = [];
  const note: ArchiveNote = (detail) => place.notes.push({ part: place.part, detail });
  const content = gunzip(chunks, context.budget, { note, lose: (problem) => lost.push(problem) });
  const names = new PartNames(place.part);
  let part = names.name("", LAST_MEMBER);
  let hasReport = false;
  for await (const event of readContent({ chunks: content }, inside(place), context)) {
    hasReport ||= event.type === "report";
    // The content may be a gzip that lost one, too.
    if (event.part === part) part = names.name("", LAST_MEMBER);
    yield event;
  }
  if (hasReport) for (const problem of lost) yield { type: "problem", part, problem, file: place.file };
}

/** A failure notice in plain text, with the header that it was saved without. */
async function* withHeader(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield TEXT_HEADER;
  yield* chunks;
}

const TEXT_HEADER = new TextEncoder().encode("Content-Type: text/plain\r\n\r\n");

/** Reads what needs random access; a stream is held in memory until then, and no longer. */
async function* readHeld(
  { source, chunks }: Content,
  read: (source: ByteSource) => AsyncGenerator<ReadEvent>,
): AsyncGenerator<ReadEvent> {
  if (source !== undefined) return yield* read(source);
  const held = await holdStream(chunks);
  try {
    yield* read(held);
  } finally {
    held.release();
  }
}

function typeOf({ head, isMail }: Content & Peeked, { file }: Place): ContentType {
  const type = sniff(head);
  if (file.mimeType === EXTERNAL_BODY && ["mail", "text", "empty"].includes(type)) return "external";
  // RFC 2046 section 5.2.2: the first of them begins with a header, and the others anywhere.
  if (file.mimeType === "message/partial" && type === "text") return "fragment";
  // A failure notice in plain text is read as the body text of a mail.
  if (type === "text" && isBareNotice(head)) return "mail";
  return isMail === true && type !== "mbox" ? "mail" : type;
}

function rejectFormat(type: ContentType, place: Place): never {
  if (!UNREAD_FORMATS.has(type)) reject("not_a_report", `the content is ${FORMAT_NAMES[type]}`);
  // The content of a gzip is refused, not the gzip.
  place.file.format = type;
  reject("unsupported_format", describeFile(place.file));
}

function inside(place: Place, levels = 1): Place {
  if (place.depth >= READ_LIMITS.maxArchiveDepth) reject("too_deep", "archives within archives");
  return { ...place, depth: place.depth + levels };
}

/** What a file as text counts of an archive: it never holds more than it is. */
const TEXT_DEPTH = 0.5;

async function* readArchive(source: ByteSource, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const inner = inside(place);
  const notes: ContainerNote[] = [...place.notes];
  const { files, resourceForks } = await readZip(source, context.budget, (detail) =>
    notes.push({ part: place.part, detail }),
  );
  if (files.length === 0) reject("empty", "the archive holds no file");
  if (isOfficeDocument(files)) rejectFormat("office", place);
  const names = new PartNames(place.part);
  for (const [i, file] of files.entries()) {
    const part = names.name(file.name, `file ${i + 1}`);
    const facts: FileFacts = { name: file.name, mimeType: "", sizeBytes: file.sizeBytes };
    const entry = { ...inner, part, notes: [...notes], file: facts, isJudged: false, disposition: "attachment" };
    yield* readContent({ ...file, chunks: file.content() }, entry, context);
  }
  for (const name of resourceForks) {
    yield {
      type: "passed_over",
      part: names.name(name, "resource fork"),
      kind: "resource_fork",
      file: { name, mimeType: "" },
    };
  }
}

/** Office Open XML (ECMA-376) and OpenDocument are archives with a file of a known name. */
function isOfficeDocument(files: readonly { name: string }[]): boolean {
  return files.some(({ name }) => name === "[Content_Types].xml" || name === "META-INF/manifest.xml");
}
