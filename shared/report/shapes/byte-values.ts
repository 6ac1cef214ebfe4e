/**
 * Single values read straight from bytes, for the fast path (record-shapes.ts). Only plain ASCII is read here; NOT_PLAIN
 * (or -1, or undefined) sends the record to the general reader.
 */
import { canonicalIp, isCanonicalIpv6 } from "../values.ts";

/** A piece of the document. */
export interface BytePiece {
  bytes: Uint8Array;
  view: DataView;
}

/** A value inside a piece of the document. */
export interface Span {
  bytes: Uint8Array;
  start: number;
  end: number;
}

/** Stands for a value that only the general reader can read. No value equals it: values hold no NUL. */
export const NOT_PLAIN = "\0";

/** Longest value read here. */
const MAX_BYTES = 1000;
/** Longest value remembered: any domain, any selector. */
const MAX_KNOWN_BYTES = 255;
const CACHE_SLOTS = 4096;

interface KnownText {
  bytes: Uint8Array;
  text: string;
}

/**
 * Texts of byte values, remembered: a document's domains and selectors are few. A slot holds the value seen last, so
 * memory is bounded whatever comes: some 3 MB of the longest.
 */
export class ByteTexts {
  readonly #known = new Array<KnownText | undefined>(CACHE_SLOTS);
  readonly #read: (raw: string) => string;

  /** @param read what is made of the raw text */
  constructor(read: (raw: string) => string) {
    this.#read = read;
  }

  /** The text of a value, or NOT_PLAIN. */
  at(span: Span): string {
    const { bytes, start, end } = span;
    if (start === end) return "";
    if (end - start > MAX_KNOWN_BYTES) return isPlain(span) ? this.#read(asciiText(span)) : NOT_PLAIN;
    const slot = hash(bytes, start, end) & (CACHE_SLOTS - 1);
    const known = this.#known[slot];
    if (known !== undefined && isEqual(known.bytes, bytes, start, end)) return known.text;
    if (!isPlain(span)) return NOT_PLAIN;
    const text = this.#read(asciiText(span));
    this.#known[slot] = { bytes: new Uint8Array(bytes.subarray(start, end)), text };
    return text;
  }
}

function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = end - start;
  for (let i = start; i < end; i++) h = (Math.imul(h, 31) + (bytes[i] ?? 0)) | 0;
  return h ^ (h >>> 12);
}

function isEqual(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.byteLength !== end - start) return false;
  for (let i = 0; i < known.byteLength; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}

/** Whether a raw value means what it says: printable ASCII, no entity, no white space around it, not overlong. */
function isPlain({ bytes, start, end }: Span): boolean {
  if (end - start > MAX_BYTES || bytes[start] === 0x20 || bytes[end - 1] === 0x20) return false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x20 || byte > 0x7e || byte === 0x26) return false;
  }
  return true;
}

const ascii = new TextDecoder("latin1");

function asciiText({ bytes, start, end }: Span): string {
  return ascii.decode(bytes.subarray(start, end));
}

const OCTETS = Array.from({ length: 256 }, (_, i) => String(i));
const DOTTED_OCTETS = OCTETS.map((octet) => `${octet}.`);

/** An IP address in its canonical form, or NOT_PLAIN for any other text. */
export function addressText(span: Span): string {
  const { bytes, start, end } = span;
  let text = "";
  let parts = 0;
  let value = -1;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === 0x2e && value >= 0 && parts < 3) {
      text += DOTTED_OCTETS[value] ?? "";
      parts++;
      value = -1;
    } else {
      // A leading zero, a letter, a colon: no dotted quad.
      if (byte < 0x30 || byte > 0x39 || value === 0) return otherAddress(span);
      value = value < 0 ? byte - 0x30 : value * 10 + byte - 0x30;
      if (value > 255) return otherAddress(span);
    }
  }
  return parts === 3 && value >= 0 ? text + (OCTETS[value] ?? "") : NOT_PLAIN;
}

function otherAddress(span: Span): string {
  if (span.end - span.start > 45 || !isPlain(span)) return NOT_PLAIN;
  const text = asciiText(span);
  return isCanonicalIpv6(text) ? text : (canonicalIp(text) ?? NOT_PLAIN);
}

/** A whole number of at most 15 digits; -1 for anything else. */
export function parseDigits({ bytes, start, end }: Span): number {
  if (start === end || end - start > 15) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** The word of a list that the bytes spell, in exactly these letters. */
export function wordAt<W extends string>({ bytes, start, end }: Span, words: readonly W[]): W | undefined {
  for (let w = 0; w < words.length; w++) {
    const word = words[w];
    if (word === undefined || word.length !== end - start) continue;
    let i = 0;
    while (i < word.length && bytes[start + i] === word.charCodeAt(i)) i++;
    if (i === word.length) return word;
  }
  return undefined;
}
