/**
 * Reads one document from the containers that read.ts opens, and yields its events. Its format is known from its first
 * bytes; a bad document throws a Rejection.
 */
import { READ_LIMITS } from "../limits.ts";
import { SNIFF_BYTES } from "../sniff.ts";
import { AggregateReader } from "./aggregate.ts";
import type { Bounds } from "./bounds.ts";
import type { ReadBudget } from "./budget.ts";
import { type FailureSource, readFailure } from "./failure.ts";
import type { FileFacts } from "./problems.ts";
import type { ContentHash, ReadEvent } from "./read.ts";
import type { RecordShapes } from "./shapes/record-shapes.ts";
import { holdStream, type Peeked } from "./source.ts";
import { readTls } from "./tls.ts";
import { WarningLog } from "./warnings.ts";

/** Where a document was found. */
export interface DocumentPlace {
  /** Path inside the file, "" for the file itself. */
  part: string;
  /** The file that it is or is in. */
  file: FileFacts;
  /** TLS-Report-Domain of its mail, "" if there is none. */
  tlsReportDomain: string;
  /** Oddities of the containers around it, collected while reading and so complete at the end of the content. */
  notes: ContainerNote[];
}

/** Oddities of one container. */
export interface ContainerNote {
  part: string;
  detail: string;
}

/** The context for reading any document of a file. */
export interface DocumentContext {
  shapes: RecordShapes;
  budget: ReadBudget;
  bounds: Bounds;
  createHash: (() => ContentHash) | undefined;
}

/** Reads an aggregate report as it streams in. */
export async function* readXml(
  { head, chunks }: Peeked,
  place: DocumentPlace,
  context: DocumentContext,
): AsyncGenerator<ReadEvent> {
  const { part } = place;
  const { shapes, createHash } = context;
  const warnings = new WarningLog();
  const hash = createHash?.();
  shapes.startDocument();
  const reader = new AggregateReader(head, { ...context, warnings });
  let firstOrdinal = 0;
  for await (const chunk of chunks) {
    hash?.update(chunk);
    for (const piece of inPieces(chunk)) {
      const records = reader.push(piece);
      if (records.length > 0) yield { type: "records", part, firstOrdinal, records };
      firstOrdinal += records.length;
    }
  }
  const { records, body } = reader.finish();
  if (records.length > 0) yield { type: "records", part, firstOrdinal, records };
  const contentHash = hash?.digest("hex") ?? "";
  yield { type: "report", part, report: { ...body, contentHash, ...closing(place, warnings, context) } };
}

// Content in memory comes as one chunk, but its records must not all be held at once.
function* inPieces(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.byteLength; at += READ_LIMITS.inflateOutputBytes) {
    yield chunk.subarray(at, at + READ_LIMITS.inflateOutputBytes);
  }
}

/** Reads an aggregate report that is in memory: the same result without the cost of a stream. */
export function readXmlWhole(bytes: Uint8Array, place: DocumentPlace, context: DocumentContext): ReadEvent[] {
  const { part } = place;
  const { shapes, createHash } = context;
  const warnings = new WarningLog();
  shapes.startDocument();
  const reader = new AggregateReader(bytes.subarray(0, SNIFF_BYTES), { ...context, warnings });
  const records = reader.push(bytes);
  const { records: last, body } = reader.finish();
  records.push(...last);
  const contentHash = hashOf(bytes, createHash);
  const closed = closing(place, warnings, context);
  const report: ReadEvent = { type: "report", part, report: { ...body, contentHash, ...closed } };
  return records.length === 0 ? [report] : [{ type: "records", part, firstOrdinal: 0, records }, report];
}

/** Reads a TLS report. */
export async function readJson({ chunks }: Peeked, place: DocumentPlace, context: DocumentContext): Promise<ReadEvent> {
  const { budget, bounds, createHash } = context;
  const source = await holdStream(chunks, READ_LIMITS.maxJsonBytes);
  const bytes = await source.read(0, source.sizeBytes);
  const warnings = new WarningLog();
  const domain = domainOfPlace(place);
  const report = readTls(decodeJson(bytes), { bounds, warnings, domain });
  budget.takeRecords(report.policies.reduce((sum, { failureDetails }) => sum + failureDetails.length, 0));
  budget.takeRecords(report.policies.length);
  // No text in the report is longer than the document.
  budget.takeHeld(bytes.byteLength);
  const contentHash = hashOf(bytes, createHash);
  return { type: "report", part: place.part, report: { ...report, contentHash, ...closing(place, warnings, context) } };
}

/** Reads a failure report; undefined if it is not one. */
export function readFailureMail(
  source: FailureSource,
  place: DocumentPlace,
  context: DocumentContext,
): ReadEvent | undefined {
  const { bounds, createHash } = context;
  const warnings = new WarningLog();
  const failure = readFailure(source, { bounds, warnings });
  if (failure === undefined) return undefined;
  const said = "fields" in source ? `${source.fields}\n${source.originalHeader}` : source.text;
  const contentHash = hashOf(new TextEncoder().encode(said), createHash);
  const closed = closing(place, warnings, context);
  return { type: "report", part: place.part, report: { ...failure, contentHash, ...closed } };
}

// RFC 8259 section 8.1 requires UTF-8; a BOM indicates other encodings.
function decodeJson(bytes: Uint8Array): string {
  const wide =
    bytes[0] === 0xff || bytes[1] === 0 ? "utf-16le" : bytes[0] === 0xfe || bytes[0] === 0 ? "utf-16be" : "utf-8";
  return new TextDecoder(wide).decode(bytes);
}

/** RFC 8460 sections 5.3 and 5.1: the domain of a TLS report according to its mail's header, or else its file name. */
function domainOfPlace({ tlsReportDomain, file }: DocumentPlace): string {
  const [, named = ""] = file.name.split("!");
  return tlsReportDomain || named;
}

function hashOf(bytes: Uint8Array, createHash: DocumentContext["createHash"]): string {
  const hash = createHash?.();
  hash?.update(bytes);
  return hash?.digest("hex") ?? "";
}

function closing({ notes }: DocumentPlace, warnings: WarningLog, { budget }: DocumentContext) {
  for (const { part, detail } of notes) warnings.addOnce("repaired_archive", part, detail);
  budget.takeHeld(warnings.warnings.reduce((sum, { path, detail }) => sum + path.length + detail.length, 0));
  return { warnings: warnings.warnings, omittedWarnings: warnings.omitted };
}
