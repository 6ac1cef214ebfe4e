/**
 * The Content fields in the header of a mail or part (RFC 5322, 2045, 2183, 2231). Names and types are labels. Every
 * step is linear in the length of the text.
 */
import { decodeText } from "./charset.ts";
import { decodedWords } from "./encoded-words.ts";

/** What a header says about its part. */
export interface PartHeader {
  /** Lower case, such as `text/plain`. */
  mimeType: string;
  charset: string;
  /** RFC 3676: a line that ends with a space continues on the next one. */
  isFlowed: boolean;
  /** RFC 3676 section 4.1: that space is not part of the text. */
  dropsFlowSpace: boolean;
  /** "" if there is none, or an impossible one. */
  boundary: string;
  /** Of a multipart/report (RFC 6522), lower case: `delivery-status`, `feedback-report`, `tlsrpt` …, or "". */
  reportType: string;
  /** Lower case: `attachment`, `inline`, or "". */
  disposition: string;
  fileName: string;
  /** Content-Transfer-Encoding, lower case. */
  encoding: string;
}

/** Characters kept of one field; RFC 5322 allows 998 a line, and real file names have up to 300. */
const MAX_FIELD_CHARS = 16 * 1024;
/** Characters kept of a file name: a few encoded words. */
const MAX_NAME_CHARS = 2000;
/** RFC 2046 allows 70 characters. */
const MAX_BOUNDARY_CHARS = 998;

/** Fields that are kept; `ContentType:` is a misspelling of a mail gateway. */
const FIELDS: Record<string, "type" | "disposition" | "encoding"> = {
  "content-type": "type",
  contenttype: "type",
  "content-disposition": "disposition",
  "content-transfer-encoding": "encoding",
};
const LONGEST_NAME = "content-transfer-encoding".length;
const PERCENT = 0x25;
const LETTERS_C = [0x43, 0x63];
const WHITE_SPACE = [0x20, 0x09];
const BLANKS = [...WHITE_SPACE, 0x0d, 0x0a];
/** Names of fields contain no equals sign. */
const PARAMETER = /^[A-Za-z][\w*-]{0,20}[ \t]*=/;
const REPORT_START = /^<(?:\?xml|feedback)[\s>]/;
const BASE64_LINE = /^[A-Za-z0-9+/]{60,100}={0,2}\s*$/;
const FIELD_START = /^[A-Za-z][\w.-]*[ \t]*:/;
const OWN_FIELD = /^(?:content-|mime-version)/i;
const HOLDS_FIELDS = /^\s*(?:message\/|text\/rfc822-header)/i;
const latin1 = new TextDecoder("latin1");
const utf8 = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true });
const windows1252 = new TextDecoder("windows-1252");

/** Collects the relevant fields from the lines of a header; of a repeated field, the first counts. */
export class HeaderLines {
  readonly #fields = { type: "", disposition: "", encoding: "" };
  #current: "type" | "disposition" | "encoding" | undefined;
  /** Whether the last line is of white space only: a folded one (RFC 5322 section 4.2), or the end with a space in it. */
  #isAfterSpaces = false;

  /** Adds a line or a piece of a long one; `isStart` is false for further pieces. */
  add(line: Uint8Array, isStart: boolean): void {
    const [first = 0] = line;
    const goesOn = !isStart || WHITE_SPACE.includes(first);
    this.#isAfterSpaces = goesOn && isStart && line.every((byte) => BLANKS.includes(byte));
    const isParameter = !goesOn && this.#current !== undefined && PARAMETER.test(latin1.decode(line.subarray(0, 40)));
    if (!goesOn && !isParameter) this.#current = undefined;
    if (this.#current === undefined && (goesOn || !LETTERS_C.includes(first))) return;
    const text = decodeLine(line.subarray(0, MAX_FIELD_CHARS)).replace(/[\r\n]/g, "");
    // A field continued on an unindented line, as some reporters write it.
    if (isParameter) this.#append(`;${text}`);
    else if (goesOn) this.#append(text);
    else this.#start(text);
  }

  /** Whether a line is already content, because the empty line after the header is missing or is one of white space. */
  endsBefore(line: Uint8Array): boolean {
    const { type, encoding } = this.#fields;
    if (type === "" && encoding === "" && !this.#isAfterSpaces) return false;
    const text = latin1.decode(line.subarray(0, 120));
    if (this.#isAfterSpaces && isContent(text, type)) return true;
    if (text.startsWith("--")) return /multipart/i.test(type) && !/\s/.test(text.trimEnd());
    return REPORT_START.test(text) || (/base64/i.test(encoding) && BASE64_LINE.test(text));
  }

  /** @param defaultType the type of a part that does not declare one */
  read(defaultType: string): PartHeader {
    const { type, disposition, encoding } = this.#fields;
    const content = parseField(type);
    const place = parseField(disposition);
    const mimeType = content.value.toLowerCase() || defaultType;
    const boundary = content.parameter("boundary");
    return {
      mimeType,
      charset: content.parameter("charset"),
      isFlowed: content.parameter("format").toLowerCase() === "flowed",
      dropsFlowSpace: content.parameter("delsp").toLowerCase() === "yes",
      boundary: boundary.length > MAX_BOUNDARY_CHARS ? "" : boundary.trimEnd(),
      reportType: content.parameter("report-type").trim().toLowerCase(),
      disposition: place.value.toLowerCase(),
      fileName: decodeHeaderText(place.parameter("filename") || content.parameter("name")),
      encoding: (/[\w-]+/.exec(parseField(encoding).value)?.[0] ?? "").toLowerCase(),
    };
  }

  #start(text: string): void {
    const colon = text.slice(0, LONGEST_NAME + 16).indexOf(":");
    const field = FIELDS[text.slice(0, Math.max(0, colon)).trimEnd().toLowerCase()];
    if (field === undefined || this.#fields[field] !== "") return;
    this.#current = field;
    this.#append(text.slice(colon + 1));
  }

  #append(text: string): void {
    if (this.#current === undefined) return;
    const kept = this.#fields[this.#current];
    this.#fields[this.#current] = kept + text.slice(0, MAX_FIELD_CHARS - kept.length);
  }
}

/** Whether a line after one of white space is no further field of a header with this Content-Type. */
function isContent(line: string, type: string): boolean {
  if (WHITE_SPACE.includes(line.charCodeAt(0))) return false;
  return !FIELD_START.test(line) || (HOLDS_FIELDS.test(type) && !OWN_FIELD.test(line));
}

/** RFC 6532 section 3.2 allows UTF-8; other bytes are read in the most frequent encoding. */
function decodeLine(line: Uint8Array): string {
  const text = utf8.decode(line);
  return text.includes("\ufffd") ? windows1252.decode(line) : text;
}

/** Decodes the encoded words (RFC 2047) of a file name or subject. */
export function decodeHeaderText(text: string): string {
  return decodedWords(text.slice(0, MAX_NAME_CHARS)).trim();
}

interface Field {
  value: string;
  /** "" if missing. */
  parameter(name: string): string;
}

interface Parameter {
  /** Lower case; "" for the field's own value. */
  name: string;
  value: string;
}

function parseField(text: string): Field {
  const splitter = new FieldSplitter(text);
  // An unclosed comment would swallow the parameters after it.
  const parts = splitter.split(true) ?? splitter.split(false) ?? [];
  const [own, ...parameters] = parts;
  return {
    value: own?.value ?? "",
    parameter: (name) =>
      joinedParameter(parameters, name) ?? parameters.find((parameter) => parameter.name === name)?.value ?? "",
  };
}

/** A parameter in pieces or with a charset (RFC 2231 sections 3 and 4); undefined if it is neither. */
function joinedParameter(parameters: Parameter[], name: string): string | undefined {
  const pieces = parameters
    .filter((parameter) => parameter.name.startsWith(`${name}*`))
    .map((parameter) => ({
      index: Number.parseInt(parameter.name.slice(name.length + 1), 10) || 0,
      isEncoded: parameter.name.endsWith("*"),
      value: parameter.value,
    }))
    .sort((a, b) => a.index - b.index);
  const [first] = pieces;
  if (first === undefined) return undefined;
  const { charset, rest } = cutCharset(first.isEncoded ? first.value : "");
  if (rest !== undefined) first.value = rest;
  // A character may be split between pieces.
  const encoded = pieces.map(({ value, isEncoded }) => (isEncoded ? value : value.replaceAll("%", "%25"))).join("");
  return decodeText(decodePercent(encoded), charset);
}

// `UTF-8'en'name`
function cutCharset(value: string): { charset: string; rest: string | undefined } {
  const first = value.indexOf("'");
  const second = value.indexOf("'", first + 1);
  if (first < 0 || second < 0) return { charset: "utf-8", rest: undefined };
  return { charset: value.slice(0, first) || "utf-8", rest: value.slice(second + 1) };
}

/** Percent-encoded bytes decoded; everything else in UTF-8. */
function decodePercent(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  let end = 0;
  for (let at = 0; at < bytes.byteLength; at++) {
    const digits = bytes[at] === PERCENT ? String.fromCharCode(...bytes.subarray(at + 1, at + 3)) : "";
    const isByte = /^[0-9A-Fa-f]{2}$/.test(digits);
    bytes[end++] = isByte ? Number.parseInt(digits, 16) : (bytes[at] ?? 0);
    if (isByte) at += 2;
  }
  return bytes.subarray(0, end);
}

/**
 * Splits a field into its value and parameters. Quotes and comments are removed; a parenthesis inside an unquoted value
 * (`name=report(1).xml`) is not a comment.
 */
class FieldSplitter {
  readonly #text: string;
  #found: Parameter[] = [];
  #name: string | undefined = "";
  #value = "";
  #quote: "none" | "open" | "closed" = "none";

  constructor(text: string) {
    this.#text = text;
  }

  /** @returns undefined when a comment is never closed */
  split(hasComments: boolean): Parameter[] | undefined {
    this.#found = [];
    this.#name = "";
    let comments = 0;
    let isEscaped = false;
    for (const char of this.#text) {
      if (isEscaped) {
        if (comments === 0) this.#value += char;
        isEscaped = false;
      } else if (char === "\\" && (this.#quote === "open" || comments > 0)) isEscaped = true;
      else if (comments > 0) comments += nesting(char);
      else if (char === "(" && hasComments && this.#opensComment()) comments = 1;
      else this.#take(char);
    }
    this.#store();
    return comments === 0 ? this.#found : undefined;
  }

  #take(char: string): void {
    if (char === '"') {
      if (this.#quote === "none") this.#value = this.#value.trimStart();
      this.#quote = this.#quote === "open" ? "closed" : "open";
    } else if (this.#quote === "open") this.#value += char;
    else if (char === ";") this.#store();
    else if (char === "=" && this.#name === undefined) {
      this.#name = this.#value.trim().toLowerCase();
      this.#value = "";
    } else if (this.#quote === "none") this.#value += char;
  }

  #opensComment(): boolean {
    if (this.#quote === "open") return false;
    return this.#name === undefined || this.#name === "" || this.#value === "" || /[ \t]/.test(this.#value.slice(-1));
  }

  #store(): void {
    const value = this.#quote === "none" ? this.#value.trim() : this.#value;
    if (this.#name !== undefined) this.#found.push({ name: this.#name, value });
    this.#name = undefined;
    this.#value = "";
    this.#quote = "none";
  }
}

function nesting(char: string): number {
  if (char === "(") return 1;
  return char === ")" ? -1 : 0;
}
