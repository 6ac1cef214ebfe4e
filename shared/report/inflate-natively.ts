/**
 * The platform's own inflater, about three times as fast as pako: the only importer of node:zlib. It reads what it is told
 * is deflate data (RFC 1951) and nothing around it; gzip's and zip's framing is inflate.ts's.
 */
import { createInflateRaw, inflateRawSync, crc32 as zlibCrc32 } from "node:zlib";
import { READ_LIMITS } from "../limits.ts";
import { reject } from "./rejection.ts";

/** Running CRC-32 (ISO 3309) of bytes that follow each other: 0 at first. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return zlibCrc32(bytes, before);
}

/**
 * Decompresses deflate data that is there as a whole, and nothing behind it.
 *
 * @returns undefined when it is corrupt, cut, followed by something or larger than `maxBytes`: a streaming reader says which
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

/** What `info` makes of the result; the types of Node leave it out. */
interface WithInfo {
  buffer: Uint8Array;
  /** The engine has taken so many bytes. */
  engine: { bytesWritten: number };
}

/** One stream of deflate data: takes input, hands out output, knows where it ends. */
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

  /** Bytes of the last input that lie after the end of the data. */
  get leftoverBytes(): number {
    return this.#takenBytes - this.#stream.bytesWritten;
  }

  /** Takes a piece of input; hands out what it makes. Throws what is wrong with the data as a Rejection. */
  async *inflate(input: Uint8Array): AsyncGenerator<Uint8Array> {
    this.#takenBytes += input.byteLength;
    yield* this.#outputUntilDone((done) => this.#stream.write(input, done));
  }

  /** Takes the end of the input; hands out what is left. Throws a Rejection when the data does not end here. */
  async *finish(): AsyncGenerator<Uint8Array> {
    if (this.ended) return;
    yield* this.#outputUntilDone(() => this.#stream.end());
  }

  /** Frees what the stream holds. */
  close(): void {
    this.#stream.destroy();
  }

  // The stream waits while its output is not taken, so no more than a chunk or two of it is held.
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
      // Input it does not want lies behind the end, which it may tell of later.
      this.ended ||= isDone && this.leftoverBytes > 0;
      if (isDone || this.ended) return;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}

// A Buffer's slice is no copy, and a piece that is kept would keep the whole.
function plainBytes({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function rejectData(fault: Error & { code?: string }): never {
  if (fault.code === "Z_BUF_ERROR") reject("truncated", "the compressed data ends too early");
  if (fault.code === "Z_DATA_ERROR") reject("corrupt_archive", fault.message);
  throw fault;
}
