/** Support: a database of the ledger that counts the queries made of it, as D1 counts them for an invocation. */
import type { LedgerDatabase, LedgerStatement } from "../../shared/ledger/database.ts";

export interface CountingLedger {
  ledger: LedgerDatabase;
  /** So far; a transaction counts as its statements. */
  readonly queries: number;
}

export function countingLedger(database: LedgerDatabase): CountingLedger {
  let queries = 0;
  const counted = (statement: LedgerStatement): LedgerStatement => ({
    bind: (...parameters) => counted(statement.bind(...parameters)),
    all() {
      queries++;
      return statement.all();
    },
  });
  const originals = new WeakMap<LedgerStatement, LedgerStatement>();
  const remembered = (statement: LedgerStatement): LedgerStatement => {
    const wrapper: LedgerStatement = {
      bind: (...parameters) => remembered(statement.bind(...parameters)),
      all: () => counted(statement).all(),
    };
    originals.set(wrapper, statement);
    return wrapper;
  };
  return {
    get queries() {
      return queries;
    },
    ledger: {
      prepare: (sql) => remembered(database.prepare(sql)),
      batch(statements) {
        queries += statements.length;
        return database.batch(statements.map((statement) => originals.get(statement) ?? statement));
      },
    },
  };
}
