/**
 * The bytes of a mail on their way in, and on to R2. A large mail is in memory once: read by arrayBuffer() and put as bytes
 * it is there three times at a moment, and stays until the collector comes (docs/reliability.md, "Large mail").
 */
import { MAIL_LIMITS } from "../../shared/limits.ts";

/** Bytes read and written at once: the larger, the less is left behind for the collector. */
const PIECE_BYTES = 256 * 1024;

/** Reads a mail to its end. Its `rawSize` is a hint: what comes counts. @throws whatever its stream throws */
export async function readMail({ raw, rawSize }: RawMail): Promise<Uint8Array<ArrayBuffer>> {
  if (rawSize <= MAIL_LIMITS.maxParsedMessageBytes) return new Uint8Array(await new Response(raw).arrayBuffer());
  // Any stream goes in; out comes one that fills a buffer of ours, again and again.
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

/** Bytes as R2 takes them: a large mail in pieces, anything else as it is. Good for one put. */
export function bodyOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | ReadableStream {
  if (bytes.byteLength <= MAIL_LIMITS.maxParsedMessageBytes) return bytes;
  const { readable, writable } = new FixedLengthStream(bytes.byteLength);
  // A put that fails says so itself.
  writePieces(bytes, writable).catch(() => {});
  return readable;
}

async function writePieces(bytes: Uint8Array, writable: WritableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) await writer.write(bytes.subarray(at, at + PIECE_BYTES));
  await writer.close();
}

/** Gives the memory of a mail back at once: several large ones in a row would pass 128 MB before the collector comes. */
export function release(bytes: Uint8Array<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}
