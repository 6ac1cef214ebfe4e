/** A ledger for rehearsals: it knows one address and nothing else, and keeps nothing. */
import type { RegistryEntry } from "../registry.ts";
import type { LedgerDatabase, LedgerResult, LedgerStatement } from "./database.ts";

/** @param rua the address that is registered in it */
export function rehearsalLedger(rua: string, entry: RegistryEntry): LedgerDatabase {
  const { account } = entry;
  const registered = [
    { rua, account, entry: JSON.stringify(entry), shard: 0 },
    { rua, account, entry: null, shard: null },
  ];
  return {
    prepare(sql) {
      const answer: LedgerResult = {
        results: sql.includes("FROM addresses a JOIN accounts") ? registered : [],
        meta: {},
      };
      const statement: LedgerStatement = { bind: () => statement, all: async () => answer };
      return statement;
    },
    batch: async (statements) => Promise.all(statements.map((statement) => statement.all())),
  };
}
