/** Decodes Content-Transfer-Encoding (RFC 2045 section 6), some lines at a time. */

/** Decodes the lines of a part. */
export interface TransferDecoder {
  /**
   * Decodes some lines, or a piece of one, into `target` from `at` on; may hold back incomplete input. There must be
   * room for the lines and HELD_BYTES.
   *
   * @returns how many bytes it wrote
   */
  decode(lines: Uint8Array, target: Uint8Array, at: number): number;
  /** Writes the held-back bytes: at most HELD_BYTES. */
  end(target: Uint8Array, at: number): number;
}

/** The most bytes a decoder holds back. */
export const HELD_BYTES = 3;

/** The decoder for an encoding; an unknown name means no encoding. */
export function transferDecoder(encoding: string): TransferDecoder {
  switch (encoding) {
    case "base64":
      return new Base64Decoder();
    case "quoted-printable":
      return new QuotedPrintableDecoder();
    default:
      return new UndeclaredDecoder();
  }
}

/** The decoder for content known to be base64, in the alphabet of mails or of URLs (RFC 4648 sections 4 and 5). */
export function base64Decoder(isOfUrls: boolean): TransferDecoder {
  return new Base64Decoder(false, isOfUrls ? EITHER_ALPHABET : BASE64_VALUES);
}

/** Content without an encoding, unless it begins with what only quoted-printable writes so. */
class UndeclaredDecoder implements TransferDecoder {
  /** Undefined until the content begins: blank lines are the same in both. */
  #decoder: TransferDecoder | undefined;

  decode(lines: Uint8Array, target: Uint8Array, at: number): number {
    if (this.#decoder === undefined) {
      const start = latin1.decode(lines.subarray(0, 200)).trimStart();
      if (start === "") return copyLines(lines, target, at);
      this.#decoder = QUOTED_START.test(start) ? new QuotedPrintableDecoder() : { decode: copyLines, end: () => 0 };
    }
    return this.#decoder.decode(lines, target, at);
  }

  end(target: Uint8Array, at: number): number {
    return this.#decoder?.end(target, at) ?? 0;
  }
}

/**
 * A report in quoted-printable: an escaped byte order mark, `<`, equals sign or quotation mark where each of them begins, or
 * a first line that is cut at 76 characters.
 */
const QUOTED_START =
  /^(?:=EF=BB=BF|=3C[?A-Za-z]|<\?xml version=3D|<[\w:.-]{1,60} xmlns(?::[\w.-]{1,60})?=3D|\{(?:=0D|=0A|=20|\s){0,20}=22|[<{][^\r\n]{40,75}=\r?\n)/i;

const latin1 = new TextDecoder("latin1");

function copyLines(lines: Uint8Array, target: Uint8Array, at: number): number {
  target.set(lines, at);
  return lines.byteLength;
}

const NOT_BASE64 = 255;
const PADDING = 254;
const BASE64_VALUES = buildBase64Values();
/** With `-` and `_` as well, which stand for `+` and `/` in URLs. */
const EITHER_ALPHABET = buildBase64Values().fill(62, 0x2d, 0x2e).fill(63, 0x5f, 0x60);

/**
 * Base64, ignoring characters outside the alphabet (RFC 2045 section 6.8); padding ends a group, not the content.
 * Content that begins as no base64 does, but as a report, is passed on unchanged: some gateways decode and keep the label.
 * Others put words before it, which are left out.
 */
class Base64Decoder implements TransferDecoder {
  #bits = 0;
  #digits = 0;
  /** Undefined until the content begins. */
  #isPlain: boolean | undefined;
  readonly #values: Uint8Array;

  constructor(isPlain?: boolean, values = BASE64_VALUES) {
    this.#isPlain = isPlain;
    this.#values = values;
  }

  decode(lines: Uint8Array, target: Uint8Array, at: number): number {
    const isBegin = this.#isPlain === undefined;
    this.#isPlain ??= beginsPlain(lines);
    if (this.#isPlain === true) return copyLines(lines, target, at);
    const values = this.#values;
    let end = at;
    for (let i = isBegin ? wordsBefore(lines) : 0; i < lines.byteLength; i++) {
      const value = values[lines[i] ?? 0] ?? NOT_BASE64;
      if (value === NOT_BASE64) continue;
      if (value === PADDING) {
        end += this.end(target, end);
        continue;
      }
      this.#bits = (this.#bits << 6) | value;
      if (++this.#digits === 4) {
        target[end++] = this.#bits >> 16;
        target[end++] = this.#bits >> 8;
        target[end++] = this.#bits;
        this.#bits = 0;
        this.#digits = 0;
      }
    }
    return end - at;
  }

  // Two remaining digits are one byte, three are two.
  end(target: Uint8Array, at: number): number {
    const bytes = Math.max(0, this.#digits - 1);
    const aligned = this.#bits << (6 * (4 - this.#digits));
    for (let i = 0; i < bytes; i++) target[at + i] = aligned >> (16 - 8 * i);
    this.#bits = 0;
    this.#digits = 0;
    return bytes;
  }
}

/** Whether content is not encoded at all: XML, JSON, gzip or zip; undefined if it has not begun. */
function beginsPlain(lines: Uint8Array): boolean | undefined {
  const start = lines.findIndex((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d && byte !== NEW_LINE);
  if (start < 0) return undefined;
  const [first, second, third, fourth] = lines.subarray(start, start + 4);
  if (first === 0x1f && second === 0x8b) return true;
  if (first === 0x50 && second === 0x4b && third === 0x03 && fourth === 0x04) return true;
  if (first === 0xef && second === 0xbb && third === 0xbf) return true;
  return first === LESS_THAN || first === OPEN_BRACE;
}

/** The characters before the first line that is nothing but base64, where they are words; else 0. */
function wordsBefore(lines: Uint8Array): number {
  const text = latin1.decode(lines.subarray(0, MAX_WORDS_BYTES));
  const start = BASE64_LINE.exec(text)?.index ?? 0;
  const before = text.slice(0, start);
  return WORDS.test(before) && !MARKED_LINE.test(before) ? start : 0;
}

const MAX_WORDS_BYTES = 4096;
const BASE64_LINE = /^[A-Za-z0-9+/]{40,}={0,2}[ \t\r]*$/m;
/** A line of base64 with a byte order mark or the like before it, or another character among its own. */
const MARKED_LINE = /^[^A-Za-z0-9+/\n]{0,8}[A-Za-z0-9+/]{40}/m;
const WORDS = /[\w.,:!][ \t]\w|[^\s\w+/=>|]/;
const LESS_THAN = 0x3c;
const OPEN_BRACE = 0x7b;

function buildBase64Values(): Uint8Array {
  const values = new Uint8Array(256).fill(NOT_BASE64);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  values["=".charCodeAt(0)] = PADDING;
  return values;
}

const EQUALS = 0x3d;
const NEW_LINE = 0x0a;

/** Quoted-printable (RFC 2045 section 6.7); an invalid escape stays unchanged. */
class QuotedPrintableDecoder implements TransferDecoder {
  /** The start of an escape at the end of the bytes so far: at most two. */
  #held: Uint8Array = new Uint8Array(0);

  decode(lines: Uint8Array, target: Uint8Array, at: number): number {
    const bytes = this.#held.byteLength === 0 ? lines : joined(this.#held, lines);
    this.#held = new Uint8Array(0);
    let end = at;
    for (let from = 0; from < bytes.byteLength; ) {
      const byte = bytes[from++] ?? 0;
      if (byte !== EQUALS) {
        target[end++] = byte;
        continue;
      }
      if (from + 1 >= bytes.byteLength && bytes.at(-1) !== NEW_LINE) {
        this.#held = bytes.slice(from - 1);
        break;
      }
      const high = HEX_VALUES[bytes[from] ?? 0] ?? NO_DIGIT;
      const low = HEX_VALUES[bytes[from + 1] ?? 0] ?? NO_DIGIT;
      if (high !== NO_DIGIT && low !== NO_DIGIT) {
        target[end++] = 16 * high + low;
        from += 2;
        continue;
      }
      const next = softBreakEnd(bytes, from);
      if (next === from) target[end++] = EQUALS;
      from = next;
    }
    return end - at;
  }

  // A trailing equals sign is a soft line break.
  end(target: Uint8Array, at: number): number {
    const rest = this.#held.byteLength > 1 ? this.#held : this.#held.subarray(1);
    target.set(rest, at);
    return rest.byteLength;
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(first);
  both.set(second, first.byteLength);
  return both;
}

const NO_DIGIT = 255;
const HEX_VALUES = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = String.fromCharCode(byte);
  return /[0-9A-Fa-f]/.test(digit) ? Number.parseInt(digit, 16) : NO_DIGIT;
});

/** The start of the next line if only white space precedes it; otherwise `from`. */
function softBreakEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === 0x0d) at++;
  if (at >= bytes.byteLength) return at;
  return bytes[at] === NEW_LINE ? at + 1 : from;
}
