/** Every term of docs/glossary.md on one page. */
import { glossary } from "../data/glossary.ts";
import type { PageResult } from "../parts/page.ts";

export async function glossaryPage(): Promise<PageResult> {
  return {
    tables: [],
    content: {
      title: "Glossary",
      section: "glossary",
      body: (
        <>
          <h1>Glossary</h1>
          <dl class="glossary">
            {glossary().map(({ term, sentence }) => (
              <div>
                <dt>{term}</dt>
                <dd>{sentence}</dd>
              </div>
            ))}
          </dl>
        </>
      ),
    },
  };
}
