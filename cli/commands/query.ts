/** `dmarc query`: a statement of one's own, in Analytics Engine's SQL. */
import type { Command } from "commander";
import { parseAnswer, type SqlAnswer, type SqlValue } from "../../shared/analytics/sql.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printOut, renderTable } from "../terminal.ts";

interface QueryOptions extends ConnectionOptions {
  json?: true;
  csv?: true;
}

const EXAMPLES = `
Examples:
  dmarc query "SELECT blob3 AS domain, sum(double4) AS messages FROM dmarc_records GROUP BY domain"
  dmarc query --csv "SELECT blob4 AS outcome, count() AS n FROM dmarc_events GROUP BY outcome" > outcomes.csv

docs/analytics.md lists the columns. Points are written at least once: collapse them on their identity, newest
generation first, as the statements there do. With a FORMAT clause of its own the answer is printed as it comes.
In CSV a text that a spreadsheet would run as a formula gets a ' before it; --json leaves every text as it is.`;

/** Adds the command. */
export function addQuery(program: Command): void {
  const command = program
    .command("query")
    .description("Run a statement of your own in Analytics Engine")
    .argument("<sql>", "one statement")
    .option("--json", "the rows as JSON, one an element")
    .option("--csv", "the rows as CSV with a heading");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printQuery);
}

async function printQuery(sql: string, options: QueryOptions): Promise<void> {
  const text = await connect(options).query(sql);
  const answer = parseAnswer(text);
  if (answer === undefined) process.stdout.write(text);
  else printOut(renderAnswer(answer, options));
}

function renderAnswer({ columns, rows }: SqlAnswer, { json, csv }: QueryOptions): string {
  if (json) return JSON.stringify(rows);
  const names = columns.map(({ name }) => name);
  const cells = rows.map((row) => names.map((name) => row[name] ?? null));
  if (csv) return [names, ...cells].map((line) => line.map(renderCsvCell).join(",")).join("\r\n");
  return `${renderTable(names, cells)}\n${rows.length} ${rows.length === 1 ? "row" : "rows"}`;
}

// A spreadsheet takes a cell that starts with one of these for a formula; the text comes from strangers.
function renderCsvCell(value: SqlValue): string {
  if (typeof value !== "string") return String(value ?? "");
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
