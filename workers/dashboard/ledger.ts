/**
 * The ledger as pages and the API read it: a question goes to every database, and its answers are put together. It counts
 * what was read, for measurements. It holds no SQL.
 */
import { ask, type LedgerDatabase, type LedgerStatement, type Query } from "../../shared/ledger/database.ts";
import { accountsWithDataQuery } from "../../shared/ledger/domains.ts";
import type { Shards } from "../../shared/ledger/shards.ts";

/** Thrown when a database does not answer: the platform's fault. */
export class LedgerUnavailableError extends Error {
  override name = "LedgerUnavailableError";
}

/** What was read for one request. */
export interface LedgerCost {
  statements: number;
  rowsRead: number;
  /** Rows the answers had. */
  rows: number;
}

/** Reads for one request. */
export class LedgerReader {
  readonly #databases: readonly LedgerDatabase[];
  readonly #directory: LedgerDatabase;
  readonly cost: LedgerCost = { statements: 0, rowsRead: 0, rows: 0 };
  #accounts: Promise<readonly string[]> | undefined;

  constructor({ all, directory }: Pick<Shards, "all" | "directory">) {
    this.#databases = all.map((database) => this.#counted(database));
    this.#directory = this.#counted(directory);
  }

  /** How many databases there are. */
  get databases(): number {
    return this.#databases.length;
  }

  /** The rows of a question. @throws LedgerUnavailableError */
  async ask<Row>(query: Query<Row>): Promise<Row[]> {
    const parts = await Promise.all(this.#databases.map((database) => ask(database, query)));
    return query.combine?.(parts) ?? parts.flat();
  }

  /** The rows of a question about accounts, addresses or people. @throws LedgerUnavailableError */
  askDirectory<Row>(query: Query<Row>): Promise<Row[]> {
    return ask(this.#directory, query);
  }

  /** Every account there is; asked once a request. */
  accounts(): Promise<readonly string[]> {
    this.#accounts ??= this.ask(accountsWithDataQuery());
    return this.#accounts;
  }

  #counted(database: LedgerDatabase): LedgerDatabase {
    const { cost } = this;
    const count = (statement: LedgerStatement): LedgerStatement => ({
      bind: (...parameters) => count(statement.bind(...parameters)),
      async all() {
        cost.statements++;
        const answer = await statement.all().catch(unavailable);
        cost.rowsRead += answer.meta.rows_read ?? 0;
        cost.rows += answer.results.length;
        return answer;
      },
    });
    return { prepare: (sql) => count(database.prepare(sql)), batch: (statements) => database.batch(statements) };
  }
}

function unavailable(error: unknown): never {
  throw new LedgerUnavailableError(error instanceof Error ? error.message : String(error));
}
