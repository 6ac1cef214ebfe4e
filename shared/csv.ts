/**
 * CSV (RFC 4180): the writer for exports and the CLI, and the reader for imports. Pure, linear in the length of a text. A
 * spreadsheet must never execute what a stranger wrote into a report, whichever separator it expects.
 */

/** One field. NaN and null become empty fields. */
export type CsvValue = string | number | null;

/** Characters that start a formula in a spreadsheet: = + - @, and their full-width and small forms. */
const FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212";
/** Characters that a spreadsheet skips before it: white space, quotes, controls and invisible marks. */
const SKIPPED = '\\s"\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069';

const BEGINS_FORMULA = new RegExp(`^[${SKIPPED};]*[${FORMULA}]|^[\\t\\r\\n]`);
/** Matches a run as a whole, so that no character is examined twice. */
const RUN = new RegExp(`[${SKIPPED};]+`, "g");
const FORMULA_CHARACTER = new RegExp(`[${FORMULA}]`);
/**
 * Characters that end a field or row for a spreadsheet that expects another separator than the comma, and so ignores
 * the quotes.
 */
const SEPARATOR = /[;\t\r\n]/;
const QUOTED = /[",;\t\r\n']/;

/**
 * One line including its CR LF. A text that looks like a formula, or would in a spreadsheet that splits at semicolons
 * or tabs, is prefixed with `'`; nothing else is changed.
 */
export function csvLine(values: readonly CsvValue[]): string {
  return `${values.map(csvField).join(",")}\r\n`;
}

function csvField(value: CsvValue): string {
  if (typeof value !== "string") return Number.isFinite(value) ? String(value) : "";
  const guarded = guardLater(value);
  const safe = BEGINS_FORMULA.test(value) ? `'${guarded}` : guarded;
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function guardLater(text: string): string {
  return text.replace(RUN, (run: string, at: number) => {
    const next = text.charAt(at + run.length);
    return SEPARATOR.test(run) && FORMULA_CHARACTER.test(next) ? `${run}'` : run;
  });
}

/** A line of a file; a quoted field may hold line ends, so that it takes several. */
export interface CsvRow {
  /** Of its begin, from 1. */
  line: number;
  fields: string[];
}

/** From the begin of its field on, to the end of the file where its quote is never closed. */
const QUOTED_FIELD = /(^|[,;\r\n])"(?:[^"]|"")*(?:"|$)/g;

/**
 * The lines of a file: fields apart by commas, or by semicolons where the first line has more of them, as spreadsheets of some
 * countries write; quoted where they hold either. A byte order mark is skipped, a quote that is never closed ends with the file.
 */
export function readCsv(text: string): CsvRow[] {
  const content = text.replace(/^\ufeff/, "");
  const [first = ""] = content.replaceAll(QUOTED_FIELD, "$1").split(/\r?\n|\r/, 1);
  const separator = first.split(";").length > first.split(",").length ? ";" : ",";
  // A field, quoted or not, and what ends it.
  const field = new RegExp(
    `(?:"((?:[^"]|"")*)(?:"|$)[^${separator}\\r\\n]*|([^${separator}\\r\\n]*))(${separator}|\\r?\\n|\\r|$)`,
    "y",
  );
  const rows: CsvRow[] = [];
  let line = 1;
  let row: CsvRow = { line, fields: [] };
  while (field.lastIndex < content.length) {
    const found = field.exec(content);
    if (found === null) break;
    const [whole, quoted, plain = "", end = ""] = found;
    row.fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end === separator) {
      if (field.lastIndex === content.length) row.fields.push("");
      continue;
    }
    rows.push(row);
    row = { line, fields: [] };
  }
  if (row.fields.length > 0) rows.push(row);
  return rows;
}
