/**
 * CSV (RFC 4180), one writer for the pages' exports and the CLI. Pure, linear in the length of a text. A spreadsheet must
 * never run what a stranger wrote into a report, whichever separator it expects.
 */

/** One field. A number that is none, and null, are empty fields. */
export type CsvValue = string | number | null;

/** What a spreadsheet takes for the beginning of a formula: = + - @, and their full-width and small forms. */
const FORMULA = "=+\\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212";
/** What a spreadsheet skips before it: white space, quotes, controls and marks that are not seen. */
const SKIPPED = '\\s"\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069';

const BEGINS_FORMULA = new RegExp(`^[${SKIPPED};]*[${FORMULA}]|^[\\t\\r\\n]`);
/** A run is taken whole, whatever follows, so that no character is looked at twice. */
const RUN = new RegExp(`[${SKIPPED};]+`, "g");
const FORMULA_CHARACTER = new RegExp(`[${FORMULA}]`);
/** What ends a field or a row for a spreadsheet that expects other separators than commas, and then sees no quotes. */
const SEPARATOR = /[;\t\r\n]/;
const QUOTED = /[",;\t\r\n']/;

/**
 * One line with its end (CR LF). A text that looks like a formula, or would look like one to a spreadsheet that splits at
 * semicolons or tabs, gets a `'` before it; nothing else is changed.
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
