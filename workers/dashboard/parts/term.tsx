/** A DMARC term with its explanation beside it, fed by docs/glossary.md. Works without scripts (popover attribute). */
import type { Child } from "hono/jsx";
import { explain } from "../data/glossary.ts";

/** Id of the element that holds a term's sentence; the frame writes it once a page. */
export function termId(term: string): string {
  return `term-${term.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
}

/** A button that opens the sentence of `name`. @throws Error when the glossary has no such term */
export function Explain({ name }: { name: string }) {
  explain(name);
  return (
    <button class="term" type="button" popovertarget={termId(name)} aria-label={`What is: ${name}?`}>
      <span aria-hidden="true">?</span>
    </button>
  );
}

/** A label with the button beside it. */
export function Term({ name, children }: { name: string; children?: Child }) {
  return (
    <span class="nowrap">
      {children ?? name} <Explain name={name} />
    </span>
  );
}
