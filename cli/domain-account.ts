/** The account that has a domain, for commands that are given none. It prints nothing. */
import { readDomainName } from "../shared/domain-name.ts";
import { PAGE_LIMITS } from "../shared/limits.ts";
import type { ApiClient } from "./client.ts";
import { CommandError } from "./command-error.ts";
import { safeText } from "./terminal.ts";

/** Where nothing else is said, and a domain is nobody's yet. */
const DEFAULT_ACCOUNT = "default";

/**
 * The account that is named, or else the one that has the domain.
 *
 * @throws CommandError that names the accounts, if several have it
 */
export async function accountOfDomain(client: ApiClient, typed: string, account: string | undefined): Promise<string> {
  if (account !== undefined) return account;
  const read = readDomainName(typed);
  // What cannot be read is refused by the operation.
  if (!read.ok) return DEFAULT_ACCOUNT;
  const { name } = read.value;
  const asked = { text: name, order: "domain", limit: PAGE_LIMITS.listed } as const;
  for await (const { domain, accounts } of client.each("listDomains", asked)) {
    if (domain !== name) continue;
    const [only = DEFAULT_ACCOUNT, ...others] = accounts;
    if (others.length === 0) return only;
    const names = accounts.map((one) => safeText(one)).join(", ");
    throw new CommandError(`Several accounts have ${name}: name one of them with --account: ${names}.`);
  }
  return DEFAULT_ACCOUNT;
}
