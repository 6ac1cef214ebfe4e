/** Finds reports pasted into the text of a mail. Linear in the length of the text. */
import { MAIL_LIMITS } from "../limits.ts";

const ROOT_TAG = /<(?:[A-Za-z_][\w.-]*:)?feedback[\s>]/i;
/** Elements a report must have besides its root, so that a text about `<feedback>` is not taken for one. */
const REPORT_TAG = /<(?:[A-Za-z_][\w.-]*:)?(?:report_metadata|policy_published|record)[\s>]/i;

/** The sentence of gateways (Exim) that send failure reports as plain text without a feedback part. */
const FAILURE_SENTENCE = /failed\s+the\s+published\s+DMARC\s+policy\s+for\s+your\s+domain/i;

/** Whether a text is a plain-text failure report, possibly quoted. */
export function tellsOfFailure(text: string): boolean {
  return findFailure(text) !== undefined;
}

/** The plain-text failure report in a text, starting at its sentence, without quotation marks. */
export function findFailure(text: string): string | undefined {
  if (!/published/i.test(text)) return undefined;
  const unquoted = text.replace(/^(?:[ \t]{0,8}[>|])+[ \t]?/gm, "");
  const found = FAILURE_SENTENCE.exec(unquoted);
  return found === null ? undefined : unquoted.slice(unquoted.lastIndexOf("\n", found.index) + 1);
}

/** Whether a text contains a report. */
export function holdsRootTag(text: string): boolean {
  return ROOT_TAG.test(text);
}

/**
 * The reports pasted into a mail's text, or else into its HTML.
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
/** Pieces joined at a time: half a million of them would take several times the memory of the text. */
const MAX_PIECES = 4096;

/** The visible text of HTML, as far as pasted reports need it: tags removed, entities decoded. */
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
    const report = text.slice(start, end);
    if (REPORT_TAG.test(report)) found.push(report);
    if (found.length > MAIL_LIMITS.maxPartsPerMessage) break;
    at = end;
  }
  return found;
}
