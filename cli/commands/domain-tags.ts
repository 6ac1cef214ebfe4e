/** `dmarc domain tag`, `tags`, `group` and `groups`: tags of domains and groups of accounts. */
import type { Command } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { TAG_LIMITS } from "../../shared/limits.ts";
import { splitTags } from "../../shared/tag.ts";
import { CommandError } from "../command-error.ts";
import { type ConnectionOptions, connect } from "../connection.ts";
import { accountsOfDomains } from "../domain-account.ts";
import { exitCodes } from "../exit-codes.ts";
import { JSON_LINES, subcommandsOf } from "../subcommands.ts";
import { noteLimit, printError, printJson, printOut, safeText } from "../terminal.ts";

interface JsonOptions extends ConnectionOptions {
  json?: true;
}
interface TagOptions extends JsonOptions {
  account?: string;
  add?: string;
  remove?: string;
}
interface ListOptions extends JsonOptions {
  account?: string;
  tag?: string;
}

/** Ours: characters of one text that are printed. */
const MAX_CHARS = 300;

const EXAMPLES = `
Examples:
  dmarc domain tag example.com example.org --add "shop, eu"   puts tags on domains
  dmarc domain tag example.com --remove shop --account acme
  dmarc domain tags --tag shop                        domains that carry a tag
  dmarc domain group acme north                       puts the account acme into the group north; operators only
  dmarc domain group acme ""                          takes it out
  dmarc domain groups

Tags and groups are in lower case, ${TAG_LIMITS.chars} characters at most; a domain has at most ${TAG_LIMITS.perDomain} tags.`;

/** Adds the subcommands. */
export function addDomainTags(domain: Command): void {
  const subcommand = subcommandsOf(domain, EXAMPLES, [JSON_LINES]);
  subcommand("tag <domain...>", "Put tags on domains, or take them off")
    .option("--account <name>", "whose domains they are (default: the account that has them)")
    .option("--add <tags>", "tags to put on, separated by commas")
    .option("--remove <tags>", "tags to take off")
    .action(tagAll);
  subcommand("tags", "Domains with their tags")
    .option("--account <name>", "of this account only")
    .option("--tag <tag>", "domains with this tag")
    .action(listTags);
  subcommand("group <account> <group>", "Put an account into a group of accounts").action(setGroup);
  subcommand("groups", "Accounts that are in a group").action(listGroups);
}

async function tagAll(domains: string[], { account, add, remove, json, ...connection }: TagOptions): Promise<void> {
  if (add === undefined && remove === undefined)
    throw new CommandError("Which tags? Add --add or --remove with their names.");
  const client = connect(connection);
  const change = { add: splitTags(add ?? ""), remove: splitTags(remove ?? "") };
  process.exitCode = exitCodes.done;
  const ofAccount = new Map<string, string[]>();
  for (const [domain, name] of await accountsOfDomains(client, domains, account)) {
    ofAccount.set(name, [...(ofAccount.get(name) ?? []), domain]);
  }
  for (const [name, own] of ofAccount) {
    for (let first = 0; first < own.length; first += TAG_LIMITS.domainsAtOnce) {
      const some = own.slice(first, first + TAG_LIMITS.domainsAtOnce);
      try {
        const { items } = await client.ask("tagDomains", { account: name, domains: some, ...change });
        for (const item of items) printTagged(item, json);
      } catch (error) {
        // Refused for this account: the others' domains are tagged all the same.
        const isRefused = error instanceof CommandError && error.code !== undefined;
        if (!isRefused || ofAccount.size === 1) throw error;
        const problem = `not tagged: ${error.message}`;
        for (const domain of some) printTagged({ domain, tags: [], problem: `${domain}: ${problem}` }, json);
      }
    }
  }
}

function printTagged(item: Outputs["tagDomains"]["items"][number], json: true | undefined): void {
  if (item.problem !== undefined) process.exitCode = exitCodes.rejected;
  if (json) printJson(item);
  else if (item.problem !== undefined) printError(`dmarc domain: ${safeText(item.problem, MAX_CHARS)}`);
  else printOut(renderTags(item));
}

async function listTags({ account, tag, json, ...connection }: ListOptions): Promise<void> {
  const { items } = await connect(connection).ask("listTags", { account, tag });
  noteLimit(items, TAG_LIMITS.listed, "narrow them with --tag or --account");
  for (const item of items) {
    if (json) printJson(item);
    else printOut(renderTags(item));
  }
  if (items.length === 0 && !json) printOut("No domain has such a tag.");
}

function renderTags({ domain, tags }: { domain: string; tags: string[] }): string {
  return `${safeText(domain, MAX_CHARS)}  ${tags.length === 0 ? "no tags" : safeText(tags.join(", "), MAX_CHARS)}`;
}

async function setGroup(account: string, group: string, { json, ...connection }: JsonOptions): Promise<void> {
  const kept = await connect(connection).ask("setAccountGroup", { account, group });
  if (json) printJson(kept);
  else
    printOut(
      kept.group === ""
        ? `${safeText(account)} is in no group.`
        : `${safeText(account)} is in ${safeText(kept.group)}.`,
    );
}

async function listGroups({ json, ...connection }: JsonOptions): Promise<void> {
  const { items } = await connect(connection).ask("listAccountGroups", {});
  for (const item of items) {
    if (json) printJson(item);
    else printOut(`${safeText(item.group)}  ${safeText(item.account)}`);
  }
  if (items.length === 0 && !json) printOut("No account is in a group.");
}
