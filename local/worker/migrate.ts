/**
 * Applies migrations to the local ledger, and records them where `wrangler d1 migrations apply` does, so that either
 * can continue after the other. Each migration is one transaction.
 */
import * as v from "valibot";
import type { LedgerDatabase } from "../../shared/ledger/database.ts";
import { fail, ok, type Result } from "../../shared/result.ts";

const migrations = v.array(v.object({ name: v.string(), statements: v.array(v.string()) }));
const appliedRow = v.object({ name: v.string() });

const NOTES = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)`;

/**
 * Applies pending migrations to each database of the ledger, in the order given.
 *
 * @returns the names of applied migrations, or a sentence when one failed; all of its statements are then rolled back
 */
export async function migrateAll(
  databases: readonly LedgerDatabase[],
  asked: unknown,
): Promise<Result<string[], string>> {
  const applied: string[] = [];
  for (const database of databases) {
    const some = await migrate(database, asked);
    if (!some.ok) return some;
    applied.push(...some.value);
  }
  return ok(applied);
}

async function migrate(database: LedgerDatabase, asked: unknown): Promise<Result<string[], string>> {
  await database.prepare(NOTES).all();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const known = new Set(results.map((row) => v.parse(appliedRow, row).name));
  const applied: string[] = [];
  for (const { name, statements } of v.parse(migrations, asked)) {
    if (known.has(name)) continue;
    try {
      await database.batch([
        ...statements.map((statement) => database.prepare(statement)),
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?1)").bind(name),
      ]);
    } catch (error) {
      return fail(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
    applied.push(name);
  }
  return ok(applied);
}
