/**
 * Support: D1's interface over the SQLite of Node, which is the engine D1 is, for tests that need thousands of databases
 * or a fault at a chosen call. test/chain runs the same statements on the D1 of workerd.
 */
import { DatabaseSync } from "node:sqlite";
import type { LedgerDatabase, LedgerResult, LedgerStatement, Parameter } from "../../shared/ledger/database.ts";
import { migrations } from "./migrations.ts";

/** D1's limits page. */
const MAX_PARAMETERS = 100;
const MAX_STATEMENT_BYTES = 100_000;
const MAX_VALUE_BYTES = 2_000_000;

class Statement implements LedgerStatement {
  readonly #database: DatabaseSync;
  readonly #sql: string;
  readonly #parameters: Parameter[];

  constructor(database: DatabaseSync, sql: string, parameters: Parameter[] = []) {
    this.#database = database;
    this.#sql = sql;
    this.#parameters = parameters;
  }

  bind(...parameters: Parameter[]): LedgerStatement {
    if (parameters.length > MAX_PARAMETERS) throw new Error("D1_ERROR: too many SQL variables");
    for (const value of parameters) {
      if (typeof value === "string" && Buffer.byteLength(value) > MAX_VALUE_BYTES) {
        throw new Error("D1_ERROR: string or blob too big: SQLITE_TOOBIG");
      }
    }
    return new Statement(this.#database, this.#sql, parameters);
  }

  async all(): Promise<LedgerResult> {
    return this.run();
  }

  run(): LedgerResult {
    if (Buffer.byteLength(this.#sql) > MAX_STATEMENT_BYTES)
      throw new Error("D1_ERROR: statement too long: SQLITE_TOOBIG");
    const results = this.#database.prepare(this.#sql).all(...this.#parameters);
    return { results, meta: {} };
  }
}

/** A ledger in memory, its migrations applied. */
export class SqliteLedger implements LedgerDatabase {
  readonly sqlite = new DatabaseSync(":memory:");

  /** @param statements of the migrations; absent = all there are */
  constructor(statements: readonly string[] = migrations()) {
    for (const text of statements) this.sqlite.exec(text);
  }

  prepare(sql: string): LedgerStatement {
    return new Statement(this.sqlite, sql);
  }

  async batch(statements: LedgerStatement[]): Promise<LedgerResult[]> {
    this.sqlite.exec("BEGIN");
    try {
      const results = statements.map((statement) => {
        if (!(statement instanceof Statement)) throw new TypeError("not a statement of this database");
        return statement.run();
      });
      this.sqlite.exec("COMMIT");
      return results;
    } catch (error) {
      this.sqlite.exec("ROLLBACK");
      throw error;
    }
  }
}
