/**
 * The entry point for reading: bytes of any kind in, reports and problems out. Containers are recognised by their bytes and opened
 * as they stream; what cannot be read comes out as a problem, never as an exception.
 */

import { MAIL_LIMITS, READ_LIMITS } from "../limits.ts";
import { extractMail } from "../mail/extract.ts";
import { MailStructureError, streamParts } from "../mail/stream.ts";
import { type ContentType, SNIFF_BYTES, sniff } from "../sniff.ts";
import { ReadBudget, Refusal } from "./budget.ts";
import {
  type ContainerNote,
  type DocumentContext,
  type DocumentPlace,
  readFailureMail,
  readJson,
  readXml,
  readXmlWhole,
} from "./documents.ts";
import { type ArchiveNote, gunzip, gunzipWhole, inflateZlib } from "./inflate.ts";
import { PartNames } from "./part-names.ts";
import { type Problem, problem } from "./problems.ts";
import { Rejection, reject } from "./rejection.ts";
import { RecordShapes } from "./shapes/record-shapes.ts";
import { type ByteSource, bytesSource, holdStream, type Peeked, peek } from "./source.ts";
import type { AggregateRecord, Report } from "./vocabulary.ts";
import { readZip } from "./zip.ts";

/** An incremental hash, such as node:crypto's createHash("sha256"). */
export interface ContentHash {
  update(bytes: Uint8Array): unknown;
  digest(encoding: "hex"): string;
}

export interface ReadOptions {
  /** When the mail came, or now; seconds since 1970 UTC. No report may be about what is later (bounds.ts). */
  nowSeconds: number;
  /** Takes what is only doubtful with a warning, for a person to see; default false. */
  isLenient?: boolean;
  /** Objects that the mail was taken apart into, this one included; default 1. */
  objectsOfMail?: number;
  /** Makes the hash of one document's decompressed bytes; absent = contentHash stays empty. */
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
 * come before its report; if a problem of the same part comes instead, they must be forgotten. `refused` comes last, if
 * the file as a whole is more than is read (budget.ts): everything told before must be forgotten.
 */
export type ReadEvent =
  | { type: "records"; part: string; firstOrdinal: number; records: AggregateRecord[] }
  | { type: "report"; part: string; report: Report }
  | { type: "problem"; part: string; problem: Problem }
  | { type: "refused"; part: ""; problem: Problem };

/**
 * Reads every report in a file: a mail, an archive, XML or JSON, whatever its name.
 *
 * Parts that are no reports (pictures, covering letters) are passed over when the file holds anything else to tell of.
 */
export async function* readReports(source: ByteSource, options: ReadOptions): AsyncGenerator<ReadEvent> {
  try {
    yield* readSource(source, contextOf(source, options));
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
  };
}

async function* readSource(source: ByteSource, context: Context): AsyncGenerator<ReadEvent> {
  const place: Place = { part: "", depth: 0, notes: [] };
  let passedOver: ReadEvent | undefined;
  let told = false;
  for await (const event of readContent({ chunks: source.stream(), source }, place, context)) {
    const isNothing = event.type === "problem" && ["not_a_report", "empty"].includes(event.problem.code);
    if (isNothing) passedOver ??= event;
    else {
      told ||= event.type !== "records";
      yield event;
    }
  }
  if (!told) yield passedOver ?? { type: "problem", part: "", problem: problem("not_a_report") };
}

const CONTAINERS = new Set<ContentType>(["gzip", "zlib", "zip", "mail"]);

interface Context extends DocumentContext {
  maxParsedMessageBytes: number;
}

/** Content to read: a stream, and the object behind it where there is one. */
interface Content {
  chunks: AsyncIterable<Uint8Array>;
  source?: ByteSource;
  /** All of it at once, where that is quicker. */
  whole?: () => Promise<Uint8Array | undefined>;
}

interface Place extends DocumentPlace {
  /** Archives around it, those around the mail that it came in included. */
  depth: number;
}

async function* readContent(content: Content, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  try {
    const bytes = content.source?.bytes ?? (await content.whole?.());
    const document = bytes === undefined ? undefined : smallDocument(bytes, place, context);
    if (bytes === undefined || document === undefined) return yield* openContent(content, place, context);
    // As the streams charge: what an archive made, and what a gzip made of that.
    if (content.source === undefined) context.budget.takeOutput(bytes.byteLength);
    if (document !== bytes) context.budget.takeOutput(document.byteLength);
    context.budget.takeDocument();
    yield* readXmlWhole(document, place, context);
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    yield { type: "problem", part: place.part, problem: error.problem };
  }
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
  const type = sniff(head);
  if (!CONTAINERS.has(type)) context.budget.takeDocument();
  switch (type) {
    case "gzip":
      return yield* readContent({ chunks: gunzip(chunks, context.budget, note) }, inside(place), context);
    case "zlib":
      return yield* readContent({ chunks: inflateZlib(chunks, context.budget) }, inside(place), context);
    case "zip":
      return yield* readArchive(content.source ?? (await holdStream(chunks)), place, context);
    case "mail":
      return yield* readMail(content.source ?? (await holdStream(chunks)), place, context);
    case "xml":
    case "text":
    case "html":
      return yield* readXml(content, place, context);
    case "json":
      return yield await readJson(content, place, context);
    case "empty":
      return reject("empty");
    default:
      return reject("not_a_report", `the content is ${type}`);
  }
}

function inside(place: Place): Place {
  if (place.depth >= READ_LIMITS.maxArchiveDepth) reject("too_deep", "archives within archives");
  return { ...place, depth: place.depth + 1 };
}

async function* readArchive(source: ByteSource, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const inner = inside(place);
  const notes: ContainerNote[] = [...place.notes];
  const files = await readZip(source, context.budget, (detail) => notes.push({ part: place.part, detail }));
  if (files.length === 0) reject("empty", "the archive holds no file");
  const names = new PartNames(place.part);
  for (const [i, file] of files.entries()) {
    const part = names.name(file.name, `file ${i + 1}`);
    yield* readContent({ ...file, chunks: file.content() }, { ...inner, part, notes: [...notes] }, context);
  }
}

async function* readMail(source: ByteSource, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  if (source.sizeBytes > context.maxParsedMessageBytes) return yield* readLargeMail(source, place, context);
  const bytes = await source.read(0, source.sizeBytes);
  const mail = await extractMail(bytes);
  if (!mail.ok) return reject(mail.error.code, mail.error.detail);
  const { candidates } = mail.value;
  let hasReport = false;
  const names = new PartNames(place.part);
  for (const [i, candidate] of candidates.entries()) {
    const part = names.name(candidate.fileName, `part ${i + 1}`);
    const source = bytesSource(candidate.bytes);
    const inner = { ...place, part, notes: [...place.notes] };
    for await (const event of readContent({ chunks: source.stream(), source }, inner, context)) {
      hasReport ||= event.type === "report";
      yield event;
    }
  }
  if (hasReport) return;
  const failure = readFailureMail({ mail: mail.value, bytes }, place, context);
  if (failure !== undefined) yield failure;
  else if (candidates.length === 0) reject("not_a_report", "the mail holds no report file");
}

/** A mail too large to be held: its parts are read as they stream. */
async function* readLargeMail(source: ByteSource, place: Place, context: Context): AsyncGenerator<ReadEvent> {
  const names = new PartNames(place.part);
  let parts = 0;
  try {
    for await (const { fileName, mimeType, content } of streamParts(source.stream())) {
      const part = names.name(fileName, `part ${++parts}`);
      const inner = { ...place, part, notes: [...place.notes] };
      if (mimeType === "message/feedback-report") yield* readFeedbackPart(content, inner, context);
      else yield* readContent({ chunks: content }, inner, context);
    }
  } catch (error) {
    if (!(error instanceof MailStructureError)) throw error;
    reject(error.code, error.message);
  }
}

// Of a feedback report this large, the mail it is about is the bulk and is passed over.
async function* readFeedbackPart(
  content: AsyncIterable<Uint8Array>,
  place: Place,
  context: Context,
): AsyncGenerator<ReadEvent> {
  const part = await holdStream(content);
  const bytes = await part.read(0, part.sizeBytes);
  const feedback = { fields: new TextDecoder().decode(bytes), originalHeader: "" };
  const mail = { candidates: [], feedback, text: "" };
  const failure = readFailureMail({ mail, bytes }, place, context);
  if (failure !== undefined) yield failure;
}
