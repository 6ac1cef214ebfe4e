/** `dmarc identity`: which accounts a person may see on the dashboard. */
import type { Command } from "commander";
import type { Viewer, ViewerEntry } from "../../shared/viewers.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printJson, printOut, renderPairs, renderTable } from "../terminal.ts";

interface IdentityOptions extends ConnectionOptions {
  json?: true;
}
interface AddOptions extends IdentityOptions {
  role: string;
  account?: string[];
}

const EXAMPLES = `
Examples:
  dmarc identity add ann@example.com --role owner --account acme acme-test    sees the reports of two accounts
  dmarc identity add ops@example.com --role operator                          sees everything, and operations
  dmarc identity list --json
  dmarc identity remove ann@example.com

The address is the one Cloudflare Access knows the person by. Whoever is not here sees nothing.`;

/** Adds the command with its subcommands. */
export function addIdentity(program: Command): void {
  const identity = program.command("identity").description("Who may see which accounts on the dashboard");
  identity.addHelpText("after", EXAMPLES);
  addSubcommand(identity, "add <address>", "Give a person access, or change it")
    .requiredOption("--role <role>", "owner (the accounts named) or operator (everything)")
    .option("--account <name...>", "accounts an owner sees")
    .action(addPerson);
  addSubcommand(identity, "remove <address>", "Take a person's access away").action(removePerson);
  addSubcommand(identity, "list", "Everybody with access").action(listPeople);
}

function addSubcommand(identity: Command, nameAndArguments: string, description: string): Command {
  const command = identity.command(nameAndArguments).description(description).option("--json", "JSON for programs");
  return addConnectionOptions(command).addHelpText("after", EXAMPLES);
}

async function addPerson(address: string, options: AddOptions): Promise<void> {
  const { role, account: accounts = [] } = options;
  if (role !== "owner" && role !== "operator") throw new CommandError(`--role ${role}: it is owner or operator.`);
  if (role === "owner" && accounts.length === 0) {
    throw new CommandError("An owner needs at least one account: --account NAME.");
  }
  const entry: ViewerEntry = { role, accounts };
  printViewer(await connect(options).ask("putIdentity", { email: address, entry }), options);
}

async function removePerson(address: string, options: IdentityOptions): Promise<void> {
  await connect(options).ask("removeIdentity", { email: address });
  if (options.json) printJson({ removed: address });
  else printOut(`${address} has no access any more.`);
}

async function listPeople(options: IdentityOptions): Promise<void> {
  const { items: viewers } = await connect(options).ask("listIdentities", {});
  if (options.json) return printJson(viewers);
  if (viewers.length === 0) return printOut("Nobody has access; add somebody with `dmarc identity add ADDRESS`.");
  const rows = viewers.map(({ email, entry }) => [email, entry.role, accountsText(entry)]);
  printOut(renderTable(["address", "role", "accounts"], rows));
}

function printViewer(viewer: Viewer, { json }: IdentityOptions): void {
  if (json) {
    printJson(viewer);
    return;
  }
  const { email, entry } = viewer;
  printOut(
    renderPairs([
      ["address", email],
      ["role", entry.role],
      ["accounts", accountsText(entry)],
    ]),
  );
}

function accountsText({ role, accounts }: ViewerEntry): string {
  return role === "operator" ? "all" : accounts.join(" ");
}
