/** The text of a JSON document: decoding, parsing with small repairs, members that occur twice. Pure. */
import { READ_LIMITS } from "../limits.ts";
import { findPastedJson } from "../mail/pasted.ts";
import { reject } from "./rejection.ts";
import { decodeUtf8, type TextNote } from "./text.ts";
import type { WarningLog } from "./warnings.ts";

/** RFC 8259 section 8.1 requires UTF-8; a byte order mark or zero bytes indicate UTF-16. */
export function decodeJson(bytes: Uint8Array, note: TextNote): string {
  const [b0, b1, b2, b3] = bytes;
  if (b0 === 0xff || (b0 !== 0 && b1 === 0 && b3 === 0)) return new TextDecoder("utf-16le").decode(bytes);
  if (b0 === 0xfe || (b0 === 0 && b1 !== 0 && b2 === 0)) return new TextDecoder("utf-16be").decode(bytes);
  return decodeUtf8(bytes, note);
}

/**
 * The values in a text: one, or several one after the other. Text after the last one, and control characters within
 * texts, are reported as repaired.
 *
 * @throws Rejection malformed_json, too_large
 */
export function parseJson(json: string, warnings: WarningLog): unknown[] {
  refuseManyValues(json);
  try {
    const value: unknown = JSON.parse(json);
    warnAboutRepeated(json, warnings);
    return [value];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return parseOdd(json, error.message, warnings);
  }
}

/** @param reason why the whole text is not one value */
function parseOdd(json: string, reason: string, warnings: WarningLog): unknown[] {
  const plain = withoutComments(json, (detail) => warnings.addOnce("repaired_archive", "", detail));
  // White space between the values, and forbidden within them (RFC 8259 sections 2 and 7).
  const text = plain.replace(CONTROLS, " ");
  const { values, rest } = splitValues(text);
  if (rest.trim() !== "" && values.length === 0) reject("malformed_json", reason);
  const parsed = values.map((value) => parseValue(value, reason));
  // A further report must not vanish, be it cut off or behind some words.
  const cut = "the last of several reports is cut";
  if (/^\s*\{/.test(rest)) reject("malformed_json", cut);
  parsed.push(...findPastedJson(rest, "").map((value) => parseValue(value, cut)));
  if (rest.trim() !== "")
    warnings.add("repaired_archive", "", `text after the end of the JSON: ${rest.trim().slice(0, 40)}`);
  warnAboutRepeated(text, warnings);
  return parsed;
}

function parseValue(json: string, reason: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return reject("malformed_json", reason);
  }
}

/** Whether the values in a text are all closed, whatever follows them: what comes next is not within one, as a text may be. */
export function isClosed(json: string): boolean {
  const { values, rest } = splitValues(withoutComments(json, () => {}).replace(CONTROLS, " "));
  return values.length > 0 && !/^[[{]/.test(rest);
}

/** JSON without what JavaScript allows besides: comments, and a comma after the last of some values. */
function withoutComments(json: string, note: TextNote): string {
  const kept: string[] = [];
  let from = 0;
  let comma = -1;
  for (let at = 0; at < json.length; at++) {
    const char = json[at] ?? "";
    const end = char === "/" ? endOfComment(json, at) : at;
    if (end > at) {
      kept.push(json.slice(from, at), " ");
      note("comments in the JSON");
      from = end;
      at = end - 1;
    } else if (char === ",") {
      kept.push(json.slice(from, at), ",");
      comma = kept.length - 1;
      from = at + 1;
    } else if ((char === "}" || char === "]") && comma >= 0) {
      kept[comma] = " ";
      note("a comma after the last of the values");
      comma = -1;
    } else if (!BLANK.test(char)) {
      if (char === '"') at = endOfText(json, at);
      comma = -1;
    }
  }
  kept.push(json.slice(from));
  return kept.join("");
}

const BLANK = /\s/;

function endOfComment(json: string, start: number): number {
  const mark = json[start + 1] === "/" ? "\n" : json[start + 1] === "*" ? "*/" : "";
  const end = mark === "" ? start : json.indexOf(mark, start + 2);
  return end < 0 ? json.length : mark === "" ? start : end + mark.length;
}

const CONTROLS = /[\0-\x1f\ufeff]/g;

/** Cuts a text into the objects and lists that follow one another, up to anything else. */
function splitValues(text: string): { values: string[]; rest: string } {
  const values: string[] = [];
  let at = skipBlank(text, 0);
  while (text[at] === "{" || text[at] === "[") {
    const end = endOfValue(text, at);
    if (end === undefined) break;
    values.push(text.slice(at, end));
    at = skipBlank(text, end);
  }
  return { values, rest: text.slice(at) };
}

function skipBlank(text: string, from: number): number {
  let at = from;
  while (text[at] === " ") at++;
  return at;
}

/** Undefined where it is not closed. */
function endOfValue(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === '"') at = endOfText(text, at);
    else if (char === "{" || char === "[") depth++;
    else if ((char === "}" || char === "]") && --depth === 0) return at + 1;
  }
  return undefined;
}

/** Position of the quotation mark that closes the text that one at `start` opens. */
function endOfText(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

// A megabyte of `[],` becomes forty megabytes of objects, so values are counted before parsing.
function refuseManyValues(json: string): void {
  let values = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === COMMA || code === OPEN_LIST || code === OPEN_OBJECT) values++;
  }
  if (values > READ_LIMITS.maxJsonValues) reject("too_large", `more than ${READ_LIMITS.maxJsonValues} JSON values`);
}

const [COMMA, OPEN_LIST, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b];

/** Warns of members that occur twice in their object: JSON.parse takes the last, and says nothing of the others. */
function warnAboutRepeated(json: string, warnings: WarningLog): void {
  const open: (Set<string> | undefined)[] = [];
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === "{") open.push(new Set());
    else if (char === "[") open.push(undefined);
    else if (char === "}" || char === "]") open.pop();
    else if (char === '"') {
      const end = endOfText(json, at);
      const names = open.at(-1);
      if (names !== undefined && /^\s{0,9}:/.test(json.slice(end + 1, end + 11))) {
        const name = json.slice(at + 1, Math.min(end, at + MAX_NAME_CHARS));
        if (names.has(name)) warnings.add("duplicate_element", name, "the last is used");
        names.add(name);
      }
      at = end;
    }
  }
}

/** Ours: characters of a member's name that are compared. */
const MAX_NAME_CHARS = 100;
