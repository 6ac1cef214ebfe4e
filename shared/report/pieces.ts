/** Bytes that come in chunks of any size, taken in pieces of a handy size. */
import { concatBytes } from "./source.ts";

/** Hands out a stream piece by piece; what was not used can be put back. */
export class Pieces {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #pieceBytes: number;
  #chunk: Uint8Array = new Uint8Array(0);
  /** Where the next piece begins in the chunk; the last one comes before it. */
  #at = 0;

  /** @param pieceBytes most that one piece holds; smaller chunks are joined up to it */
  constructor(chunks: AsyncIterable<Uint8Array>, pieceBytes: number) {
    this.#chunks = evenChunks(chunks, pieceBytes);
    this.#pieceBytes = pieceBytes;
  }

  /** The next piece, of `leastBytes` or more unless the stream ends before; undefined = the end. */
  async next(leastBytes = 1): Promise<Uint8Array | undefined> {
    while (this.#chunk.byteLength - this.#at < leastBytes) {
      // A chunk is not valid after the next one.
      this.#chunk = this.#chunk.slice(this.#at);
      this.#at = 0;
      const next = await this.#chunks.next();
      if (next.done) break;
      this.#chunk = this.#chunk.byteLength === 0 ? next.value : concatBytes([this.#chunk, next.value]);
      this.#at = 0;
    }
    if (this.#at === this.#chunk.byteLength) return undefined;
    const piece = this.#chunk.subarray(this.#at, this.#at + this.#pieceBytes);
    this.#at += piece.byteLength;
    return piece;
  }

  /** Tells the source that nobody reads on. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** Takes back a number of bytes from the end of the last piece; may be called repeatedly. */
  putBack(bytes: number): void {
    this.#at -= bytes;
  }
}

// A call on the inflater costs the same for a small piece as for a large one.
async function* evenChunks(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let small: Uint8Array[] = [];
  let smallBytes = 0;
  for await (const chunk of chunks) {
    smallBytes += chunk.byteLength;
    small.push(smallBytes < bytes ? chunk.slice() : chunk);
    if (smallBytes < bytes) continue;
    yield concatBytes(small);
    small = [];
    smallBytes = 0;
  }
  if (smallBytes > 0) yield concatBytes(small);
}
