/** The documentation says what the code does: derived parts are up to date, what it names exists. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { BLOCKS, blockNames, DERIVED_FILES, renderDocument } from "../../scripts/doc-blocks.ts";
import { readTables, TABLE_MEANINGS } from "../../scripts/ledger-tables.ts";
import { DATASETS } from "../../shared/analytics/columns.ts";
import * as storage from "../../shared/storage.ts";
import { DOCUMENTS } from "./documents.ts";

// One start of the command for the help of each subcommand: slow on a busy machine.
test("generated parts match what `npm run docs` writes", { timeout: 240_000 }, () => {
  for (const [file, text] of DOCUMENTS) expect(renderDocument(text), `${file}: run \`npm run docs\``).toBe(text);
  for (const [file, build] of Object.entries(DERIVED_FILES)) expect(readFileSync(file, "utf8")).toBe(build());
  expect([...DOCUMENTS.values()].flatMap(blockNames).sort()).toEqual(Object.keys(BLOCKS).sort());
});

test("an outdated generated part is found", () => {
  const text = "<!-- generated: columns -->\nold\n<!-- end -->";
  expect(renderDocument(text)).not.toBe(text);
  expect(renderDocument(text)).toContain("| `blob1` | `reportUid` |");
  expect(() => renderDocument("<!-- generated: nothing -->\n<!-- end -->")).toThrow("no block 'nothing'");
});

test("links between documents point to existing places, and to headings that are there", () => {
  const dead = [...DOCUMENTS].flatMap(([file, text]) =>
    [...withoutCode(text).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, path = "", anchor]) => {
        const target = path === "" ? file : join(dirname(file), path);
        if (!existsSync(target)) return true;
        const read = DOCUMENTS.get(target);
        return anchor !== undefined && read !== undefined && !anchorsOf(read).has(anchor);
      })
      .map(([link]) => `${file} → ${link}`),
  );
  expect(dead).toEqual([]);
});

test("the index of documents has each of them", () => {
  const index = DOCUMENTS.get("docs/README.md") ?? "";
  const others = [...DOCUMENTS.keys()].filter((file) => /^docs\/[a-z-]+\.md$/.test(file));
  expect(others.length).toBeGreaterThan(25);
  expect(others.filter((file) => !index.includes(`(${file.replace("docs/", "")}`))).toEqual([]);
});

test("headings are anchors as GitHub writes them", () => {
  const text = "# `dmarc rua`: add\n## A [link](x.md), and (more)\n## A\n```\n# no heading\n```\n## A\n";
  expect([...anchorsOf(text)]).toEqual(["dmarc-rua-add", "a-link-and-more", "a", "a-1"]);
});

test("files and folders named in the documentation exist", () => {
  const named =
    /`((?:workers|shared|local|cli|deploy|scripts|bench|test|docs|migrations|process|ingest|dashboard)\/[\w./-]+)`/g;
  const gone = [...DOCUMENTS].flatMap(([file, text]) =>
    [...text.matchAll(named)]
      .map(([, path = ""]) => path)
      // Any of the Workers.
      .filter((path) => path !== "workers/X")
      .filter((path) => !existsSync(path) && !existsSync(join("workers", path)))
      .map((path) => `${file}: ${path}`),
  );
  expect(gone).toEqual([]);
});

test("the map of AGENTS.md has every folder of shared/ and of process", () => {
  const map = DOCUMENTS.get("AGENTS.md") ?? "";
  const foldersIn = (place: string): string[] =>
    readdirSync(place, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  expect(foldersIn("shared").filter((name) => !map.includes(`\`shared/${name}\``))).toEqual([]);
  expect(foldersIn("workers/process").filter((name) => !map.includes(`\`${name}/\``))).toEqual([]);
});

test("scripts named in the documentation exist", () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const [file, text] of DOCUMENTS) {
    for (const [, name = ""] of text.matchAll(/`[^`\n]*npm run (?:-s |--silent )?([a-z][a-z:]*)/g)) {
      expect(Object.keys(scripts), file).toContain(name);
    }
  }
});

test("storage.md names every prefix of the bucket", () => {
  const prefixes = Object.entries(storage).filter(([name]) => name.endsWith("_PREFIX"));
  expect(prefixes).toEqual([["RAW_PREFIX", "raw/"]]);
  const text = DOCUMENTS.get("docs/storage.md") ?? "";
  expect(prefixes.filter(([, prefix]) => !text.includes(`| \`${prefix}`))).toEqual([]);
});

test("every table of the ledger has a line in storage.md, and nothing else has", () => {
  const tables = readTables(".");
  expect(tables).toContain("report_figures");
  expect(tables).not.toContain("report_figures_by_row");
  expect(Object.keys(TABLE_MEANINGS).sort()).toEqual([...tables].sort());
});

test("analytics.md names every dataset, architecture.md every Worker", () => {
  const analytics = DOCUMENTS.get("docs/analytics.md") ?? "";
  expect(Object.values(DATASETS).filter(({ name }) => !analytics.includes(`### ${name}\n`))).toEqual([]);
  const architecture = DOCUMENTS.get("docs/architecture.md") ?? "";
  const workers = readdirSync("workers", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(workers.filter(({ name }) => !architecture.includes(`| ${name} |`))).toEqual([]);
});

test("glossary: a term is one heading and one sentence", () => {
  const sections = (DOCUMENTS.get("docs/glossary.md") ?? "").split(/^## /m).slice(1);
  expect(sections.length).toBeGreaterThan(20);
  const terms = sections.map((section) => section.split("\n")[0]);
  expect(new Set(terms).size).toBe(terms.length);
  // In the order of the alphabet: a person looks for a word on paper, too.
  const words = terms.map((term) => term?.toLowerCase());
  expect(words).toEqual([...words].sort());
  for (const section of sections) expect(section).toMatch(/^[^\n]+\n\n[A-Z`][^\n]+\.\n+$/);
});

function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```/gm, "");
}

/** The anchors of a document's headings; those of the same words are numbered. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutCode(text).matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
    let numbered = anchor;
    for (let n = 1; anchors.has(numbered); n++) numbered = `${anchor}-${n}`;
    anchors.add(numbered);
  }
  return anchors;
}
