/** Tokenises XML at a `<`: tags, comments, CDATA sections, declarations and instructions. */
import { reject } from "../rejection.ts";

const NAME = /[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?/y;

/** The token at a `<`. "more" = the text ends too early to decide. */
export type Token =
  | { type: "open" | "close" | "empty"; name: string; end: number }
  | { type: "skip" | "cdata" | "literal"; end: number }
  | { type: "more" };

/** Name without its namespace prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The qualified name that begins at `at`. */
export function nameAt(text: string, at: number): string | undefined {
  NAME.lastIndex = at;
  return NAME.exec(text)?.[0];
}

/**
 * The token at a `<`.
 *
 * @param strict whether the root has been seen: any DOCTYPE is then refused
 * @throws Rejection doctype_refused
 */
export function readToken(text: string, at: number, strict: boolean): Token {
  if (text.startsWith("<!--", at)) return skipTo(text, "-->", at + 4);
  if (text.startsWith("<![CDATA[", at)) {
    const end = text.indexOf("]]>", at + 9);
    return end < 0 ? { type: "more" } : { type: "cdata", end: end + 3 };
  }
  if (text.startsWith("<!", at)) return readDeclaration(text, at, strict);
  if (text.startsWith("<?", at)) return readInstruction(text, at);
  return readTag(text, at);
}

function skipTo(text: string, mark: string, from: number): Token {
  const end = text.indexOf(mark, from);
  return end < 0 ? { type: "more" } : { type: "skip", end: end + mark.length };
}

// A DOCTYPE is always refused, except that of an HTML page around a pasted report.
function readDeclaration(text: string, at: number, strict: boolean): Token {
  const rest = text.slice(at + 2, at + 24);
  if ("--".startsWith(rest) || (rest.length < 7 && /^(\[[A-Z]*|[A-Z]*)$/i.test(rest))) return { type: "more" };
  if (!strict && text.length < at + 24 && /^DOCTYPE\s*(h|ht|htm)?$/i.test(rest)) return { type: "more" };
  if (!strict && /^DOCTYPE\s+html/i.test(rest)) return skipTo(text, ">", at);
  if (/^(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(rest)) reject("doctype_refused");
  return { type: "literal", end: at + 1 };
}

// A declaration that ends in `>` instead of `?>` is accepted.
function readInstruction(text: string, at: number): Token {
  const end = text.indexOf(">", at);
  if (end < 0) return { type: "more" };
  const nextTag = text.indexOf("<", at + 1);
  // The search is bounded: a million declarations must not each scan everything after them.
  const proper = text.slice(at, nextTag < 0 ? text.length : nextTag).indexOf("?>");
  return { type: "skip", end: proper < 0 ? end + 1 : at + proper + 2 };
}

function readTag(text: string, at: number): Token {
  const closing = text[at + 1] === "/";
  let nameStart = at + (closing ? 2 : 1);
  if (closing) while (/\s/.test(text[nameStart] ?? "")) nameStart++;
  if (nameStart >= text.length) return { type: "more" };
  const name = nameAt(text, nameStart);
  if (name === undefined) return { type: "literal", end: at + 1 };
  const after = nameStart + name.length;
  // `<ns1:` may be cut before the rest of its name.
  if (after >= text.length || (after === text.length - 1 && text[after] === ":")) return { type: "more" };
  if (!/[\s/>]/.test(text[after] ?? "")) return { type: "literal", end: at + 1 };
  const end = findTagEnd(text, after);
  if (end === "more") return { type: "more" };
  if (end === "literal") return { type: "literal", end: at + 1 };
  const type = closing ? "close" : text[end - 2] === "/" ? "empty" : "open";
  return { type, name, end };
}

/**
 * The position after the `>` of a tag whose name ends at `from`; "literal" if a `<` comes first, so it is not a tag.
 */
export function findTagEnd(text: string, from: number): number | "more" | "literal" {
  for (let i = from; i < text.length; i++) {
    const char = text[i];
    if (char === ">") return i + 1;
    if (char === "<") return "literal";
    if (char === '"' || char === "'") {
      const quoteEnd = text.indexOf(char, i + 1);
      if (quoteEnd < 0) return "more";
      i = quoteEnd;
    }
  }
  return "more";
}
