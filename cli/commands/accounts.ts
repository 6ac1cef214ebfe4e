/** `dmarc accounts`: accounts, what they are called, their people, importing many, exporting and forgetting one. */
import { writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { importChunks, readImportFile } from "../../shared/import-lines.ts";
import { ACCOUNT_LIMITS } from "../../shared/limits.ts";
import { ACCOUNT_ROLES, type AccountRole } from "../../shared/people.ts";
import { CommandError } from "../command-error.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { exitCodes } from "../exit-codes.ts";
import { reasonOfAny } from "../file-errors.ts";
import { readGivenFile } from "../given-file.ts";
import { requireAccount } from "../known-names.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderMinute, renderPairs, renderTable, safeText } from "../terminal.ts";
import { addAccountData } from "./account-data.ts";
import { addAddPeople } from "./add-people.ts";

interface AccountOptions extends ConnectionOptions {
  json?: true;
}

/** Ours: the longest sentence about a line, with the name it quotes. */
const MAX_MESSAGE_CHARS = 500;

const EXAMPLES = `
Examples:
  dmarc accounts list acme                                    accounts with acme in their name
  dmarc accounts create acme --name "Acme Ltd"
  dmarc accounts rename acme "Acme GmbH"                      what people see; links keep acme
  dmarc accounts logo acme logo.png                           or --output FILE, which saves it, or --remove
  dmarc accounts people acme
  dmarc accounts add-person acme ann@example.com --role administrator
  dmarc accounts remove-person acme ann@example.com
  dmarc accounts add-people people.csv --role viewer          a person a line: account,address and maybe role
  dmarc accounts import customers.csv --dry-run               what each line would do; without it, does that
  dmarc accounts export acme --output acme.zip                everything that is held of it
  dmarc accounts forget acme                                  removes it for good, after asking

The first line of a CSV file names its columns: account, and any of name, domain and rua. A domain without rua gets an address
of its own. Existing entries stay, so a file may be imported again.
Exit code: 0 done, 1 wrong use or failure, 2 some lines have errors.`;

/** Adds the command with its subcommands. */
export function addAccounts(program: Command): void {
  const accounts = program
    .command("accounts")
    .description("Accounts and their people: list, create, import, export, forget");
  accounts.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(accounts, EXAMPLES);
  subcommand("list [text]", "Accounts, or those with a text in their name").action(list);
  subcommand("create <account>", "Create an account").option("--name <name>", "its displayed name").action(create);
  subcommand("rename <account> <name>", "Change an account's name").action(rename);
  subcommand("logo <account> [file]", "Set the logo, a PNG or JPEG; save it, or remove it")
    .addOption(new Option("--output <file>", "save the current logo to a file").conflicts("remove"))
    .option("--remove", "remove the logo")
    .action(logo);
  subcommand("people <account>", "People with a role in an account").action(people);
  subcommand("add-person <account> <address>", "Give a person a role in an account, or another one")
    .addOption(new Option("--role <role>", "role in the account").choices(ACCOUNT_ROLES).default("viewer"))
    .action(addPerson);
  addAddPeople(accounts, EXAMPLES);
  subcommand("remove-person <account> <address>", "Remove a person's role in an account").action(removePerson);
  subcommand("import <file>", "Import accounts, domains and RUA addresses from a CSV file")
    .option("--dry-run", "only show what would be done")
    .action(importFile);
  addAccountData(accounts);
}

async function list(text: string | undefined, options: AccountOptions): Promise<void> {
  const client = connect(options);
  const items: Outputs["listAccounts"]["items"] = [];
  for (;;) {
    const page = await client.ask("listAccounts", { text, offset: items.length, limit: ACCOUNT_LIMITS.listed });
    items.push(...page.items);
    if (page.items.length === 0 || items.length >= page.matching) break;
  }
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut("No account; create one with `dmarc accounts create ACCOUNT`.");
  const rows = items.map(({ account, name, people, addresses, database }) => [
    account,
    name,
    people,
    addresses,
    database,
  ]);
  printOut(renderTable(["account", "name", "people", "addresses", "database"], rows));
}

async function create(account: string, { name, ...options }: AccountOptions & { name?: string }): Promise<void> {
  printAccount(await connect(options).ask("createAccount", { account, name }), options);
}

async function rename(account: string, name: string, options: AccountOptions): Promise<void> {
  printAccount(await connect(options).ask("setAccountName", { account, name }), options);
}

interface LogoOptions extends AccountOptions {
  output?: string;
  remove?: true;
}

async function logo(
  account: string,
  file: string | undefined,
  { output, remove, ...options }: LogoOptions,
): Promise<void> {
  if ([file, output, remove].filter((one) => one !== undefined).length !== 1) {
    throw new CommandError("Name a picture to set, or --output FILE to save the logo, or --remove.");
  }
  const client = connect(options);
  await requireAccount(client, account);
  if (output !== undefined) return saveLogo(await client.ask("getAccountLogo", { account }), output, options);
  if (file === undefined) {
    await client.ask("removeAccountLogo", { account });
    return options.json ? printJson({ removed: account }) : printOut(`${account} no longer has a logo.`);
  }
  const bytes = await readGivenFile(file);
  if (bytes.length > ACCOUNT_LIMITS.logoBytes) {
    throw new CommandError(`${file} has ${bytes.length} bytes; a logo may have ${ACCOUNT_LIMITS.logoBytes}.`);
  }
  printAccount(await client.ask("setAccountLogo", { account, base64: bytes.toString("base64") }), options);
}

async function saveLogo(
  { base64, ...about }: Outputs["getAccountLogo"],
  output: string,
  { json }: AccountOptions,
): Promise<void> {
  const bytes = Buffer.from(base64, "base64");
  try {
    await writeFile(output, bytes);
  } catch (error) {
    throw new CommandError(`${output} can't be written: ${reasonOfAny(error)}.`);
  }
  if (json) printJson({ ...about, output });
  else printOut(`${output} has the logo of ${about.account}: ${about.mediaType}, ${bytes.length} bytes.`);
}

async function people(account: string, options: AccountOptions): Promise<void> {
  const client = connect(options);
  const { items } = await client.ask("listAccountPeople", { account });
  // An account that does not exist has no people either: say that it does not exist.
  if (items.length === 0) await client.ask("getAccount", { account });
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut(`Nobody has a role in ${account}; operators see it anyway.`);
  const rows = items.map(({ email, role, firstSeenSeconds, addedBy }) => [
    email,
    role,
    firstSeenSeconds === 0 ? "invited" : renderMinute(firstSeenSeconds),
    addedBy,
  ]);
  printOut(renderTable(["address", "role", "first seen", "added by"], rows));
}

async function addPerson(
  account: string,
  email: string,
  { role, ...options }: AccountOptions & { role: AccountRole },
): Promise<void> {
  const added = await connect(options).ask("putAccountPerson", { account, email, role });
  if (options.json) printJson(added);
  else printOut(`${added.email} is ${role} of ${account}.`);
}

async function removePerson(account: string, email: string, options: AccountOptions): Promise<void> {
  await connect(options).ask("removeAccountPerson", { account, email });
  if (options.json) printJson({ removed: email });
  else printOut(`${email} no longer has a role in ${account}.`);
}

async function importFile(
  file: string,
  { dryRun = false, ...options }: AccountOptions & { dryRun?: boolean },
): Promise<void> {
  const read = readImportFile((await readGivenFile(file)).toString("utf8"));
  if (!read.ok) throw new CommandError(`${file}: ${read.error}`);
  const client = connect(options);
  const lines: Outputs["importAccounts"]["items"] = [];
  for (const chunk of importChunks(read.value)) {
    lines.push(...(await client.ask("importAccounts", { lines: chunk, dryRun })).items);
  }
  const errors = lines.filter(({ result }) => result === "error").length;
  if (options.json) printJson(lines);
  else printLines(lines, dryRun);
  if (errors > 0) process.exitCode = exitCodes.rejected;
}

function printLines(lines: Outputs["importAccounts"]["items"], isDryRun: boolean): void {
  const count = (wanted: string): number => lines.filter(({ result }) => result === wanted).length;
  const rows = lines.map(({ line, result, account, domain = "", rua = "", message }) => [
    line,
    result,
    account,
    domain,
    rua,
    message,
  ]);
  if (rows.length > 0) printOut(renderTable(["line", "result", "account", "domain", "rua", "why"], rows));
  // Cells are cut, and what is wrong with a line has to be read whole.
  for (const { line, result, message } of lines) {
    if (result === "error") printOut(`line ${line}: ${safeText(message, MAX_MESSAGE_CHARS)}`);
  }
  const done = isDryRun ? "would be imported" : "imported";
  printOut(`${count("new")} ${done}, ${count("exists")} already there, ${count("error")} with errors.`);
  const added = lines.find(({ result, domain = "" }) => result === "new" && domain !== "");
  if (!isDryRun && added !== undefined) {
    printOut(
      `The records that each domain has to publish: dmarc domain check ${safeText(added.domain)}, or its page Set-up.`,
    );
  }
}

function printAccount({ account, name, logoSeconds }: Outputs["createAccount"], { json }: AccountOptions): void {
  const pairs: [string, string][] = [
    ["account", account],
    ["name", name],
    ["logo", logoSeconds === 0 ? "none" : renderMinute(logoSeconds)],
  ];
  if (json) printJson({ account, name, logoSeconds });
  else printOut(renderPairs(pairs));
}
