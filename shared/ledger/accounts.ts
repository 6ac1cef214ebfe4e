/**
 * Accounts: which database holds their ledger, their names and logos. Kept in the directory, the first database.
 */
import * as v from "valibot";
import { LOGO_TYPES } from "../logo.ts";
import type { ListPage } from "./combine.ts";
import { ask, type Change, type LedgerDatabase, lowered, type Query, query } from "./database.ts";

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

/** How many accounts each database holds; one without accounts has no row. */
export function accountsByShardQuery(): Query<{ shard: number; accounts: number }> {
  return query(
    "SELECT shard, count(*) AS accounts FROM accounts GROUP BY shard",
    [],
    v.object({ shard: v.number(), accounts: v.number() }),
  );
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

const logo = v.object({
  mediaType: v.picklist(LOGO_TYPES),
  /** The picture's bytes. */
  base64: v.string(),
  changedSeconds: v.number(),
});

/** The logo of an account. */
export type AccountLogo = v.InferOutput<typeof logo>;

/** How an account presents itself on pages, digests and printed reports. */
export interface AccountProfile {
  account: string;
  /** What it is called; the account's own name where none was given. */
  name: string;
  logo: AccountLogo | undefined;
}

const profileRow = v.pipe(
  v.object({
    account: v.string(),
    name: v.string(),
    mediaType: v.fallback(v.nullable(v.picklist(LOGO_TYPES)), null),
    base64: v.nullable(v.string()),
    changedSeconds: v.nullable(v.number()),
  }),
  v.transform(({ account, name, mediaType, base64, changedSeconds }): AccountProfile => {
    const isThere = mediaType !== null && base64 !== null && changedSeconds !== null;
    return {
      account,
      name: name === "" ? account : name,
      logo: isThere ? { mediaType, base64, changedSeconds } : undefined,
    };
  }),
);

/** How some accounts present themselves, by name. */
export function accountProfilesQuery(accounts: readonly string[]): Query<AccountProfile> {
  return query(
    `SELECT a.account, a.display_name AS name, l.media_type AS mediaType, l.picture AS base64,
      l.changed_seconds AS changedSeconds
    FROM accounts a LEFT JOIN account_logos l ON l.account = a.account
    WHERE a.account IN (SELECT value FROM json_each(?1)) ORDER BY a.account`,
    [JSON.stringify(accounts)],
    profileRow,
  );
}

/**
 * How an account presents itself: its name and logo, for pages, digests and printed reports.
 * @returns undefined if there is no such account
 */
export async function accountProfile(directory: LedgerDatabase, account: string): Promise<AccountProfile | undefined> {
  const [found] = await ask(directory, accountProfilesQuery([account]));
  return found;
}

const headRow = v.object({ account: v.string(), name: v.string(), logoSeconds: v.number() });

/** What the head of a page shows of an account; logoSeconds: when its logo was set, 0 = it has none. */
export type AccountHead = v.InferOutput<typeof headRow>;

/** What the head of a page shows of an account, without the picture itself. */
export function accountHeadQuery(account: string): Query<AccountHead> {
  return query(
    `SELECT a.account, iif(a.display_name = '', a.account, a.display_name) AS name,
      coalesce((SELECT l.changed_seconds FROM account_logos l WHERE l.account = a.account), 0) AS logoSeconds
    FROM accounts a WHERE a.account = ?1`,
    [account],
    headRow,
  );
}

/** Sets what an account is called; "" = its own name. */
export function setAccountName(account: string, name: string): Change {
  return { sql: "UPDATE accounts SET display_name = ?2 WHERE account = ?1", parameters: [account, name] };
}

/** Sets the logo of an account. */
export function setAccountLogo(account: string, { mediaType, base64, changedSeconds }: AccountLogo): Change {
  return {
    sql: `INSERT INTO account_logos (account, media_type, picture, changed_seconds) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (account) DO UPDATE SET media_type = excluded.media_type, picture = excluded.picture,
        changed_seconds = excluded.changed_seconds`,
    parameters: [account, mediaType, base64, changedSeconds],
  };
}

/** Removes the logo of an account; a missing one is no error. */
export function removeAccountLogo(account: string): Change {
  return { sql: "DELETE FROM account_logos WHERE account = ?1", parameters: [account] };
}

const listedRow = v.object({
  account: v.string(),
  name: v.string(),
  createdSeconds: v.number(),
  /** Number of the database that its ledger is in. */
  database: v.number(),
  /** People with a role in it; operators are not counted. */
  people: v.number(),
  /** RUA addresses. */
  addresses: v.number(),
  matching: v.number(),
});

/** An account in a list. */
export type ListedAccount = Omit<v.InferOutput<typeof listedRow>, "matching">;

/** Which accounts are listed. */
export interface AccountList {
  /** Those the person may see; undefined = all. */
  accounts: readonly string[] | undefined;
  /** Part of the name, in any case. */
  text: string;
  limit: number;
  offset: number;
}

/** A page of the accounts, by name: one query. */
export async function listAccounts(
  askDirectory: <Row>(query: Query<Row>) => Promise<Row[]>,
  { accounts, text, limit, offset }: AccountList,
): Promise<ListPage<ListedAccount>> {
  const found = await askDirectory(
    query(
      `WITH page AS (
        SELECT account, display_name, created_seconds, shard, count(*) OVER () AS matching FROM accounts
        WHERE (?1 IS NULL OR account IN (SELECT value FROM json_each(?1)))
          AND (instr(lower(account), ?2) > 0 OR instr(lower(display_name), ?2) > 0)
        ORDER BY account LIMIT ?3 OFFSET ?4)
      SELECT account, display_name AS name, created_seconds AS createdSeconds, shard AS database, matching,
        (SELECT count(*) FROM account_people p WHERE p.account = page.account) AS people,
        (SELECT count(*) FROM addresses r WHERE r.account = page.account AND r.removed = 0) AS addresses
      FROM page ORDER BY account`,
      [accounts === undefined ? null : JSON.stringify(accounts), lowered(text), limit, offset],
      listedRow,
    ),
  );
  return { rows: found.map(({ matching: _, ...listed }) => listed), matching: found[0]?.matching ?? 0 };
}

/** Creates accounts unless they exist, and names those that have no name yet. */
export function importAccounts(
  accounts: readonly { account: string; name: string }[],
  { shard, nowSeconds }: { shard: number; nowSeconds: number },
): Change[] {
  const list = JSON.stringify(accounts);
  return [
    {
      sql: `INSERT INTO accounts (account, shard, created_seconds) SELECT value ->> 'account', ?2, ?3 FROM json_each(?1)
        WHERE true ON CONFLICT (account) DO NOTHING`,
      parameters: [list, shard, nowSeconds],
    },
    {
      sql: `UPDATE accounts SET display_name = w.value ->> 'name' FROM json_each(?1) w
        WHERE accounts.account = w.value ->> 'account' AND accounts.display_name = ''`,
      parameters: [list],
    },
  ];
}

const namedRow = v.object({ account: v.string(), shard: v.number(), name: v.string() });

/** Those of some accounts that exist, with the names they were given. */
export function accountNamesQuery(accounts: readonly string[]): Query<v.InferOutput<typeof namedRow>> {
  return query(
    `SELECT account, shard, display_name AS name FROM accounts WHERE account IN (SELECT value FROM json_each(?1))`,
    [JSON.stringify(accounts)],
    namedRow,
  );
}
