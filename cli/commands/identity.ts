/** `dmarc identity`: what a person may do, in which accounts. */
import { type Command, InvalidArgumentError } from "commander";
import { type Person, type PersonEntry, ROLES, type Role } from "../../shared/people.ts";
import { CommandError } from "../command-error.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { requireAccount } from "../known-names.ts";
import { subcommandsOf } from "../subcommands.ts";
import { printJson, printOut, renderPairs, renderTable } from "../terminal.ts";

interface IdentityOptions extends ConnectionOptions {
  json?: true;
}
interface AddOptions extends IdentityOptions {
  role: Role;
  account?: string[];
  alsoViews?: string[];
}

const EXAMPLES = `
Examples:
  dmarc identity add ann@example.com --role viewer --account acme acme-test    reads two accounts
  dmarc identity add ann@example.com --role administrator --account acme --also-views beta
  dmarc identity add ops@example.com --role operator                           everything, and operations
  dmarc identity list --json
  dmarc identity remove ann@example.com

An administrator manages an account's people, channels, domains and decisions; a viewer reads. \`add\` says what a person
may do in all accounts. Use the address with which the person signs in to Cloudflare Access. People who are not listed see nothing.`;

/** Adds the command with its subcommands. */
export function addIdentity(program: Command): void {
  const identity = program.command("identity").description("What people may do, in which accounts");
  identity.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(identity, EXAMPLES);
  subcommand("add <address>", "Give a person access, or change it")
    .requiredOption(
      "--role <role>",
      "administrator or viewer (of the accounts named), or operator (everything)",
      readRole,
    )
    .option("--account <name...>", "accounts the person has the role in")
    .option("--also-views <name...>", "further accounts that an administrator only reads")
    .action(addPerson);
  subcommand("remove <address>", "Remove a person's access").action(removePerson);
  subcommand("list", "Everybody with access").action(listPeople);
}

async function addPerson(address: string, options: AddOptions): Promise<void> {
  const { account: accounts = [], alsoViews } = options;
  const { role } = options;
  if (role !== "operator" && accounts.length === 0) {
    throw new CommandError(`--role ${role} needs at least one account: --account NAME.`);
  }
  const client = connect(options);
  for (const account of [...accounts, ...(alsoViews ?? [])]) await requireAccount(client, account);
  const entry: PersonEntry = { role, accounts, ...(alsoViews === undefined ? {} : { alsoViews }) };
  printPerson(await client.ask("putIdentity", { email: address, entry }), options);
}

// `owner` is what administrators were called before there were viewers.
function readRole(text: string): Role {
  const role = text === "owner" ? "administrator" : ROLES.find((one) => one === text);
  if (role === undefined) throw new InvalidArgumentError(`It is ${ROLES.join(", ")}.`);
  return role;
}

async function removePerson(address: string, options: IdentityOptions): Promise<void> {
  await connect(options).ask("removeIdentity", { email: address });
  if (options.json) printJson({ removed: address });
  else printOut(`${address} no longer has access.`);
}

async function listPeople(options: IdentityOptions): Promise<void> {
  const { items: people } = await connect(options).ask("listIdentities", {});
  if (options.json) return printJson(people);
  if (people.length === 0) return printOut("Nobody has access; add somebody with `dmarc identity add ADDRESS`.");
  const rows = people.map(({ email, entry }) => [email, entry.role, accountsText(entry)]);
  printOut(renderTable(["address", "role", "accounts"], rows));
}

function printPerson(person: Person, { json }: IdentityOptions): void {
  if (json) {
    printJson(person);
    return;
  }
  const { email, entry } = person;
  printOut(
    renderPairs([
      ["address", email],
      ["role", entry.role],
      ["accounts", accountsText(entry)],
    ]),
  );
}

function accountsText({ role, accounts, alsoViews = [] }: PersonEntry): string {
  if (role === "operator") return "all";
  return [...accounts, ...alsoViews.map((account) => `${account} (reads)`)].join(" ");
}
