/** Says of an empty answer that what was asked for does not exist, instead of showing nothing. */
import type { Outputs } from "../shared/contract/operations.ts";
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
 * Callers who are not operators may not see all addresses, and learn nothing.
 *
 * @throws CommandError that names what does not exist
 */
export async function requireKnown(client: ApiClient, { account, domain }: Narrowed): Promise<void> {
  if (account === undefined && domain === undefined) return;
  const items = await registrations(client);
  if (items === undefined) return;
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
      `Nothing is known of the domain '${safeText(domain)}': no address names it, and no report counts for it.`,
    );
  }
}

/** All addresses; undefined if the caller may not see them. */
async function registrations(client: ApiClient): Promise<Outputs["listRegistrations"]["items"] | undefined> {
  try {
    return (await client.ask("listRegistrations", {})).items;
  } catch (error) {
    if (error instanceof CommandError && error.code === "forbidden") return undefined;
    throw error;
  }
}
