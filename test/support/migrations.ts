/** Support: a new database with the ledger's tables. */
import { readMigrations } from "../../local/migrations.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";

/** Every statement of every migration, in order. */
export function migrations(): string[] {
  return readMigrations().flatMap(({ statements }) => statements);
}

/**
 * Applies all migrations to a new database of workerd, in one call: each call from outside of workerd, `prepare` as well,
 * stops this process until it is answered.
 */
export async function migrate(database: LedgerDatabase): Promise<void> {
  if (!hasExec(database)) throw new TypeError("not a database of D1");
  // One statement a line, as D1 wants them there.
  const lines = migrations().map((statement) => statement.replace(/\s*\n\s*/g, " "));
  await database.exec(lines.join("\n"));
}

function hasExec(database: object): database is { exec(statements: string): Promise<unknown> } {
  return "exec" in database;
}
