/**
 * D1 as the ledger uses it, and how rows become typed values. Nothing outside shared/ledger knows tables or columns.
 * Lists are passed as one JSON parameter (`json_each`), since a statement takes at most 100 parameters.
 */
import * as v from "valibot";

/** The part of D1Database the ledger needs. */
export interface LedgerDatabase {
  prepare(sql: string): LedgerStatement;
  /** One transaction: all of it or nothing. */
  batch(statements: LedgerStatement[]): Promise<LedgerResult[]>;
}

/** A prepared statement, as of D1. */
export interface LedgerStatement {
  bind(...parameters: Parameter[]): LedgerStatement;
  all(): Promise<LedgerResult>;
}

/** D1's answer; `meta` has its cost. */
export interface LedgerResult {
  results: unknown[];
  meta: { rows_read?: number; rows_written?: number; size_after?: number };
}

/** How large a database is, bytes; 0 where D1 does not say. @throws whatever D1 throws */
export async function databaseBytes(database: LedgerDatabase): Promise<number> {
  return (await askSized(database, query("SELECT 1 FROM accounts LIMIT 1", [], v.unknown()))).bytes;
}

/** A bound value. Blobs are passed as hex, through `unhex` and `hex`. */
export type Parameter = string | number | null;

/** A statement with its parameters, and how to read a row of its answer. */
export interface Query<Row> {
  sql: string;
  parameters: Parameter[];
  /** @throws ValiError when the row lacks the expected columns: a bug, or a newer migration */
  read(row: unknown): Row;
  /** How rows of several databases are combined; absent = concatenated. */
  combine?(parts: Row[][]): Row[];
}

/** A statement that changes data. */
export interface Change {
  sql: string;
  parameters: Parameter[];
}

/**
 * Builds a query.
 *
 * @param schema the columns of a row, by name
 */
export function query<Schema extends v.GenericSchema>(
  sql: string,
  parameters: Parameter[],
  schema: Schema,
): Query<v.InferOutput<Schema>> {
  return { sql, parameters, read: (row) => v.parse(schema, row) };
}

/** Rows of a query. @throws whatever D1 throws */
export async function ask<Row>(database: LedgerDatabase, asked: Query<Row>): Promise<Row[]> {
  return (await askSized(database, asked)).rows;
}

/** The same, and how large the database is, bytes; 0 where D1 does not say (developers.cloudflare.com/d1/worker-api/return-object). */
export async function askSized<Row>(
  database: LedgerDatabase,
  { sql, parameters, read }: Query<Row>,
): Promise<{ rows: Row[]; bytes: number }> {
  const { results, meta } = await database
    .prepare(sql)
    .bind(...parameters)
    .all();
  return { rows: results.map(read), bytes: meta?.size_after ?? 0 };
}

/** Queries that are asked in one call, all at the same moment of the database: each call takes its time, and CPU. */
export class OneCall {
  readonly #asked: (Change & { take(results: unknown[]): void })[] = [];

  /** @returns the query's rows, to be called when `send` has resolved */
  add<Row>({ sql, parameters, read }: Query<Row>): () => Row[] {
    let answered: unknown[] = [];
    const take = (results: unknown[]): void => {
      answered = results;
    };
    this.#asked.push({ sql, parameters, take });
    return () => answered.map(read);
  }

  /** @throws whatever D1 throws */
  async send(database: LedgerDatabase): Promise<void> {
    const results = await change(database, this.#asked);
    for (const [place, { take }] of this.#asked.entries()) take(results[place]?.results ?? []);
  }
}

/** Runs changes as one transaction. @throws whatever D1 throws; then either nothing or everything has changed */
export async function change(database: LedgerDatabase, changes: readonly Change[]): Promise<LedgerResult[]> {
  if (changes.length === 0) return [];
  return database.batch(changes.map(({ sql, parameters }) => database.prepare(sql).bind(...parameters)));
}

/**
 * Whether D1 refuses to read, or to write, until the day ends (UTC): since September 2026 it does on the free plan
 * (developers.cloudflare.com/d1/observability/debug-d1/#error-list).
 */
export function isUsedUpForToday(error: unknown): boolean {
  return /exceeded D1's free tier daily row (?:read|write) limit/.test(String(error));
}

/**
 * Whether D1 refuses what needs more room: its database, or all of the account's, are as large as the plan allows. Deleting goes on,
 * and what fits into the room that it leaves is written (developers.cloudflare.com/d1/observability/debug-d1/#error-list).
 */
export function isFull(error: unknown): boolean {
  return /Exceeded maximum (?:DB size|account storage)/.test(String(error));
}

/**
 * The condition that a column holds a word that this version knows. A newer version, which was taken back since, may have
 * written others: rows with one of those are left out, instead of ending the whole list.
 */
export function knows(column: string, words: readonly string[]): string {
  return `${column} IN (${words.map((word) => `'${word}'`).join(", ")})`;
}

/** A column that holds JSON, with the schema of the JSON. */
export function jsonColumn<Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(v.string(), v.parseJson(), schema);
}

/** Whether an error is the transaction's own refusal because the ledger changed since the lookup. */
export function isChangedMeanwhile(error: unknown): boolean {
  return String(error).includes("CHECK constraint failed: unchanged");
}

/** A text to search for in texts that SQLite made small: its `lower` knows the letters of ASCII only. */
export function lowered(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
