/**
 * D1 as the ledger uses it, and how its rows become typed values. Nothing outside of shared/ledger knows tables or columns.
 * Lists travel as one JSON parameter (`json_each`), since a statement takes at most 100 parameters.
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

/** What D1 answers; `meta` tells what it cost. */
export interface LedgerResult {
  results: unknown[];
  meta: { rows_read?: number; rows_written?: number };
}

/** Bound to a statement. Blobs travel as hex, through `unhex` and `hex`. */
export type Parameter = string | number | null;

/** A statement with its parameters, and how to read a row of its answer. */
export interface Query<Row> {
  sql: string;
  parameters: Parameter[];
  /** @throws ValiError when the row has not the columns it must have: a bug, or a newer migration */
  read(row: unknown): Row;
  /** How rows of several databases become one answer; absent = one after the other. */
  combine?(parts: Row[][]): Row[];
}

/** A statement that changes something. */
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
export async function ask<Row>(database: LedgerDatabase, { sql, parameters, read }: Query<Row>): Promise<Row[]> {
  const { results } = await database
    .prepare(sql)
    .bind(...parameters)
    .all();
  return results.map(read);
}

/** Runs changes as one transaction. @throws whatever D1 throws; nothing has changed then, or all of it has */
export async function change(database: LedgerDatabase, changes: readonly Change[]): Promise<LedgerResult[]> {
  if (changes.length === 0) return [];
  return database.batch(changes.map(({ sql, parameters }) => database.prepare(sql).bind(...parameters)));
}

/** A column that holds JSON, read by a schema of its own. */
export function jsonColumn<Schema extends v.GenericSchema>(schema: Schema) {
  return v.pipe(v.string(), v.parseJson(), schema);
}

/** Whether a fault is a transaction's own refusal: the ledger had changed since it was looked at. */
export function isChangedMeanwhile(error: unknown): boolean {
  return String(error).includes("CHECK constraint failed: unchanged");
}
