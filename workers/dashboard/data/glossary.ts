/** The terms of docs/glossary.md, read at the first use. The document's form is fixed: `## Term`, an empty line, a sentence. */
import text from "../../../docs/glossary.md";

const terms = new Map<string, { term: string; sentence: string }>();

/** Every term with its sentence, in the document's order. */
export function glossary(): { term: string; sentence: string }[] {
  if (terms.size === 0) {
    for (const match of text.matchAll(/^## (.+)\n+([^#\n].*)$/gm)) {
      const [, term = "", sentence = ""] = match;
      terms.set(term.trim().toLowerCase(), { term: term.trim(), sentence: sentence.trim().replaceAll("`", "") });
    }
  }
  return [...terms.values()];
}

/** The sentence of a term. @throws Error when the glossary lacks it: a page names a term that nothing explains */
export function explain(term: string): string {
  glossary();
  const found = terms.get(term.toLowerCase());
  if (found === undefined) throw new Error(`docs/glossary.md does not explain '${term}'.`);
  return found.sentence;
}
