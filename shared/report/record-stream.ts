/**
 * One aggregate report's bytes, as they stream in, to its records: runs of known shape straight from the bytes
 * (record-shapes.ts), everything else as text through the segmenter, for the general reader.
 */
import { READ_LIMITS } from "../limits.ts";
import type { BytePiece, RecordShapes } from "./record-shapes.ts";
import { concatBytes } from "./source.ts";
import type { XmlTextDecoder } from "./text.ts";
import type { AggregateRecord } from "./vocabulary.ts";
import type { Segmenter } from "./xml/segments.ts";

/** Records of known shape, or one record as XML text. */
export type RecordItem = AggregateRecord[] | string;

interface Parts {
  decoder: XmlTextDecoder;
  segmenter: Segmenter;
  /** Grows between two items: the consumer lets it learn from each text item. */
  shapes: RecordShapes;
}

const LESS_THAN = 0x3c;
const COLON = 0x3a;
const RECORD = new TextEncoder().encode("record");
/** Longest namespace prefix looked past. */
const MAX_PREFIX_BYTES = 40;
/** Read by the general reader before shapes are looked for: a small report whole. */
const GENERAL_BYTES = 4096;

export class RecordStream {
  readonly #parts: Parts;
  /** A record of a known shape so far, that the last piece cuts. */
  #carried: Uint8Array = new Uint8Array(0);

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Takes the next bytes; yields what they complete, in order. Throws the segmenter's Rejections. */
  *push(chunk: Uint8Array): Generator<RecordItem> {
    const bytes = this.#carried.byteLength === 0 ? chunk : concatBytes([this.#carried, chunk]);
    const piece = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
    this.#carried = new Uint8Array(0);
    let leastBytes = 1;
    for (let at = 0; at < bytes.byteLength; ) {
      at = yield* this.#readRun(piece, at);
      if (at === bytes.byteLength) return;
      // As long as no shape is known, a good piece; then one record, after which the run may go on.
      const next = findRecordStart(bytes, at + (this.#parts.shapes.isEmpty ? GENERAL_BYTES : leastBytes));
      yield* this.#readGeneral(bytes.subarray(at, next));
      at = next;
      // Within a comment, what looks like records is none: ever larger pieces keep it from being looked at again and again.
      leastBytes = this.#parts.segmenter.isBetweenRecords ? 1 : leastBytes * 2;
    }
  }

  /** Takes the end of the document; yields what is left and returns the frame. Throws the segmenter's Rejections. */
  *finish(): Generator<RecordItem, string> {
    const { decoder, segmenter } = this.#parts;
    yield* this.#readGeneral(this.#carried);
    yield* segmenter.push(decoder.end());
    const { records, frame } = segmenter.finish();
    yield* records;
    return frame;
  }

  *#readRun(piece: BytePiece, at: number): Generator<RecordItem, number> {
    const { decoder, segmenter, shapes } = this.#parts;
    if (shapes.isEmpty || !segmenter.isBetweenRecords || !decoder.isAsciiCompatible) return at;
    const records: AggregateRecord[] = [];
    const { end, incomplete } = shapes.read(piece, at, records);
    if (records.length > 0) yield records;
    if (!incomplete || piece.bytes.byteLength - end > READ_LIMITS.maxRecordChars) return end;
    this.#carried = piece.bytes.slice(end);
    return piece.bytes.byteLength;
  }

  *#readGeneral(bytes: Uint8Array): Generator<RecordItem> {
    const { decoder, segmenter } = this.#parts;
    if (bytes.byteLength > 0) yield* segmenter.push(decoder.decode(bytes));
  }
}

/** Where the next `<record` (with any prefix) begins, or the end. In UTF-16 it finds nothing, which is safe. */
function findRecordStart(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(LESS_THAN, from); at >= 0; at = bytes.indexOf(LESS_THAN, at + 1)) {
    if (RECORD.every((byte, i) => bytes[at + 1 + i] === byte)) return at;
    const colon = bytes.subarray(at, at + MAX_PREFIX_BYTES).indexOf(COLON);
    if (colon > 0 && RECORD.every((byte, i) => bytes[at + colon + 1 + i] === byte)) return at;
  }
  return bytes.byteLength;
}
