/** Looks up names of addresses in DNS and keeps them: those that a page has shown, and those that a verdict leaves open. */
import type { Resolver } from "../../../shared/dns/resolver.ts";
import { nameAddress } from "../../../shared/guidance/address-name.ts";
import { addressNamesQuery, putAddressNames } from "../../../shared/ledger/address-names.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import { type Invocation, inShardOf } from "../env.ts";
import type { Lookups } from "./lookups.ts";

/**
 * Looks up the names of addresses that have none in the ledger yet, several at a time.
 *
 * @param most looked up at once
 * @returns how many were found
 */
export async function nameUnknown(
  { addresses, most }: { addresses: readonly string[]; most: number },
  { ledger, nowSeconds }: Pick<Invocation, "ledger" | "nowSeconds">,
  resolver: Resolver,
): Promise<number> {
  const known = await ask(ledger, addressNamesQuery(addresses, nowSeconds));
  const names = new Set(known.map(({ address }) => address));
  const unknown = addresses.filter((address) => !names.has(address)).slice(0, most);
  const found = [];
  for (let at = 0; at < unknown.length; at += GUIDANCE_LIMITS.lookupsSideBySide) {
    const some = unknown.slice(at, at + GUIDANCE_LIMITS.lookupsSideBySide);
    const answers = (await Promise.all(some.map((address) => nameAddress(address, resolver)))).filter(
      (answer) => answer !== undefined,
    );
    // If DNS is unreachable, the rest would only wait for it.
    if (answers.length === 0) break;
    found.push(...answers);
  }
  if (found.length > 0) {
    await change(ledger, [putAddressNames(found, nowSeconds + GUIDANCE_LIMITS.keptNameSeconds)]);
  }
  return found.length;
}

/**
 * Looks up names of addresses that a page has shown, a bounded number; the next page view shows them.
 *
 * @param account the names are kept in its database
 * @returns how many were found
 */
export async function nameAddresses(
  { account, addresses }: { account: string; addresses: readonly string[] },
  invocation: Invocation,
  { resolver }: Pick<Lookups, "resolver">,
): Promise<number> {
  const place = await inShardOf(account, invocation);
  return nameUnknown({ addresses, most: GUIDANCE_LIMITS.namedAtOnce }, place, resolver);
}
