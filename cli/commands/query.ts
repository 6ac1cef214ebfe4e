/** `dmarc query`: a statement of one's own, in Analytics Engine's SQL. */
import type { Command } from "commander";
import { parseAnswer, type SqlAnswer, type SqlValue } from "../../shared/analytics/sql.ts";
import { csvLine } from "../../shared/csv.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printJson, printOut, printRaw, renderTable } from "../terminal.ts";

interface QueryOptions extends ConnectionOptions {
  json?: true;
  csv?: true;
}

const EXAMPLES = `
Examples:
  dmarc query "SELECT blob3 AS domain, count(DISTINCT blob1) AS reports FROM dmarc_records GROUP BY domain"
  dmarc query --csv "SELECT blob4 AS outcome, count(DISTINCT blob1) AS n FROM dmarc_events GROUP BY outcome" > outcomes.csv

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
  if (answer === undefined) return printRaw(text);
  if (options.json) return printJson(answer.rows);
  if (options.csv) return printRaw(renderCsv(answer));
  const { columns, rows } = answer;
  const table = renderTable(
    columns.map(({ name }) => name),
    listCells(answer),
  );
  printOut(`${table}\n${rows.length} ${rows.length === 1 ? "row" : "rows"}`);
}

function listCells({ columns, rows }: SqlAnswer): SqlValue[][] {
  return rows.map((row) => columns.map(({ name }) => row[name] ?? null));
}

function renderCsv(answer: SqlAnswer): string {
  return [answer.columns.map(({ name }) => name), ...listCells(answer)].map(csvLine).join("");
}
