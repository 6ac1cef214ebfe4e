/** Looks up the names of addresses that a page has shown; the next page view shows them. */
import { nameAddress } from "../../../shared/guidance/address-name.ts";
import { addressNamesQuery, putAddressNames } from "../../../shared/ledger/address-names.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import type { OutsideWorld } from "../domains/outside-world.ts";
import { type Invocation, inShardOf } from "../env.ts";

/**
 * Looks up names that are not yet known, a bounded number, several at a time.
 *
 * @param account whose database keeps the names
 * @returns how many were found
 */
export async function nameAddresses(
  { account, addresses }: { account: string; addresses: readonly string[] },
  invocation: Invocation,
  { resolver }: Pick<OutsideWorld, "resolver">,
): Promise<number> {
  const { ledger, nowSeconds } = await inShardOf(account, invocation);
  const known = await ask(ledger, addressNamesQuery(addresses, nowSeconds));
  const names = new Set(known.map(({ address }) => address));
  const unknown = addresses.filter((address) => !names.has(address)).slice(0, GUIDANCE_LIMITS.namedAtOnce);
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
