/** `dmarc accounts add-people`: gives the people of a CSV file their roles in accounts, a result a line. */
import { type Command, Option } from "commander";
import { readCsv } from "../../shared/csv.ts";
import { ACCOUNT_LIMITS } from "../../shared/limits.ts";
import { ACCOUNT_ROLES, type AccountRole } from "../../shared/people.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { readGivenFile } from "../given-file.ts";
import { printJson, printOut, safeText } from "../terminal.ts";

interface PeopleOptions extends ConnectionOptions {
  role: AccountRole;
  dryRun?: boolean;
  json?: true;
}

/** A line that names a person, or what is wrong with it. */
interface PersonLine {
  /** In the file, from 1. */
  line: number;
  account: string;
  address: string;
  role: string;
  error?: string;
}

const COLUMNS = ["account", "address", "role"] as const;
/** Ours: the longest sentence about a line. */
const MAX_CHARS = 500;

/** Adds the command to its group. */
export function addAddPeople(group: Command, examples: string): void {
  const command = group
    .command("add-people <file>")
    .description("Give the people of a CSV file a role in accounts, or another one")
    .addOption(new Option("--role <role>", "role of lines that name none").choices(ACCOUNT_ROLES).default("viewer"))
    .option("--dry-run", "only say what is wrong with the file")
    .option("--json", "one JSON document");
  addConnectionOptions(command).addHelpText("after", examples).action(addPeople);
}

async function addPeople(file: string, { role, dryRun = false, json, ...connection }: PeopleOptions): Promise<void> {
  const client = connect(connection);
  const done: PersonLine[] = [];
  for (const line of readPeople((await readGivenFile(file)).toString("utf8"), role, file)) {
    const result = dryRun || line.error !== undefined ? line : await addPerson(client, line);
    done.push(result);
    if (!json) printOut(renderLine(result, dryRun));
  }
  const errors = done.filter(({ error }) => error !== undefined).length;
  if (json) printJson(done);
  else printOut(`${done.length - errors} ${dryRun ? "would be given" : "given"}, ${errors} with errors.`);
  if (errors > 0) process.exitCode = exitCodes.rejected;
}

/** @throws CommandError for a file without the columns, or with too many lines */
function readPeople(text: string, role: AccountRole, file: string): PersonLine[] {
  const [head, ...rows] = readCsv(text);
  const names = head?.fields.map((name) => name.trim().toLowerCase()) ?? [];
  const isKnown = names.every((name) => (COLUMNS as readonly string[]).includes(name));
  if (!isKnown || !names.includes("account") || !names.includes("address")) {
    throw new CommandError(
      `${file}: The first line has to name the columns: account, address, and role if there is one.`,
    );
  }
  const said = rows.filter(({ fields }) => fields.some((field) => field.trim() !== ""));
  if (said.length > ACCOUNT_LIMITS.importedLines) {
    throw new CommandError(
      `${file} has ${said.length} lines; at most ${ACCOUNT_LIMITS.importedLines} are taken at once.`,
    );
  }
  return said.map(({ line, fields }) => {
    const field = (name: string): string => fields[names.indexOf(name)]?.trim() ?? "";
    return checked({ line, account: field("account"), address: field("address"), role: field("role") || role });
  });
}

function checked(line: PersonLine): PersonLine {
  if (line.account === "") return { ...line, error: "It names no account." };
  if (!/^[^\s@]+@[^\s@]+$/.test(line.address)) return { ...line, error: "It names no mail address." };
  return isRole(line.role) ? line : { ...line, error: `The role is one of ${ACCOUNT_ROLES.join(", ")}.` };
}

function isRole(text: string): text is AccountRole {
  return (ACCOUNT_ROLES as readonly string[]).includes(text);
}

/** An error of one line does not keep the others out; one of the connection ends the command. */
async function addPerson(client: ApiClient, line: PersonLine): Promise<PersonLine> {
  const { account, address: email, role } = line;
  if (!isRole(role)) return line;
  try {
    await client.ask("putAccountPerson", { account, email, role });
    return line;
  } catch (error) {
    if (error instanceof CommandError && REFUSALS.has(error.code ?? "")) return { ...line, error: error.message };
    throw error;
  }
}

/** Problem codes that are about one line. */
const REFUSALS = new Set(["bad_request", "forbidden", "not_found"]);

function renderLine({ line, account, address, role, error }: PersonLine, isDryRun: boolean): string {
  const said = error === undefined ? `${address} ${isDryRun ? "would be" : "is"} ${role} of ${account}` : error;
  return `line ${line}: ${safeText(said, MAX_CHARS)}`;
}
