/** Support: makes the ledger's tables in a database of workerd. */
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { migrationStatements } from "./migrations.ts";

/** Applies all migrations to a new database. */
export async function migrate(database: LedgerDatabase): Promise<void> {
  for (const statement of migrationStatements()) await database.prepare(statement).all();
}
