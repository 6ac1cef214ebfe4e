/** `dmarc query`: runs an SQL statement on Analytics Engine. */
import type { Command } from "commander";
import { statementAdvice } from "../../local/analytics/advice.ts";
import { checkStatement, type Refusal } from "../../local/analytics/dialect.ts";
import { parseAnswer, type SqlAnswer, type SqlValue } from "../../shared/analytics/sql.ts";
import { EXAMPLE_STATEMENTS } from "../../shared/analytics/statements.ts";
import { csvLine } from "../../shared/csv.ts";
import { ANALYTICS_LIMITS } from "../../shared/limits.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printError, printJson, printOut, printRaw, renderTable } from "../terminal.ts";

/** The API's problem code for a refused statement. */
const REFUSED = new Set(["invalid_statement", "no_data"]);
const NOTHING_WRITTEN: Record<string, string> = { no_data: "No point of what the statement names was written yet." };

interface QueryOptions extends ConnectionOptions {
  json?: true;
  csv?: true;
}

const EXAMPLES = `
Examples:
  dmarc query "${EXAMPLE_STATEMENTS.reportsByDomain}"
  dmarc query --csv "${EXAMPLE_STATEMENTS.eventsByOutcome}" > outcomes.csv

docs/analytics.md lists the columns. Points are written at least once: collapse them on their identity, newest
generation first, as the statements there do. A warning on standard error says what a statement forgets. What the engine
refuses is shown in its words, with what to write instead. With a FORMAT clause of its own the answer is printed as it
comes. In CSV a text that a spreadsheet would run as a formula gets a ' before it; --json leaves every text as it is.`;

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
  const text = await ask(sql, options);
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

// The statement is sent even if the local check would refuse it: the service decides, in its own words.
async function ask(sql: string, options: ConnectionOptions): Promise<string> {
  const checked = checkStatement(sql);
  if (Buffer.byteLength(sql) > ANALYTICS_LIMITS.maxSqlBytes && !checked.ok)
    throw new CommandError(sentences(checked.error));
  let answer: string;
  try {
    answer = await connect(options).ask("query", { sql });
  } catch (error) {
    if (!(error instanceof CommandError) || !REFUSED.has(error.code ?? "")) throw error;
    const hint = checked.ok ? NOTHING_WRITTEN[error.code ?? ""] : checked.error.hint;
    throw new CommandError(sentences({ message: error.message, hint }), error.code);
  }
  for (const advice of checked.ok ? statementAdvice(checked.value) : []) printError(`dmarc: ${advice}`);
  return answer;
}

function sentences({ message, hint }: Pick<Refusal, "message" | "hint">): string {
  return hint === undefined ? message : `${message.replace(/\.$/, "")}. ${hint}`;
}

function listCells({ columns, rows }: SqlAnswer): SqlValue[][] {
  return rows.map((row) => columns.map(({ name }) => row[name] ?? null));
}

function renderCsv(answer: SqlAnswer): string {
  return [answer.columns.map(({ name }) => name), ...listCells(answer)].map(csvLine).join("");
}
