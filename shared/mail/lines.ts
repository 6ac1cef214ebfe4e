/** Splits a stream of bytes into lines. Lines may have any length: a long one comes in several pieces. */

/** A line or a piece of one, including its line end if present. */
export interface Line {
  bytes: Uint8Array;
  /** False for further pieces of a long line. */
  isStart: boolean;
}

const NEW_LINE = 0x0a;
const DASH = 0x2d;

/** Returns lines one at a time from one buffer: a line is valid until `fill` is called. */
export class LineReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array(0);
  /** The filled part of the buffer. */
  #bytes: Uint8Array = this.#buffer;
  #at = 0;
  #isStart = true;
  #ended = false;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next line if it is buffered; undefined when `fill` must be called first. */
  take(): Line | undefined {
    const end = this.#bytes.indexOf(NEW_LINE, this.#at);
    if (end < 0 && !this.#ended && this.#bytes.byteLength - this.#at < MAX_LINE_BYTES) return undefined;
    if (this.#at === this.#bytes.byteLength) return undefined;
    const bytes = this.#bytes.subarray(this.#at, end < 0 ? this.#bytes.byteLength : end + 1);
    const line = { bytes, isStart: this.#isStart };
    this.#at += bytes.byteLength;
    this.#isStart = end >= 0;
    return line;
  }

  /**
   * The next line and all buffered lines after it, up to a line that begins with `--`, which may be a boundary and is
   * returned alone. At most about MAX_LINE_BYTES.
   */
  takeContent(): Line | undefined {
    const isBoundary = this.#isStart && this.#hasDashes(this.#at);
    const start = this.#at;
    const first = this.take();
    if (first === undefined || isBoundary || !this.#isStart) return first;
    while (this.#at - start < MAX_LINE_BYTES && !this.#hasDashes(this.#at)) {
      const end = this.#bytes.indexOf(NEW_LINE, this.#at);
      if (end < 0) break;
      this.#at = end + 1;
    }
    return { bytes: this.#bytes.subarray(start, this.#at), isStart: first.isStart };
  }

  /** Takes whole lines back: the last ones of those that were taken last. */
  putBack(bytes: number): void {
    this.#at -= bytes;
    this.#isStart = true;
  }

  /** Whether two dashes are at this position, as far as buffered. */
  #hasDashes(at: number): boolean {
    return (this.#bytes[at] ?? DASH) === DASH && (this.#bytes[at + 1] ?? DASH) === DASH;
  }

  /** Reads more. @returns false at the end */
  async fill(): Promise<boolean> {
    if (this.#ended) return false;
    this.#holdRest();
    const next = await this.#chunks.next();
    if (next.done) {
      this.#ended = true;
      return this.#at < this.#bytes.byteLength;
    }
    this.#append(next.value);
    return true;
  }

  /** What is left of a chunk is moved into our own buffer: the chunk is valid only until the next one. */
  #holdRest(): void {
    const rest = this.#bytes.subarray(this.#at);
    if (rest.byteLength > this.#buffer.byteLength) this.#buffer = new Uint8Array(2 * rest.byteLength);
    this.#buffer.set(rest);
    this.#bytes = this.#buffer.subarray(0, rest.byteLength);
    this.#at = 0;
  }

  /** A chunk that follows no rest is read where it is: a small mail is one, and is not copied. */
  #append(chunk: Uint8Array): void {
    const restBytes = this.#bytes.byteLength;
    if (restBytes === 0) {
      this.#bytes = chunk;
      return;
    }
    const length = restBytes + chunk.byteLength;
    if (length > this.#buffer.byteLength) {
      const grown = new Uint8Array(2 * length);
      grown.set(this.#bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, restBytes);
    this.#bytes = this.#buffer.subarray(0, length);
  }
}

/** Lines one after the other. */
export function joinLines(lines: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(lines.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const line of lines) {
    joined.set(line, at);
    at += line.byteLength;
  }
  return joined;
}

/** RFC 5322 allows 998 characters; longer lines are content without line ends, such as XML on one line. */
const MAX_LINE_BYTES = 64 * 1024;
