/** `dmarc rua`: the addresses that may receive reports. */
import type { Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { REFUSED_MAIL_LIMITS } from "../../shared/limits.ts";
import type { RegistryEntry } from "../../shared/registry.ts";
import { withBothForms } from "../../shared/unicode-name.ts";
import { CommandError } from "../command-error.ts";
import { isAsking, isConfirmed } from "../confirm.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { readDomains } from "../domain-option.ts";
import { subcommandsOf } from "../subcommands.ts";
import {
  noteLimit,
  printError,
  printJson,
  printOut,
  renderDay,
  renderPairs,
  renderTable,
  safeText,
} from "../terminal.ts";

type Registration = Outputs["getRegistration"];

interface RuaOptions extends ConnectionOptions {
  json?: true;
}
interface AddOptions extends RuaOptions {
  account: string;
  domain?: string[];
}
interface SetOptions extends RuaOptions {
  account?: string;
  domain?: string[];
  anyDomain?: true;
  yes?: true;
}

/** Ours: of a list of domains that is shown. */
const MAX_CHARS = 2000;

const EXAMPLES = `
Examples:
  dmarc rua add dmarc@example.com                                   any domain's reports, account "default"
  dmarc rua add reports@example.com --account acme --domain acme.example acme.test
  dmarc rua add reports@example.com --domain bücher.example         an internationalized name, in either form
  dmarc rua set reports@example.com --domain acme.example           shows what changes, and asks
  dmarc rua list --json
  dmarc rua show reports@example.com
  dmarc rua refused                                                 what came for addresses that are not registered
  dmarc rua remove dmarc@example.com
  dmarc rua restore                                                 after the database was lost: as KV has them

An address that is registered is never added over: add refuses it (exit code 1), and set changes it, in what is named only.
Mail to an address that is not registered is rejected. Of an address with a +tag, the address without it counts too.`;

/** Adds the command with its subcommands. */
export function addRua(program: Command): void {
  const rua = program.command("rua").description("The addresses that may receive reports");
  rua.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(rua, EXAMPLES);
  subcommand("add <address>", "Register an address; refuses one that is registered")
    .option("--account <name>", "whose reports these are", "default")
    .option("--domain <domain...>", "policy domains accepted, with their subdomains (default: any)", readDomains)
    .action(async (address: string, options: AddOptions) =>
      printRegistration(await addAddress(address, options), options),
    );
  subcommand("set <address>", "Change an address: shows old and new, and asks")
    .option("--account <name>", "whose reports these are")
    .option("--domain <domain...>", "policy domains accepted from now on, instead of those before", readDomains)
    .option("--any-domain", "accept reports about any domain")
    .option("--yes", "change it without being asked")
    .action(setAddress);
  subcommand("show <address>", "One address").action(async (address: string, options: RuaOptions) =>
    printRegistration(await showAddress(address, options), options),
  );
  subcommand("remove <address>", "Reject the address's mail from now on").action(removeAddress);
  subcommand("list", "All addresses").action(listAddresses);
  subcommand("restore", "Register addresses again from KV, after the database was lost").action(restoreAddresses);
  subcommand("refused", "Addresses whose mail was refused recently, such as a mistyped rua").action(listRefused);
}

/** Registers what KV knows and the ledger does not, a page after the other. */
async function restoreAddresses({ json, ...options }: RuaOptions): Promise<void> {
  const client = connect(options);
  let [found, restored] = [0, 0];
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await client.ask("restoreRegistrations", { cursor });
    found += page.found;
    restored += page.restored;
    cursor = page.cursor;
  }
  if (json) printJson({ found, restored });
  else
    printOut(
      `${found === 1 ? "1 address is" : `${found} addresses are`} in KV; ${restored} of them were registered again.`,
    );
}

async function addAddress(address: string, { account, domain, ...options }: AddOptions): Promise<Registration> {
  const entry: RegistryEntry = { account, ...(domain === undefined ? {} : { domains: domain }) };
  try {
    return await connect(options).ask("addRegistration", { rua: address, entry });
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== "already_exists") throw error;
    throw new CommandError(`${error.message} See it with \`dmarc rua show\`, change it with \`dmarc rua set\`.`);
  }
}

// What is not named (approved sources and failure reports, too) stays as it is.
async function setAddress(address: string, options: SetOptions): Promise<void> {
  if (options.anyDomain && options.domain !== undefined) throw new CommandError("--domain or --any-domain, not both.");
  const client = connect(options);
  const { rua, entry: before } = await showAddress(address, options);
  const { domains: listed, ...others } = before;
  const domains = options.anyDomain ? undefined : (options.domain ?? listed);
  const wanted: RegistryEntry = {
    ...others,
    account: options.account ?? before.account,
    ...(domains === undefined ? {} : { domains }),
  };
  const changes = changesOf(before, wanted);
  if (changes.length === 0) throw new CommandError(`Nothing to change: ${rua} is registered like this already.`);
  const isForProgram = options.json && options.yes;
  if (!isForProgram) for (const line of changes) printError(`${withBothForms(rua)}: ${line}`);
  if (!options.yes) {
    if (!isAsking()) throw new CommandError("Nothing was changed. Add --yes to change it without being asked.");
    if (!(await isConfirmed("Change it?"))) throw new CommandError("Nothing was changed.");
  }
  printRegistration(await client.ask("putRegistration", { rua, entry: wanted }), options);
}

/** The differences, one a line: old -> new. */
function changesOf(before: RegistryEntry, after: RegistryEntry): string[] {
  const pairs = [
    { name: "account", old: before.account, now: after.account },
    { name: "domains", old: domainsOf(before), now: domainsOf(after) },
  ];
  return pairs
    .filter(({ old, now }) => old !== now)
    .map(({ name, old, now }) => `${name} ${safeText(old, MAX_CHARS)} -> ${safeText(now, MAX_CHARS)}`);
}

async function showAddress(address: string, options: RuaOptions): Promise<Registration> {
  const registration = await connect(options).find("getRegistration", { rua: address });
  if (registration === undefined) throw new CommandError(`${address} is not registered.`);
  return registration;
}

async function removeAddress(address: string, options: RuaOptions): Promise<void> {
  await connect(options).ask("removeRegistration", { rua: address });
  if (options.json) printJson({ removed: address });
  else printOut(`${address} is no longer registered.`);
}

async function listAddresses(options: RuaOptions): Promise<void> {
  const { items: registrations } = await connect(options).ask("listRegistrations", {});
  if (options.json) return printJson(registrations);
  if (registrations.length === 0) return printOut("No address is registered; add one with `dmarc rua add ADDRESS`.");
  const rows = registrations.map(({ rua, entry }) => [withBothForms(rua), entry.account, domainsOf(entry)]);
  printOut(renderTable(["address", "account", "domains"], rows));
}

function domainsOf({ domains }: RegistryEntry): string {
  return domains === undefined ? "any" : domains.map(withBothForms).join(" ");
}

async function listRefused(options: RuaOptions): Promise<void> {
  const { items } = await connect(options).ask("refusedMail", {});
  noteLimit(items, REFUSED_MAIL_LIMITS.addressesShown, "those with the most mail");
  if (options.json) return printJson(items);
  if (items.length === 0) return printOut("No mail was refused because of its address.");
  const rows = items.map(({ rua, mails, isAtLeast, lastSeconds, lastSender }) => [
    rua === "" ? "(further addresses)" : rua,
    isAtLeast ? `${mails} or more` : mails,
    renderDay(lastSeconds),
    lastSender,
  ]);
  printOut(renderTable(["address", "mails", "last", "sender"], rows));
}

function printRegistration(registration: Registration, { json }: RuaOptions): void {
  if (json) {
    printJson(registration);
    return;
  }
  const { rua, entry } = registration;
  const pairs: [string, unknown][] = [
    ["address", withBothForms(rua)],
    ["account", entry.account],
    ["domains", domainsOf(entry)],
  ];
  if (entry.approvedSources !== undefined) pairs.push(["approved sources", entry.approvedSources.join(" ")]);
  if (entry.failureReports !== undefined) pairs.push(["failure reports", entry.failureReports]);
  printOut(renderPairs(pairs));
}
