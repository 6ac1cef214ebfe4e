/**
 * The fast path for records. A reporter's software writes all its records in a few shapes, to the letter: the same tags,
 * the same white space, other values. `RecordShapes` learns the shapes of one document from records that the general
 * reader (record.ts) read without a warning, and then reads further records of those shapes straight from the bytes by
 * comparing the letters between the values. Anything else, an attribute, an entity, a word in capitals, a letter outside
 * ASCII, is left to the general reader; both give the same records (test/report/record-shapes.test.ts).
 */
import { isSameStep, type Step, shapeOf } from "./record-shape.ts";
import { emptyRecord, RecordValues } from "./record-values.ts";
import type { AggregateRecord } from "./vocabulary.ts";

const MAX_STEPS = 2000;
/** Records of a document before any shape is learned: a short report is read sooner than its shape. */
const RECORDS_BEFORE_LEARNING = 10;
const LESS_THAN = 0x3c;

/** How reading a run of records ended: at a record that is not all there, or at something of no known shape. */
export interface RunEnd {
  /** Past the last record read. */
  end: number;
  incomplete: boolean;
}

/** A piece of the document. */
export interface BytePiece {
  bytes: Uint8Array;
  view: DataView;
}

/** Reads the records of one document that have a shape seen before. */
export class RecordShapes {
  readonly #first: Step[] = [];
  #steps = 0;
  /** Records offered for learning. */
  #offered = 0;
  readonly #values = new RecordValues();
  /** Set by a match that ran into the end of the piece. */
  #incomplete = false;
  readonly #learns: boolean;

  /** @param options `learns: false` leaves every record to the general reader */
  constructor(options: { learns: boolean } = { learns: true }) {
    this.#learns = options.learns;
  }

  /** Whether any shape is known. */
  get isEmpty(): boolean {
    return this.#first.length === 0;
  }

  /**
   * Reads records that follow each other from `at` on, white space between them, and adds them to `records`.
   */
  read(piece: BytePiece, at: number, records: AggregateRecord[]): RunEnd {
    const { bytes } = piece;
    let end = at;
    for (;;) {
      let start = end;
      while (isBlank(bytes[start])) start++;
      const record = emptyRecord();
      this.#incomplete = false;
      const recordEnd = this.#match(piece, start, record);
      if (recordEnd < 0) return { end, incomplete: this.#incomplete };
      records.push(record);
      end = recordEnd;
    }
  }

  /** Learns the shape of a record, given as text, that the general reader read without a warning. */
  learn(xml: string): void {
    this.#offered++;
    if (this.#offered <= RECORDS_BEFORE_LEARNING) return;
    const shape = this.#learns && this.#steps < MAX_STEPS ? shapeOf(xml) : undefined;
    let steps = this.#first;
    for (const step of shape ?? []) {
      let known = steps.find((other) => isSameStep(step, other));
      if (known === undefined) {
        known = step;
        steps.push(step);
        this.#steps++;
      }
      steps = known.next;
    }
  }

  #match(piece: BytePiece, start: number, record: AggregateRecord): number {
    const { bytes } = piece;
    let at = start;
    let steps = this.#first;
    for (;;) {
      const step = this.#findStep(steps, piece, at);
      if (step === undefined) return -1;
      at += step.letters.byteLength;
      if (step.isEnd) return at;
      let end = at;
      while (end < bytes.byteLength && bytes[end] !== LESS_THAN) end++;
      if (end === bytes.byteLength) {
        this.#incomplete = true;
        return -1;
      }
      if (!this.#values.take(step, { bytes, view: piece.view, start: at, end }, record)) return -1;
      at = end;
      steps = step.next;
    }
  }

  // The step used last stands first: neighbours have the same shape.
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

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function hasLetters({ bytes, view }: BytePiece, at: number, { letters, words }: Step): boolean {
  for (let i = 0; i < words.length; i++) if (view.getUint32(at + 4 * i, true) !== words[i]) return false;
  for (let i = 4 * words.length; i < letters.byteLength; i++) if (bytes[at + i] !== letters[i]) return false;
  return true;
}
