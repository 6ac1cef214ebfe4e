/**
 * Support: D1's interface over the SQLite of Node, which is the engine D1 is, for tests that need thousands of databases
 * or a fault at a chosen call. test/chain runs the same statements on the D1 of workerd.
 */
import { DatabaseSync, type DatabaseSyncOptions, type StatementSync } from "node:sqlite";
import { checkCall } from "../../local/worker/limited.ts";
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

// In the Node this runs on, and not yet in its types.
declare module "node:sqlite" {
  interface DatabaseSync {
    serialize(): Uint8Array;
    deserialize(database: Uint8Array): void;
  }
}

class Statement implements LedgerStatement {
  readonly #ledger: SqliteLedger;
  readonly #sql: string;
  readonly #parameters: Parameter[];

  constructor(ledger: SqliteLedger, sql: string, parameters: Parameter[] = []) {
    this.#ledger = ledger;
    this.#sql = sql;
    this.#parameters = parameters;
  }

  bind(...parameters: Parameter[]): LedgerStatement {
    return new Statement(this.#ledger, this.#sql, parameters);
  }

  async all(): Promise<LedgerResult> {
    checkCall(this.asked);
    const result = this.run();
    checkCall(result.results);
    return result;
  }

  /** What a call of it carries. */
  get asked(): unknown[] {
    return [this.#sql, ...this.#parameters];
  }

  run(): LedgerResult {
    try {
      const results = this.#ledger.compiled(this.#sql).all(...this.#parameters);
      return { results, meta: { size_after: this.#ledger.bytes } };
    } catch (error) {
      if (error instanceof Error && error.message === "database or disk is full") {
        // In D1's words (developers.cloudflare.com/d1/observability/debug-d1/#error-list).
        throw new Error("D1_ERROR: Exceeded maximum DB size", { cause: error });
      }
      throw error;
    }
  }
}

/** A new ledger's bytes, so that the migrations run once and not for each of thousands of databases. */
let migrated: Uint8Array | undefined;

/** A ledger in memory, its migrations applied. */
export class SqliteLedger implements LedgerDatabase {
  readonly sqlite = new DatabaseSync(":memory:", OPTIONS);
  readonly #compiled = new Map<string, StatementSync>();
  #pages: StatementSync | undefined;
  #marks = 0;

  /** @param statements of the migrations; absent = all there are */
  constructor(statements?: readonly string[]) {
    if (statements === undefined) {
      migrated ??= new SqliteLedger(migrations()).sqlite.serialize();
      this.sqlite.deserialize(migrated);
      return;
    }
    for (const text of statements) this.sqlite.exec(text);
  }

  /** Its size; 4,096 a page. */
  get bytes(): number {
    this.#pages ??= this.sqlite.prepare("PRAGMA page_count");
    return Number(this.#pages.get()?.page_count) * 4096;
  }

  /** From now on it refuses to grow beyond so many bytes; undefined = beyond those it has. */
  limit(bytes = this.bytes): void {
    this.sqlite.exec(`PRAGMA max_page_count = ${Math.ceil(bytes / 4096)}`);
  }

  prepare(sql: string): LedgerStatement {
    return new Statement(this, sql);
  }

  /** A statement of SQLite; compiling it takes longer than running it. @throws when SQLite refuses it */
  compiled(sql: string): StatementSync {
    const statement = this.#compiled.get(sql) ?? this.sqlite.prepare(sql);
    this.#compiled.set(sql, statement);
    return statement;
  }

  /** The statements that were asked of it. */
  get asked(): string[] {
    return [...this.#compiled.keys()];
  }

  /** Marks what it holds. @returns what brings that back, as often as it is called; marks made after it are gone then */
  mark(): () => void {
    const name = `mark_${++this.#marks}`;
    this.sqlite.exec(`SAVEPOINT ${name}`);
    return () => this.sqlite.exec(`ROLLBACK TO ${name}`);
  }

  async batch(statements: LedgerStatement[]): Promise<LedgerResult[]> {
    const ours = statements.map((statement) => {
      if (!(statement instanceof Statement)) throw new TypeError("not a statement of this database");
      return statement;
    });
    checkCall(ours.flatMap(({ asked }) => asked));
    // The same as BEGIN, but may stand within a mark.
    this.sqlite.exec("SAVEPOINT transaction_of_d1");
    let results: LedgerResult[];
    try {
      results = ours.map((statement) => statement.run());
      this.sqlite.exec("RELEASE transaction_of_d1");
    } catch (error) {
      this.sqlite.exec("ROLLBACK TO transaction_of_d1; RELEASE transaction_of_d1");
      throw error;
    }
    // Too large an answer is refused when all is done.
    checkCall(results);
    return results;
  }
}
