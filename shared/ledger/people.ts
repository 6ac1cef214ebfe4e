/** People, and their roles in accounts. Kept in the directory, the first database. */
import * as v from "valibot";
import {
  ACCOUNT_ROLES,
  type AccountRole,
  type Authority,
  authorityOf,
  entryOf,
  OPERATOR,
  type Person,
} from "../people.ts";
import { ask, type Change, jsonColumn, knows, type LedgerDatabase, type Query, query } from "./database.ts";

/** A person as stored. */
export interface StoredPerson extends Person {
  authority: Authority;
  /** When they first came through Access; 0 = not yet. */
  firstSeenSeconds: number;
}

const accountRole = v.picklist(ACCOUNT_ROLES);
const row = v.pipe(
  v.object({
    email: v.string(),
    /** Of rows of earlier versions: owner, with the accounts in the row itself. */
    role: v.fallback(v.picklist(["operator", "member", "owner"]), "member"),
    accounts: jsonColumn(v.array(v.string())),
    roles: jsonColumn(v.record(v.string(), accountRole)),
    firstSeenSeconds: v.number(),
  }),
  v.transform(({ email, role, accounts, roles, firstSeenSeconds }): StoredPerson => {
    const earlier = role === "owner" ? accounts.map((account) => [account, "administrator" as const]) : [];
    const authority =
      role === "operator" ? OPERATOR : { isOperator: false, accounts: { ...Object.fromEntries(earlier), ...roles } };
    return { email, entry: entryOf(authority), authority, firstSeenSeconds };
  }),
);

const COLUMNS = `p.email, p.role, p.accounts, p.first_seen_seconds AS firstSeenSeconds,
  (SELECT json_group_object(a.account, a.role) FROM account_people a
    WHERE a.email = p.email AND ${knows("a.role", ACCOUNT_ROLES)}) AS roles`;

/** Every person by address: one query. */
export function peopleQuery(): Query<StoredPerson> {
  return query(`SELECT ${COLUMNS} FROM people p ORDER BY p.email`, [], row);
}

/** The person with an address (lower case): one row or none. */
export function personQuery(email: string): Query<StoredPerson> {
  return query(`SELECT ${COLUMNS} FROM people p WHERE p.email = ?1`, [email], row);
}

/** The person with an address (lower case); undefined if there is none. */
export async function findPerson(directory: LedgerDatabase, email: string): Promise<StoredPerson | undefined> {
  const [found] = await ask(directory, personQuery(email));
  return found;
}

/** Who changes something, and when. */
export interface ChangedBy {
  by: string;
  nowSeconds: number;
}

/** Stores what a person may do, in all accounts, replacing what was stored. */
export function putPerson({ email, entry }: Person, { by, nowSeconds }: ChangedBy): Change[] {
  const { isOperator, accounts } = authorityOf(entry);
  return [
    {
      sql: `INSERT INTO people (email, role, accounts, changed_seconds) VALUES (?1, ?2, '[]', ?3)
        ON CONFLICT (email) DO UPDATE SET role = excluded.role, accounts = '[]', changed_seconds = excluded.changed_seconds`,
      parameters: [email, isOperator ? "operator" : "member", nowSeconds],
    },
    { sql: "DELETE FROM account_people WHERE email = ?1", parameters: [email] },
    {
      sql: `INSERT INTO account_people (account, email, role, added_by, added_seconds)
        SELECT key, ?1, value, ?3, ?4 FROM json_each(?2)`,
      parameters: [email, JSON.stringify(accounts), by, nowSeconds],
    },
  ];
}

/** Removes a person; a missing one is no error. */
export function removePerson(email: string): Change[] {
  return [
    { sql: "DELETE FROM account_people WHERE email = ?1", parameters: [email] },
    { sql: "DELETE FROM people WHERE email = ?1", parameters: [email] },
  ];
}

/** A person's role in one account. */
export interface AccountPerson {
  account: string;
  email: string;
  role: AccountRole;
}

/** Gives a person a role in one account, or another one; what they may do elsewhere stays. */
export function putAccountPerson({ account, email, role }: AccountPerson, { by, nowSeconds }: ChangedBy): Change[] {
  return [
    ...withoutEarlierForm(email, nowSeconds),
    {
      sql: `INSERT INTO people (email, role, accounts, changed_seconds) VALUES (?1, 'member', '[]', ?2)
        ON CONFLICT (email) DO UPDATE SET changed_seconds = excluded.changed_seconds`,
      parameters: [email, nowSeconds],
    },
    {
      sql: `INSERT INTO account_people (account, email, role, added_by, added_seconds) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (account, email) DO UPDATE SET role = excluded.role`,
      parameters: [account, email, role, by, nowSeconds],
    },
  ];
}

/** Takes a person's role in one account away; with the last one the person goes. A missing one is no error. */
export function removeAccountPerson({ account, email }: Omit<AccountPerson, "role">, nowSeconds: number): Change[] {
  return [
    ...withoutEarlierForm(email, nowSeconds),
    { sql: "DELETE FROM account_people WHERE account = ?1 AND email = ?2", parameters: [account, email] },
    {
      sql: `DELETE FROM people WHERE email = ?1 AND role = 'member'
        AND NOT EXISTS (SELECT 1 FROM account_people WHERE email = ?1)`,
      parameters: [email],
    },
  ];
}

// The accounts of an owner of an earlier version are in the row itself, which no longer says anything once it has changed.
function withoutEarlierForm(email: string, nowSeconds: number): Change[] {
  return [
    {
      sql: `INSERT INTO account_people (account, email, role, added_by, added_seconds)
        SELECT value, email, 'administrator', '', ?2 FROM people, json_each(people.accounts)
        WHERE email = ?1 AND role = 'owner' ON CONFLICT (account, email) DO NOTHING`,
      parameters: [email, nowSeconds],
    },
    {
      sql: "UPDATE people SET role = 'member', accounts = '[]' WHERE email = ?1 AND role = 'owner'",
      parameters: [email],
    },
  ];
}

const accountPersonRow = v.object({
  account: v.string(),
  email: v.string(),
  role: accountRole,
  addedBy: v.string(),
  addedSeconds: v.number(),
  firstSeenSeconds: v.number(),
});

/** A person's role in an account, as stored. */
export type StoredAccountPerson = v.InferOutput<typeof accountPersonRow>;

/** The people of some accounts, by account and address; operators, who are in none, are not among them. */
export function accountPeopleQuery(accounts: readonly string[]): Query<StoredAccountPerson> {
  return query(
    `SELECT a.account, a.email, a.role, a.added_by AS addedBy, a.added_seconds AS addedSeconds,
      coalesce(p.first_seen_seconds, 0) AS firstSeenSeconds
    FROM json_each(?1) wanted JOIN account_people a ON a.account = wanted.value LEFT JOIN people p ON p.email = a.email
    WHERE ${knows("a.role", ACCOUNT_ROLES)} ORDER BY a.account, a.email`,
    [JSON.stringify(accounts)],
    accountPersonRow,
  );
}

/** Notes that a person came for the first time; later times change nothing. */
export function notePersonSeen(email: string, nowSeconds: number): Change {
  return {
    sql: "UPDATE people SET first_seen_seconds = ?2 WHERE email = ?1 AND first_seen_seconds = 0",
    parameters: [email, nowSeconds],
  };
}
