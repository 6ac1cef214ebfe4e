/** Names of the addresses that a page shows; unknown ones are looked up after it was sent. */
import type { AddressName } from "../../../shared/guidance/address-name.ts";
import { addressNamesQuery } from "../../../shared/ledger/address-names.ts";
import { GUIDANCE_LIMITS } from "../../../shared/limits.ts";
import type { LedgerRequest } from "./ledger-request.ts";

/** Names by address. @param addresses those that matter most first */
export async function askNames(
  request: LedgerRequest,
  addresses: readonly string[],
): Promise<ReadonlyMap<string, AddressName>> {
  const shown = [...new Set(addresses)].filter((address) => address !== "").slice(0, GUIDANCE_LIMITS.maxNamedAddresses);
  if (shown.length === 0) return new Map();
  const names = await request.ask(addressNamesQuery(shown, request.nowSeconds));
  const known = new Map(names.map((name) => [name.address, name]));
  const [account] = await request.accounts();
  const unknown = shown.filter((address) => !known.has(address));
  if (account !== undefined && unknown.length > 0) {
    request.later(request.operate("nameAddresses", { account, addresses: unknown }));
  }
  return known;
}

/** `mail.example.net`, `AS64500 Holder, DE`; each only where it is known. */
export function namePhrases(name: AddressName | undefined): string[] {
  if (name === undefined) return [];
  const network =
    name.asn === 0 ? "" : `AS${name.asn} ${[name.holder, name.country].filter(Boolean).join(", ")}`.trim();
  return [name.host, network].filter((phrase) => phrase !== "");
}
