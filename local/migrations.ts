/** The ledger's migrations: read here, applied by ingest's local module when the stack starts, as `wrangler d1 migrations` does. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { askIngest } from "./ask-ingest.ts";
import type { WorkersAddress } from "./workers.ts";

/** One file of `migrations/`. */
export interface Migration {
  name: string;
  statements: string[];
}

const FOLDER = join(import.meta.dirname, "..", "migrations");
/** Ours: a migration of a large ledger takes a while; one that takes longer is stuck. */
const TIMEOUT_MS = 60_000;

/** All migrations in order. Their comments are whole lines, and no statement holds a semicolon before its end. */
export function readMigrations(): Migration[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".sql"));
  return names.sort().map((name) => ({ name, statements: splitStatements(readFileSync(join(FOLDER, name), "utf8")) }));
}

function splitStatements(sql: string): string[] {
  const withoutComments = sql
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("--"))
    .join("\n");
  return withoutComments
    .split(/;[ \t]*\n/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

/**
 * Applies the migrations that the ledger of these Workers does not have yet.
 *
 * @throws Error when the Workers do not answer, or a migration fails; the ones before it stay applied
 */
export async function applyMigrations(workers: WorkersAddress): Promise<void> {
  const body = Buffer.from(JSON.stringify(readMigrations()));
  const { status, body: answer } = await askIngest(workers, {
    path: "/migrations",
    body,
    timeoutMilliseconds: TIMEOUT_MS,
  });
  if (status !== 200) throw new Error(`The ledger's tables could not be updated: ${answer.trim()}`);
}
