/**
 * One aggregate report's bytes, as they stream in, to its records: runs of known shape straight from the bytes
 * (shapes/record-shapes.ts), everything else as text through the segmenter, for the general reader.
 */
import { READ_LIMITS } from "../limits.ts";
import type { ReadBudget } from "./budget.ts";
import type { BytePiece, RecordShapes, RunEnd } from "./shapes/record-shapes.ts";
import { concatBytes } from "./source.ts";
import type { XmlTextDecoder } from "./text.ts";
import type { AggregateRecord } from "./vocabulary.ts";
import type { Frame } from "./xml/frame-text.ts";
import type { RecordText, Segmenter } from "./xml/segments.ts";

/** Is handed the records in order, each as it is found. */
export interface RecordSink {
  /** A record of a known shape, and the paths of the elements in it that no RFC knows. */
  takeRecord(record: AggregateRecord, unknown: readonly string[]): void;
  /** The XML text of another; it may teach its shape. */
  takeText(record: RecordText): void;
}

interface Parts {
  decoder: XmlTextDecoder;
  segmenter: Segmenter;
  /** For records without prefixes, which mean the same in any report whose default namespace is its own. */
  shapes: RecordShapes;
  /** For the others, whose prefixes mean what this document says. */
  ownShapes: () => RecordShapes | undefined;
  budget: ReadBudget;
  sink: RecordSink;
}

const LESS_THAN = 0x3c;
const GREATER_THAN = 0x3e;
const COLON = 0x3a;
const NO_BYTES = new Uint8Array(0);
const RECORD_NAME = "record";
const RECORD = new TextEncoder().encode(RECORD_NAME);
/** Longest namespace prefix looked past. */
const MAX_PREFIX_BYTES = 40;
/** Read by the general reader at once while no shape is known, and within a comment. */
const GENERAL_BYTES = 4096;
/** Of a piece, joined to a record that the piece before it cuts; a record has some 700. */
const JOINED_BYTES = 8192;

/** Cuts the bytes of one document into records, as they come. */
export class RecordStream {
  readonly #parts: Parts;
  /** A record of a known shape so far, that the last piece cuts. */
  #carried: Uint8Array = new Uint8Array(0);
  /** Bytes of the last piece that were not read because another document begins before them. */
  rest: Uint8Array = NO_BYTES;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes the next bytes; hands on what they complete. Throws the segmenter's and the sink's Rejections. */
  push(chunk: Uint8Array): void {
    const rest = this.#carried.byteLength === 0 ? chunk : this.#readCarried(chunk);
    if (rest.byteLength > 0) this.#readPiece(rest);
  }

  /** Takes the start of a document that follows another: text that was decoded with that one, and the bytes after it. */
  pushFollowing(text: string, rest: Uint8Array): void {
    this.#takeText(text);
    const { segmenter } = this.#parts;
    if (segmenter.following === undefined) this.push(rest);
    else this.rest = rest;
  }

  /** Takes the end of the document; hands on what is left and returns the frame. Throws as push does. */
  finish(): Frame {
    const { decoder, segmenter, sink } = this.#parts;
    this.#readGeneral(this.#carried);
    if (segmenter.following === undefined) this.#takeText(decoder.end());
    const { records, frame } = segmenter.finish();
    for (const record of records) sink.takeText(record);
    return frame;
  }

  // The record that the last piece cut is nearly always complete within the first bytes of this one.
  #readCarried(chunk: Uint8Array): Uint8Array {
    const carriedBytes = this.#carried.byteLength;
    const joined = concatBytes([this.#carried, chunk.subarray(0, JOINED_BYTES)]);
    this.#carried = new Uint8Array(0);
    const { end } = this.#readRun(newPiece(joined), 0);
    if (end > carriedBytes) return chunk.subarray(end - carriedBytes);
    // Another document may have taught a shape meanwhile: what was read is not read again.
    return concatBytes([joined.subarray(end), chunk.subarray(JOINED_BYTES)]);
  }

  #readPiece(bytes: Uint8Array): void {
    const { shapes, ownShapes, segmenter } = this.#parts;
    const piece = newPiece(bytes);
    let leastBytes = 1;
    for (let at = 0; at < bytes.byteLength; ) {
      const { end, incomplete } = this.#readRun(piece, at);
      if (incomplete && bytes.byteLength - end <= READ_LIMITS.maxRecordChars) {
        this.#carried = new Uint8Array(bytes.subarray(end));
        return;
      }
      at = end;
      if (at === bytes.byteLength) return;
      // As long as no shape is known, a good piece; then one record, after which the run may go on.
      const next = findRecordStart(
        bytes,
        at + (shapes.isEmpty && ownShapes() === undefined ? Math.max(GENERAL_BYTES, leastBytes) : leastBytes),
      );
      this.#readGeneral(bytes.subarray(at, next));
      at = next;
      if (segmenter.following !== undefined) {
        this.rest = bytes.subarray(at);
        return;
      }
      // What looks like records within a comment is ignored: ever larger pieces keep it from being looked at again and again.
      leastBytes = segmenter.isBetweenRecords ? 1 : Math.max(GENERAL_BYTES, leastBytes * 2);
    }
  }

  #readRun(piece: BytePiece, at: number): RunEnd {
    const { decoder, segmenter, shapes, ownShapes, sink } = this.#parts;
    const none = { end: at, incomplete: false };
    if (!segmenter.isBetweenRecords || !decoder.isAsciiCompatible) return none;
    const mayShare = !shapes.isEmpty && segmenter.rootNamespaces.isOwn(RECORD_NAME);
    let run = mayShare ? shapes.read(piece, at, sink) : none;
    const own = run.end === at ? ownShapes()?.read(piece, at, sink) : undefined;
    if (own !== undefined) {
      run = { end: own.end, incomplete: own.incomplete || (own.end === at && run.incomplete) };
    }
    if (run.end > at) segmenter.passRecords();
    return run;
  }

  #readGeneral(bytes: Uint8Array): void {
    const { decoder, budget } = this.#parts;
    if (bytes.byteLength === 0) return;
    budget.takeGeneral(bytes.byteLength);
    this.#takeText(decoder.decode(bytes));
  }

  #takeText(text: string): void {
    const { decoder, segmenter, sink } = this.#parts;
    const records = segmenter.push(text);
    decoder.tellRepairs(segmenter.following?.length);
    for (const record of records) sink.takeText(record);
  }
}

function newPiece(bytes: Uint8Array): BytePiece {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** Where the next `<record` (with any prefix) begins, or the end. In UTF-16 it finds nothing, which is safe. */
function findRecordStart(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.byteLength; at++) {
    if (bytes[at] === LESS_THAN && isRecordName(bytes, at + 1)) return at;
  }
  return bytes.byteLength;
}

function isRecordName(bytes: Uint8Array, at: number): boolean {
  if (isRecord(bytes, at)) return true;
  for (let i = at; i < at + MAX_PREFIX_BYTES; i++) {
    const byte = bytes[i];
    if (byte === COLON) return isRecord(bytes, i + 1);
    if (byte === undefined || byte === GREATER_THAN || byte === LESS_THAN) return false;
  }
  return false;
}

function isRecord(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < RECORD.byteLength; i++) if (bytes[at + i] !== RECORD[i]) return false;
  return true;
}
