/**
 * A quick reader for the plain part of XML, which is nearly all that reporters write: tags without attributes, text
 * without entities. Whatever else comes is left to fast-xml-parser (element.ts); both give the same tree
 * (test/report/differential.test.ts).
 */
import type { XmlElement } from "./element.ts";
import type { Namespaces } from "./namespaces.ts";
import { plainTag } from "./plain-tags.ts";

/** Entities, comments, CDATA, declarations, instructions, and what XML 1.0 section 2.2 forbids. */
const NOT_PLAIN = /[&\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|<[!?]|\]\]>/;

interface OpenElement extends XmlElement {
  rawName: string;
}

/** @returns the element, or undefined when the text is not plain (or not well-formed: not judged here) */
export function parsePlainElement(xml: string, namespaces?: Namespaces): XmlElement | undefined {
  if (NOT_PLAIN.test(xml)) return undefined;
  const open: OpenElement[] = [{ rawName: "", name: "", text: "", children: [] }];
  let at = 0;
  for (let start = xml.indexOf("<"); start >= 0; start = xml.indexOf("<", at)) {
    const top = open.at(-1);
    const end = xml.indexOf(">", start);
    if (top === undefined || end < 0) return undefined;
    top.text += xml.slice(at, start);
    if (!takeTag(xml.slice(start + 1, end), open, namespaces)) return undefined;
    at = end + 1;
  }
  const [document] = open;
  const [root, another] = document?.children ?? [];
  const isWhole = open.length === 1 && document?.text === "" && at === xml.length;
  return isWhole && another === undefined ? root : undefined;
}

/** Takes what stands between `<` and `>`; false when it is not a plain tag in its place. */
function takeTag(text: string, open: OpenElement[], namespaces: Namespaces | undefined): boolean {
  const tag = plainTag(text);
  if (tag === undefined) return false;
  const { type, rawName, name } = tag;
  if (type === "open") {
    open.push({ rawName, name, text: "", children: [] });
    return true;
  }
  let element: XmlElement = { name, text: "", children: [] };
  if (type === "close") {
    const closed = open.pop();
    if (closed?.rawName !== rawName) return false;
    element = { name, text: closed.text.trim(), children: closed.children };
  }
  // Without attributes nothing is declared within: what is foreign is so by its prefix.
  if (namespaces === undefined || namespaces.isOwn(rawName)) open.at(-1)?.children.push(element);
  return true;
}
