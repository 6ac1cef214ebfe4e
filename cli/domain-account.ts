/** The account that has a domain or a channel, for commands that are given none. It prints nothing. */
import { readDomainName } from "../shared/domain-name.ts";
import { PAGE_LIMITS } from "../shared/limits.ts";
import type { ApiClient } from "./client.ts";
import { CommandError } from "./command-error.ts";
import { safeText } from "./terminal.ts";

/** Where nothing else is said, and a domain is nobody's yet. */
const DEFAULT_ACCOUNT = "default";
/** Ours: from this number of domains on, all are listed once, instead of those like each of them. */
const MANY_DOMAINS = 5;
/** Ours: accounts named in a sentence. */
const MAX_NAMED = 10;

/**
 * The account that is named, or else the one that has the domain.
 *
 * @throws CommandError that names the accounts, if several have it
 */
export async function accountOfDomain(client: ApiClient, typed: string, account: string | undefined): Promise<string> {
  return (await accountsOfDomains(client, [typed], account)).get(typed) ?? DEFAULT_ACCOUNT;
}

/**
 * The account of each domain, by the domain as it was typed: the one that is named, or else the one that has it.
 *
 * @throws CommandError that names the accounts, if several have one of them
 */
export async function accountsOfDomains(
  client: ApiClient,
  typed: readonly string[],
  account: string | undefined,
): Promise<Map<string, string>> {
  if (account !== undefined) return new Map(typed.map((domain) => [domain, account]));
  // What cannot be read is refused by the operation.
  const names = new Map(
    typed.map((domain) => {
      const read = readDomainName(domain);
      // What cannot be read is refused by the operation.
      return [domain, read.ok ? read.value.name : undefined];
    }),
  );
  const found = await ownersOf(client, new Set([...names.values()].filter((name) => name !== undefined)));
  return new Map(
    [...names].map(([domain, name]) => [domain, (name !== undefined && found.get(name)) || DEFAULT_ACCOUNT]),
  );
}

async function ownersOf(client: ApiClient, names: ReadonlySet<string>): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const searches = names.size < MANY_DOMAINS ? [...names] : [undefined];
  for (const text of searches) {
    const wanted = text === undefined ? names : new Set([text]);
    const asked = { text, order: "domain", limit: PAGE_LIMITS.listed } as const;
    for await (const { domain, accounts } of client.each("listDomains", asked)) {
      const [only, ...others] = accounts;
      if (only === undefined || !wanted.has(domain)) continue;
      if (others.length > 0) {
        throw new CommandError(
          `Several accounts have ${domain}: name one of them with --account: ${accounts.map((one) => safeText(one)).join(", ")}.`,
        );
      }
      found.set(domain, only);
      if ([...wanted].every((name) => found.has(name))) break;
    }
  }
  return found;
}

/**
 * The account that is named, or else the only one there is.
 *
 * @throws CommandError that names the accounts, if there are several
 */
export async function onlyAccount(client: ApiClient, account: string | undefined): Promise<string> {
  if (account !== undefined) return account;
  const { items, matching } = await client.ask("listAccounts", { limit: MAX_NAMED });
  const [only] = items;
  if (only === undefined) return DEFAULT_ACCOUNT;
  if (matching === 1) return only.account;
  const more = matching > items.length ? ` and ${matching - items.length} more` : "";
  const names = items.map((one) => safeText(one.account)).join(", ");
  throw new CommandError(`There are several accounts: name one of them with --account: ${names}${more}.`);
}

/** The account that is named, or else the one that has the channel; the only one, where none has it. */
export async function accountOfChannel(client: ApiClient, id: string, account: string | undefined): Promise<string> {
  if (account !== undefined) return account;
  const { items } = await client.ask("listChannels", {});
  return items.find((one) => one.id === id)?.account ?? onlyAccount(client, undefined);
}
