/**
 * XML text to a small element tree: the only importer of fast-xml-parser. It is given one segment at a time, a record or
 * the frame around the records, never a whole document. Local names of the report's own namespace
 * only; attributes are dropped, but for those that some write in place of elements; values stay strings.
 */
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { storedText } from "../values.ts";
import { Namespaces } from "./namespaces.ts";
import { parsePlainElement } from "./plain.ts";
import { localName } from "./tokens.ts";

/**
 * An element: its local name, its own text (trimmed, and without what storedText removes), its child elements in order.
 */
export interface XmlElement {
  name: string;
  text: string;
  children: XmlElement[];
  /** Whether it was an attribute of the element around it. */
  isAttribute?: true;
}

/** Key of CDATA sections, which hold text without entities; no element can have this name. */
const CDATA = "#cdata";

/** Elements that hold a value; `lang` (RFC 9990) and `type` of XML Schema have prefixes or other names. */
const AS_ATTRIBUTES = new Set([
  "source_ip",
  "count",
  "disposition",
  "dkim",
  "spf",
  "type",
  "comment",
  "header_from",
  "envelope_from",
  "envelope_to",
  "domain",
  "selector",
  "scope",
  "result",
]);

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: (name) => !name.startsWith("xmlns") && !AS_ATTRIBUTES.has(name.toLowerCase()),
  attributeNamePrefix: "",
  parseAttributeValue: false,
  parseTagValue: false,
  trimValues: false,
  cdataPropName: CDATA,
  // The five entities and character references are decoded here, once; a DOCTYPE never gets this far.
  processEntities: false,
});

/**
 * Parses one well-formed element.
 *
 * @returns the element, or what is wrong with the text
 */
export function parseElement(xml: string, namespaces = Namespaces.none): XmlElement | { malformed: string } {
  return parsePlainElement(xml, namespaces) ?? parseAnyElement(xml, namespaces);
}

/** The general parser, whatever the text: the reference for the quick one. */
export function parseAnyElement(xml: string, namespaces = Namespaces.none): XmlElement | { malformed: string } {
  try {
    const valid = XMLValidator.validate(xml);
    if (valid !== true) return { malformed: valid.err.msg };
    const [element] = toElements(parser.parse(xml), namespaces).children;
    return element ?? { malformed: "no element" };
  } catch (error) {
    // fast-xml-parser throws at names such as __proto__.
    return { malformed: error instanceof Error ? error.message : String(error) };
  }
}

const NONE: readonly XmlElement[] = [];

/** First child of that name, or else of that name in other letters: `Record`. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  let other: XmlElement | undefined;
  for (const candidate of element?.children ?? NONE) {
    if (candidate.name === name) return candidate;
    if (other === undefined && isNamed(candidate, name)) other = candidate;
  }
  return other;
}

/** All children of that name, small or capital, in order. */
export function children(element: XmlElement | undefined, name: string): XmlElement[] {
  return element?.children.filter((candidate) => isNamed(candidate, name)) ?? [];
}

/** Whether there are several children of that name, small or capital. */
export function isRepeated(element: XmlElement, name: string): boolean {
  let found = 0;
  for (const candidate of element.children) if (isNamed(candidate, name)) found++;
  return found > 1;
}

/** Whether an element has that name, small or capital. @param name in small letters */
export function isNamed(element: XmlElement, name: string): boolean {
  const own = element.name;
  if (own === name) return true;
  // Most names differ in their first letter already.
  return own.length === name.length && (own.charCodeAt(0) | 32) === name.charCodeAt(0) && own.toLowerCase() === name;
}

/** Text of the first child of that name; "" where there is none. */
export function childText(element: XmlElement | undefined, name: string): string {
  return child(element, name)?.text ?? "";
}

function toElements(nodes: unknown, namespaces: Namespaces): { text: string; children: XmlElement[] } {
  let text = "";
  const found: XmlElement[] = [];
  if (!Array.isArray(nodes)) return { text, children: found };
  for (const node of nodes) {
    for (const [name, content] of Object.entries<unknown>(node)) {
      if (name === "#text") text += decodeEntities(String(content));
      else if (name === CDATA) text += plainText(content);
      else if (name !== ":@") {
        const inner = namespaces.within(tagOf(node[":@"]));
        if (inner.isOwn(name))
          found.push(withAttributes({ name: localName(name), ...toElements(content, inner) }, node[":@"]));
      }
    }
  }
  // A character reference can name what the document itself may not hold.
  return { text: storedText(text, text.length).trim(), children: found };
}

/** The element with those of its attributes as elements that it has no element for. */
function withAttributes(element: XmlElement, attributes: unknown): XmlElement {
  const holdsValue = element.text !== "" && !isNamed(element, "reason");
  if (typeof attributes !== "object" || attributes === null || holdsValue) return element;
  for (const [name, value] of Object.entries<unknown>({ ...attributes })) {
    if (name.startsWith("xmlns") || element.children.some((one) => isNamed(one, name.toLowerCase()))) continue;
    element.children.push({
      name,
      text: storedText(decodeEntities(String(value))).trim(),
      children: [],
      isAttribute: true,
    });
  }
  return element;
}

/** The declarations of an element, as its tag has them. */
function tagOf(attributes: unknown): string {
  if (typeof attributes !== "object" || attributes === null) return "";
  const values = Object.entries<unknown>({ ...attributes });
  return values.map(([name, value]) => ` ${name}="${String(value).replaceAll('"', "")}"`).join("");
}

/** Text of a CDATA section, which the parser hands over as nodes. */
function plainText(nodes: unknown): string {
  if (!Array.isArray(nodes)) return "";
  return nodes.map((node) => String(node["#text"] ?? "")).join("");
}

const NAMED: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Decodes the five predefined entities and character references (XML 1.0 section 4.6); others stay as they are. */
function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot|apos));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name).toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}
