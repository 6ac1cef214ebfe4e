/** Says that what was asked for does not exist, where an empty answer would show nothing. */
import type { Outputs } from "../shared/contract/operations.ts";
import { acceptsDomain } from "../shared/registry.ts";
import { isoDate } from "../shared/storage.ts";
import type { ApiClient } from "./client.ts";
import { CommandError } from "./command-error.ts";
import { safeText } from "./terminal.ts";

/** Ours: how far back TLS and failure reports are looked for. A period has ten years at most. */
const KNOWN_SECONDS = 9 * 365 * 86_400;
/** Ours: names listed in a sentence. */
const MAX_LISTED = 10;

/** What an answer was narrowed to. */
export interface Narrowed {
  account?: string | undefined;
  domain?: string | undefined;
}

/**
 * Asked where an answer has nothing in it: an account exists if the API knows it, a domain if an address names it or a
 * report is counted for it. Callers who are not operators may not see all addresses, so no domain is reported as
 * missing.
 *
 * @throws CommandError that names what does not exist
 */
export async function requireKnown(client: ApiClient, { account, domain }: Narrowed): Promise<void> {
  // "" = the pipeline itself, or all accounts.
  if (account !== undefined && account !== "") await requireAccount(client, account);
  if (domain !== undefined) await requireDomain(client, domain);
}

/** @throws CommandError if the API does not know an account; it names those that exist */
export async function requireAccount(client: ApiClient, account: string): Promise<void> {
  if ((await client.find("getAccount", { account })) !== undefined) return;
  // One that was never created, and has reports.
  if ((await client.find("stats", { account })) !== undefined) return;
  const { items, matching } = await client.ask("listAccounts", { limit: MAX_LISTED });
  const more = matching > items.length ? ` and ${matching - items.length} more` : "";
  const names = items.map((one) => safeText(one.account)).join(", ");
  const known = matching === 0 ? "there is none" : `there are ${names}${more}`;
  throw new CommandError(`There is no account '${safeText(account)}'; ${known}.`);
}

async function requireDomain(client: ApiClient, domain: string): Promise<void> {
  const items = await registrations(client);
  if (items === undefined) return;
  const isNamed = items.some(({ entry }) => entry.domains !== undefined && acceptsDomain(entry, domain));
  if (isNamed || (await client.ask("stats", { domain })).reports > 0) return;
  const from = isoDate(Date.now() / 1000 - KNOWN_SECONDS);
  if ((await client.ask("otherDomains", { from })).items.some((one) => one.domain === domain)) return;
  throw new CommandError(
    `The domain '${safeText(domain)}' is unknown: no address names it, and no report is about it.`,
  );
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
