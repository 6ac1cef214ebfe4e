/** Support: what is in a page as text, and in which element. Reads what the pages' renderer writes, no more. */

export interface PageText {
  /** As a reader sees it, character references resolved. */
  text: string;
  /** The element right around it, and those around that. */
  elements: string[];
}

const VOID = new Set(["br", "hr", "img", "input", "link", "meta", "wbr", "path", "rect", "circle"]);
const REFERENCES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };

/** Every text of a document that is not only white space, in order. @throws Error where its tags do not match */
export function textsOf(html: string): PageText[] {
  const open: string[] = [];
  const texts: PageText[] = [];
  for (const [, text = "", slash = "", name = "", rest = ""] of html.matchAll(/([^<]+)|<(\/?)([a-z0-9!]+)([^>]*)>/gi)) {
    if (text.trim() !== "") texts.push({ text: resolveReferences(text), elements: [...open].reverse() });
    if (name === "" || name.startsWith("!") || VOID.has(name) || rest.endsWith("/")) continue;
    if (slash === "") open.push(name);
    else if (open.pop() !== name) throw new Error(`</${name}> closes what it did not open.`);
  }
  return texts;
}

/** The links of a page. */
export function linksOf(html: string): string[] {
  return [...html.matchAll(/<a [^>]*?href="([^"]*)"/g)].map(([, href = ""]) => resolveReferences(href));
}

function resolveReferences(text: string): string {
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => REFERENCES[name] ?? "");
}
