/** Removes what the ledger holds of an account, in bounded steps, each of which can be repeated; and reads it for an export. */
import * as v from "valibot";
import { toHex } from "../identity.ts";
import { FORGET_LIMITS } from "../limits.ts";
import { ACCOUNT_TABLES, type AccountTable, ALSO_EXPORTED } from "./account-tables.ts";
import { ask, type Change, change, type LedgerDatabase, type Parameter, type Query, query } from "./database.ts";
import { removeDayUsesOf } from "./day-uses.ts";

/** Whose rows: the account, with its addresses and domains as JSON lists. */
export interface RowOwner {
  account: string;
  ruas: string;
  domains: string;
}

/** A condition in SQL with its parameters. */
interface Condition {
  sql: string;
  parameters: Parameter[];
}

/** The rows of an account in a table. */
function conditionOf({ table, by }: AccountTable, { account, ruas, domains }: RowOwner): Condition {
  if (by === "account") return { sql: "account = ?1", parameters: [account] };
  if (by === "address") return { sql: "rua IN (SELECT value FROM json_each(?1))", parameters: [ruas] };
  if (by === "accountOrAddress") {
    const sql = "(account = ?1 OR (account = '' AND rua IN (SELECT value FROM json_each(?2))))";
    return { sql, parameters: [account, ruas] };
  }
  if (by === "reading") {
    const sql = `reading IN (SELECT r.reading FROM reports r WHERE r.reading IS NOT NULL AND r.account = ?1)`;
    return { sql, parameters: [account] };
  }
  if ("host" in by) {
    const sql = `EXISTS (SELECT 1 FROM json_each(?1) w WHERE ${table}.${by.host} = w.value
      OR substr(${table}.${by.host}, -length(w.value) - 1) = '.' || w.value)`;
    return { sql, parameters: [domains] };
  }
  const sql = `(EXISTS (SELECT 1 FROM json_each(?1) w WHERE instr(${by.text}, w.value) > 0)
    OR EXISTS (SELECT 1 FROM json_each(?2) w WHERE instr(${by.text}, w.value) > 0))`;
  return { sql, parameters: [ruas, domains] };
}

/** One step of removal. */
export interface Removed {
  rows: number;
  /** Addresses that the rows named. */
  ruas: string[];
  /** Where the table continues; undefined = the table is done. */
  after: string | undefined;
}

/** Tables whose rows say which address they came to. */
const WITH_ADDRESS = new Set(["reports", "objects", "dead_letters"]);

/**
 * Removes some of an account's rows from one table of one database.
 *
 * @param after where the step before ended, "" = at the beginning
 */
export async function removeAccountRows(
  database: LedgerDatabase,
  table: AccountTable,
  { owner, after }: { owner: RowOwner; after: string },
): Promise<Removed> {
  const { sql, parameters } = conditionOf(table, owner);
  const key = table.key.join(", ");
  const only = table.only === undefined ? "" : ` AND ${table.only}`;
  const rua = WITH_ADDRESS.has(table.table) ? "rua" : "''";
  const window = table.isScanned === true ? await nextWindow(database, table, after) : undefined;
  const next = parameters.length + 1;
  const bounds = windowBounds(table, { after, last: window }, next);
  const where = `FROM ${table.table} WHERE ${sql}${only}${bounds.sql} ${table.isScanned ? "" : `LIMIT ?${next}`}`;
  const given = [...parameters, ...(table.isScanned ? bounds.parameters : [FORGET_LIMITS.rowsPerStatement])];
  const changes = [
    {
      sql: `DELETE FROM ${table.table} WHERE (${key}) IN (SELECT ${key} ${where}) RETURNING ${rua} AS rua`,
      parameters: given,
    },
  ];
  if (table.table === "objects")
    changes.unshift(removeDayUsesOf({ sql: `SELECT account, rua, day ${where}`, parameters: given }));
  const removed = (await change(database, changes)).at(-1);
  const rows = v.parse(v.array(v.object({ rua: v.string() })), removed?.results ?? []);
  const isMore = table.isScanned ? window !== undefined : rows.length === FORGET_LIMITS.rowsPerStatement;
  const ruas = [...new Set(rows.map((row) => row.rua))].filter((name) => name !== "");
  return { rows: rows.length, ruas, after: isMore ? (window ?? "") : undefined };
}

/** The last key of the rows that a step looks at; undefined when it looks at the rest. */
async function nextWindow(
  database: LedgerDatabase,
  { table, key }: AccountTable,
  after: string,
): Promise<string | undefined> {
  const columns = key.join(", ");
  const isAfter = after === "" ? "" : `WHERE (${columns}) > (${keyParts(key, 2)})`;
  const { results } = await database
    .prepare(`SELECT ${columns} FROM ${table} ${isAfter} ORDER BY ${columns} LIMIT 1 OFFSET ?1`)
    .bind(FORGET_LIMITS.rowsScanned - 1, ...(after === "" ? [] : [after]))
    .all();
  const [last] = v.parse(v.array(v.record(v.string(), v.unknown())), results);
  return last === undefined ? undefined : keyText(last, key);
}

function windowBounds(
  { key, isScanned }: AccountTable,
  { after, last }: { after: string; last: string | undefined },
  next: number,
): Condition {
  if (isScanned !== true) return { sql: "", parameters: [] };
  const columns = key.join(", ");
  const parameters: Parameter[] = [];
  let sql = "";
  for (const [sign, place] of [
    [">", after],
    ["<=", last],
  ] as const) {
    if (place === undefined || place === "") continue;
    sql += ` AND (${columns}) ${sign} (${keyParts(key, next + parameters.length)})`;
    parameters.push(place);
  }
  return { sql, parameters };
}

/** A key that is given as JSON, as values in SQL: a part is bytes, as hex, or a number or text as it is. */
function keyParts(key: readonly string[], parameter: number): string {
  return key
    .map((_, place) => {
      const hex = `?${parameter} ->> '$[${place}].hex'`;
      return `iif(${hex} IS NULL, ?${parameter} ->> '$[${place}]', unhex(${hex}))`;
    })
    .join(", ");
}

function keyText(row: Record<string, unknown>, key: readonly string[]): string {
  return JSON.stringify(
    key.map((name) => {
      const value = row[name];
      return typeof value === "number" || typeof value === "string" ? value : { hex: exported(value) };
    }),
  );
}

/** Takes an account from the people who see it; those of no other account go. */
export function removeFromPeople(account: string, nowSeconds: number): Change[] {
  // Rows of owners of earlier versions name their accounts themselves.
  const isNamed = "EXISTS (SELECT 1 FROM json_each(people.accounts) WHERE value = ?1)";
  return [
    {
      sql: `DELETE FROM people WHERE role = 'member' AND email IN (SELECT email FROM account_people WHERE account = ?1)
        AND NOT EXISTS (SELECT 1 FROM account_people o WHERE o.email = people.email AND o.account <> ?1)`,
      parameters: [account],
    },
    {
      sql: `DELETE FROM people WHERE role = 'owner' AND ${isNamed} AND json_array_length(accounts) = 1`,
      parameters: [account],
    },
    {
      sql: `UPDATE people SET changed_seconds = ?2,
          accounts = (SELECT json_group_array(value) FROM json_each(people.accounts) WHERE value <> ?1)
        WHERE ${isNamed}`,
      parameters: [account, nowSeconds],
    },
    { sql: "DELETE FROM account_people WHERE account = ?1", parameters: [account] },
  ];
}

/** A round over the domains that is at the account begins again. */
export function leaveWatchRound(account: string): Change {
  return { sql: "UPDATE watch_round SET account = '', domain = '' WHERE account = ?1", parameters: [account] };
}

/** The account's own row. */
export function removeAccount(account: string): Change {
  return { sql: "DELETE FROM accounts WHERE account = ?1", parameters: [account] };
}

/** Addresses of an account that are still registered, a page. */
export async function addressesToClose(directory: LedgerDatabase, account: string, limit: number): Promise<string[]> {
  const rows = await ask(
    directory,
    query(
      "SELECT rua FROM addresses WHERE account = ?1 AND removed = 0 ORDER BY rua LIMIT ?2",
      [account, limit],
      v.object({ rua: v.string() }),
    ),
  );
  return rows.map(({ rua }) => rua);
}

/** Whether copies of an account's addresses are still to be taken from KV. */
export async function isCopyLeft(directory: LedgerDatabase, account: string): Promise<boolean> {
  const found = await ask(
    directory,
    query("SELECT 1 AS one FROM addresses WHERE account = ?1 LIMIT 1", [account], v.object({ one: v.number() })),
  );
  return found.length > 0;
}

/** Ends the registration of addresses of an account; their copies in KV are due. */
export function closeAddresses(account: string, ruas: readonly string[], nowSeconds: number): Change {
  return {
    sql: `UPDATE addresses SET removed = 1, version = version + 1, changed_seconds = ?3
      WHERE account = ?1 AND rua IN (SELECT value FROM json_each(?2)) AND removed = 0`,
    parameters: [account, JSON.stringify(ruas), nowSeconds],
  };
}

/** Domains that an account has in one database, or names in its addresses. */
export function domainsHeldQuery(account: string): Query<{ domain: string }> {
  return query(
    `SELECT domain FROM domain_days WHERE account = ?1 UNION SELECT domain FROM registered_domains WHERE account = ?1
    UNION SELECT d.value FROM addresses a, json_each(a.entry, '$.domains') d WHERE a.account = ?1`,
    [account],
    v.object({ domain: v.string() }),
  );
}

const accountRow = v.object({ place: v.number(), account: v.string() });

/** Whose rows raw objects have in one database: place in the list → account. */
export async function accountsOfObjects(
  database: LedgerDatabase,
  references: readonly [rua: string, day: number, objectHash: string][],
): Promise<{ place: number; account: string }[]> {
  if (references.length === 0) return [];
  return ask(
    database,
    query(
      `SELECT w.key AS place, o.account FROM json_each(?1) w
      JOIN objects o ON o.rua = w.value ->> 0 AND o.day = w.value ->> 1 AND o.object_hash = unhex(w.value ->> 2)`,
      [JSON.stringify(references)],
      accountRow,
    ),
  );
}

/** A row in an export: values by column, bytes as hex. */
export type ExportedRow = Record<string, Parameter>;

/** Tables that are exported. */
export const EXPORTED_TABLES: readonly AccountTable[] = [
  ...ALSO_EXPORTED,
  ...ACCOUNT_TABLES.filter(({ isOnlyForgotten }) => !isOnlyForgotten),
];

/** A page of an account's rows in one table, and where the next one begins; "" = at the end. */
export interface ExportedRows {
  rows: ExportedRow[];
  after: string;
}

/** Reads a page of an account's rows. @param after where the previous page ended; "" = at the beginning */
export async function readAccountRows(
  database: LedgerDatabase,
  table: AccountTable,
  { owner, after }: { owner: RowOwner; after: string },
): Promise<ExportedRows> {
  const { sql, parameters } = conditionOf(table, owner);
  const key = table.key.join(", ");
  const limit = parameters.length + 1;
  const isAfter = after === "" ? "" : `AND (${key}) > (${keyParts(table.key, limit + 1)})`;
  const rowid = table.key[0] === "rowid" ? "rowid AS rowid, " : "";
  const { results } = await database
    .prepare(`SELECT ${rowid}* FROM ${table.table} WHERE ${sql} ${isAfter} ORDER BY ${key} LIMIT ?${limit}`)
    .bind(...parameters, exportedRows(table), ...(after === "" ? [] : [after]))
    .all();
  return pageOf(v.parse(v.array(v.record(v.string(), v.unknown())), results), table);
}

function exportedRows({ hasFigures }: AccountTable): number {
  return hasFigures === true ? FORGET_LIMITS.exportedFigureRows : FORGET_LIMITS.exportedRows;
}

function pageOf(results: Record<string, unknown>[], table: AccountTable): ExportedRows {
  const { key, secret = [] } = table;
  const rows: ExportedRow[] = [];
  let chars = 0;
  let after = "";
  for (const result of results) {
    const values = Object.entries(result).map(([name, value]): [string, Parameter] => [name, exported(value)]);
    const row: ExportedRow = Object.fromEntries(values.filter(([name]) => name !== "rowid" && !secret.includes(name)));
    rows.push(row);
    after = keyText(result, key);
    chars += JSON.stringify(row).length;
    if (chars > FORGET_LIMITS.exportedChars) return { rows, after };
  }
  return { rows, after: results.length < exportedRows(table) ? "" : after };
}

/** @throws ValiError for a value that SQLite does not have */
function exported(value: unknown): Parameter {
  if (value === null || typeof value === "number" || typeof value === "string") return value;
  // D1 gives bytes as a list of numbers, SQLite as an array of them.
  const bytes = v.parse(
    v.array(v.number()),
    value instanceof ArrayBuffer ? [...new Uint8Array(value)] : bytesOf(value),
  );
  return toHex(Uint8Array.from(bytes));
}

function bytesOf(value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value;
}
