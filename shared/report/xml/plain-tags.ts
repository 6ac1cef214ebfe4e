/** Tags without attributes, remembered by what is between `<` and `>`: reporters use the same few dozen. */
import { detach } from "../values.ts";
import { localName } from "./tokens.ts";

export interface PlainTag {
  type: "open" | "close" | "empty";
  /** With its namespace prefix. */
  rawName: string;
  /** Without it. */
  name: string;
  /** Of the tag with its angle brackets. */
  chars: number;
  /** What ends the element that it opens. */
  endTag: string;
}

const PLAIN = /^(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)(\/?)$/;
const MAX_KNOWN = 1000;
const MAX_CHARS = 64;
const GREATER_THAN = 0x3e;
const known = new Map<string, PlainTag>();

/** The tag that `text` is, without its angle brackets; undefined when it has anything but a name. */
export function plainTag(text: string): PlainTag | undefined {
  if (text.length > MAX_CHARS) return undefined;
  return known.get(text) ?? learn(text);
}

/** The tag at a `<`, if it is plain. */
export function plainTagAt(text: string, at: number): PlainTag | undefined {
  const last = Math.min(text.length, at + 2 + MAX_CHARS);
  for (let i = at + 1; i < last; i++) {
    if (text.charCodeAt(i) === GREATER_THAN) return plainTag(text.slice(at + 1, i));
  }
  return undefined;
}

function learn(text: string): PlainTag | undefined {
  const [, closing, rawName = "", empty] = PLAIN.exec(text) ?? [];
  // Names that every object has are fast-xml-parser's to refuse.
  if (rawName === "" || (closing !== "" && empty !== "") || rawName in Object.prototype) return undefined;
  const type = closing !== "" ? "close" : empty !== "" ? "empty" : "open";
  const own = detach(rawName);
  const tag: PlainTag = {
    type,
    rawName: own,
    name: localName(own),
    chars: text.length + 2,
    endTag: `</${own}>`,
  };
  // A document of a thousand odd names must not keep the next one's from being remembered.
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(detach(text), tag);
  return tag;
}
