/**
 * A ledger for rehearsals: it knows one address and nothing else, and keeps nothing. Its statements are prepared and bound by D1's
 * client as well, but never sent.
 */
import type { RegistryEntry } from "../registry.ts";
import type { LedgerDatabase, LedgerResult, LedgerStatement } from "./database.ts";

/** @param rua the address that is registered in it */
export function rehearsalLedger(rua: string, entry: RegistryEntry, database: LedgerDatabase): LedgerDatabase {
  const { account } = entry;
  const registered = [
    { rua, account, entry: JSON.stringify(entry), shard: 0, changedSeconds: 0, addresses: null },
    { rua: "", account, entry: null, shard: null, changedSeconds: null, addresses: JSON.stringify([rua]) },
  ];
  return {
    prepare(sql) {
      const answer: LedgerResult = {
        results: sql.includes("FROM addresses a JOIN accounts") ? registered : [],
        meta: {},
      };
      const prepared = database.prepare(sql);
      const statement: LedgerStatement = {
        bind(...parameters) {
          prepared.bind(...parameters);
          return statement;
        },
        all: async () => answer,
      };
      return statement;
    },
    batch: async (statements) => Promise.all(statements.map((statement) => statement.all())),
  };
}
