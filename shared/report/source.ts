/** Sources of bytes: a whole object that can be streamed or read by range, or a stream that has begun. */
import { READ_LIMITS } from "../limits.ts";
import { reject } from "./rejection.ts";

/** An object of known size: a file, an R2 object, bytes in memory. */
export interface ByteSource {
  sizeBytes: number;
  /** All of it, if it is in memory. */
  bytes?: Uint8Array;
  /**
   * Streams the content from the start. May be called more than once. A chunk is valid until the next one is asked for:
   * its buffer may be used again.
   */
  stream(): AsyncIterable<Uint8Array>;
  /** Up to `length` bytes from `offset`; fewer only at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Bytes in memory as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.byteLength,
    bytes,
    async *stream() {
      yield bytes;
    },
    async read(offset, length) {
      return bytes.subarray(offset, offset + length);
    },
  };
}

/** The bytes of a source between two offsets, read in pieces of at most `pieceBytes`. */
export async function* readRange(
  source: ByteSource,
  range: { start: number; end: number },
  pieceBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let offset = range.start; offset < range.end; ) {
    const piece = await source.read(offset, Math.min(pieceBytes, range.end - offset));
    if (piece.byteLength === 0) return;
    offset += piece.byteLength;
    yield piece;
  }
}

/** The start of a stream, and the whole stream including its start. */
export interface Peeked {
  head: Uint8Array;
  chunks: AsyncIterable<Uint8Array>;
}

/** A stream that has begun. The code that peeked must close it, in case nothing reads on. */
export interface PeekedStream extends Peeked {
  /** Releases the inflater and the file behind it. */
  close(): Promise<void>;
}

/** Returns the first `bytes` of a stream (fewer if it is shorter) without consuming them. */
export async function peek(stream: AsyncIterable<Uint8Array>, bytes: number): Promise<PeekedStream> {
  const iterator = stream[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let size = 0;
  while (size < bytes) {
    const next = await iterator.next();
    if (next.done) break;
    size += next.value.byteLength;
    // A chunk is not valid after the next one, so only the last one can do without a copy.
    taken.push(size < bytes ? next.value.slice() : next.value);
  }
  const start = concatBytes(taken);
  const close = async () => void (await iterator.return?.());
  return { head: start.slice(0, bytes), chunks: resume(start, iterator), close };
}

async function* resume(start: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (start.byteLength > 0) yield start;
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
}

/** Joins pieces; a single one is returned unchanged. */
export function concatBytes(pieces: Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0));
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.byteLength;
  }
  return whole;
}

/** Bytes held in memory for as long as they are needed. */
export interface HeldSource extends ByteSource {
  /** Frees them at once, without waiting for the garbage collector. Nothing read from the source is valid afterwards. */
  release(): void;
}

/** A buffer of held bytes. Every read within one is without a copy. */
const SEGMENT_BYTES = 1024 * 1024;

/**
 * Reads a whole stream into memory, for random access or parsing at once. Uses segments, which are never moved: holding
 * an 18 MB zip twice would be much of an isolate's memory.
 *
 * @throws Rejection too_large
 */
export async function holdStream(
  chunks: AsyncIterable<Uint8Array>,
  maxByteLength: number = READ_LIMITS.maxHeldBytes,
): Promise<HeldSource> {
  const segments = new Segments();
  for await (const chunk of chunks) {
    if (segments.length + chunk.byteLength > maxByteLength) {
      segments.release();
      reject("too_large", `more than ${maxByteLength} bytes to hold`);
    }
    segments.add(chunk);
  }
  return {
    sizeBytes: segments.length,
    async *stream() {
      for (let at = 0; at < segments.length; at += SEGMENT_BYTES) yield segments.read(at, SEGMENT_BYTES);
    },
    read: async (offset, length) => segments.read(offset, length),
    release: () => segments.release(),
  };
}

/** Bytes in buffers of one size; the last one is filled in part. */
class Segments {
  readonly #buffers: ArrayBuffer[] = [];
  length = 0;

  add(chunk: Uint8Array): void {
    for (let taken = 0; taken < chunk.byteLength; ) {
      const at = this.length % SEGMENT_BYTES;
      if (at === 0) this.#buffers.push(new ArrayBuffer(SEGMENT_BYTES));
      const some = chunk.subarray(taken, taken + SEGMENT_BYTES - at);
      new Uint8Array(this.#buffers.at(-1) ?? new ArrayBuffer(0), at).set(some);
      this.length += some.byteLength;
      taken += some.byteLength;
    }
  }

  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.length);
    const pieces: Uint8Array[] = [];
    for (let at = offset; at < end; ) {
      const from = at % SEGMENT_BYTES;
      const size = Math.min(end - at, SEGMENT_BYTES - from);
      pieces.push(new Uint8Array(this.#buffers[Math.floor(at / SEGMENT_BYTES)] ?? new ArrayBuffer(0), from, size));
      at += size;
    }
    return concatBytes(pieces);
  }

  release(): void {
    // A buffer that is transferred gives its memory back.
    for (const buffer of this.#buffers.splice(0)) buffer.transfer(0);
    this.length = 0;
  }
}
