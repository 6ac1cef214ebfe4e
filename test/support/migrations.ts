/** Support: the migrations of the ledger, and a database they are applied to. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";

const FOLDER = join(import.meta.dirname, "..", "..", "migrations");

/** The text of every migration, in order. */
export function migrations(): string[] {
  return readdirSync(FOLDER)
    .sort()
    .map((name) => readFileSync(join(FOLDER, name), "utf8"));
}

/** Applies all migrations to a new database. */
export async function migrate(database: LedgerDatabase): Promise<void> {
  for (const text of migrations()) {
    const statements = text
      .replaceAll(/--.*$/gm, "")
      .split(";")
      .map((statement) => statement.trim())
      .filter((statement) => statement !== "");
    for (const statement of statements) await database.prepare(statement).all();
  }
}
