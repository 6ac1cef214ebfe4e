/**
 * Support: D1's interface over the SQLite of Node, which is the engine D1 is, for tests that need thousands of databases
 * or a fault at a chosen call. test/chain runs the same statements on the D1 of workerd.
 */
import { DatabaseSync, type DatabaseSyncOptions } from "node:sqlite";
import type { LedgerDatabase, LedgerResult, LedgerStatement, Parameter } from "../../shared/ledger/database.ts";
import { D1_LIMITS } from "../../shared/limits.ts";
import { migrations } from "./migrations.ts";

/** SQLite refuses by itself what D1 does: how it is set up there, as far as it is known (shared/limits.ts). */
const OPTIONS: DatabaseSyncOptions & { limits: Record<string, number> } = {
  limits: {
    length: D1_LIMITS.maxRowBytes,
    sqlLength: D1_LIMITS.maxStatementBytes,
    variableNumber: D1_LIMITS.maxParameters,
    column: D1_LIMITS.maxColumns,
    functionArg: D1_LIMITS.maxFunctionArguments,
    likePatternLength: D1_LIMITS.maxPatternBytes,
    compoundSelect: D1_LIMITS.maxCompoundTerms,
    exprDepth: D1_LIMITS.maxExpressionDepth,
    triggerDepth: 10,
    attach: 0,
  },
};

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
    return new Statement(this.#database, this.#sql, parameters);
  }

  async all(): Promise<LedgerResult> {
    return this.run();
  }

  run(): LedgerResult {
    const results = this.#database.prepare(this.#sql).all(...this.#parameters);
    return { results, meta: {} };
  }
}

/** A ledger in memory, its migrations applied. */
export class SqliteLedger implements LedgerDatabase {
  readonly sqlite = new DatabaseSync(":memory:", OPTIONS);

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
