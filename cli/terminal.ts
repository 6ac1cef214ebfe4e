/**
 * Tables and messages on a terminal. Removes control characters from every external text, so that a report cannot move
 * the cursor, colour the screen or reverse the writing direction.
 */
import Table from "cli-table3";
import { cleanDetail, escapeActing } from "../shared/report/problems.ts";

/** Ours: characters of a cell; five of them fit a wide terminal. */
const MAX_CELL_CHARS = 80;
/** R2 keys have up to 1,024 characters and must be copyable. */
const MAX_LINE_CHARS = 1200;

const ACTING_IN_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Text that is safe to print on one line, cut to `maxChars`. */
export function safeText(value: unknown, maxChars = MAX_CELL_CHARS): string {
  const text = typeof value === "object" && value !== null ? JSON.stringify(value) : String(value ?? "");
  return cleanDetail(text, maxChars);
}

/** Rows under headings, numbers right-aligned. */
export function renderTable(head: string[], rows: unknown[][]): string {
  const align = head.map((_, column) => (rows.some((row) => typeof row[column] === "number") ? "right" : "left"));
  const table = new Table({
    head: head.map((cell) => safeText(cell)),
    colAligns: align,
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) table.push(row.map((cell) => safeText(cell)));
  return table.toString();
}

/** Names and values, one pair per line, values aligned. */
export function renderPairs(pairs: [string, unknown][]): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${renderValue(value)}`).join("\n");
}

/** `2026-11-21` for seconds since 1970, "" for an invalid date. */
export function renderDay(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}

/** `2026-11-21 14:05`, UTC, for seconds since 1970. */
export function renderMinute(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}

/** Writes lines to standard output. */
export function printOut(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes one line of JSON to standard output, complete, with control characters escaped. */
export function printJson(value: unknown): void {
  printOut(escapeActing(JSON.stringify(value)));
}

/** Writes text unchanged for programs, and without control characters on a terminal. */
export function printRaw(text: string): void {
  process.stdout.write(process.stdout.isTTY ? text.replace(ACTING_IN_TEXT, "\ufffd") : text);
}

/** Writes one line to standard error. */
export function printError(text: string): void {
  process.stderr.write(`${safeText(text, 2000)}\n`);
}

function renderValue(value: unknown): string {
  return typeof value === "number" ? value.toLocaleString("en-US") : safeText(value, MAX_LINE_CHARS);
}

/**
 * Says on standard error that a list ends at a limit.
 *
 * @param which which ones are listed, or how to see the others
 */
export function noteLimit(items: readonly unknown[], limit: number, which: string): void {
  if (items.length >= limit) printError(`Only ${limit} are listed, and there may be more: ${which}.`);
}
