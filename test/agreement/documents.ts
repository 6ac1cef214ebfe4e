/** Support: the documents of the project. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const names = [
  ...readdirSync("."),
  ...readdirSync("docs", { recursive: true, encoding: "utf8" }).map((name) => join("docs", name)),
];

/** Path → text of every document. */
export const DOCUMENTS: ReadonlyMap<string, string> = new Map(
  names.filter((name) => name.endsWith(".md")).map((name) => [name, readFileSync(name, "utf8")]),
);
