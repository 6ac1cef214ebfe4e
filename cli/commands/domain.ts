/** `dmarc domain`: adds a domain, from creating its RUA address to the first report. */
import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { readDomainList, readDomainName } from "../../shared/domain-name.ts";
import { quotedTxt } from "../../shared/guidance/txt-strings.ts";
import { PAGE_LIMITS, SETUP_LIMITS } from "../../shared/limits.ts";
import type { ApiClient } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { accountOfDomain } from "../domain-account.ts";
import { exitCodes } from "../exit-codes.ts";
import { readAddress } from "../option-values.ts";
import { JSON_LINES, subcommandsOf } from "../subcommands.ts";
import { printError, printJson, printOut, safeText } from "../terminal.ts";
import { addDomainList } from "./domain-list.ts";
import { addDomainTags } from "./domain-tags.ts";

type Added = Outputs["addDomain"];

interface DomainOptions extends ConnectionOptions {
  account: string;
  json?: true;
}
/** Of a domain that is there. */
interface GivenOptions extends ConnectionOptions {
  account?: string;
  json?: true;
}
interface AddOptions extends DomainOptions {
  file?: string;
  rua?: string;
}

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 1000;

const EXAMPLES = `
Examples:
  dmarc domain add example.com                        makes an address for its reports, says what to publish
  dmarc domain add --file domains.txt --account acme  in bulk: a domain a line, a result a line
  dmarc domain add example.com --rua dmarc@example.com  with an address of your own, whose mail comes here
  dmarc domain check example.com                      what is published, and whether reports come
  dmarc domain list                                   all of them: address, set-up, reports, policy, verdict
  dmarc domain remove example.com                     mail to its address is rejected from now on; its reports stay

Nothing is changed in DNS: the records are yours to publish. Adding a domain again finds the address it has; with
another one in --rua it is refused: remove the domain first, then add it again. Without --account, add refuses a domain
of another account; the others find the account that has it.
Exit code: 0 done, 1 wrong use or failure, 2 some of the domains couldn't be added, or something is still to be published.`;

/** Adds the command with its subcommands. */
export function addDomain(program: Command): void {
  const domain = program
    .command("domain")
    .description("Add a domain, follow it to its first report, list and tag domains");
  domain.addHelpText("after", EXAMPLES);
  const subcommand = subcommandsOf(domain, EXAMPLES, [JSON_LINES]);
  subcommand("add [domain...]", "Make an address for a domain's reports")
    .option("--account <name>", "whose domain it is", "default")
    .option("--file <list>", "a file with a domain a line; # or ; begins a comment, - is standard input")
    .option("--rua <address>", "an address of your own instead of a new one", readAddress)
    .action(addAll);
  subcommand("check <domain...>", "Show the progress of domains towards their first report")
    .option("--account <name>", "whose domain it is (default: the account that has it)")
    .action(checkAll);
  subcommand("remove <domain>", "Remove a domain and its address")
    .option("--account <name>", "whose domain it is (default: the account that has it)")
    .action(removeOne);
  addDomainList(domain);
  addDomainTags(domain);
}

async function addAll(given: string[], options: AddOptions, command: Command): Promise<void> {
  const { account, rua, file } = options;
  if (given.length === 0 && file === undefined) {
    throw new CommandError("Which domain? Name one, or a file with --file.");
  }
  const client = connect(options);
  const listed = file === undefined ? undefined : await readList(file);
  const isAccountGiven = command.getOptionValueSource("account") !== "default";
  const elsewhere = isAccountGiven ? NOWHERE : await findElsewhere(client, [...given, ...(listed ?? [])], account);
  const isFine = await each(given, options, (domain) => {
    const problem = elsewhere(domain);
    if (problem !== undefined) throw new CommandError(problem);
    return client.ask("addDomain", { account, domain, rua });
  });
  const isListFine = listed === undefined || (await addList(listed, options, elsewhere));
  process.exitCode = isFine && isListFine ? exitCodes.done : exitCodes.rejected;
}

/** A sentence where a domain, as it was typed, is one of other accounts and not of the one that is meant unless one is named. */
type Elsewhere = (typed: string) => string | undefined;

const NOWHERE: Elsewhere = () => undefined;

/** Looks for the accounts that have the domains: a second address in another account would get none of their reports. */
async function findElsewhere(client: ApiClient, typed: readonly string[], account: string): Promise<Elsewhere> {
  const nameOf = (text: string): string => {
    const read = readDomainName(text);
    return read.ok ? read.value.name : "";
  };
  const names = new Set(typed.map(nameOf));
  // What cannot be read is refused when it is added.
  names.delete("");
  if (names.size === 0) return NOWHERE;
  const [only] = names.size === 1 ? names : [];
  const accountsOf = new Map<string, string[]>();
  for await (const item of client.each("listDomains", { text: only, order: "domain", limit: PAGE_LIMITS.listed })) {
    if (names.has(item.domain) && !item.accounts.includes(account)) accountsOf.set(item.domain, item.accounts);
  }
  return (text) => {
    const [other, ...more] = accountsOf.get(nameOf(text)) ?? [];
    if (other === undefined) return undefined;
    const owners = more.length === 0 ? `the account ${other}` : `${more.length + 1} accounts, ${other} among them`;
    return (
      `${safeText(text, MAX_CHARS)} is a domain of ${owners}; nothing was changed. Say whose it is: ` +
      `--account ${other}, or --account ${account} for an address there, too.`
    );
  };
}

/** Adds the domains of a list and prints a result a line. @returns whether all were added */
async function addList(
  domains: string[],
  { account, rua, ...options }: AddOptions,
  elsewhere: Elsewhere,
): Promise<boolean> {
  if (domains.length === 0) throw new CommandError("The file names no domain.");
  const client = connect(options);
  const counts = { added: 0, existing: 0, refused: 0 };
  for (let first = 0; first < domains.length; first += SETUP_LIMITS.addedAtOnce) {
    const some = domains.slice(first, first + SETUP_LIMITS.addedAtOnce);
    const own = some.filter((typed) => elsewhere(typed) === undefined);
    const added = own.length === 0 ? [] : (await client.ask("addDomains", { account, domains: own, rua })).items;
    const others = some.flatMap((typed) => {
      const problem = elsewhere(typed);
      return problem === undefined ? [] : [{ typed, problem, isNew: false }];
    });
    for (const item of [...added, ...others]) {
      counts[item.problem !== undefined ? "refused" : item.isNew ? "added" : "existing"] += 1;
      if (options.json) printJson(item);
      else if (item.problem !== undefined) printError(`dmarc domain: ${item.problem}`);
      else printOut(renderLine(item));
    }
  }
  const { added, existing, refused } = counts;
  if (!options.json) {
    printOut(`${added} added, ${existing} already there, ${refused} with errors.`);
    if (added > 0) printOut("What to publish for each, and how far it is: dmarc domain check DOMAIN.");
  }
  return refused === 0;
}

function renderLine({ typed, domain = "", rua = "", isNew }: Outputs["addDomains"]["items"][number]): string {
  const name = typed === domain ? domain : `${domain} (${safeText(typed, MAX_CHARS)})`;
  return `${safeText(name, MAX_CHARS)}  ${safeText(rua)}  ${isNew ? "added" : "was added before"}`;
}

async function checkAll(domains: string[], options: GivenOptions): Promise<void> {
  const client = connect(options);
  const states: string[] = [];
  const isFine = await each(domains, options, async (domain) => {
    const account = await accountOfDomain(client, domain, options.account);
    const found = await client.ask("domainSetup", { account, domain });
    states.push(found.state);
    return found;
  });
  const isDone = states.every((state) => state === "receiving" || state === "waiting");
  process.exitCode = isFine && isDone ? exitCodes.done : exitCodes.rejected;
}

/**
 * Runs the operation for each domain and prints the answers; a failure does not stop the others.
 *
 * @returns whether all succeeded
 */
async function each(
  domains: string[],
  { json }: Pick<DomainOptions, "json">,
  ask: (domain: string) => Promise<Added>,
): Promise<boolean> {
  let isFine = true;
  for (const domain of domains) {
    try {
      const added = await ask(domain);
      if (json) printJson(added);
      else printOut(renderAdded(added));
    } catch (error) {
      if (!(error instanceof CommandError) || domains.length === 1) throw error;
      isFine = false;
      printError(`dmarc domain: ${error.message}`);
    }
  }
  return isFine;
}

async function removeOne(domain: string, options: GivenOptions): Promise<void> {
  const client = connect(options);
  const account = await accountOfDomain(client, domain, options.account);
  const removed = await client.ask("removeDomain", { account, domain });
  const { rua, isAddressRemoved } = removed;
  if (options.json) printJson({ removed: rua, isAddressRemoved });
  else if (isAddressRemoved) printOut(`${rua} is no longer registered. Remove it from the DMARC record, too.`);
  else printOut(`${safeText(domain, MAX_CHARS)} is removed; ${rua} stays, for other domains.`);
}

async function readList(file: string): Promise<string[]> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file === "-" ? "/dev/stdin" : file);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    throw new CommandError(`${file} can't be read: ${error.message}`);
  }
  // Some spreadsheets and editors save UTF-16, with a byte order mark.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  return readDomainList(new TextDecoder(encoding).decode(bytes));
}

function renderAdded({ domain, rua, isNew, state, sentence, missing, records }: Added): string {
  const lines = [
    safeText(domain, MAX_CHARS),
    `  address  ${safeText(rua)}${isNew ? " (new)" : ""}`,
    `  state    ${state}: ${safeText(sentence, MAX_CHARS)}`,
  ];
  const toPublish = state === "receiving" || state === "waiting" ? [] : records;
  for (const record of missing === undefined ? toPublish : [{ ...missing, sentence: "" }]) {
    lines.push(
      `  publish  ${safeText(record.name, MAX_CHARS)} ${record.type} ${quotedTxt(safeText(record.value, MAX_CHARS))}`,
    );
    if (record.sentence !== "") lines.push(`           ${safeText(record.sentence, MAX_CHARS)}`);
  }
  return lines.join("\n");
}
