/**
 * The databases of the ledger: `D1_DMARC_REPORTS` (shard 0, which also holds the directory), `D1_DMARC_REPORTS_1` and so
 * on. An account lives in one of them. Nothing else knows how many there are.
 */
import * as v from "valibot";
import { ask, type LedgerDatabase, type Query, query } from "./database.ts";

/** Binding of shard 0; the others have `_1`, `_2`, … after it. */
export const LEDGER_BINDING = "D1_DMARC_REPORTS";

/**
 * The databases of a ledger as a Worker's configuration binds them, by number.
 *
 * @param first name of number 0; the others have `-1`, `-2`, … after it
 */
export function ledgerDatabases(first: string, count: number): { binding: string; database_name: string }[] {
  return Array.from({ length: count }, (_, shard) => ({
    binding: shard === 0 ? LEDGER_BINDING : `${LEDGER_BINDING}_${shard}`,
    database_name: shard === 0 ? first : `${first}-${shard}`,
  }));
}

/** The databases of the ledger by their number. */
export interface Shards {
  /** Accounts, addresses, people. */
  directory: LedgerDatabase;
  /** The ledger of accounts in that shard. @throws Error when no such database is bound */
  of(shard: number): LedgerDatabase;
  /** All of them, shard 0 first. */
  all: readonly LedgerDatabase[];
}

/**
 * The databases among a Worker's bindings.
 *
 * @throws Error when shard 0 is not bound: a mistake of the deployment
 */
export function shardsOf(bindings: object): Shards {
  const named = new Map<string, unknown>(Object.entries(bindings));
  const all: LedgerDatabase[] = [];
  for (;;) {
    const bound = named.get(all.length === 0 ? LEDGER_BINDING : `${LEDGER_BINDING}_${all.length}`);
    if (!isDatabase(bound)) break;
    all.push(bound);
  }
  const [directory] = all;
  if (directory === undefined) throw new Error(`The binding ${LEDGER_BINDING} is missing.`);
  return {
    directory,
    all,
    of: (shard) => {
      const database = all[shard];
      if (database === undefined) throw new Error(notBound(shard));
      return database;
    },
  };
}

/**
 * The databases that accounts live in and that are not bound, as after a rollback to a version of a Worker from before they
 * were made: what they hold cannot be known. One query.
 *
 * @returns their numbers, ascending
 */
export async function unboundDatabases({ directory, all }: Pick<Shards, "directory" | "all">): Promise<number[]> {
  const found = await ask(
    directory,
    query(
      "SELECT DISTINCT shard FROM accounts WHERE shard >= ?1 ORDER BY shard",
      [all.length],
      v.object({ shard: v.number() }),
    ),
  );
  return found.map(({ shard }) => shard);
}

/**
 * The first of the databases that accounts live in and that are not bound. One query.
 *
 * @returns undefined when all are bound, otherwise a sentence that names it
 */
export async function missingDatabase(shards: Pick<Shards, "directory" | "all">): Promise<string | undefined> {
  const [first] = await unboundDatabases(shards);
  return first === undefined ? undefined : notBound(first);
}

function notBound(shard: number): string {
  return `The ledger's database ${shard}, which accounts live in, is not bound: bind ${LEDGER_BINDING}_${shard}.`;
}

/**
 * Asks several databases at once and puts their answers together: as the query says, else one after the other.
 *
 * @throws whatever D1 throws
 */
export async function askAll<Row>(databases: readonly LedgerDatabase[], query: Query<Row>): Promise<Row[]> {
  const parts = await Promise.all(databases.map((database) => ask(database, query)));
  return query.combine?.(parts) ?? parts.flat();
}

function isDatabase(bound: unknown): bound is LedgerDatabase {
  return typeof bound === "object" && bound !== null && "prepare" in bound && "batch" in bound;
}
