/** Puts a tree of elements together, from start tags, texts and end tags in their order. */
import type { XmlElement } from "./element.ts";

/** A tree of elements that is built in the order of the document. */
export class ElementTree {
  /** Elements around the current one, the document first. */
  readonly #around: XmlElement[] = [];
  #current = newElement("");

  /** Begins an element. */
  open(name: string): void {
    this.#around.push(this.#current);
    this.#current = newElement(name);
  }

  /** Text of the current element, so far and not yet trimmed. */
  get text(): string {
    return this.#current.text;
  }

  /** Adds to the text of the current element. */
  addText(text: string): void {
    const { text: before } = this.#current;
    // Nearly all white space is between elements, where none is kept.
    if (before !== "") this.#current.text = before + text;
    else if (text.trim() !== "") this.#current.text = text;
  }

  /** Ends the current element. @param isKept whether it is a child of the one around it */
  close(isKept: boolean): void {
    const closed = this.#current;
    const parent = this.#around.pop();
    if (parent === undefined) return;
    closed.text = closed.text.trim();
    if (isKept) parent.children.push(closed);
    this.#current = parent;
  }

  /** The one element there is; undefined when one is open, when there is none or another, and when text is beside it. */
  get root(): XmlElement | undefined {
    const { text, children } = this.#current;
    return this.#around.length === 0 && text === "" && children.length === 1 ? children[0] : undefined;
  }
}

function newElement(name: string): XmlElement {
  return { name, text: "", children: [] };
}
