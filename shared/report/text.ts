/**
 * Decodes an XML document: byte order marks, UTF-16, the encoding named by the XML declaration, and UTF-8 with stray
 * bytes of another encoding. Streaming; never fails on bad bytes but reports them.
 */

import { concatBytes } from "./source.ts";

/** Called once for each kind of repair. */
export type TextNote = (detail: string) => void;

/** Labels that the Encoding standard does not know. */
const OTHER_LABELS: Record<string, string> = {
  "latin-1": "iso-8859-1",
  "iso-latin-1": "iso-8859-1",
  "cp-1252": "windows-1252",
  cp932: "shift_jis",
  cp936: "gbk",
  cp949: "euc-kr",
  cp950: "big5",
};
/** Encodings of which a declaration in ASCII is a lie: UTF-16, and UTF-7, ISO-2022 and the like in which ASCII is not itself. */
const NOT_ASCII = /^(?:utf-?(?:7|16|32)|ucs-|iso-10646|csunicode|unicode|replacement|x-user-defined|iso-2022-(?!jp))/;

/** The decoder of an encoding that a declaration names; undefined if it is not one that could be. */
function labelledDecoder(label: string): Decoder | undefined {
  if (NOT_ASCII.test(label)) return undefined;
  try {
    return new TextDecoder(OTHER_LABELS[label] ?? label);
  } catch {
    return undefined;
  }
}

type Decoder = InstanceType<typeof TextDecoder>;

/** Decodes one document piece by piece; the result does not depend on how it is cut. */
export class XmlTextDecoder {
  /** Of the document whose bytes come now: several may follow each other in one file. */
  note: TextNote;
  /** The decoder, if the encoding is not UTF-8. */
  readonly #labelled: Decoder | undefined;
  /** Bytes of a UTF-8 character cut at the end of the last piece. */
  #carried: Uint8Array = new Uint8Array(0);
  #started = false;
  /** Characters of the last text that were bytes of another encoding: how far each is from its end. */
  #repaired: number[] = [];

  /** @param head the first bytes of the document, which determine the encoding */
  constructor(head: Uint8Array, note: TextNote) {
    this.note = note;
    this.#labelled = detectDecoder(head, note);
  }

  /** Whether ASCII bytes that follow can be read as such: the encoding is UTF-8 and no character is half read. */
  get isAsciiCompatible(): boolean {
    return this.#labelled === undefined && this.#carried.byteLength === 0;
  }

  /** Text of the next piece. */
  decode(piece: Uint8Array): string {
    if (this.#labelled !== undefined) return this.#labelled.decode(piece, { stream: true });
    const bytes = this.#carried.byteLength === 0 ? piece : concatBytes([this.#carried, piece]);
    const complete = bytes.byteLength - incompleteTail(bytes);
    this.#carried = bytes.slice(complete);
    return this.#decodeComplete(bytes.subarray(0, complete));
  }

  /** Text of the remaining bytes at the end. */
  end(): string {
    return this.#labelled?.decode() ?? this.#decodeComplete(this.#carried);
  }

  /** Notes what was repaired in the last text, but for its last `left` characters: they belong to the next document. */
  tellRepairs(left = 0): void {
    if (this.#repaired.length === 0) return;
    if (this.#repaired.some((fromEnd) => fromEnd > left)) this.note(READ_AS_1252);
    this.#repaired = this.#repaired.filter((fromEnd) => fromEnd <= left);
  }

  #decodeComplete(bytes: Uint8Array): string {
    const { text, repaired } = decodePiece(bytes);
    this.#repaired = repaired;
    if (this.#started || text === "") return text;
    this.#started = true;
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}

/** Undefined for UTF-8. */
function detectDecoder(head: Uint8Array, note: TextNote): Decoder | undefined {
  const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = head;
  if ((b0 === 0xff && b1 === 0xfe) || (WIDE_START.includes(b0) && b1 === 0 && b3 === 0))
    return new TextDecoder("utf-16le");
  if ((b0 === 0xfe && b1 === 0xff) || (b0 === 0 && b2 === 0 && WIDE_START.includes(b1)))
    return new TextDecoder("utf-16be");
  const start = latin1.decode(head.subarray(0, 300));
  const declared = /<\?xml[^<>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})/.exec(start)?.[1]?.toLowerCase() ?? "utf-8";
  if (declared === "utf-8" || declared === "utf8" || start.startsWith("\xef\xbb\xbf")) return undefined;
  const decoder = labelledDecoder(declared);
  if (decoder?.encoding === "utf-8") return undefined;
  // A document whose declaration is readable in single bytes cannot be UTF-16, whatever it declares.
  const isKept = decoder !== undefined && !holdsUtf8(head);
  if (!isKept) note(`declared encoding ${declared}, read as UTF-8`);
  return isKept ? decoder : undefined;
}

/** Whether bytes are UTF-8 and more than ASCII: text of another encoding hardly ever is. */
function holdsUtf8(head: Uint8Array): boolean {
  const bytes = head.subarray(0, head.byteLength - incompleteTail(head));
  try {
    return strict.decode(bytes).length < bytes.byteLength;
  } catch {
    return false;
  }
}

/** `<`, or white space before it. */
const WIDE_START = [0x3c, 0x20, 0x09, 0x0d, 0x0a];

/** A whole text in UTF-8, without its byte order mark; other bytes are read as windows-1252. */
export function decodeUtf8(bytes: Uint8Array, note: TextNote): string {
  const { text, repaired } = decodePiece(bytes);
  if (repaired.length > 0) note(READ_AS_1252);
  return text.replace(/^\ufeff/, "");
}

const READ_AS_1252 = "bytes that are not UTF-8, read as windows-1252";

interface Decoded {
  text: string;
  /** How far from the end the characters are that were not UTF-8. */
  repaired: number[];
}

function decodePiece(bytes: Uint8Array): Decoded {
  try {
    return { text: strict.decode(bytes), repaired: [] };
  } catch {
    return decodeMixed(bytes);
  }
}

/** The number of bytes at the end that belong to an incomplete UTF-8 character. */
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

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder("latin1");
const windows1252 = new TextDecoder("windows-1252");

/** Each byte of windows-1252 as UTF-8. */
const WINDOWS_1252 = Array.from({ length: 256 }, (_, byte) =>
  new TextEncoder().encode(windows1252.decode(Uint8Array.of(byte))),
);
/** The most bytes any of them takes. */
const MAX_REPAIRED_BYTES = 3;

/** Repairs nearer to each other are kept as one: a text may be nothing else. */
const NEAR_CHARS = 16;

/** Decodes valid UTF-8 sequences as such and every other byte as windows-1252, in one pass. */
function decodeMixed(bytes: Uint8Array): Decoded {
  const utf8 = new Uint8Array(MAX_REPAIRED_BYTES * bytes.byteLength);
  const repairedAt: number[] = [];
  let end = 0;
  let chars = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const length = validSequence(bytes, at);
    if (length === 0) {
      if (chars - (repairedAt.at(-1) ?? -NEAR_CHARS) >= NEAR_CHARS) repairedAt.push(chars);
      for (const byte of WINDOWS_1252[bytes[at++] ?? 0] ?? []) utf8[end++] = byte;
    }
    for (const next = at + length; at < next; at++) utf8[end++] = bytes[at] ?? 0;
    // Four bytes are a surrogate pair.
    chars += length === 4 ? 2 : 1;
  }
  const text = strict.decode(utf8.subarray(0, end));
  return { text, repaired: repairedAt.map((char) => text.length - char) };
}

/** Length of the valid UTF-8 sequence at `offset` (RFC 3629 section 4); 0 if it is not valid. */
function validSequence(bytes: Uint8Array, offset: number): number {
  const lead = bytes[offset] ?? 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const second = bytes[offset + 1] ?? 0;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  const length = sequenceLength(lead);
  for (let i = 2; i < length; i++) {
    if (((bytes[offset + i] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
