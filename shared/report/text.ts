/**
 * Bytes of an XML document to text: byte order marks, UTF-16, the encoding the XML declaration names, and UTF-8 with
 * stray bytes of another encoding in it. Streaming; never fails on bad bytes, tells of them instead.
 */

/** Told once of each kind of repair. */
export type TextNote = (detail: string) => void;

/** The encodings a declaration may name; anything else is read as UTF-8. */
const ENCODINGS = new Set([
  "utf-8",
  "utf8",
  "us-ascii",
  "ascii",
  "iso-8859-1",
  "latin1",
  "iso-8859-15",
  "iso-8859-2",
  "windows-1252",
  "windows-1250",
  "windows-1251",
  "koi8-r",
  "gb2312",
  "gbk",
  "gb18030",
  "big5",
  "shift_jis",
  "euc-jp",
  "euc-kr",
  "iso-2022-jp",
]);

/**
 * Decodes a document piece by piece.
 *
 * @param head the first bytes of the document, from which the encoding is told
 */
export async function* decodeXmlText(
  head: Uint8Array,
  chunks: AsyncIterable<Uint8Array>,
  note: TextNote,
): AsyncGenerator<string> {
  const encoding = detectEncoding(head, note);
  if (encoding === "utf-8") yield* decodeUtf8(chunks, note);
  else yield* decodeLabelled(encoding, chunks);
}

function detectEncoding(head: Uint8Array, note: TextNote): string {
  const [b0, b1] = head;
  if ((b0 === 0xff && b1 === 0xfe) || (b0 === 0x3c && b1 === 0)) return "utf-16le";
  if ((b0 === 0xfe && b1 === 0xff) || (b0 === 0 && b1 === 0x3c)) return "utf-16be";
  const start = new TextDecoder("latin1").decode(head.subarray(0, 300));
  const declared = /<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)/.exec(start)?.[1]?.toLowerCase() ?? "utf-8";
  if (declared === "utf-8" || declared === "utf8" || start.startsWith("\xef\xbb\xbf")) return "utf-8";
  if (ENCODINGS.has(declared)) return declared;
  // A document that declares UTF-16 and is read as bytes of one octet each cannot be UTF-16.
  note(`declared encoding ${declared}, read as UTF-8`);
  return "utf-8";
}

async function* decodeLabelled(encoding: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

async function* decodeUtf8(chunks: AsyncIterable<Uint8Array>, note: TextNote): AsyncGenerator<string> {
  let decoder = newUtf8Decoder();
  let carried = new Uint8Array(0);
  for await (const chunk of chunks) {
    const tail = incompleteTail(chunk);
    try {
      yield decoder.decode(chunk, { stream: true });
      carried = chunk.slice(chunk.byteLength - tail);
    } catch {
      note("bytes that are not UTF-8, read as windows-1252");
      decoder = newUtf8Decoder();
      const whole = new Uint8Array(carried.byteLength + chunk.byteLength);
      whole.set(carried);
      whole.set(chunk, carried.byteLength);
      const complete = whole.byteLength - incompleteTail(whole);
      yield decodeMixed(whole.subarray(0, complete));
      carried = whole.slice(complete);
      // Hands the incomplete character at the end to the new decoder.
      decoder.decode(carried, { stream: true });
    }
  }
  if (carried.byteLength > 0) note("bytes that are not UTF-8, read as windows-1252");
  yield decodeMixed(carried);
}

/** How many bytes at the end begin a UTF-8 character and do not finish it. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.byteLength); back++) {
    const byte = bytes[bytes.byteLength - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return sequenceLength(byte) > back ? back : 0;
  }
  return 0;
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf0) return 4;
  return lead >= 0xe0 ? 3 : 2;
}

function newUtf8Decoder() {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder("windows-1252");

/** Valid UTF-8 sequences as such, every other byte as windows-1252. */
function decodeMixed(bytes: Uint8Array): string {
  let text = "";
  let valid = 0;
  for (let i = 0; i < bytes.byteLength; ) {
    const length = (bytes[i] ?? 0) < 0x80 ? 1 : validSequence(bytes, i);
    if (length > 0) {
      i += length;
      continue;
    }
    text += strict.decode(bytes.subarray(valid, i)) + windows1252.decode(bytes.subarray(i, i + 1));
    i += 1;
    valid = i;
  }
  return text + strict.decode(bytes.subarray(valid));
}

/** Length of the valid multi-byte sequence at `offset`, 0 if there is none. */
function validSequence(bytes: Uint8Array, offset: number): number {
  const lead = bytes[offset] ?? 0;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = sequenceLength(lead);
  try {
    return strict.decode(bytes.subarray(offset, offset + length)).length > 0 && offset + length <= bytes.byteLength
      ? length
      : 0;
  } catch {
    return 0;
  }
}
