/**
 * Reads the bytes of a mail and hands them to R2. A large mail is in memory once: read by arrayBuffer() and put as
 * bytes, it would briefly be there three times and stay until garbage collection (docs/reliability.md, "Large mail").
 */
import { MAIL_LIMITS } from "../../shared/limits.ts";

/** Bytes read and written at once: larger chunks leave less garbage. */
const PIECE_BYTES = 256 * 1024;

/** Reads a mail to its end. `rawSize` is only a hint: the stream counts. @throws whatever its stream throws */
export async function readMail({ raw, rawSize }: RawMail): Promise<Uint8Array<ArrayBuffer>> {
  if (rawSize <= MAIL_LIMITS.maxParsedMessageBytes) return new Uint8Array(await new Response(raw).arrayBuffer());
  // Turns any stream into one that reads into our own buffer.
  const reader = raw.pipeThrough(new IdentityTransformStream()).getReader({ mode: "byob" });
  let bytes = new Uint8Array(Math.min(rawSize, MAIL_LIMITS.maxMessageBytes));
  let length = 0;
  let piece = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const { done, value } = await reader.readAtLeast(PIECE_BYTES, piece);
    if (value !== undefined) {
      if (length + value.byteLength > bytes.byteLength) bytes = grown(bytes);
      bytes.set(value, length);
      length += value.byteLength;
      piece = new Uint8Array(value.buffer);
    }
    if (done) return bytes.subarray(0, length);
  }
}

type RawMail = Pick<ForwardableEmailMessage, "raw" | "rawSize">;

function grown(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(bytes.byteLength + MAIL_LIMITS.maxParsedMessageBytes);
  larger.set(bytes);
  return larger;
}

/** Bytes in the form R2 accepts: a large mail as a stream, anything else as is. Usable for one put. */
export function bodyOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream {
  if (bytes.byteLength <= MAIL_LIMITS.maxParsedMessageBytes) return bytes;
  const { readable, writable } = new FixedLengthStream(bytes.byteLength);
  // A failed put reports its own error.
  writePieces(bytes, writable).catch(() => {});
  return readable;
}

async function writePieces(bytes: Uint8Array, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) await writer.write(bytes.subarray(at, at + PIECE_BYTES));
  await writer.close();
}

/** Releases the memory of a mail at once: several large ones in a row would exceed 128 MB before garbage collection. */
export function release(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}
