/**
 * Gives a mail line feeds: one whose lines end in carriage returns alone, or that was saved in UTF-16, is converted. The mark
 * that an editor puts before UTF-8 is no part of its first field.
 */

const [CARRIAGE_RETURN, LINE_FEED] = [0x0d, 0x0a];
/** Bytes of the start that are looked at: several lines of any header. */
const LOOKED_AT_BYTES = 4096;

/** The same mail with line feeds, in UTF-8 where it was UTF-16; nearly every mail is passed on unchanged. */
export async function* withLineFeeds(mail: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let start: Uint8Array | undefined = new Uint8Array(0);
  let convert: Converter | undefined;
  for await (const chunk of mail) {
    if (start === undefined) {
      yield convert === undefined ? chunk : convert(chunk);
      continue;
    }
    start = start.byteLength === 0 ? chunk : joined(start, chunk);
    if (start.byteLength < LOOKED_AT_BYTES) {
      // A chunk is valid until the next one.
      start = start.slice();
      continue;
    }
    start = withoutMark(start);
    convert = converterOf(start);
    yield convert === undefined ? start : convert(start);
    start = undefined;
  }
  if (start === undefined || start.byteLength === 0) return;
  const rest = withoutMark(start);
  yield converterOf(rest)?.(rest) ?? rest;
}

function withoutMark(start: Uint8Array): Uint8Array {
  let at = 0;
  while (NO_FIELD.includes(start[at] ?? LINE_FEED)) at++;
  return start.subarray(at);
}

/** A byte order mark in UTF-8, and zero bytes. */
const NO_FIELD = [0xef, 0xbb, 0xbf, 0];

type Converter = (bytes: Uint8Array) => Uint8Array;

function converterOf(start: Uint8Array): Converter | undefined {
  const [first, second] = start;
  if (first === 0xff && second === 0xfe) return fromUtf16("utf-16le");
  if (first === 0xfe && second === 0xff) return fromUtf16("utf-16be");
  const head = start.subarray(0, LOOKED_AT_BYTES);
  return head.includes(LINE_FEED) || !head.includes(CARRIAGE_RETURN) ? undefined : withoutReturns;
}

function fromUtf16(encoding: string): Converter {
  const decoder = new TextDecoder(encoding);
  const encoder = new TextEncoder();
  return (bytes) => encoder.encode(decoder.decode(bytes, { stream: true }));
}

function withoutReturns(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte === CARRIAGE_RETURN ? LINE_FEED : byte));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}
