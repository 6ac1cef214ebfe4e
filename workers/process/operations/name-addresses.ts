/** Looks up the names of addresses that a page has shown; the next page view shows them. */
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import type { Lookups } from "../domains/lookups.ts";
import { nameUnknown } from "../domains/name-unknown.ts";
import { type Invocation, inShardOf } from "../env.ts";

/**
 * Looks up names that are not yet known, a bounded number.
 *
 * @param account whose database keeps the names
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
