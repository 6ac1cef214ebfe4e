/**
 * DNS messages (RFC 1035 section 4): a question as bytes, and the records of one type in an answer as text. What is no whole
 * message throws. Pure.
 */
import type { RecordType } from "./resolver.ts";

/** RFC 1035 section 3.2.2, RFC 3596, RFC 6698. */
const TYPE_CODES: Record<RecordType, number> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  TLSA: 52,
};
const INTERNET = 1;

/** RFC 1035 section 4.1.1, RFC 4035 section 3.2: bits of the flags. */
const RESPONSE = 0x8000;
const TRUNCATED = 0x0200;
const RECURSION_DESIRED = 0x0100;
const AUTHENTIC_DATA = 0x0020;
const CHECKING_DISABLED = 0x0010;
const RESPONSE_CODE = 0x000f;

const ADDRESS_BYTES: Partial<Record<RecordType, number>> = { A: 4, AAAA: 16 };
const HEADER_BYTES = 12;
const MAX_LABEL_BYTES = 63;
/** With the lengths of its labels and the last, empty one. */
const MAX_NAME_BYTES = 255;

/** What a server answered. */
export interface DnsMessage {
  /** RFC 1035 section 4.1.1; 0: no error, 3: no such name. */
  code: number;
  isTruncated: boolean;
  isAuthenticated: boolean;
  /** Those of the type asked for, wherever an alias led to. */
  records: string[];
  /** The shortest time for which one of them may be kept; 0 where there is none. */
  ttlSeconds: number;
}

/** A question, to be answered with the result of DNSSEC's check, or without such a check. @throws RangeError for what can't be a name */
export function encodeQuestion(name: string, type: RecordType, isUnchecked: boolean): Uint8Array<ArrayBuffer> {
  const labels = name.split(".").map((label) => {
    const bytes = Array.from(label, (sign) => sign.charCodeAt(0));
    if (bytes.length < 1 || bytes.length > MAX_LABEL_BYTES || bytes.some((byte) => byte > 0xff))
      throw new RangeError(name);
    return [bytes.length, ...bytes];
  });
  const encoded = [...labels.flat(), 0];
  if (encoded.length > MAX_NAME_BYTES) throw new RangeError(name);
  const flags = RECURSION_DESIRED | AUTHENTIC_DATA | (isUnchecked ? CHECKING_DISABLED : 0);
  const words = [0, flags, 1, 0, 0, 0].flatMap(bytesOf);
  return new Uint8Array([...words, ...encoded, ...bytesOf(TYPE_CODES[type]), ...bytesOf(INTERNET)]);
}

function bytesOf(word: number): number[] {
  return [word >> 8, word & 0xff];
}

/** Reads an answer. @throws RangeError where it is no whole message */
export function readMessage(bytes: Uint8Array, type: RecordType): DnsMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  if ((flags & RESPONSE) === 0) throw new RangeError("a question");
  let at = HEADER_BYTES;
  for (let left = view.getUint16(4); left > 0; left--) at = readName(view, at).end + 4;
  const records: string[] = [];
  let ttlSeconds = 0;
  for (let left = view.getUint16(6); left > 0; left--) {
    const start = readName(view, at).end + 10;
    const end = start + view.getUint16(start - 2);
    if (end > bytes.length) throw new RangeError("cut");
    if (view.getUint16(start - 10) === TYPE_CODES[type]) {
      const ttl = view.getUint32(start - 6);
      ttlSeconds = records.length === 0 ? ttl : Math.min(ttlSeconds, ttl);
      records.push(textOf(view, { type, start, end }));
    }
    at = end;
  }
  return {
    code: flags & RESPONSE_CODE,
    isTruncated: (flags & TRUNCATED) !== 0,
    isAuthenticated: (flags & AUTHENTIC_DATA) !== 0,
    records,
    ttlSeconds,
  };
}

/** The data of a record as text (resolver.ts). */
function textOf(view: DataView, { type, start, end }: { type: RecordType; start: number; end: number }): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + start, end - start);
  if (bytes.length !== (ADDRESS_BYTES[type] ?? bytes.length)) throw new RangeError("address");
  switch (type) {
    case "TXT":
      return joinedStrings(bytes);
    case "A":
      return bytes.join(".");
    case "AAAA":
      return sixOf(hexOf(bytes));
    case "MX":
      return `${view.getUint16(start)} ${readName(view, start + 2).name}`;
    case "TLSA":
      return `${bytes.subarray(0, 3).join(" ")} ${hexOf(bytes.subarray(3))}`;
    default:
      return readName(view, start).name;
  }
}

/** A name, labels before a pointer and behind it (RFC 1035 section 4.1.4), and where it ends in place; the root is `.`. */
function readName(view: DataView, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let [at, end, length] = [start, 0, 1];
  for (;;) {
    const size = view.getUint8(at);
    if (size > MAX_LABEL_BYTES) {
      if (end === 0) end = at + 2;
      const target = view.getUint16(at) & 0x3fff;
      // It points to what was there before: no pointer leads around in circles.
      if (target >= at) throw new RangeError("pointer");
      at = target;
      continue;
    }
    at += 1;
    if (size === 0) return { name: labels.join(".") || ".", end: end === 0 ? at : end };
    length += size + 1;
    if (length > MAX_NAME_BYTES) throw new RangeError("name");
    const label = Array.from({ length: size }, (_, index) => String.fromCharCode(view.getUint8(at + index)));
    labels.push(label.join(""));
    at += size;
  }
}

/** The strings of a TXT record as one text (RFC 6376 section 3.6.2.2, RFC 7208 section 3.3): UTF-8, or else a character an octet. */
function joinedStrings(bytes: Uint8Array): string {
  const kept: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const next = at + 1 + (bytes[at] ?? 0);
    if (next > bytes.length) throw new RangeError("string");
    kept.push(...bytes.subarray(at + 1, next));
    at = next;
  }
  const joined = new Uint8Array(kept);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(joined);
  } catch {
    return String.fromCharCode(...joined);
  }
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** RFC 5952, as both runtimes write it in a URL. */
function sixOf(digits: string): string {
  return new URL(`http://[${digits.match(/.{4}/g)?.join(":")}]`).hostname.slice(1, -1);
}
