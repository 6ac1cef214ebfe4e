/** Support: the migrations, for tests that make a database of their own. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "..", "..", "migrations");

/** The text of each, in order. */
export function readMigrations(): string[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => readFileSync(join(FOLDER, name), "utf8"));
}

/** Their statements, one by one, without comments: D1 prepares one at a time. */
export function migrationStatements(): string[] {
  return readMigrations()
    .flatMap((sql) => sql.replace(/--.*$/gm, "").split(";"))
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}
