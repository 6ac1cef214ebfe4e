/**
 * Writes the derived parts of docs/ anew; with --check, writes nothing and fails when one is out of date.
 *
 * usage: node scripts/docs.ts [--check]
 * Exit code: 0 written or up to date, 1 out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blockNames, renderDocument } from "./doc-blocks.ts";

const check = process.argv.includes("--check");
const documents = ["README.md", ...readdirSync("docs").map((name) => join("docs", name))];
for (const file of documents.filter((name) => name.endsWith(".md"))) {
  const text = readFileSync(file, "utf8");
  if (blockNames(text).length === 0) continue;
  const rendered = renderDocument(text);
  if (rendered === text) continue;
  if (check) {
    console.error(`${file} is out of date; run \`npm run docs\`.`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, rendered);
    console.log(`${file} written`);
  }
}
