/** Rows as CSV and JSON. Pure. A spreadsheet must never run what a stranger wrote into a report. */
import type { TableColumn } from "./table.ts";

/** What a spreadsheet takes for the beginning of a formula, white space in front of it included. */
const FORMULA = /^[\s]*[=+\-@]|^[\t\r]/;
/** The same behind what ends a field where a spreadsheet expects other separators than commas, quotes or not. */
const LATER_FORMULA = /([;\t][^\S\t]*)(?=[=+\-@])/g;

/** CSV (RFC 4180) with a line of column keys. Texts that look like a formula get a `'` in front. */
export function buildCsv<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[]): string {
  const lines = [
    columns.map(({ key }) => csvField(key)),
    ...rows.map((row) => columns.map((c) => csvField(c.value(row)))),
  ];
  return lines.map((fields) => `${fields.join(",")}\r\n`).join("");
}

/** JSON: a list of objects by column key. */
export function buildJson<Row>(rows: readonly Row[], columns: readonly TableColumn<Row>[]): string {
  const items = rows.map((row) => Object.fromEntries(columns.map(({ key, value }) => [key, value(row)])));
  return `${JSON.stringify(items, null, 2)}\n`;
}

function csvField(value: string | number): string {
  if (typeof value === "number") return Number.isFinite(value) ? String(value) : "";
  const safe = (FORMULA.test(value) ? `'${value}` : value).replaceAll(LATER_FORMULA, "$1'");
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
