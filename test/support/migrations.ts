/** Support: a new database with the ledger's tables. */
import { readMigrations } from "../../local/migrations.ts";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";

/** Every statement of every migration, in order. */
export function migrations(): string[] {
  return readMigrations().flatMap(({ statements }) => statements);
}

/** Applies all migrations to a new database. */
export async function migrate(database: LedgerDatabase): Promise<void> {
  for (const statement of migrations()) await database.prepare(statement).all();
}
