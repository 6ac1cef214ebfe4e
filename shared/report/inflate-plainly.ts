/**
 * Streaming decompression by pako, its only importer: the reference for the platform's inflater (inflate-natively.ts),
 * and the reader of zlib streams and of gzip members after the first.
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
import { reject } from "./rejection.ts";

const WINDOW_BITS = { gzip: 31, zlib: 15 } as const;
type Format = keyof typeof WINDOW_BITS;

/** One compressed stream: takes input, returns output, and detects its end. */
export class PlainInflater {
  readonly #stream = new ZStream();
  ended = false;

  constructor(format: Format) {
    const status = zlibInflateInit2(this.#stream, WINDOW_BITS[format]);
    if (status !== Z_OK) throw new Error(`pako cannot inflate ${format}: status ${status}`);
  }

  /** Bytes of the last input after the end of the stream. */
  get leftoverBytes(): number {
    return this.#stream.avail_in;
  }

  /** Bytes of output that were not yielded yet. */
  get heldBytes(): number {
    return this.#stream.next_out;
  }

  /** Resets for the next member. */
  reset(): void {
    zlibInflateReset(this.#stream);
    this.ended = false;
  }

  /**
   * Takes one piece of input and yields output in full pieces, keeping the rest: a million gzip members of one byte
   * must not become a million pieces. Throws a Rejection if the data is bad.
   */
  *inflate(input: Uint8Array): Generator<Uint8Array> {
    const stream = this.#stream;
    stream.input = input;
    stream.next_in = 0;
    stream.avail_in = input.byteLength;
    for (let isFull = true; isFull && !this.ended; ) {
      if (stream.avail_out === 0) this.#renewOutput();
      // Z_FINISH only avoids allocating the window if the stream ends within this piece.
      const status = zlibInflate(stream, Z_FINISH);
      if (status !== Z_OK && status !== Z_STREAM_END && status !== Z_BUF_ERROR) reject("corrupt_archive", stream.msg);
      this.ended = status === Z_STREAM_END;
      isFull = stream.avail_out === 0;
      if (isFull) yield* this.flush();
    }
  }

  /** Yields the remaining output, or its first bytes. */
  *flush(bytes = this.heldBytes): Generator<Uint8Array> {
    const stream = this.#stream;
    const { output } = stream;
    stream.next_out = 0;
    stream.avail_out = 0;
    if (bytes > 0) yield output.subarray(0, bytes);
  }

  // The consumer may keep what was yielded.
  #renewOutput(): void {
    const stream = this.#stream;
    stream.output = new Uint8Array(READ_LIMITS.inflateOutputBytes);
    stream.next_out = 0;
    stream.avail_out = READ_LIMITS.inflateOutputBytes;
  }
}
