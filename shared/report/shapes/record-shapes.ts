/**
 * The fast path for records. A reporter's software writes all its records in a few shapes, to the letter: the same tags,
 * the same white space, other values. `RecordShapes` learns shapes from records that the general reader (record.ts) read
 * without a warning, and then reads further records of those shapes, in this document and in later ones, straight from the
 * bytes by comparing the letters between the values. Anything else, an attribute, an entity, a word in capitals, a letter
 * outside ASCII, is left to the general reader; both give the same records (test/report/differential.test.ts).
 */
import { domainName } from "../../domain-name.ts";
import { READ_LIMITS } from "../../limits.ts";
import type { RecordSink } from "../record-stream.ts";
import { holdsAddress, isDomainLike } from "../values.ts";
import type { AggregateRecord } from "../vocabulary.ts";
import type { RecordText } from "../xml/segments.ts";
import { type BytePiece, ByteTexts, NOT_PLAIN } from "./byte-values.ts";
import { emptyRecord, type FieldSpan } from "./record-fields.ts";
import { hasLetters, isSameStep, type Step, shapeOf } from "./record-shape.ts";

export type { BytePiece } from "./byte-values.ts";

/** Known at most: some hundred reporters' shapes. */
const MAX_STEPS = 5000;
const MAX_LETTER_BYTES = 500_000;
/** Steps that may follow one step; 700 real reports have at most 14, and each is looked at in turn. */
const MAX_ALTERNATIVES = 64;
/** White space between two records; what is more, the general reader counts as padding. */
const MAX_BLANK_BYTES = 4096;
const NO_BYTES = new Uint8Array(0);
const LESS_THAN = 0x3c;

/** How reading a run of records ended: at a record that is not all there, or at something of no known shape. */
export interface RunEnd {
  /** Past the last record read. */
  end: number;
  incomplete: boolean;
}

/** Reads the records that have a shape seen before. One may serve any number of documents, also at the same time. */
export class RecordShapes {
  #first: Step[] = [];
  #steps = 0;
  #letterBytes = 0;
  /** Set when one of the limits is reached: nothing more is learned from this document. */
  #isFull = false;
  /** Set by a match that ran into the end of the piece. */
  #incomplete = false;
  /** Of the record matched last: paths of elements that no RFC knows. */
  #unknown: readonly string[] = [];
  /** The value in hand. */
  readonly #span: FieldSpan = {
    bytes: NO_BYTES,
    start: 0,
    end: 0,
    domains: new ByteTexts(plainDomain),
    fromDomains: new ByteTexts(plainFromDomain),
    texts: new ByteTexts((raw) => raw),
  };
  /** Whether records teach their shapes. */
  readonly learns: boolean;

  /** @param options `learns: false` leaves every record to the general reader */
  constructor(options: { learns: boolean } = { learns: true }) {
    this.learns = options.learns;
  }

  /** New shapes for one document, which learn where these do. */
  forDocument(): RecordShapes {
    return new RecordShapes({ learns: this.learns });
  }

  /** Whether any shape is known. */
  get isEmpty(): boolean {
    return this.#first.length === 0;
  }

  /** Must be called for each new document: if nothing more can be learned, everything is forgotten. */
  startDocument(): void {
    if (!this.#isFull) return;
    this.#first = [];
    this.#steps = 0;
    this.#letterBytes = 0;
    this.#isFull = false;
  }

  /** Reads records that follow each other from `at` on, white space between them, and hands them on. */
  read(piece: BytePiece, at: number, sink: RecordSink): RunEnd {
    this.#span.bytes = piece.bytes;
    try {
      return this.#readRun(piece, at, sink);
    } finally {
      // The shapes outlive the document, whose bytes may be many.
      this.#span.bytes = NO_BYTES;
    }
  }

  #readRun(piece: BytePiece, at: number, sink: RecordSink): RunEnd {
    const { bytes } = piece;
    let end = at;
    for (;;) {
      let start = end;
      while (isBlank(bytes[start])) start++;
      if (start - end > MAX_BLANK_BYTES) return { end, incomplete: false };
      const record = emptyRecord();
      this.#incomplete = false;
      const recordEnd = this.#match(piece, start, record);
      const unknown = this.#unknown;
      if (recordEnd < 0) return { end, incomplete: this.#incomplete };
      if (recordEnd - start > READ_LIMITS.maxRecordChars) return { end, incomplete: false };
      sink.takeRecord(record, unknown);
      end = recordEnd;
    }
  }

  /** Learns the shape of a record, given as text, that the general reader read without a warning. */
  learn({ xml, namespaces }: RecordText, unknown: readonly string[]): void {
    if (!this.learns || this.#isFull) return;
    let steps = this.#first;
    for (const step of shapeOf(xml, namespaces, unknown) ?? []) {
      let known = steps.find((other) => isSameStep(step, other));
      if (known === undefined) {
        known = step;
        steps.push(step);
        this.#count(step, steps.length);
      }
      steps = known.next;
    }
  }

  #count({ letters }: Step, alternatives: number): void {
    this.#steps++;
    this.#letterBytes += letters.byteLength;
    const isLong = this.#steps >= MAX_STEPS || this.#letterBytes >= MAX_LETTER_BYTES;
    this.#isFull ||= isLong || alternatives >= MAX_ALTERNATIVES;
  }

  #match(piece: BytePiece, start: number, record: AggregateRecord): number {
    const { bytes } = piece;
    const span = this.#span;
    let at = start;
    let steps = this.#first;
    for (;;) {
      const step = this.#findStep(steps, piece, at);
      if (step === undefined) return -1;
      at += step.letters.byteLength;
      if (step.isEnd) {
        this.#unknown = step.unknown;
        return at;
      }
      let end = at;
      while (end < bytes.byteLength && bytes[end] !== LESS_THAN) end++;
      if (end === bytes.byteLength) {
        this.#incomplete = true;
        return -1;
      }
      span.start = at;
      span.end = end;
      if (!step.read(span, record, step.place)) return -1;
      at = end;
      steps = step.next;
    }
  }

  // The step used last stands first: records next to each other have the same shape.
  #findStep(steps: Step[], piece: BytePiece, at: number): Step | undefined {
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      if (step === undefined) continue;
      if (at + step.letters.byteLength > piece.bytes.byteLength) {
        this.#incomplete = true;
        continue;
      }
      if (!hasLetters(piece, at, step)) continue;
      if (i > 0) {
        steps.splice(i, 1);
        steps.unshift(step);
      }
      return step;
    }
    return undefined;
  }
}

function plainDomain(raw: string): string {
  return holdsAddress(raw) ? NOT_PLAIN : domainName(raw);
}

function plainFromDomain(raw: string): string {
  const name = domainName(raw);
  return isDomainLike(name) ? name : NOT_PLAIN;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
