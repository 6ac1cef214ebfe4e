/**
 * Support: the ledger's databases in workerd as a test sees them. On a binding itself each `prepare` and each `bind` from
 * outside of workerd stops the test's process until it is answered; here a batch is one request to a Worker that has them.
 */
import { resolve } from "node:path";
import type { TestHarness } from "wrangler";
import type { WorkerConfig } from "../../local/worker-config.ts";
import type { LedgerDatabase, LedgerResult, LedgerStatement, Parameter } from "../../shared/ledger/database.ts";

const NAME = "ledger-of-the-test";

/** The Worker that has the databases of another one. */
export function ledgerWorker({ d1_databases = [] }: WorkerConfig): { config: WorkerConfig } {
  const main = resolve(import.meta.dirname, "ledger-worker.js");
  return { config: { name: NAME, main, compatibility_date: "2026-11-01", d1_databases } };
}

/** A database of the ledger. @param binding what the Workers call it */
export function outsideLedger(server: TestHarness, binding: string): LedgerDatabase {
  return new OutsideLedger(server, binding);
}

class OutsideLedger implements LedgerDatabase {
  readonly #server: TestHarness;
  readonly #binding: string;

  constructor(server: TestHarness, binding: string) {
    this.#server = server;
    this.#binding = binding;
  }

  prepare(sql: string): LedgerStatement {
    return new OutsideStatement(this, sql, []);
  }

  async batch(given: LedgerStatement[]): Promise<LedgerResult[]> {
    const statements = given.map((statement) => {
      if (!(statement instanceof OutsideStatement)) throw new TypeError("not a statement of this database");
      const { sql, parameters } = statement;
      return { sql, parameters };
    });
    const body = JSON.stringify({ binding: this.#binding, statements });
    const answer = await this.#server.getWorker(NAME).fetch("http://ledger.test/", { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as LedgerResult[];
  }
}

class OutsideStatement implements LedgerStatement {
  readonly #ledger: OutsideLedger;
  readonly sql: string;
  readonly parameters: readonly Parameter[];

  constructor(ledger: OutsideLedger, sql: string, parameters: readonly Parameter[]) {
    this.#ledger = ledger;
    this.sql = sql;
    this.parameters = parameters;
  }

  bind(...parameters: Parameter[]): LedgerStatement {
    return new OutsideStatement(this.#ledger, this.sql, parameters);
  }

  async all(): Promise<LedgerResult> {
    const [result] = await this.#ledger.batch([this]);
    if (result === undefined) throw new Error("A statement has a result.");
    return result;
  }
}
