/** Reports pasted into the text of a letter. Every character is looked at a fixed number of times. */
import { MAIL_LIMITS } from "../limits.ts";

const ROOT_TAG = /<(?:[A-Za-z_][\w.-]*:)?feedback[\s>]/i;
/** What a report holds besides its root, so that a letter that talks about `<feedback>` is none. */
const REPORT_TAG = /<(?:[A-Za-z_][\w.-]*:)?(?:report_metadata|policy_published|record)[\s>]/i;

/** Sentence of gateways (Exim) that send the facts of a failure as plain text with no feedback part. */
const FAILURE_SENTENCE = /failed\s+the\s+published\s+DMARC\s+policy\s+for\s+your\s+domain/i;

/** Whether a text is a failure report in words, also where it is quoted. */
export function tellsOfFailure(text: string): boolean {
  return findFailure(text) !== undefined;
}

/** The failure report in words that a text holds, from the line of its sentence on and without marks of quoting. */
export function findFailure(text: string): string | undefined {
  if (!/published/i.test(text)) return undefined;
  const unquoted = text.replace(/^(?:[ \t]{0,8}[>|])+[ \t]?/gm, "");
  const found = FAILURE_SENTENCE.exec(unquoted);
  return found === null ? undefined : unquoted.slice(unquoted.lastIndexOf("\n", found.index) + 1);
}

/** Whether a report stands in a text. */
export function holdsRootTag(text: string): boolean {
  return ROOT_TAG.test(text);
}

/**
 * Reports pasted into a letter, as they stand there: in its text, or else in its HTML.
 *
 * @returns at most one more than a mail may have
 */
export function findPastedIn(text: string, html: string): string[] {
  const inText = findPasted(text);
  if (inText.length > 0 || !/feedback/i.test(html)) return inText;
  const inHtml = findPasted(html);
  return inHtml.length > 0 ? inHtml : findPasted(showHtml(html));
}

const TAG_OR_ENTITY = /<[^<>]*>|&(?:nbsp|lt|gt|quot|amp);/g;
const ENTITIES: Record<string, string> = { "&nbsp;": " ", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&" };
/** Pieces put together at once: half a million of them would take several times the memory of the text. */
const MAX_PIECES = 4096;

/** What a mail program shows of HTML, as far as a report pasted into it needs: tags gone, entities decoded. */
export function showHtml(html: string): string {
  let shown = "";
  let pieces: string[] = [];
  let at = 0;
  for (const match of html.matchAll(TAG_OR_ENTITY)) {
    pieces.push(html.slice(at, match.index), ENTITIES[match[0]] ?? "");
    at = match.index + match[0].length;
    if (pieces.length < MAX_PIECES) continue;
    shown += pieces.join("");
    pieces = [];
  }
  return shown + pieces.join("") + html.slice(at);
}

/**
 * Reports pasted into text, from root tag to root tag, one after the other; one that is cut goes to the end of the text.
 * The XML declaration stays behind: the text is decoded already. Every character is looked at a fixed number of times.
 */
function findPasted(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const root = ROOT_TAG.exec(text.slice(at));
    if (root === null) break;
    const start = at + root.index;
    const endTag = /<\/(?:[A-Za-z_][\w.-]*:)?feedback\s*>/i.exec(text.slice(start));
    const end = endTag === null ? text.length : start + endTag.index + endTag[0].length;
    const report = text.slice(start, end);
    if (REPORT_TAG.test(report)) found.push(report);
    if (found.length > MAIL_LIMITS.maxPartsPerMessage) break;
    at = end;
  }
  return found;
}
