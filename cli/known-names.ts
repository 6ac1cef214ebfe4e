/** Says of an empty answer that what was asked for does not exist, instead of showing nothing. */
import { acceptsDomain } from "../shared/registry.ts";
import type { ApiClient } from "./client.ts";
import { CommandError } from "./command-error.ts";
import { safeText } from "./terminal.ts";

/** Ours: names listed in a sentence. */
const MAX_LISTED = 10;

/** What an answer was narrowed to. */
export interface Narrowed {
  account?: string | undefined;
  domain?: string | undefined;
}

/**
 * Asked where an answer has nothing in it: an account or domain exists if an address names it, or a report is counted for it.
 *
 * @throws CommandError that names what does not exist
 */
export async function requireKnown(client: ApiClient, { account, domain }: Narrowed): Promise<void> {
  if (account === undefined && domain === undefined) return;
  const { items } = await client.ask("listRegistrations", {});
  const accounts = [...new Set(items.map(({ entry }) => entry.account))].sort();
  if (account !== undefined && !accounts.includes(account) && (await client.ask("stats", { account })).reports === 0) {
    const more = accounts.length > MAX_LISTED ? ` and ${accounts.length - MAX_LISTED} more` : "";
    const known =
      accounts.length === 0 ? "there is none" : `there are ${accounts.slice(0, MAX_LISTED).join(", ")}${more}`;
    throw new CommandError(`There is no account '${safeText(account)}'; ${known}.`);
  }
  if (domain === undefined) return;
  const isNamed = items.some(({ entry }) => entry.domains !== undefined && acceptsDomain(entry, domain));
  if (!isNamed && (await client.ask("stats", { domain })).reports === 0) {
    throw new CommandError(
      `Nothing is known of the domain '${safeText(domain)}': no address names it, no report is about it.`,
    );
  }
}
