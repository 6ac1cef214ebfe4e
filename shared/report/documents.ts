/**
 * One document to events: what stands inside the containers that read.ts opens. Its first bytes have told what it is; a
 * bad one throws a Rejection.
 */
import type { ExtractedMail } from "../mail/extract.ts";
import { SNIFF_BYTES } from "../sniff.ts";
import { AggregateReader, readAggregate } from "./aggregate.ts";
import { readFailure } from "./failure.ts";
import type { ContentHash, ReadEvent } from "./read.ts";
import type { RecordShapes } from "./record-shapes.ts";
import { holdStream, type Peeked } from "./source.ts";
import { readTls } from "./tls.ts";
import { WarningLog } from "./warnings.ts";

/** Where a document was found. */
export interface DocumentPlace {
  /** Path inside the file, "" for the file itself. */
  part: string;
  /** What was odd about the containers around it; filled while they are read, so complete at the end of the content. */
  notes: ContainerNote[];
}

/** What was odd about one container. */
export interface ContainerNote {
  part: string;
  detail: string;
}

/** What every document of a file is read with. */
export interface DocumentContext {
  shapes: RecordShapes;
  createHash: (() => ContentHash) | undefined;
}

/** Reads an aggregate report as it streams in. */
export async function* readXml(
  { head, chunks }: Peeked,
  place: DocumentPlace,
  { shapes, createHash }: DocumentContext,
): AsyncGenerator<ReadEvent> {
  const { part } = place;
  const warnings = new WarningLog();
  const hash = createHash?.();
  shapes.startDocument();
  const content = { head, chunks: hash === undefined ? chunks : hashed(chunks, hash) };
  const reader = readAggregate(content, { warnings, shapes });
  let firstOrdinal = 0;
  for (let next = await reader.next(); ; next = await reader.next()) {
    if (next.done) {
      yield { type: "report", part, report: { ...next.value, ...closing(place, warnings, hash) } };
      return;
    }
    yield { type: "records", part, firstOrdinal, records: next.value };
    firstOrdinal += next.value.length;
  }
}

/** Reads an aggregate report that is there as a whole: the same, without a stream's cost. */
export function readXmlWhole(
  bytes: Uint8Array,
  place: DocumentPlace,
  { shapes, createHash }: DocumentContext,
): ReadEvent[] {
  const { part } = place;
  const warnings = new WarningLog();
  const hash = createHash?.();
  hash?.update(bytes);
  shapes.startDocument();
  const reader = new AggregateReader(bytes.subarray(0, SNIFF_BYTES), { warnings, shapes });
  const records = reader.push(bytes);
  const { records: last, body } = reader.finish();
  return [
    { type: "records", part, firstOrdinal: 0, records },
    { type: "records", part, firstOrdinal: records.length, records: last },
    { type: "report", part, report: { ...body, ...closing(place, warnings, hash) } },
  ];
}

/** Reads a TLS report. */
export async function readJson(
  { chunks }: Peeked,
  place: DocumentPlace,
  { createHash }: DocumentContext,
): Promise<ReadEvent> {
  const source = await holdStream(chunks);
  const bytes = await source.read(0, source.sizeBytes);
  const warnings = new WarningLog();
  const hash = createHash?.();
  hash?.update(bytes);
  const report = readTls(decodeJson(bytes), warnings);
  return { type: "report", part: place.part, report: { ...report, ...closing(place, warnings, hash) } };
}

/** Reads the failure report that a mail is; undefined when it is none. */
export function readFailureMail(
  { mail, bytes }: { mail: ExtractedMail; bytes: Uint8Array },
  place: DocumentPlace,
  { createHash }: DocumentContext,
): ReadEvent | undefined {
  const warnings = new WarningLog();
  const failure = readFailure(mail, warnings);
  if (failure === undefined) return undefined;
  const hash = createHash?.();
  hash?.update(bytes);
  return { type: "report", part: place.part, report: { ...failure, ...closing(place, warnings, hash) } };
}

// RFC 8259 section 8.1 says UTF-8; a BOM tells the rest.
function decodeJson(bytes: Uint8Array): string {
  const wide =
    bytes[0] === 0xff || bytes[1] === 0 ? "utf-16le" : bytes[0] === 0xfe || bytes[0] === 0 ? "utf-16be" : "utf-8";
  return new TextDecoder(wide).decode(bytes);
}

function closing({ notes }: DocumentPlace, warnings: WarningLog, hash: ContentHash | undefined) {
  for (const { part, detail } of notes) warnings.addOnce("repaired_archive", part, detail);
  return {
    warnings: warnings.warnings,
    omittedWarnings: warnings.omitted,
    contentHash: hash?.digest("hex") ?? "",
  };
}

async function* hashed(chunks: AsyncIterable<Uint8Array>, hash: ContentHash): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}
