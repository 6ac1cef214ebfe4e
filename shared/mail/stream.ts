/**
 * Large mail as a stream of parts: what extract.ts does for small mail with postal-mime, in memory that does not grow
 * with the mail. It reads MIME's structure (RFC 2045, 2046) and decodes content; it judges nothing.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { LineReader } from "./lines.ts";
import { HELD_BYTES, transferDecoder } from "./transfer-encoding.ts";

/** A part that is not itself multipart, nor a mail whose parts follow. */
export interface StreamedPart {
  fileName: string;
  mimeType: string;
  /** Decoded content. What is not read of it is passed over when the next part is asked for. */
  content: AsyncIterable<Uint8Array>;
}

/** Thrown when the structure is beyond the limits; `code` is a problem code. */
export class MailStructureError extends Error {
  override name = "MailStructureError";
  readonly code: "too_deep" | "too_many_parts" | "malformed_mail";

  constructor(code: MailStructureError["code"], detail: string) {
    super(detail);
    this.code = code;
  }
}

/** Header of a part, as far as it matters. */
interface PartHeader {
  mimeType: string;
  boundary: string;
  fileName: string;
  encoding: string;
}

/** Bytes of content handed on at once. */
const PIECE_BYTES = 64 * 1024;

/** Reads the parts of a mail in order. @throws MailStructureError */
export async function* streamParts(mail: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedPart> {
  const reader = new PartReader(mail);
  for (let count = 0; ; count++) {
    const header = await reader.nextLeaf();
    if (header === undefined) return;
    if (count >= MAIL_LIMITS.maxPartsPerMessage) throw new MailStructureError("too_many_parts", `${count} parts`);
    const content = reader.content(header.encoding);
    yield { fileName: header.fileName, mimeType: header.mimeType, content };
    await reader.skipContent();
  }
}

/** Walks the lines of a mail: headers, content, boundaries. */
class PartReader {
  readonly #lines: LineReader;
  /** Boundaries of the multiparts around this place, the outermost first. */
  readonly #boundaries: string[] = [];
  #state: "header" | "content" | "between" | "end" = "header";
  #nestedMails = 0;

  constructor(mail: AsyncIterable<Uint8Array>) {
    this.#lines = new LineReader(mail);
  }

  /** Goes on to the next part that has content of its own; undefined at the end of the mail. */
  async nextLeaf(): Promise<PartHeader | undefined> {
    for (;;) {
      if (this.#state === "between") await this.#skip("between");
      if (this.#state === "end") return undefined;
      const header = await this.#readHeader();
      if (header.mimeType.startsWith("multipart/") && header.boundary !== "") {
        if (this.#boundaries.length >= MAIL_LIMITS.maxMimeDepth) throw new MailStructureError("too_deep", "multiparts");
        this.#boundaries.push(header.boundary);
        // What stands before the first boundary is for readers without MIME.
        if (this.#state === "content") this.#state = "between";
      } else if (isPlainMail(header)) {
        if (++this.#nestedMails > MAIL_LIMITS.maxMimeDepth) throw new MailStructureError("too_deep", "mails in mails");
        if (this.#state === "content") this.#state = "header";
      } else return header;
    }
  }

  /** Decoded content of the current part, in pieces. */
  async *content(encoding: string): AsyncGenerator<Uint8Array> {
    const decoder = transferDecoder(encoding);
    let piece = new Uint8Array(PIECE_BYTES);
    let length = 0;
    for (let line = await this.#line("content"); line !== undefined; line = await this.#line("content")) {
      // Most lines are already here: they are taken without a promise each.
      for (let next: Uint8Array | undefined = line; next !== undefined; next = this.#takeLine("content")) {
        if (length + next.byteLength + HELD_BYTES > piece.byteLength) {
          yield piece.subarray(0, length);
          piece = new Uint8Array(Math.max(PIECE_BYTES, next.byteLength + HELD_BYTES));
          length = 0;
        }
        length += decoder.decode(next, piece, length);
      }
    }
    yield piece.subarray(0, length);
    const rest = new Uint8Array(HELD_BYTES);
    const restBytes = decoder.end(rest, 0);
    if (restBytes > 0) yield rest.subarray(0, restBytes);
  }

  /** Passes over what is left of the current part. */
  skipContent(): Promise<void> {
    return this.#skip("content");
  }

  async #skip(state: "content" | "between"): Promise<void> {
    while ((await this.#line(state)) !== undefined) {
      // Passed over.
    }
  }

  /** The next line while the state lasts; undefined at a boundary and at the end. */
  async #line(state: "content" | "between"): Promise<Uint8Array | undefined> {
    while (this.#state === state) {
      const line = this.#takeLine(state);
      if (line !== undefined) return line;
      if (this.#state === state && !(await this.#lines.fill())) this.#state = "end";
    }
    return undefined;
  }

  /** The next line if it is already here and belongs to the state. */
  #takeLine(state: "content" | "between"): Uint8Array | undefined {
    const line = this.#state === state ? this.#lines.take() : undefined;
    return line === undefined || (line.isStart && this.#isBoundary(line.bytes)) ? undefined : line.bytes;
  }

  /** Whether a line ends this part; if so, takes what follows from it. */
  #isBoundary(line: Uint8Array): boolean {
    if (line[0] !== 0x2d || line[1] !== 0x2d || this.#boundaries.length === 0) return false;
    const text = latin1(line).trimEnd();
    const depth = this.#boundaries.findLastIndex((boundary) => text === `--${boundary}` || text === `--${boundary}--`);
    if (depth < 0) return false;
    const isClosing = text !== `--${this.#boundaries[depth]}`;
    this.#boundaries.length = isClosing ? depth : depth + 1;
    this.#state = isClosing ? "between" : "header";
    return true;
  }

  async #readHeader(): Promise<PartHeader> {
    const lines: string[] = [];
    let length = 0;
    this.#state = "content";
    for (;;) {
      const line = this.#lines.take();
      if (line === undefined) {
        if (await this.#lines.fill()) continue;
        this.#state = "end";
        break;
      }
      const text = latin1(line.bytes);
      // A line of white space alone is a fold with nothing in it (RFC 5322 section 4.2), no end.
      const isBlank = /^\r?\n?$/.test(text);
      // In a part an empty line ends even an empty header; a mail may have some before its header.
      if (isBlank && (lines.length > 0 || this.#boundaries.length > 0)) break;
      // A part without an empty line after its header ends at the boundary all the same.
      if (line.isStart && this.#isBoundary(line.bytes)) break;
      if (!isBlank) lines.push(text);
      length += text.length;
      if (length > MAIL_LIMITS.maxHeaderBytes) throw new MailStructureError("malformed_mail", "an endless header");
    }
    return readPartHeader(lines.join(""));
  }
}

/** An attached mail that is not itself encoded: its parts follow in the same lines. */
function isPlainMail({ mimeType, encoding }: PartHeader): boolean {
  return /^message\/(rfc822|global)$/.test(mimeType) && !/^(base64|quoted-printable)$/.test(encoding);
}

function readPartHeader(text: string): PartHeader {
  const unfolded = text.replace(/\r?\n[ \t]+/g, " ");
  const field = (name: string): string => new RegExp(`^${name}[ \\t]*:(.*)$`, "im").exec(unfolded)?.[1]?.trim() ?? "";
  // `ContentType:` is a misspelling of a mail gateway.
  const type = field("Content-?Type");
  return {
    mimeType: (type.split(";", 1)[0] ?? "").trim().toLowerCase() || "text/plain",
    boundary: parameter(type, "boundary"),
    fileName: parameter(field("Content-Disposition"), "filename") || parameter(type, "name"),
    encoding: (field("Content-Transfer-Encoding").split(/[\s;]/, 1)[0] ?? "").toLowerCase(),
  };
}

/** Value of a parameter, also split or with a charset (RFC 2231); encoded words are left as they are: it is a label. */
function parameter(field: string, name: string): string {
  const plain = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, "i").exec(`;${field}`);
  if (plain !== null) return (plain[1] ?? plain[2] ?? "").replace(/\\(.)/g, "$1");
  const pieces = [
    ...field.matchAll(new RegExp(`;\\s*${name}\\*(\\d{0,2})\\*?\\s*=\\s*(?:"([^"]*)"|([^\\s;]+))`, "gi")),
  ];
  const joined = pieces.map((piece) => piece[2] ?? piece[3] ?? "").join("");
  return decodePercent(joined.replace(/^[\w-]*'[\w-]*'/, ""));
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function latin1(bytes: Uint8Array): string {
  return latin1Decoder.decode(bytes);
}

const latin1Decoder = new TextDecoder("latin1");
