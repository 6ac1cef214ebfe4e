/** Support: a new database with the ledger's tables. */
import { readMigrations } from "../../local/migrations.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";

/** Every statement of every migration, in order. */
export function migrations(): string[] {
  return readMigrations().flatMap(({ statements }) => statements);
}

/** Applies all migrations to a new database, in one call. */
export async function migrate(database: LedgerDatabase): Promise<void> {
  // Of a binding seen from outside of workerd each statement would stop this process until it is answered.
  if (hasExec(database)) await database.exec(migrations().map(inOneLine).join("\n"));
  else await database.batch(migrations().map((statement) => database.prepare(statement)));
}

// As D1 wants statements there: one a line.
function inOneLine(statement: string): string {
  return statement.replace(/\s*\n\s*/g, " ");
}

function hasExec(database: object): database is { exec(statements: string): Promise<unknown> } {
  return "exec" in database;
}
