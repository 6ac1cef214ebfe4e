/** Sources of bytes: a whole object that can be streamed or read by range, or a stream that has begun. */
import { READ_LIMITS } from "../limits.ts";
import { reject } from "./rejection.ts";

/** An object of known size: a file, an R2 object, bytes in memory. */
export interface ByteSource {
  sizeBytes: number;
  /** All of it, if it is in memory. */
  bytes?: Uint8Array;
  /** Streams the content from the start. May be called more than once. */
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
    taken.push(next.value);
    size += next.value.byteLength;
  }
  const start = concatBytes(taken);
  const close = async () => void (await iterator.return?.());
  return { head: start.subarray(0, bytes), chunks: resume(start, iterator), close };
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

/**
 * Reads a whole stream into memory, for random access or parsing at once. Uses one buffer that grows in place: holding
 * an 18 MB zip twice would be much of an isolate's memory.
 *
 * @throws Rejection too_large
 */
export async function holdStream(
  chunks: AsyncIterable<Uint8Array>,
  maxByteLength: number = READ_LIMITS.maxHeldBytes,
): Promise<ByteSource> {
  const buffer = new ArrayBuffer(0, { maxByteLength });
  for await (const chunk of chunks) {
    const size = buffer.byteLength;
    if (size + chunk.byteLength > maxByteLength) reject("too_large", `more than ${maxByteLength} bytes to hold`);
    buffer.resize(size + chunk.byteLength);
    new Uint8Array(buffer, size).set(chunk);
  }
  return bytesSource(new Uint8Array(buffer.transferToFixedLength()));
}
