/**
 * The platform's own inflater, about three times as fast as pako: the only importer of node:zlib. Reads bare deflate
 * data (RFC 1951); inflate.ts handles the framing of gzip and zip.
 */
import { createInflateRaw, inflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import { READ_LIMITS } from "../limits.ts";
import { reject } from "./rejection.ts";

/** Running CRC-32 (ISO 3309) of consecutive bytes, starting with 0. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return zlibCrc32(bytes, before);
}

/**
 * Decompresses deflate data that is entirely in memory, with nothing after it.
 *
 * @returns undefined if it is corrupt, truncated, followed by other data or larger than `maxBytes`; the streaming
 *   reader finds out which
 */
export function inflateWhole(data: Uint8Array, maxBytes: number): Uint8Array | undefined {
  try {
    const result: unknown = inflateRawSync(data, { maxOutputLength: maxBytes, info: true });
    const { buffer, engine } = result as WithInfo;
    return engine.bytesWritten === data.byteLength ? plainBytes(buffer) : undefined;
  } catch {
    return undefined;
  }
}

/** The result with option `info`, which Node's types lack. */
interface WithInfo {
  buffer: Uint8Array;
  /** The number of bytes consumed. */
  engine: { bytesWritten: number };
}

/** One stream of deflate data: takes input, returns output, and detects its end. */
export class NativeInflater {
  readonly #stream = createInflateRaw({ chunkSize: READ_LIMITS.inflateOutputBytes });
  #wake: () => void = () => {};
  #fault: Error | undefined;
  #takenBytes = 0;
  ended = false;

  constructor() {
    this.#stream.on("readable", () => this.#wake());
    this.#stream.on("end", () => {
      this.ended = true;
      this.#wake();
    });
    this.#stream.on("error", (error) => {
      this.#fault = error;
      this.#wake();
    });
  }

  /** Bytes of the last input after the end of the data. */
  get leftoverBytes(): number {
    return this.#takenBytes - this.#stream.bytesWritten;
  }

  /** Takes a piece of input and yields its output. Throws a Rejection if the data is bad. */
  async *inflate(input: Uint8Array): AsyncGenerator<Uint8Array> {
    this.#takenBytes += input.byteLength;
    yield* this.#outputUntilDone((done) => this.#stream.write(input, done));
  }

  /** Takes the end of the input and yields the rest. Throws a Rejection if the data is incomplete. */
  async *finish(): AsyncGenerator<Uint8Array> {
    if (this.ended) return;
    yield* this.#outputUntilDone(() => this.#stream.end());
  }

  /** Frees the stream's resources. */
  close(): void {
    this.#stream.destroy();
  }

  // The stream pauses until its output is taken, so only a chunk or two are held.
  async *#outputUntilDone(begin: (done: () => void) => void): AsyncGenerator<Uint8Array> {
    let isDone = false;
    begin(() => {
      isDone = true;
      this.#wake();
    });
    for (;;) {
      for (let output = this.#stream.read(); output !== null; output = this.#stream.read()) {
        yield plainBytes(output);
      }
      if (this.#fault !== undefined) rejectData(this.#fault);
      // Unconsumed input lies after the end, which it may report later.
      this.ended ||= isDone && this.leftoverBytes > 0;
      if (isDone || this.ended) return;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}

// A Buffer's slice is not a copy, so keeping a piece would keep the whole buffer.
function plainBytes({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function rejectData(fault: Error & { code?: string }): never {
  if (fault.code === "Z_BUF_ERROR") reject("truncated", "the compressed data ends too early");
  if (fault.code === "Z_DATA_ERROR") reject("corrupt_archive", fault.message);
  throw fault;
}
