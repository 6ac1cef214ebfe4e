/** What every statement and every reader of an answer needs: slots by column name, literals, values of a row. Pure. */
import { type Column, DATASETS, type DatasetId } from "./columns.ts";

/** A row of an answer, as the SQL client returns it. */
export type AnswerRow = Record<string, unknown>;

/** A statement and how to read a row of its answer. */
export interface Query<Row> {
  sql: string;
  read(row: AnswerRow): Row;
}

export type SlotsOf<D extends DatasetId> = Record<keyof (typeof DATASETS)[D]["columns"], string>;

/** Column name → SQL name of a dataset, as the one table of columns says. */
export function slotsOf<D extends DatasetId>(dataset: D): SlotsOf<D> {
  const columns: Record<string, Column> = DATASETS[dataset].columns;
  return Object.fromEntries(Object.entries(columns).map(([name, { slot }]) => [name, slot])) as SlotsOf<D>;
}

/** A text field of an answer's row. */
export function textOf(row: AnswerRow, name: string): string {
  return String(row[name] ?? "");
}

/** A number of an answer's row; what is no number is 0. */
export function numberOf(row: AnswerRow, name: string): number {
  const value = Number(row[name] ?? 0);
  return Number.isFinite(value) ? value : 0;
}

/**
 * The name of a domain or an account as a literal, a quote in it doubled.
 *
 * @throws RangeError for a name with a backslash, which no domain and no account has: what one means in a literal is not
 *   documented
 */
export function quoteName(name: string): string {
  if (name.includes("\\")) throw new RangeError("A name with a backslash cannot be part of a statement.");
  return `'${name.toWellFormed().replaceAll("'", "''")}'`;
}
