/**
 * Cuts the text of an aggregate report, as it streams in, into its records and the frame around them. It knows XML's
 * lexical rules (comments, CDATA, quoted attributes) and nothing about values; its memory never grows with the document.
 */
import { READ_LIMITS } from "../../limits.ts";
import { reject } from "../rejection.ts";
import { type Frame, FrameText } from "./frame-text.ts";
import { Namespaces } from "./namespaces.ts";
import { type PlainTag, plainTagAt } from "./plain-tags.ts";
import { findRecordEnd } from "./record-end.ts";
import { findTagEnd, localName, nameAt, readToken, type Token } from "./tokens.ts";

const BLANK = /^[\s\0\ufeff]*$/;
const ROOT = "feedback";
const RECORD = "record";
const REPORT_ELEMENTS = new Set([ROOT, RECORD, "row", "report_metadata", "policy_published"]);

/** A record, `<record …>…</record>`, and the namespaces where it stands. */
export interface RecordText {
  xml: string;
  namespaces: Namespaces;
}

function isRecordName(name: string): boolean {
  return name.length === RECORD.length && name.toLowerCase() === RECORD;
}

function isExtension(name: string): boolean {
  return (name.length === 9 || name.length === 10) && /^extensions?$/i.test(name);
}

/** Whether text is blank; most that is has only these four characters, most that is not begins with a letter. */
function isBlankText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return BLANK.test(text);
  }
  return true;
}

/** Text in, records out as text. Feed `push` every piece in order, then `finish`. */
export class Segmenter {
  #text = "";
  /** Where the search for the end of an open record continues. */
  #recordSearch = 0;
  readonly #frame = new FrameText();
  #frameChars = 0;
  #frameElements = 0;
  #strayEndTags = 0;
  /** Characters before the root element. */
  #preambleChars = 0;
  #paddingChars = 0;
  /** Whether text of a value came last: blanks that follow it in a separate piece may belong to it. */
  #inValue = false;
  /** Names of the open elements, the root first. */
  readonly #open: string[] = [];
  /** The namespaces within each of them. */
  readonly #scopes: Namespaces[] = [];
  /** How many elements are open where an element of another namespace begins; 0 outside of them. */
  #foreignFrom = 0;
  /** Open elements that are called extension. */
  #openExtensions = 0;
  #rootEnded = false;
  /** What another report begins with that follows this one in the same file; undefined until it does. */
  following: string | undefined;
  /** Text after the end of the report that may hold JSON. */
  trailing = "";
  #firstElement = "";
  readonly #note: (detail: string) => void;
  /** Whether the root element names RFC 9990's namespace. */
  namespaced9990 = false;

  /** @param note is called for each repair, with a description */
  constructor(note: (detail: string) => void) {
    this.#note = note;
  }

  /** Whether what comes next may be a record: directly inside the root, nothing half read. */
  get isBetweenRecords(): boolean {
    return this.#open.length === 1 && this.#text === "";
  }

  /**
   * Takes a piece of text.
   *
   * @returns the records that it completes, in order
   * @throws Rejection doctype_refused, malformed_xml, too_deep, too_large
   */
  push(piece: string): RecordText[] {
    this.#text = this.#text === "" ? piece : [this.#text, piece].join("");
    return this.#consume(false);
  }

  /** Told of records that stand here, also of those that it was not given: padding begins anew behind them. */
  passRecords(): void {
    this.#paddingChars = 0;
    this.#inValue = false;
  }

  /**
   * Takes the end of the document.
   *
   * @returns the last records, and the frame
   * @throws Rejection not_a_report, truncated, malformed_xml
   */
  finish(): { records: RecordText[]; frame: Frame } {
    const records = this.#consume(true);
    this.#endDocument();
    return { records, frame: this.#frame };
  }

  get #rootSeen(): boolean {
    return this.#open.length > 0 || this.#rootEnded;
  }

  /** The namespaces at a place within the root that is not within another element. */
  get rootNamespaces(): Namespaces {
    return this.#scopes[0] ?? Namespaces.none;
  }

  #consume(final: boolean): RecordText[] {
    const text = this.#text;
    const records: RecordText[] = [];
    let at = 0;
    while (at < text.length) {
      const next = text.indexOf("<", at);
      this.#takeText(next < 0 ? text.slice(at) : text.slice(at, next));
      at = next < 0 ? text.length : next;
      if (next < 0) break;
      const plain = plainTagAt(text, at);
      const recordEnd = plain === undefined || isRecordName(plain.name) ? this.#recordAt(text, at) : 0;
      if (recordEnd === "more") break;
      if (recordEnd > 0) {
        records.push({ xml: text.slice(at, recordEnd), namespaces: this.#scope });
        this.passRecords();
        at = recordEnd;
        continue;
      }
      if (plain !== undefined) {
        if (!this.#rootSeen) this.#countPreamble(plain.chars);
        if (this.#isAnotherRoot(plain)) return this.#endBefore(text.slice(at), records);
        this.#takeTag(plain, "");
        at += plain.chars;
        continue;
      }
      const token = readToken(text, at, this.#rootSeen);
      if (token.type === "more") {
        if (!final) break;
        at = this.#takeUnfinished(text, at);
        continue;
      }
      if (!this.#rootSeen) this.#countPreamble(token.end - at);
      if ("name" in token && this.#isAnotherRoot({ type: token.type, rawName: token.name })) {
        return this.#endBefore(text.slice(at), records);
      }
      this.#takeToken(token, text.slice(at, token.end));
      at = token.end;
    }
    this.#text = text.slice(at);
    if (this.#text.length > READ_LIMITS.maxFrameChars) this.#tooLarge("one piece of markup");
    if (this.#recordSearch > 0) this.#recordSearch = Math.max(0, this.#recordSearch - at);
    return records;
  }

  #isAnotherRoot({ type, rawName }: Pick<PlainTag, "type" | "rawName">): boolean {
    return this.#rootEnded && type !== "close" && localName(rawName).toLowerCase() === ROOT;
  }

  #endBefore(following: string, records: RecordText[]): RecordText[] {
    this.following = following;
    this.#text = "";
    return records;
  }

  /** End of the record that starts at `at`; 0 if none starts there; "more" if it is not complete. */
  #recordAt(text: string, at: number): number | "more" {
    if (!this.#mayHoldRecord()) return 0;
    const name = nameAt(text, at + 1);
    if (name === undefined || !isRecordName(localName(name))) return 0;
    const after = text[at + 1 + name.length];
    if (after === undefined) return "more";
    if (!/[\s/>]/.test(after)) return 0;
    const tagEnd = findTagEnd(text, at + 1 + name.length);
    if (typeof tagEnd === "number" && !this.#isOwn(name, text.slice(at, tagEnd))) return 0;
    const end = findRecordEnd(text, { at, name, from: Math.max(at, this.#recordSearch) });
    this.#recordSearch = 0;
    if (end > 0 && end - at <= READ_LIMITS.maxRecordChars) return end;
    if (end > 0 || text.length - at > READ_LIMITS.maxRecordChars) this.#tooLarge("one record");
    // An end tag may itself be cut; it is shorter than this.
    this.#recordSearch = Math.max(at + 1, text.length - name.length - 16);
    return "more";
  }

  // Extensions may hold an element that happens to be called record.
  #mayHoldRecord(): boolean {
    if (this.#foreignFrom > 0) return false;
    return this.#open.length > 0 && this.#openExtensions === 0;
  }

  #takeText(text: string): void {
    if (text === "") return;
    if (!this.#inValue && isBlankText(text)) {
      this.#pad(text.length);
      return;
    }
    if (this.#rootEnded) {
      this.#pad(text.length);
      if (this.trailing !== "" || /[[{]/.test(text)) this.trailing += text;
    } else this.#paddingChars = 0;
    if (!this.#rootSeen) this.#countPreamble(text.length);
    if (this.#open.length > 0) this.#keepText(text);
    else if (this.#rootEnded) this.#note("text after the end of the report");
    else this.#note("text before the start of the report");
  }

  // What says nothing, since the last record: white space, comments, end tags without a start, text after the end.
  #pad(chars: number): void {
    this.#paddingChars += chars;
    if (this.#paddingChars > READ_LIMITS.maxPaddingChars) this.#tooLarge("padding");
  }

  // The text before a pasted report is short; a file that goes on without one is not a report.
  #countPreamble(chars: number): void {
    this.#preambleChars += chars;
    if (this.#preambleChars > READ_LIMITS.maxFrameChars) this.#tooLarge("text before the report");
  }

  #takeToken(token: Exclude<Token, { type: "more" }>, source: string): void {
    switch (token.type) {
      case "skip":
        this.#pad(source.length);
        return;
      case "cdata":
        if (this.#open.length > 0) this.#keepText(source);
        return;
      case "literal":
        if (this.#open.length > 0) {
          this.#keepText("&lt;");
          this.#note("a raw < in the report's metadata");
        }
        return;
      default:
        this.#takeTag({ type: token.type, rawName: token.name }, source);
    }
  }

  /** @param source the tag; "" where it has no attributes */
  #takeTag({ type, rawName }: Pick<PlainTag, "type" | "rawName">, source: string): void {
    if (type !== "close") this.#openElement(rawName, source);
    if (type !== "open") this.#closeElement(rawName);
  }

  #openElement(rawName: string, source: string): void {
    const name = localName(rawName);
    if (this.#rootEnded) {
      this.#takeElementAfterEnd(name);
      return;
    }
    if (this.#open.length === 0 && name.toLowerCase() !== ROOT) {
      this.#firstElement ||= name;
      return;
    }
    if (this.#open.length === 0) this.namespaced9990 = source.includes("urn:ietf:params:xml:ns:dmarc-2.0");
    if (this.#open.length >= READ_LIMITS.maxXmlDepth) reject("too_deep", `${READ_LIMITS.maxXmlDepth} open elements`);
    if (++this.#frameElements > READ_LIMITS.maxXmlElements) this.#tooLarge("elements that are not records");
    const isRoot = this.#open.length === 0;
    const scope = isRoot ? Namespaces.ofRoot(rawName, source) : this.#scope.within(source);
    this.#open.push(name);
    this.#scopes.push(scope);
    if (!isRoot && this.#foreignFrom === 0 && !scope.isOwn(rawName)) this.#foreignFrom = this.#open.length;
    if (isExtension(name)) this.#openExtensions++;
    this.#keep(name.length + 2);
    if (this.#foreignFrom === 0) this.#frame.open(name);
  }

  // Such as a footer in HTML; but not a part of this report.
  #takeElementAfterEnd(name: string): void {
    if (REPORT_ELEMENTS.has(name.toLowerCase())) reject("malformed_xml", "an element after the end of the report");
    this.#pad(name.length + 2);
    this.#note("an element after the end of the report");
  }

  get #scope(): Namespaces {
    return this.#scopes.at(-1) ?? Namespaces.none;
  }

  #isOwn(rawName: string, tag: string): boolean {
    return this.#scope.within(tag).isOwn(rawName);
  }

  #closeElement(rawName: string): void {
    if (this.#open.length === 0) return;
    const name = localName(rawName);
    if (this.#open.at(-1) === name) {
      this.#keep(name.length + 3);
      if (this.#foreignFrom === 0) this.#frame.close(name);
      if (isExtension(name)) this.#openExtensions--;
      if (this.#open.length === this.#foreignFrom) this.#foreignFrom = 0;
      this.#open.pop();
      this.#scopes.pop();
      this.#rootEnded = this.#open.length === 0;
    } else if (this.#open.includes(name)) {
      reject("malformed_xml", `<${this.#open.at(-1)}> is not closed before </${name}>`);
    } else {
      this.#pad(rawName.length);
      if (++this.#strayEndTags > READ_LIMITS.maxXmlElements) this.#tooLarge("end tags without a start");
      this.#note(`an end tag </${name}> without its start`);
    }
  }

  #keepText(text: string): void {
    this.#keep(text.length);
    if (this.#foreignFrom === 0) this.#frame.addText(text);
    this.#inValue = true;
  }

  #keep(chars: number): void {
    this.#inValue = false;
    this.#frameChars += chars;
    if (this.#frameChars > READ_LIMITS.maxFrameChars) this.#tooLarge("text outside the records");
  }

  /** Markup that the end of the document cuts: only the root's own end tag may be. */
  #takeUnfinished(text: string, at: number): number {
    const rest = text.slice(at).trimEnd();
    if (this.#open.length === 1 && /^<\/\s*(?:[\w.-]+:)?f?e?e?d?b?a?c?k?$/i.test(rest) && at + 2 < text.length) {
      this.#note("the last end tag is cut");
      this.#closeElement(this.#open[0] ?? ROOT);
    } else if (this.#rootSeen && !this.#rootEnded) {
      reject("truncated", "the document ends within markup");
    }
    return text.length;
  }

  #endDocument(): void {
    if (this.#rootEnded) return;
    if (this.#open.length > 0) {
      reject("truncated", this.#text === "" ? `<${this.#open.at(-1)}> is never closed` : "the last record is cut");
    }
    if (this.#preambleChars === 0 && this.#text === "") reject("empty");
    reject("not_a_report", this.#firstElement === "" ? "no XML element" : `the document is <${this.#firstElement}>`);
  }

  #tooLarge(what: string): never {
    reject(this.#rootSeen ? "too_large" : "not_a_report", `${what} beyond the limit`);
  }
}
