/**
 * Streaming decompression, the only importer of pako. Output is charged to a budget while it is made, so a bomb ends at
 * the cap and not in memory; checksums are verified before the stream ends.
 */
import {
  Z_BUF_ERROR,
  Z_FINISH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from "pako";
import { READ_LIMITS } from "../limits.ts";
import { leadingBlankBytes } from "../sniff.ts";
import { updateCrc32 } from "./crc32.ts";
import { reject } from "./rejection.ts";

/** Decompressed bytes that one object may still produce, over all its parts and levels. */
export interface OutputBudget {
  bytesLeft: number;
}

/** What was odd about the data but harmless. */
export type ArchiveNote = (detail: string) => void;

const WINDOW_BITS = { gzip: 31, zlib: 15, raw: -15 } as const;
type Format = keyof typeof WINDOW_BITS;

/** One deflate stream: takes input, hands out output, knows where it ends. */
class Inflater {
  readonly #stream = new ZStream();
  #outputs = 0;
  ended = false;

  constructor(format: Format) {
    const status = zlibInflateInit2(this.#stream, WINDOW_BITS[format]);
    if (status !== Z_OK) throw new Error(`pako cannot inflate ${format}: status ${status}`);
  }

  /** Bytes of the last input that lie after the end of the stream. */
  get leftoverBytes(): number {
    return this.#stream.avail_in;
  }

  /** Starts over for the next member. */
  reset(): void {
    zlibInflateReset(this.#stream);
    this.ended = false;
  }

  /**
   * Takes one piece of input; hands out output in full pieces, and keeps what fills none: a million gzip members of one
   * byte must not become a million pieces. Throws what is wrong with the data as a Rejection.
   */
  *inflate(input: Uint8Array, budget: OutputBudget): Generator<Uint8Array> {
    const stream = this.#stream;
    stream.input = input;
    stream.next_in = 0;
    stream.avail_in = input.byteLength;
    for (let isFull = true; isFull && !this.ended; ) {
      if (stream.avail_out === 0) this.#renewOutput();
      const before = stream.next_out;
      // Z_FINISH asks for nothing but to spare the window where the stream ends within this piece.
      const status = zlibInflate(stream, Z_FINISH);
      if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR) reject("corrupt_archive", stream.msg);
      this.ended = status === Z_STREAM_END;
      charge(budget, stream.next_out - before);
      isFull = stream.avail_out === 0;
      if (isFull) yield* this.flush();
    }
  }

  /** Hands out the output that is left. */
  *flush(): Generator<Uint8Array> {
    const stream = this.#stream;
    const { output, next_out } = stream;
    if (next_out === 0) return;
    stream.next_out = 0;
    stream.avail_out = 0;
    yield output.subarray(0, next_out);
  }

  // What was handed out is the consumer's to keep. The first output is of a size that a small report just fits.
  #renewOutput(): void {
    const stream = this.#stream;
    const isFirst = this.#outputs++ === 0;
    const bytes = Math.min(READ_LIMITS.inflateOutputBytes, isFirst ? 12 * stream.avail_in : Number.POSITIVE_INFINITY);
    stream.output = new Uint8Array(bytes);
    stream.next_out = 0;
    stream.avail_out = bytes;
  }
}

function charge(budget: OutputBudget, bytes: number): void {
  budget.bytesLeft -= bytes;
  if (budget.bytesLeft < 0) reject("too_large", `more than ${READ_LIMITS.maxOutputBytes} bytes decompressed`);
}

/**
 * Decompresses gzip (RFC 1952): several members in a row, blank bytes in front, anything after the last member.
 *
 * @throws Rejection corrupt_archive, truncated, too_large
 */
export async function* gunzip(
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
  note: ArchiveNote,
): AsyncGenerator<Uint8Array> {
  const inflater = new Inflater("gzip");
  let members = 0;
  let rest: Uint8Array | undefined;
  for await (const piece of pieces(skipBlank(input, note))) {
    let data = rest === undefined ? piece : joinPair(rest, piece);
    rest = undefined;
    while (data.byteLength > 0) {
      if (inflater.ended) {
        // A next member needs its two magic bytes; a lone byte waits for the next piece.
        if (data.byteLength === 1 && data[0] === 0x1f) {
          rest = data;
          break;
        }
        if (data[0] !== 0x1f || data[1] !== 0x8b) {
          note("bytes after the end of the gzip data");
          yield* inflater.flush();
          return;
        }
        inflater.reset();
        members++;
      }
      yield* inflater.inflate(data, budget);
      data = inflater.ended ? data.subarray(data.byteLength - inflater.leftoverBytes) : data.subarray(data.byteLength);
    }
  }
  if (!inflater.ended) reject("truncated", "the gzip data ends too early");
  yield* inflater.flush();
  if (rest !== undefined) note("bytes after the end of the gzip data");
  if (members > 0) note(`${members + 1} gzip members`);
}

/** Decompresses a zlib stream (RFC 1950). @throws Rejection corrupt_archive, truncated, too_large */
export async function* inflateZlib(input: AsyncIterable<Uint8Array>, budget: OutputBudget): AsyncGenerator<Uint8Array> {
  yield* inflateSingle(new Inflater("zlib"), input, budget);
}

/** What an archive's directory says of one entry's content. */
export interface ExpectedContent {
  sizeBytes: number;
  crc32: number;
}

/**
 * Decompresses raw deflate data (RFC 1951) and compares it with what the archive says of it.
 *
 * @throws Rejection corrupt_archive, truncated, too_large
 */
export async function* inflateRaw(
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  yield* verifyContent(inflateSingle(new Inflater("raw"), input, budget), expected);
}

/** Passes stored (uncompressed) data on, charged and verified as decompressed data is. */
export async function* passStored(
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  yield* verifyContent(chargeAll(input, budget), expected);
}

async function* chargeAll(input: AsyncIterable<Uint8Array>, budget: OutputBudget): AsyncGenerator<Uint8Array> {
  for await (const piece of input) {
    charge(budget, piece.byteLength);
    yield piece;
  }
}

async function* inflateSingle(
  inflater: Inflater,
  input: AsyncIterable<Uint8Array>,
  budget: OutputBudget,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces(input)) {
    yield* inflater.inflate(piece, budget);
    if (inflater.ended) return yield* inflater.flush();
  }
  reject("truncated", "the compressed data ends too early");
}

async function* verifyContent(
  content: AsyncIterable<Uint8Array>,
  expected: ExpectedContent,
): AsyncGenerator<Uint8Array> {
  let crc = 0xffffffff;
  let sizeBytes = 0;
  for await (const piece of content) {
    crc = updateCrc32(crc, piece);
    sizeBytes += piece.byteLength;
    if (sizeBytes > expected.sizeBytes) reject("corrupt_archive", "an entry is larger than the archive says");
    yield piece;
  }
  if (sizeBytes !== expected.sizeBytes) reject("corrupt_archive", "an entry is smaller than the archive says");
  if ((crc ^ 0xffffffff) >>> 0 !== expected.crc32 >>> 0) reject("corrupt_archive", "checksum mismatch");
}

// Small pieces bound the burst of output one piece can make; see READ_LIMITS.inflateInputBytes.
async function* pieces(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) {
    for (let offset = 0; offset < chunk.byteLength; offset += READ_LIMITS.inflateInputBytes) {
      yield chunk.subarray(offset, offset + READ_LIMITS.inflateInputBytes);
    }
  }
}

async function* skipBlank(input: AsyncIterable<Uint8Array>, note: ArchiveNote): AsyncGenerator<Uint8Array> {
  let started = false;
  for await (const chunk of input) {
    const skipped: number = started ? 0 : leadingBlankBytes(chunk);
    if (skipped > 0) note(`${skipped} bytes before the gzip data`);
    started ||= skipped < chunk.byteLength;
    if (skipped < chunk.byteLength) yield chunk.subarray(skipped);
  }
}

function joinPair(first: Uint8Array, second: Uint8Array): Uint8Array {
  const joined = new Uint8Array(first.byteLength + second.byteLength);
  joined.set(first);
  joined.set(second, first.byteLength);
  return joined;
}
