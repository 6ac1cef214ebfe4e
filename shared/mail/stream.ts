/**
 * Splits a mail into a stream of parts, in constant memory. Parses the MIME structure (RFC 2045, 2046) and decodes
 * content; judges nothing. Mails that follow one another are read as one of them after the other. Linear in the
 * length of the mail.
 */
import { MAIL_LIMITS } from "../limits.ts";
import { findReportLine, isEncodedMultipart, isReportLine, mailHeaderFor } from "./between-parts.ts";
import { HeaderLines, type PartHeader } from "./header.ts";
import { withLineFeeds } from "./line-ends.ts";
import { joinLines, type Line, LineReader } from "./lines.ts";
import { readMailFields } from "./mail-fields.ts";
import { findMailStart, isAboutMail, isHeaderLine, isMailHeader } from "./next-mail.ts";
import { HELD_BYTES, transferDecoder } from "./transfer-encoding.ts";

/** A mail or multipart that contains a part. */
export interface Container {
  /** Numbered in order of appearance; the mail itself is 0. */
  id: number;
  type: "mail" | "multipart";
  /** Of a multipart/report, lower case; "" otherwise. */
  reportType: string;
  /** For a mail: the text of its header, one character per byte. */
  header: string;
}

/** A part that is not itself multipart. */
export interface StreamedPart extends PartHeader {
  /** The containers, from the mail to the innermost. */
  containers: readonly Container[];
  /**
   * Decoded content. A piece is valid until the next one is asked for. Anything unread is skipped when the next part is
   * requested.
   */
  content: AsyncIterable<Uint8Array>;
}

export interface StreamOptions {
  /** Whether an unencoded attached mail is returned as its parts or as one part; default: its parts. */
  attachedMails?: "parts" | "whole";
  /** Parts with content; default MAIL_LIMITS.maxPartsPerMessage. */
  maxParts?: number;
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

/** Bytes of content returned at once; less for a short part. */
const PIECE_BYTES = 64 * 1024;
const FIRST_PIECE_BYTES = 4 * 1024;

/** Reads the parts of a mail in order. @throws MailStructureError */
export async function* streamParts(
  mail: AsyncIterable<Uint8Array>,
  { attachedMails = "parts", maxParts = MAIL_LIMITS.maxPartsPerMessage }: StreamOptions = {},
): AsyncGenerator<StreamedPart> {
  const reader = new PartReader(mail, attachedMails === "parts");
  for (let count = 0; ; count++) {
    const header = await reader.nextLeaf();
    if (header === undefined) return;
    if (count >= maxParts) throw new MailStructureError("too_many_parts", `${count} parts`);
    yield { ...header, containers: reader.containers, content: reader.content(header.encoding) };
    await reader.skipContent();
  }
}

interface OpenContainer extends Container {
  /** Two dashes and the boundary; undefined for a mail, and for a multipart whose boundary is not yet known. */
  boundary: Uint8Array | undefined;
  /** RFC 2046 section 5.1.5: parts of a digest are mails by default. */
  isDigest: boolean;
}

/** Content that comes before or after the parts of a multipart. */
interface FoundContent {
  /** "" for a text; that of the multipart, for one that is encoded as a whole. */
  encoding: string;
  /** What is put before the content, to make a mail of it. */
  ahead: Uint8Array;
  /** The multipart whose parts it follows, if it does. */
  closed: OpenContainer[];
}

const NOTHING = new Uint8Array(0);

/** Walks the lines of a mail: headers, content, boundaries. */
class PartReader {
  readonly #lines: LineReader;
  readonly #entersMails: boolean;
  /** The open containers, outermost first. */
  readonly #open: OpenContainer[] = [];
  #opened = 0;
  #multiparts = 0;
  #state: "header" | "content" | "between" | "end" = "header";
  #headers = 0;
  /** Nested mails since the last boundary. */
  #nestedMails = 0;
  /** The multipart whose first boundary has not been found yet. */
  #awaited: OpenContainer | undefined;
  /** The header of the last multipart. */
  #multipart: PartHeader | undefined;
  /** The multipart that was closed last: what follows is its epilogue, or more of its parts. */
  #closed: OpenContainer | undefined;
  /** What was found before or after the parts of a multipart, while it is the current part. */
  #found: FoundContent | undefined;
  /** The first lines of a header, read while searching for its start. */
  #aheadOfHeader: Uint8Array[] = [];
  /** Whether a text is read, which may quote the header of a mail; and how it begins. */
  #text: string | undefined;
  #isBase64 = false;
  /** Whether another mail may follow the content: not where the content is a mail, read on its own. */
  #watches = true;
  /** How many times the content looked like the header of a mail and was none. */
  #falseStarts = 0;
  /** Whether the next lines may be the header of another mail. */
  #mayBeMail = false;

  constructor(mail: AsyncIterable<Uint8Array>, entersMails: boolean) {
    this.#lines = new LineReader(withLineFeeds(mail));
    this.#entersMails = entersMails;
    this.#openContainer("mail", { reportType: "", boundary: undefined, isDigest: false });
  }

  get containers(): Container[] {
    return [...this.#open, ...(this.#found?.closed ?? [])];
  }

  /** Advances to the next part with content; undefined at the end of the mail. */
  async nextLeaf(): Promise<PartHeader | undefined> {
    this.#found = undefined;
    for (;;) {
      if (this.#state === "between" && this.#awaited !== undefined) await this.#awaitBoundary(this.#awaited);
      if (this.#state === "between" && this.#found === undefined) await this.#skipEpilogue();
      if (this.#found !== undefined) return this.#enterFound(this.#found);
      if (this.#state === "end") return undefined;
      if (++this.#headers > MAIL_LIMITS.maxHeaders) throw new MailStructureError("too_many_parts", "endless parts");
      const header = await this.#readHeader();
      if (MULTIPART.test(header.mimeType)) this.#enter(header);
      else if (this.#entersMails && isPlainMail(header)) {
        if (++this.#nestedMails > MAIL_LIMITS.maxMimeDepth)
          throw new MailStructureError("too_deep", "mails within mails");
        this.#openContainer("mail", { reportType: "", boundary: undefined, isDigest: false });
        if (this.#state === "content") this.#state = "header";
      } else {
        this.#text = isUnencodedText(header) ? "" : undefined;
        this.#isBase64 = header.encoding === "base64";
        this.#watches = !isPlainMail(header);
        this.#falseStarts = 0;
        return header;
      }
    }
  }

  /** What comes before or after the parts of a multipart, as a text without a name, or as the mail that it encodes. */
  #enterFound({ encoding }: FoundContent): PartHeader {
    this.#state = "content";
    this.#text = undefined;
    this.#watches = true;
    this.#falseStarts = 0;
    this.#isBase64 = encoding === "base64";
    return { ...new HeaderLines().read(encoding === "" ? "text/plain" : "message/rfc822"), encoding };
  }

  #enter(header: PartHeader): void {
    const { boundary, mimeType, reportType } = header;
    if (++this.#multiparts > MAIL_LIMITS.maxMimeDepth)
      throw new MailStructureError("too_deep", "multiparts within multiparts");
    this.#awaited = this.#openContainer("multipart", {
      reportType,
      boundary: boundary === "" ? undefined : new TextEncoder().encode(`--${boundary}`),
      isDigest: mimeType === "multipart/digest",
    });
    this.#multipart = header;
    this.#closed = undefined;
    // Text before the first boundary is for readers without MIME.
    if (this.#state === "content") this.#state = "between";
  }

  #openContainer(
    type: Container["type"],
    given: Pick<OpenContainer, "reportType" | "boundary" | "isDigest">,
  ): OpenContainer {
    const container: OpenContainer = { id: this.#opened++, type, header: "", ...given };
    this.#open.push(container);
    return container;
  }

  /**
   * Advances to the first boundary of a multipart. If the header does not name the boundary in use, it is taken from
   * the body: a line starting with two dashes, followed by a header field of a part.
   */
  async #awaitBoundary(multipart: OpenContainer): Promise<void> {
    let dashes: Uint8Array | undefined;
    while (this.#state === "between") {
      const line = this.#lines.take();
      if (line === undefined) {
        if (!(await this.#lines.fill())) this.#state = "end";
        continue;
      }
      const { bytes, isStart } = line;
      if (isStart && this.#isBoundary(bytes)) break;
      if (isStart) this.#found = this.#findBefore(bytes);
      if (this.#found !== undefined) {
        this.#lines.putBack(bytes.byteLength);
        return;
      }
      if (dashes !== undefined && isStart && isContentField(bytes)) {
        multipart.boundary = dashes;
        this.#aheadOfHeader = [bytes.slice()];
        this.#state = "header";
      }
      const length = trimmedLength(bytes);
      const isDashes = isStart && bytes[0] === DASH && bytes[1] === DASH && length > 2 && length <= MAX_GUESSED_BYTES;
      dashes = isDashes ? bytes.slice(0, length) : undefined;
    }
    this.#awaited = undefined;
  }

  /** What begins with a line before the first boundary: a report, or a multipart that is encoded as a whole. */
  #findBefore(line: Uint8Array): FoundContent | undefined {
    const header = this.#multipart;
    if (header !== undefined && isEncodedMultipart(header, line)) {
      return { encoding: header.encoding, ahead: mailHeaderFor(header), closed: [] };
    }
    return isReportLine(line) ? { encoding: "", ahead: NOTHING, closed: [] } : undefined;
  }

  /** Skips what follows the last part, up to a line that a report may begin with. */
  async #skipEpilogue(): Promise<void> {
    for (let lines = await this.#take("between"); lines !== undefined; lines = await this.#take("between")) {
      const start = findReportLine(lines);
      if (start < 0) continue;
      this.#lines.putBack(lines.byteLength - start);
      this.#found = { encoding: "", ahead: NOTHING, closed: this.#closed === undefined ? [] : [this.#closed] };
      return;
    }
  }

  /** Decoded content of the current part, in pieces. */
  async *content(encoding: string): AsyncGenerator<Uint8Array> {
    const decoder = transferDecoder(encoding);
    if (this.#found !== undefined && this.#found.ahead.byteLength > 0) yield this.#found.ahead;
    let piece = new Uint8Array(0);
    let length = 0;
    let pieceBytes = FIRST_PIECE_BYTES;
    for (let lines = await this.#take("content"); lines !== undefined; lines = await this.#take("content")) {
      // Most lines are already buffered and need no promise.
      for (let next: Uint8Array | undefined = lines; next !== undefined; next = this.#takeHere("content")) {
        // Room is left for what the decoder holds at the end.
        if (length + next.byteLength + 2 * HELD_BYTES > piece.byteLength) {
          if (length > 0) yield piece.subarray(0, length);
          const leastBytes = Math.max(pieceBytes, next.byteLength + 2 * HELD_BYTES);
          if (piece.byteLength < leastBytes) piece = new Uint8Array(leastBytes);
          pieceBytes = Math.min(4 * pieceBytes, PIECE_BYTES);
          length = 0;
        }
        length += decoder.decode(next, piece, length);
      }
    }
    if (piece.byteLength === 0) piece = new Uint8Array(HELD_BYTES);
    yield piece.subarray(0, length + decoder.end(piece, length));
  }

  /** Skips the rest of the current part. */
  skipContent(): Promise<void> {
    return this.#skip("content");
  }

  async #skip(state: "content" | "between"): Promise<void> {
    while ((await this.#take(state)) !== undefined) {
      // Skip.
    }
  }

  /** The next lines of the current state; undefined at a boundary, where another mail begins, and at the end. */
  async #take(state: "content" | "between"): Promise<Uint8Array | undefined> {
    while (this.#state === state) {
      const lines = this.#takeHere(state) ?? (this.#mayBeMail ? await this.#takeNextMail() : undefined);
      if (lines !== undefined) return lines;
      if (this.#state === state && !this.#mayBeMail && !(await this.#lines.fill())) this.#state = "end";
    }
    return undefined;
  }

  /** The next lines if they are buffered and belong to the current state. */
  #takeHere(state: "content" | "between"): Uint8Array | undefined {
    if (this.#state !== state) return undefined;
    const lines = this.#lines.takeContent();
    if (lines === undefined || (lines.isStart && this.#isBoundary(lines.bytes))) return undefined;
    return this.#watches && this.#isOpenEnded && lines.isStart ? this.#uptoNextMail(lines.bytes) : lines.bytes;
  }

  /** The lines up to one that may begin another mail; undefined if the first does. */
  #uptoNextMail(lines: Uint8Array): Uint8Array | undefined {
    const start = findMailStart(lines);
    const content = start < 0 ? lines : lines.subarray(0, start);
    if (start >= 0) this.#lines.putBack(lines.byteLength - start);
    this.#mayBeMail = start === 0;
    if (this.#text !== undefined && this.#text.length < MAX_HEADER_TEXT_BYTES) this.#text += latin1.decode(content);
    return start === 0 ? undefined : content;
  }

  /**
   * Whether another mail may begin here: after what is in no multipart, and in one that is not closed where no mail can
   * be part of the content.
   */
  get #isOpenEnded(): boolean {
    if (this.#multiparts === 0) return this.#open.length === 1;
    return (
      this.#isBase64 &&
      this.#open.every(({ type, reportType }, i) => reportType === "" && (type === "mail") === (i === 0))
    );
  }

  /** Continues with the mail that begins here. @returns the lines, if no mail does */
  async #takeNextMail(): Promise<Uint8Array | undefined> {
    this.#mayBeMail = false;
    const lines: Uint8Array[] = [];
    let length = 0;
    let isComplete = false;
    while (length < MAX_HEADER_TEXT_BYTES && !isComplete) {
      const line = this.#lines.take();
      if (line === undefined) {
        if (await this.#lines.fill()) continue;
        break;
      }
      lines.push(line.bytes.slice());
      length += line.bytes.byteLength;
      isComplete = line.isStart && trimmedLength(line.bytes) === 0;
      if (!isComplete && line.isStart && !isHeaderLine(line.bytes)) break;
    }
    const whole = joinLines(lines);
    const [mail] = this.#open;
    const isText = this.#state === "content" && this.#text !== undefined;
    const isQuoted = isText && (isAboutMail(this.#text ?? "") || readMailFields(mail?.header ?? "").isNotice);
    if (!isComplete || isQuoted || !isMailHeader(whole, isText)) {
      this.#watches = ++this.#falseStarts < MAX_FALSE_STARTS;
      if (isText) this.#text += latin1.decode(whole);
      return whole;
    }
    this.#open.length = 0;
    this.#multiparts = 0;
    this.#closed = undefined;
    this.#openContainer("mail", { reportType: "", boundary: undefined, isDigest: false });
    this.#aheadOfHeader = lines;
    this.#state = "header";
    return undefined;
  }

  /** Whether a line ends this part; if so, updates the containers. */
  #isBoundary(line: Uint8Array): boolean {
    if (line[0] !== DASH || line[1] !== DASH) return false;
    if (this.#multiparts === 0 && this.#closed === undefined) return false;
    const length = trimmedLength(line);
    const isIts = ({ boundary }: OpenContainer) => boundary !== undefined && startsWith(line, boundary, length);
    let depth = this.#open.findLastIndex(isIts);
    // More parts after the line that closed their multipart.
    if (depth < 0 && this.#closed !== undefined && isIts(this.#closed)) depth = this.#open.push(this.#closed) - 1;
    const container = this.#open[depth];
    if (container === undefined) return false;
    const isClosing = length > (container.boundary?.byteLength ?? 0);
    this.#closed = isClosing ? container : undefined;
    this.#open.length = isClosing ? depth : depth + 1;
    this.#multiparts = this.#open.reduce((sum, { type }) => (type === "multipart" ? sum + 1 : sum), 0);
    this.#state = isClosing ? "between" : "header";
    this.#watches = true;
    this.#nestedMails = 0;
    this.#awaited = undefined;
    return true;
  }

  async #readHeader(): Promise<PartHeader> {
    const header = new HeaderLines();
    const container = this.#open.at(-1);
    const texts: string[] | undefined = container?.type === "mail" ? [] : undefined;
    let length = 0;
    this.#state = "content";
    for (;;) {
      const line = this.#takeHeaderLine();
      if (line === undefined) {
        if (await this.#lines.fill()) continue;
        this.#state = "end";
        break;
      }
      const { bytes, isStart } = line;
      const isBlank = isStart && trimmedLength(bytes) === 0 && bytes[0] !== SPACE && bytes[0] !== TAB;
      // In a part an empty line ends even an empty header; a mail may have empty lines before its header.
      if (isBlank && (length > 0 || this.#multiparts > 0)) break;
      // A part without an empty line after its header still ends at the boundary.
      if (isStart && this.#isBoundary(bytes)) break;
      if (isBlank) continue;
      if (isStart && header.endsBefore(bytes)) {
        this.#lines.putBack(bytes.byteLength);
        break;
      }
      header.add(bytes, isStart);
      length += bytes.byteLength;
      if (length <= MAX_HEADER_TEXT_BYTES) texts?.push(latin1.decode(bytes));
      if (length > MAIL_LIMITS.maxHeaderBytes) throw new MailStructureError("malformed_mail", "an endless header");
    }
    if (container !== undefined && texts !== undefined) container.header = texts.join("");
    return header.read(container?.isDigest === true ? "message/rfc822" : "text/plain");
  }

  #takeHeaderLine(): Line | undefined {
    const ahead = this.#aheadOfHeader.shift();
    return ahead === undefined ? this.#lines.take() : { bytes: ahead, isStart: true };
  }
}

/** Not an old type of archives. */
const MULTIPART = /^multipart\/(?!x-g?zip$)/;
const DASH = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** RFC 2046 allows a boundary of 70 characters. */
const MAX_GUESSED_BYTES = 200;
/** How much of a mail's header is kept as text: the relevant fields are near its start. */
const MAX_HEADER_TEXT_BYTES = 256 * 1024;
/** Beyond this, no other mail is looked for in a part: each look reads some lines again. */
const MAX_FALSE_STARTS = 20;
const latin1 = new TextDecoder("latin1");

/** Whether a line is a Content field, which begins the header of nearly every part. */
function isContentField(line: Uint8Array): boolean {
  return /^content-[a-z-]{2,40}:/i.test(latin1.decode(line.subarray(0, 60)));
}

/** Length of a line without trailing white space and line end. */
function trimmedLength(line: Uint8Array): number {
  let length = line.byteLength;
  while (length > 0 && isWhiteSpace(line[length - 1])) length--;
  return length;
}

function isWhiteSpace(byte: number | undefined): boolean {
  return byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN || byte === LINE_FEED;
}

/** Whether the first `length` bytes of a line are a boundary, possibly with the two dashes that close the multipart. */
function startsWith(line: Uint8Array, boundary: Uint8Array, length: number): boolean {
  const rest = length - boundary.byteLength;
  if (rest !== 0 && rest !== 2) return false;
  if (rest === 2 && (line[length - 1] !== DASH || line[length - 2] !== DASH)) return false;
  return boundary.every((byte, i) => line[i] === byte);
}

/** An unencoded attached mail: its parts follow in the same lines. */
function isPlainMail({ mimeType, encoding }: PartHeader): boolean {
  return /^message\/(rfc822|global)$/.test(mimeType) && !/^(base64|quoted-printable)$/.test(encoding);
}

/** A body text, which may quote the header of a mail. */
function isUnencodedText({ mimeType, encoding }: PartHeader): boolean {
  return mimeType.startsWith("text/") && encoding !== "base64";
}
