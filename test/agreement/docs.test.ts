/** The documentation says what the code does: derived parts are up to date, and every statement in it can be asked. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BLOCKS, blockNames, renderDocument } from "../../scripts/doc-blocks.ts";
import { querySql } from "../../shared/analytics/sql.ts";
import { eventRow, recordRow, startTestEngine, type TestEngine } from "../analytics/local-engine.ts";

const DOCUMENTS = [
  ...readdirSync(".").filter((name) => name.endsWith(".md")),
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];
const texts = new Map(DOCUMENTS.map((file) => [file, readFileSync(file, "utf8")]));

test("derived parts are as `npm run docs` writes them", () => {
  for (const [file, text] of texts) expect(renderDocument(text), `${file}: run \`npm run docs\``).toBe(text);
  expect([...texts.values()].flatMap(blockNames).sort()).toEqual(Object.keys(BLOCKS).sort());
});

test("an outdated part is found", () => {
  const text = "<!-- generated: columns -->\nold\n<!-- end -->";
  expect(renderDocument(text)).not.toBe(text);
  expect(renderDocument(text)).toContain("| `blob1` | `reportUid` |");
  expect(() => renderDocument("<!-- generated: nothing -->\n<!-- end -->")).toThrow("no block 'nothing'");
});

test("links between documents lead somewhere", () => {
  const dead = [...texts].flatMap(([file, text]) =>
    [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map((match) => join(dirname(file), match[1] ?? ""))
      .filter((target) => !existsSync(target))
      .map((target) => `${file} → ${target}`),
  );
  expect(dead).toEqual([]);
});

test("scripts named in the documentation exist", () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const [file, text] of texts) {
    for (const [, name = ""] of text.matchAll(/`[^`\n]*npm run (?:-s |--silent )?([a-z][a-z:]*)/g)) {
      expect(Object.keys(scripts), file).toContain(name);
    }
  }
});

test("glossary: a term is one heading and one sentence", () => {
  const sections = (texts.get("docs/glossary.md") ?? "").split(/^## /m).slice(1);
  expect(sections.length).toBeGreaterThan(20);
  const terms = sections.map((section) => section.split("\n")[0]);
  expect(new Set(terms).size).toBe(terms.length);
  for (const section of sections) expect(section).toMatch(/^[^\n]+\n\n[A-Z`][^\n]+\.\n+$/);
});

let engine: TestEngine;
beforeAll(async () => {
  engine = await startTestEngine();
  // Twice, as a redelivery writes it, and once more under a newer generation.
  const row = { domain: "acme.example", count: 3, passed: 0 };
  await engine.write("records", [recordRow(row), recordRow(row), recordRow({ ...row, generation: 2, count: 5 })]);
  await engine.write("events", [eventRow({}), eventRow({})]);
});
afterAll(() => engine.stop());

const statements = [...texts].flatMap(([file, text]) =>
  [...text.matchAll(/^```sql\n([\s\S]*?)^```$/gm)].map((match) => ({ file, sql: match[1] ?? "" })),
);

test("there are statements to try", () => {
  expect(statements.length).toBeGreaterThan(4);
});

test.each(statements)("$file: the engine answers, and nothing counts twice: $sql", async ({ sql }) => {
  // Grafana puts its time range in.
  const answer = await querySql(engine.connection, sql.replaceAll("$from", "0").replaceAll("$to", "4000000000"), fetch);
  if (!answer.ok) throw new Error(answer.error.message);
  const [row = {}] = answer.value.rows;
  for (const name of ["messages", "failing"]) if (name in row) expect(Number(row[name])).toBe(5);
  for (const name of ["records", "reports", "events"]) if (name in row) expect(Number(row[name])).toBe(1);
  expect(answer.value.rows).toHaveLength(1);
});
