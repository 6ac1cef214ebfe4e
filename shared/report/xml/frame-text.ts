/**
 * The frame of a report while it is cut out of the document (segments.ts): put together as a tree, which is all that plain
 * XML takes, and kept as text for the XML parser in case it is not plain.
 */
import type { XmlElement } from "./element.ts";
import { isPlainText } from "./plain.ts";
import { plainTag } from "./plain-tags.ts";
import { ElementTree } from "./tree.ts";

/** A report without its records, attributes, comments and instructions. */
export interface Frame {
  /** Its XML. */
  text: () => string;
  /** The same as a tree; undefined when it is not plain. */
  root: XmlElement | undefined;
}

/** A frame that is put together from pieces of XML. */
export class FrameText implements Frame {
  readonly #pieces: string[] = [];
  readonly #tree = new ElementTree();
  #isPlain = true;

  /** A start tag. */
  open(name: string): void {
    this.#pieces.push("<", name, ">");
    this.#isPlain &&= plainTag(name) !== undefined;
    this.#tree.open(name);
  }

  /** Text as it is in XML: with its entities, or a CDATA section. */
  addText(xml: string): void {
    this.#pieces.push(xml);
    this.#tree.addText(xml);
  }

  /** The end tag of the element opened last. */
  close(name: string): void {
    this.#pieces.push("</", name, ">");
    const { text } = this.#tree;
    this.#isPlain &&= text === "" || isPlainText(text);
    this.#tree.close(true);
  }

  text(): string {
    return this.#pieces.join("");
  }

  get root(): XmlElement | undefined {
    return this.#isPlain ? this.#tree.root : undefined;
  }
}
