/** Every call of `dmarc` that a document shows is one that there is: its words, options and values are taken as they stand there. */
import { describe, expect, it } from "vitest";
import { DOCUMENTS } from "../agreement/documents.ts";
import { allCommands } from "./commands.ts";
import { expectAccepted, wordsOf } from "./examples.ts";

/** These say what there was then, and are not changed later. */
const OF_THEIR_TIME = /^CHANGELOG\.md$|^docs\/decisions\//;

const NAMES = new Set(allCommands().map(({ words }) => words));

/** Lines to be typed. Those of docs/cli.md are the help's own, see examples.test.ts. */
const shown = [...DOCUMENTS]
  .filter(([file]) => !OF_THEIR_TIME.test(file) && file !== "docs/cli.md")
  .flatMap(([file, text]) => callsIn(text).map((line) => ({ file, line })));

describe("calls of dmarc in documents", () => {
  it("are found", () => {
    expect(shown.length).toBeGreaterThan(40);
  });

  it("are found behind blocks of other languages, and behind remarks", () => {
    const text =
      "```text\nrua=mailto:a@b.example\n```\n\n```sh\ndmarc stats --json   # the owner's\ndmarc watch run --json  # isn't cron's\n```\n";
    expect(callsIn(text)).toEqual(["dmarc stats --json", "dmarc watch run --json"]);
  });

  it.each(shown)("$file: $line", ({ line }) => expectAccepted(line));
});

/** Lines of code blocks, a quoted text over several of them as one; and code within sentences. */
function callsIn(text: string): string[] {
  const blocks = /^```(\w*)\n([\s\S]*?)^```$|((?:^ {4}.*\n)+)/gm;
  // Of fenced blocks those of a shell; the others are passed over whole, as the end of one looks as the beginning of the next.
  const code = [...text.matchAll(blocks)].flatMap(([, language, fenced, indented]) =>
    language === undefined || language === "" || language === "sh" ? [fenced ?? indented ?? ""] : [],
  );
  // A remark may have an apostrophe: it ends with its line.
  const lines = code.flatMap((block) => block.match(/(?:(?<=[ \t])#.*|"[^"]*"|'[^']*'|[^\n"']|["'])+/g) ?? []);
  const inline = [...text.replaceAll(blocks, "").matchAll(/`([^`\n]+)`/g)].map(([, call = ""]) => call);
  return [...lines, ...inline]
    .map((line) => line.replace(/(?<=\s)#.*$/, "").replace(/npm run (?:-s|--silent) dmarc --/, "dmarc"))
    .map((line) => line.trim())
    .filter((line) => /^(?:[A-Z_]+=\S+ )*dmarc [a-z-]/.test(line) && !isOutline(line));
}

/** Names of commands alone, or places that are filled in: `…`, `[OPTION]`, `NAME`. */
function isOutline(line: string): boolean {
  const [words = []] = wordsOf(line);
  return NAMES.has(words.join(" ")) || words.some((word) => /[…[\]]/.test(word) || /^[A-Z][A-Z_.-]+$/.test(word));
}
