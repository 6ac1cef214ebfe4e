/** Finds reports pasted into the text of a mail. Linear in the length of the text. */
import { MAIL_LIMITS } from "../limits.ts";

const ROOT_TAG = /<(?:[A-Za-z_][\w.-]*:)?feedback[\s>]/i;
/** Elements a report must have besides its root, so that a text about `<feedback>` is not taken for one. */
const REPORT_TAG = /<(?:[A-Za-z_][\w.-]*:)?(?:report_metadata|policy_published|record)[\s>]/i;

/** The sentence of gateways (Exim) that send failure reports as plain text without a feedback part. */
const FAILURE_SENTENCE = /failed\s+the\s+published\s+DMARC\s+policy\s+for\s+your\s+domain/gi;

/** Whether a text is a plain-text failure report, possibly quoted. */
export function describesFailure(text: string): boolean {
  return findFailure(text) !== undefined;
}

/** The plain-text failure report in a text, starting at its sentence, without quotation marks. */
export function findFailure(text: string): string | undefined {
  if (!/published/i.test(text)) return undefined;
  const plain = unquoted(text);
  const found = plain.search(FAILURE_SENTENCE);
  return found < 0 ? undefined : plain.slice(plain.lastIndexOf("\n", found) + 1);
}

/** The same of each of several in one text, up to the next one; at most one more than a mail may have parts. */
export function findFailures(text: string): string[] {
  const all = findFailure(text) ?? "";
  const starts = Array.from(all.matchAll(FAILURE_SENTENCE), ({ index }) => all.lastIndexOf("\n", index) + 1);
  return starts.slice(0, MAIL_LIMITS.maxPartsPerMessage + 1).map((start, i) => all.slice(start, starts[i + 1]));
}

/** What a notice says besides its sentence: of which domain it is, from where and when; "" where it is only the sentence. */
export function failureFacts(notice: string): string {
  return (notice.match(FACT) ?? []).join(" ").replace(/\s+/g, " ");
}

const FACT =
  /\b(?:sender\s{1,9}domain|send(?:er|ing)\s{1,9}ip\s{1,9}address|source-ip)\s{0,3}:\s{0,9}\S{1,260}|\breceived[\s-]{1,9}date\s{0,3}:(?:\s{1,9}\S{1,40}){1,5}/gi;

/** RFC 6591 section 3.1: what the fields of a failure report always say. */
const FEEDBACK_FIELD = /^feedback-type[ \t]*:[ \t]*auth-failure\b/im;

/**
 * The fields of a failure report (RFC 6591) that are in the body text, possibly quoted, and what follows them: the
 * header of the reported mail.
 */
export function findFeedback(text: string): { fields: string; originalHeader: string } | undefined {
  if (!/feedback-type/i.test(text)) return undefined;
  const plain = unquoted(text.replace(/\r/g, ""));
  const found = FEEDBACK_FIELD.exec(plain);
  if (found === null) return undefined;
  const start = plain.lastIndexOf("\n\n", found.index) + 1;
  const [fields = "", originalHeader = ""] = plain
    .slice(start)
    .trimStart()
    .split(/\n{2,}/, 2);
  return { fields, originalHeader };
}

/** Whether a text contains a report. */
export function holdsRootTag(text: string): boolean {
  return ROOT_TAG.test(text);
}

/**
 * The reports pasted into a mail's text, and others than these in its HTML.
 *
 * @returns at most one more of each than a mail may have
 */
export function findPastedIn(text: string, html: string): string[] {
  const inText = findPasted(text);
  if (!/feedback/i.test(html)) return inText;
  const inHtml = findPasted(html);
  return withOthers(inText, inHtml.length > 0 ? inHtml : findPasted(showHtml(html)));
}

/** What identifies a report in its text, XML or JSON. */
const IDENTITY =
  /(?:<(?:[\w.-]+:)?(?:report_id|begin|end)>|"(?:report-id|start-datetime|end-datetime|policy-domain)"\s{0,9}:)\s{0,99}([^<>,}]{1,300})/gi;

/** The reports, and those of `others` that are not among them: the HTML of a body text mostly repeats its text. */
function withOthers(reports: string[], others: string[]): string[] {
  if (reports.length === 0) return others;
  const known = new Set(reports.map(identityOf));
  return [...reports, ...others.filter((report) => !known.has(identityOf(report)))];
}

function identityOf(report: string): string {
  const said = Array.from(report.matchAll(IDENTITY), ([, value = ""]) => value);
  return (said.length < 3 ? report : said.join("\n")).replace(/[^\w<>.@-]/g, "");
}

/** How the JSON of a TLS report begins (RFC 8460 section 4.4), with any of its members. */
const JSON_START = /\{\s{0,100}"(?:organization-name|date-range|contact-info|report-id|policies)"\s{0,9}:/g;

/**
 * The TLS reports pasted into the text of a mail, possibly quoted, and others than these in its HTML, at most one more of
 * each than a mail may have. A truncated one extends to the end.
 */
export function findPastedJson(text: string, html: string): string[] {
  const inText = findJson(unquoted(text));
  return html.includes("date-range") ? withOthers(inText, findJson(showHtml(html))) : inText;
}

function findJson(text: string): string[] {
  const found: string[] = [];
  let end = 0;
  for (const { index } of text.matchAll(JSON_START)) {
    if (index < end) continue;
    end = endOfJson(text, index);
    // Between its members, no-break spaces are none of JSON's.
    found.push(text.slice(index, end).replace(LINK, "").replaceAll("\u00a0", " "));
    if (found.length > MAIL_LIMITS.maxPartsPerMessage) break;
  }
  return found;
}

/** A text without quotation marks at the starts of its lines. */
function unquoted(text: string): string {
  return text.replace(/^(?:[ \t]{0,8}[>|])+[ \t]?/gm, "");
}

function endOfJson(text: string, start: number): number {
  let depth = 0;
  let isInText = false;
  for (let at = start; at < text.length; at++) {
    const char = text[at];
    if (char === "\\" && isInText) at++;
    else if (char === '"') isInText = !isInText;
    else if (char === "{" && !isInText) depth++;
    else if (char === "}" && !isInText && --depth === 0) return at + 1;
  }
  return text.length;
}

/** A file that stands as text in the text of a mail. */
export interface PastedFile {
  fileName: string;
  /** From the line that names it to the line that ends it. */
  text: string;
}

/** POSIX uuencode, in its own alphabet or in base64. */
const UUENCODED = /^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,300})\r?\n/gm;
const UUENCODED_END = /^(?:end|====)[ \t\r]*$/m;

/** How a gzip, zip, XML or TLS report begins in base64: on a separate line, possibly quoted, or in a link of HTML (RFC 2397). */
const BASE64_START =
  /(?:^[ \t>|]{0,20}|;base64,)(?=(?:H4sI|UEsDB|(?:77u\/)?(?:PD94bW|PGZlZWRi)|eyJ(?:vcmdhb|kYXRl|jb250|yZXBv|wb2xp)|ew(?:og|0K))[A-Za-z0-9+/]{16})/gm;
const BASE64_LINE = /^[ \t>|]{0,20}([A-Za-z0-9+/]+={0,2})[ \t\r]{0,9}$/;
const LINE_END = /[ \t\r]{0,99}\n/y;
const BASE64_RUN = /[A-Za-z0-9+/]+={0,2}/y;

/** The files in base64 that are in a body text, at most one more than a mail may have. */
export function findBase64(text: string, html: string): PastedFile[] {
  const found = new Set<string>();
  for (const searched of [text, html]) {
    let end = 0;
    for (const { 0: before, index } of searched.matchAll(BASE64_START)) {
      if (index < end) continue;
      const file = base64At(searched, index + before.length);
      end = file.end;
      found.add(file.text);
      if (found.size > MAIL_LIMITS.maxPartsPerMessage) break;
    }
  }
  return [...found].map((file) => ({ fileName: "", text: file }));
}

/** The base64 from a place on, as long as its lines are nothing else, up to padding. */
function base64At(text: string, start: number): { text: string; end: number } {
  BASE64_RUN.lastIndex = start;
  const lines = [BASE64_RUN.exec(text)?.[0] ?? ""];
  let end = start + (lines[0]?.length ?? 0);
  while (lines.at(-1)?.endsWith("=") === false) {
    LINE_END.lastIndex = end;
    const next = end + (LINE_END.exec(text)?.[0].length ?? 0);
    if (next === end) break;
    const lineEnd = text.indexOf("\n", next);
    const line = BASE64_LINE.exec(text.slice(next, lineEnd < 0 ? text.length : lineEnd))?.[1];
    if (line === undefined) break;
    lines.push(line);
    end = lineEnd < 0 ? text.length : lineEnd;
  }
  return { text: lines.join("\n"), end };
}

/** The uuencoded files in a text, at most one more than a mail may have. */
export function findUuencoded(text: string): PastedFile[] {
  const found: PastedFile[] = [];
  let end = 0;
  for (const { 0: line, 1: name = "", index } of text.matchAll(UUENCODED)) {
    if (index < end) continue;
    const data = index + line.length;
    const last = UUENCODED_END.exec(text.slice(data));
    end = last === null ? text.length : data + last.index + last[0].length;
    found.push({ fileName: name.trim(), text: text.slice(index, end) });
    if (found.length > MAIL_LIMITS.maxPartsPerMessage) break;
  }
  return found;
}

/** The line that a PGP message or a file in yEnc begins with. */
const UNREAD_START = /^(?:-----BEGIN PGP MESSAGE-----|=ybegin )/m;

/** What is in a text and only another program opens, up to its end: nobody would miss it otherwise. */
export function findUnread(text: string): PastedFile[] {
  const found = UNREAD_START.exec(text);
  return found === null ? [] : [{ fileName: "", text: text.slice(found.index) }];
}

const TAG_OR_ENTITY = /<[^<>]*>|&(?:nbsp|lt|gt|quot|apos|amp|#\d{1,7}|#x[0-9a-f]{1,6});/gi;
const ENTITIES: Record<string, string> = {
  "&nbsp;": " ",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};
/** Tags that end a line, and those that end a cell of a table. */
const LINE_TAG = /^<(?:br|\/(?:div|p|li|tr|h\d|blockquote|pre))\b/i;
const CELL_TAG = /^<\/t[dh]\b/i;

/** What a reader sees in place of a tag or entity. */
function shownAs(markup: string): string {
  if (LINE_TAG.test(markup)) return "\n";
  if (CELL_TAG.test(markup)) return " ";
  if (!markup.startsWith("&#")) return ENTITIES[markup.toLowerCase()] ?? "";
  const isHexadecimal = markup[2]?.toLowerCase() === "x";
  const code = isHexadecimal ? Number.parseInt(markup.slice(3, -1), 16) : Number(markup.slice(2, -1));
  return code <= 0x10ffff ? String.fromCodePoint(code) : "";
}
/** Pieces joined at a time: half a million of them would take several times the memory of the text. */
const MAX_PIECES = 4096;

/** The visible text of HTML, as far as pasted reports need it: tags removed, entities decoded. */
export function showHtml(html: string): string {
  let shown = "";
  let pieces: string[] = [];
  let at = 0;
  for (const match of html.matchAll(TAG_OR_ENTITY)) {
    pieces.push(html.slice(at, match.index), shownAs(match[0]));
    at = match.index + match[0].length;
    if (pieces.length < MAX_PIECES) continue;
    shown += pieces.join("");
    pieces = [];
  }
  return shown + pieces.join("") + html.slice(at);
}

/** The link that a mail program adds behind what looks like a domain or an address: `acme.example<http://acme.example>`. */
const LINK = /<(?:https?|mailto):[^<>\s]{1,2000}>/g;

/** The quotation mark before a quoted report, on its first line. */
const QUOTE_MARK = /^[ \t]{0,8}[>|]/;

/**
 * The reports in a text, each from its root's start tag to its end tag; a truncated one extends to the end of the text.
 * XML declarations are dropped, because the text is already decoded. Linear in the length of the text.
 */
function findPasted(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const root = ROOT_TAG.exec(text.slice(at));
    if (root === null) break;
    const start = at + root.index;
    const endTag = /<\/(?:[A-Za-z_][\w.-]*:)?feedback\s*>/i.exec(text.slice(start));
    const end = endTag === null ? text.length : start + endTag.index + endTag[0].length;
    const report = text.slice(start, end).replace(LINK, "");
    if (REPORT_TAG.test(report)) {
      const isQuoted = QUOTE_MARK.test(text.slice(text.lastIndexOf("\n", start) + 1, start));
      found.push(isQuoted ? unquoted(report) : report);
    }
    if (found.length > MAIL_LIMITS.maxPartsPerMessage) break;
    at = end;
  }
  return found;
}
