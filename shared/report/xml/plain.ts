/**
 * A quick reader for the plain part of XML, which is nearly all that reporters write: tags without attributes, text
 * without entities. Whatever else comes is left to fast-xml-parser (element.ts); both give the same tree
 * (test/report/differential.test.ts).
 */
import type { XmlElement } from "./element.ts";
import type { Namespaces } from "./namespaces.ts";
import { type PlainTag, plainTagAt } from "./plain-tags.ts";
import { ElementTree } from "./tree.ts";

/** Entities, comments, CDATA, declarations, instructions, and what XML 1.0 section 2.2 forbids. */
const NOT_PLAIN = /[&\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]|<[!?]|\]\]>/;

/** Whether text is literal, and the XML consists of elements only. */
export function isPlainText(text: string): boolean {
  return !NOT_PLAIN.test(text);
}

/** @returns the element, or undefined when the text is not plain (or not well-formed: not judged here) */
export function parsePlainElement(xml: string, namespaces: Namespaces): XmlElement | undefined {
  if (!isPlainText(xml)) return undefined;
  const tree = new ElementTree();
  const open: PlainTag[] = [];
  // Without attributes nothing is declared within: what is foreign is so by its prefix.
  let at = 0;
  for (let start = xml.indexOf("<"); start >= 0; start = xml.indexOf("<", at)) {
    if (start > at) tree.addText(xml.slice(at, start));
    const last = open.at(-1);
    if (last !== undefined && xml.startsWith(last.endTag, start)) {
      open.pop();
      tree.close(namespaces.isOwn(last.rawName));
      at = start + last.endTag.length;
      continue;
    }
    const tag = plainTagAt(xml, start);
    if (tag === undefined || tag.type === "close") return undefined;
    // A second root, which need not be the report's own to spoil it.
    if (open.length === 0 && at > 0) return undefined;
    tree.open(tag.name);
    if (tag.type === "open") open.push(tag);
    else tree.close(namespaces.isOwn(tag.rawName));
    at = start + tag.chars;
  }
  return at === xml.length ? tree.root : undefined;
}
