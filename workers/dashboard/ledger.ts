/**
 * The ledger as pages and the API read it: a question goes to every database, or to those of the accounts it is about, and
 * the answers are put together. It counts what was read, for measurements. It holds no SQL.
 */
import { inTime } from "../../shared/in-time.ts";
import { accountsNamedQuery } from "../../shared/ledger/accounts.ts";
import { accountsWithDataQuery } from "../../shared/ledger/data-extent.ts";
import { ask, type LedgerDatabase, type LedgerStatement, type Query } from "../../shared/ledger/database.ts";
import { type FollowedJob, followJobs, type Job } from "../../shared/ledger/jobs.ts";
import { askAll, type Shards } from "../../shared/ledger/shards.ts";
import { DASHBOARD_LIMITS } from "../../shared/limits.ts";

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
  readonly #all: readonly LedgerDatabase[];
  /** Those that are asked. */
  #databases: readonly LedgerDatabase[];
  readonly #directory: LedgerDatabase;
  readonly cost: LedgerCost = { statements: 0, rowsRead: 0, rows: 0 };
  #accounts: Promise<readonly string[]> | undefined;

  constructor({ all, directory }: Pick<Shards, "all" | "directory">) {
    this.#all = all.map((database) => this.#counted(database));
    this.#databases = this.#all;
    this.#directory = this.#counted(directory);
  }

  /** From now on asks only the databases of some accounts. @throws LedgerUnavailableError */
  async limitTo(accounts: readonly string[]): Promise<void> {
    this.#databases = await this.#databasesOf(accounts);
  }

  /** How many databases a question goes to. */
  get databases(): number {
    return this.#databases.length;
  }

  /**
   * The rows of a question.
   *
   * @param account the one account it is about: only its database is asked
   * @throws LedgerUnavailableError
   */
  async ask<Row>(query: Query<Row>, account?: string): Promise<Row[]> {
    return askAll(account === undefined ? this.#databases : await this.#databasesOf([account]), query);
  }

  /** The rows of a question about accounts, addresses or people. @throws LedgerUnavailableError */
  askDirectory<Row>(query: Query<Row>): Promise<Row[]> {
    return ask(this.#directory, query);
  }

  /** The progress of jobs. @throws LedgerUnavailableError */
  followJobs(jobs: readonly Job[], nowSeconds: number): Promise<FollowedJob[]> {
    return followJobs(this.#all, jobs, nowSeconds);
  }

  /** Every account there is; asked once a request. */
  accounts(): Promise<readonly string[]> {
    this.#accounts ??= this.ask(accountsWithDataQuery());
    return this.#accounts;
  }

  /** Databases of some accounts; the first one where there are none of them, since every question has an answer. */
  async #databasesOf(accounts: readonly string[]): Promise<readonly LedgerDatabase[]> {
    if (this.#all.length === 1) return this.#all;
    const found = new Set((await this.askDirectory(accountsNamedQuery(accounts))).map(({ shard }) => shard));
    return found.size === 0 ? this.#all.slice(0, 1) : this.#all.filter((_, shard) => found.has(shard));
  }

  #counted(database: LedgerDatabase): LedgerDatabase {
    const { cost } = this;
    const count = (statement: LedgerStatement): LedgerStatement => ({
      bind: (...parameters) => count(statement.bind(...parameters)),
      async all() {
        cost.statements++;
        const { ledgerMilliseconds } = DASHBOARD_LIMITS;
        const late = `No answer within ${ledgerMilliseconds} ms.`;
        const answer = await inTime(globalThis, statement.all(), ledgerMilliseconds, late).catch(unavailable);
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
