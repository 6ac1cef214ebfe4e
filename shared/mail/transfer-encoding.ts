/** Content-Transfer-Encoding (RFC 2045 section 6), a line at a time, for the streaming mail reader. */

/** Turns the lines of a part into its content. */
export interface TransferDecoder {
  /**
   * Writes the content of one line to `target`, from `at` on; may hold back what the next line completes. There must be
   * room for the line and HELD_BYTES.
   *
   * @returns how many bytes it wrote
   */
  decode(line: Uint8Array, target: Uint8Array, at: number): number;
  /** Writes what was held back: at most HELD_BYTES. */
  end(target: Uint8Array, at: number): number;
}

/** Most that a decoder holds back. */
export const HELD_BYTES = 3;

/** The decoder of an encoding by its name; names that are not known mean the bytes as they are. */
export function transferDecoder(encoding: string): TransferDecoder {
  switch (encoding) {
    case "base64":
      return new Base64Decoder();
    case "quoted-printable":
      return { decode: decodeQuotedPrintableLine, end: () => 0 };
    default:
      return { decode: copyLine, end: () => 0 };
  }
}

function copyLine(line: Uint8Array, target: Uint8Array, at: number): number {
  target.set(line, at);
  return line.byteLength;
}

const NOT_BASE64 = 255;
const PADDING = 254;
const BASE64_VALUES = buildBase64Values();

/** Base64 that skips what is not of its alphabet (RFC 2045 section 6.8); padding ends a group, not the content. */
class Base64Decoder implements TransferDecoder {
  #bits = 0;
  #digits = 0;

  decode(line: Uint8Array, target: Uint8Array, at: number): number {
    let end = at;
    for (let i = 0; i < line.byteLength; i++) {
      const value = BASE64_VALUES[line[i] ?? 0] ?? NOT_BASE64;
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

  // Two digits left hold one byte, three hold two.
  end(target: Uint8Array, at: number): number {
    const bytes = Math.max(0, this.#digits - 1);
    const aligned = this.#bits << (6 * (4 - this.#digits));
    for (let i = 0; i < bytes; i++) target[at + i] = aligned >> (16 - 8 * i);
    this.#bits = 0;
    this.#digits = 0;
    return bytes;
  }
}

function buildBase64Values(): Uint8Array {
  const values = new Uint8Array(256).fill(NOT_BASE64);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  values["=".charCodeAt(0)] = PADDING;
  return values;
}

const EQUALS = 0x3d;

function decodeQuotedPrintableLine(line: Uint8Array, target: Uint8Array, at: number): number {
  let end = at;
  for (let i = 0; i < line.byteLength; i++) {
    const byte = line[i] ?? 0;
    const pair = byte === EQUALS ? String.fromCharCode(line[i + 1] ?? 0, line[i + 2] ?? 0) : "";
    if (/^[0-9A-Fa-f]{2}$/.test(pair)) {
      target[end++] = Number.parseInt(pair, 16);
      i += 2;
    } else if (byte === EQUALS && /^[ \t]*\r?\n?$/.test(String.fromCharCode(...line.subarray(i + 1, i + 80)))) {
      return end - at;
    } else {
      target[end++] = byte;
    }
  }
  return end - at;
}
