/** Canonicalisation of header and body (RFC 6376 section 3.4): the bytes that a signature covers. Pure, in one pass. */

import type { Canonicalization } from "./dkim-signature.ts";
import type { HeaderField } from "./header-fields.ts";

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;

/** A field as it is signed, without its last line end. */
export function canonicalField({ name, raw }: HeaderField, how: Canonicalization): string {
  if (how === "simple") return raw;
  const value = raw.slice(raw.indexOf(":") + 1);
  return `${name}:${value
    .replaceAll("\r\n", "")
    .replaceAll(/[ \t]+/g, " ")
    .trim()}`;
}

/** A DKIM-Signature without the value of b=, as covered by itself. */
export function withoutSignature({ name, raw }: HeaderField): HeaderField {
  const colon = raw.indexOf(":");
  const tags = raw.slice(colon + 1).split(";");
  const emptied = tags.map((tag) => {
    const equals = tag.indexOf("=");
    return tag.slice(0, Math.max(0, equals)).trim() === "b" ? tag.slice(0, equals + 1) : tag;
  });
  return { name, raw: raw.slice(0, colon + 1) + emptied.join(";") };
}

/** The fields a signature covers, each name from the bottom up; a missing one contributes nothing. */
export function signedFields(fields: readonly HeaderField[], names: readonly string[]): HeaderField[] {
  const byName = new Map<string, HeaderField[]>();
  for (const field of fields) {
    const known = byName.get(field.name);
    if (known === undefined) byName.set(field.name, [field]);
    else known.push(field);
  }
  return names.flatMap((name) => byName.get(name)?.pop() ?? []);
}

/**
 * The body as it is signed. Bare line feeds count as line ends: a file may have lost its carriage returns.
 *
 * @returns new bytes
 */
export function canonicalBody(body: Uint8Array, how: Canonicalization): Uint8Array<ArrayBuffer> {
  const out = new CanonicalBytes(body.byteLength + countBareLineFeeds(body) + 2);
  for (let at = 0; at < body.byteLength; at++) {
    const byte = body[at] ?? 0;
    const isLineEnd = byte === LINE_FEED || (byte === CARRIAGE_RETURN && body[at + 1] === LINE_FEED);
    if (byte === CARRIAGE_RETURN && isLineEnd) at++;
    if (isLineEnd) out.endLine();
    else if (how === "relaxed" && (byte === SPACE || byte === TAB)) out.space();
    else out.add(byte);
  }
  return out.finish(how);
}

function countBareLineFeeds(body: Uint8Array): number {
  let count = 0;
  for (let at = body.indexOf(LINE_FEED); at >= 0; at = body.indexOf(LINE_FEED, at + 1)) {
    if (body[at - 1] !== CARRIAGE_RETURN) count++;
  }
  return count;
}

/** A buffer in which trailing line ends and spaces only count when something follows. */
class CanonicalBytes {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  /** Length up to the end of the last line that is not empty. */
  #filled = 0;
  #hasSpace = false;
  #isLineEmpty = true;

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  add(byte: number): void {
    if (this.#hasSpace) this.#bytes[this.#length++] = SPACE;
    this.#hasSpace = false;
    this.#isLineEmpty = false;
    this.#bytes[this.#length++] = byte;
  }

  space(): void {
    this.#hasSpace = true;
  }

  endLine(): void {
    this.#hasSpace = false;
    this.#bytes[this.#length++] = CARRIAGE_RETURN;
    this.#bytes[this.#length++] = LINE_FEED;
    if (!this.#isLineEmpty) this.#filled = this.#length;
    this.#isLineEmpty = true;
  }

  /** Without trailing empty lines; an empty body is empty when relaxed, one line end when simple. */
  finish(how: Canonicalization): Uint8Array<ArrayBuffer> {
    if (!this.#isLineEmpty) this.endLine();
    if (this.#filled === 0 && how === "simple") {
      this.#filled = 2;
      this.#bytes.set([CARRIAGE_RETURN, LINE_FEED]);
    }
    return this.#bytes.subarray(0, this.#filled);
  }
}
