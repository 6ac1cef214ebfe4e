/** `dmarc audit`: who changed what. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { AUDITED_OPERATIONS } from "../../shared/contract/operations.ts";
import { csvLine } from "../../shared/csv.ts";
import type { AuditEntry } from "../../shared/ledger/audit.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { requireKnown } from "../known-names.ts";
import { numberBetween, readDay } from "../option-values.ts";
import { printError, printJson, printOut, renderMinute, renderTable } from "../terminal.ts";

const FORMATS = ["table", "csv", "ndjson"] as const;

interface AuditOptions extends ConnectionOptions {
  account?: string;
  domain?: string;
  who?: string;
  operation?: string;
  since?: string;
  until?: string;
  limit: number;
  format: (typeof FORMATS)[number];
}

const EXAMPLES = `
Examples:
  dmarc audit                                                  the newest changes
  dmarc audit --account acme --operation decideSender
  dmarc audit --who ann@ --since 2026-11-01 --until 2026-11-30
  dmarc audit --limit 0 --format ndjson > audit.ndjson         all of it, a line a change

Every change is in it, by page, command or API: who, what, the account and domain, and what was there before and after.
Exit code: 0 done, 1 wrong use or failure.`;

/** Adds the command. */
export function addAudit(program: Command): void {
  const command = program
    .command("audit")
    .description("Who changed what, newest first")
    .option("--account <name>", "changes of this account")
    .option("--domain <name>", "changes of this domain")
    .option("--who <text>", "part of the person's address")
    .option("--operation <name>", "one kind of change, as the API names it", readOperation)
    .option("--since <day>", "from this day, YYYY-MM-DD", readDay)
    .option("--until <day>", "up to this day, included", readDay)
    .option("--limit <count>", "how many at most, 0 = all", numberBetween(0), 100)
    .addOption(new Option("--format <format>", "output format").choices(FORMATS).default("table"))
    .addOption(new Option("--json", "one JSON object a line, as --format ndjson").implies({ format: "ndjson" }));
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(audit);
}

async function audit({ limit, format, ...options }: AuditOptions): Promise<void> {
  const { account, domain, who, operation, since, until } = options;
  const rows: unknown[][] = [];
  let count = 0;
  if (format === "csv") process.stdout.write(csvLine(CSV_COLUMNS));
  const client = connect(options);
  for await (const entry of client.each("listAudit", { account, domain, who, operation, since, until })) {
    if (format === "ndjson") printJson(entry);
    else if (format === "csv") process.stdout.write(csvLine(csvOf(entry)));
    else rows.push(rowOf(entry));
    if (++count === limit) break;
  }
  if (limit > 0 && count === limit)
    printError(`Only the newest ${limit} are listed, and there may be more: --limit 0 lists all.`);
  if (count === 0) await requireKnown(client, { account, domain });
  if (format !== "table") return;
  if (rows.length === 0) return printOut("No change matches.");
  printOut(renderTable(["when", "who", "what", "account", "domain", "outcome", "before", "after"], rows));
}

const CSV_COLUMNS = ["at", "who", "operation", "account", "domain", "outcome", "message", "input", "before", "after"];

function csvOf({ atSeconds, who, operation, account, domain, outcome, message, ...states }: AuditEntry): string[] {
  const { input, before, after } = states;
  return [
    new Date(atSeconds * 1000).toISOString(),
    who,
    operation,
    account,
    domain,
    outcome,
    message,
    ...[input, before, after].map((state) => JSON.stringify(state)),
  ];
}

function rowOf({ atSeconds, who, operation, account, domain, outcome, before, after }: AuditEntry): unknown[] {
  const at = renderMinute(atSeconds);
  return [at, who, operation, account, domain, outcome, before ?? "", after ?? ""];
}

function readOperation(text: string): string {
  if (AUDITED_OPERATIONS.some((name) => name === text)) return text;
  throw new InvalidArgumentError(`Use one of ${AUDITED_OPERATIONS.join(", ")}.`);
}
