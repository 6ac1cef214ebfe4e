/** Accounts: whose domains, and which database holds their ledger. Kept in the directory, the first database. */
import * as v from "valibot";
import { ask, type Change, type LedgerDatabase, type Query, query } from "./database.ts";

/** An account and the database its ledger is in. */
export interface Account {
  account: string;
  shard: number;
}

const row = v.object({ account: v.string(), shard: v.number() });

/** All accounts by name: one query. */
export function accountsQuery(): Query<Account> {
  return query("SELECT account, shard FROM accounts ORDER BY account", [], row);
}

/** The given accounts that exist. */
export function accountsNamedQuery(names: readonly string[]): Query<Account> {
  return query(
    "SELECT account, shard FROM accounts WHERE account IN (SELECT value FROM json_each(?1))",
    [JSON.stringify(names)],
    row,
  );
}

/** An account by name; undefined if there is none. */
export async function findAccount(directory: LedgerDatabase, account: string): Promise<Account | undefined> {
  const [found] = await ask(directory, query("SELECT account, shard FROM accounts WHERE account = ?1", [account], row));
  return found;
}

/** Creates an account unless it exists; an existing one stays in its database. */
export function addAccount({ account, shard }: Account, nowSeconds: number): Change {
  return {
    sql: "INSERT INTO accounts (account, shard, created_seconds) VALUES (?1, ?2, ?3) ON CONFLICT (account) DO NOTHING",
    parameters: [account, shard, nowSeconds],
  };
}
