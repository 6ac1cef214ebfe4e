/**
 * Rewrites the derived parts of docs/; with --check, writes nothing and fails when one is out of date.
 *
 * usage: node scripts/docs.ts [--check] Exit code: 0 written or up to date, 1 out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DERIVED_FILES, renderDocument } from "./doc-blocks.ts";

const check = process.argv.includes("--check");
const documents = ["README.md", ...readdirSync("docs").map((name) => join("docs", name))];
const derived: [string, string][] = [
  ...documents
    .filter((name) => name.endsWith(".md"))
    .map((file): [string, string] => [file, renderDocument(readFileSync(file, "utf8"))]),
  ...Object.entries(DERIVED_FILES).map(([file, build]): [string, string] => [file, build()]),
];
for (const [file, rendered] of derived) {
  if (readFileSync(file, "utf8") === rendered) continue;
  if (check) {
    console.error(`${file} is out of date; run \`npm run docs\`.`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, rendered);
    console.log(`${file} written`);
  }
}
