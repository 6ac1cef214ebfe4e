/** Makes the list of registered domains in each database follow the registry, after a change and once an hour. */
import { addressesQuery, findAddresses } from "../../../shared/ledger/addresses.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { domainAddressesQuery, followRegistry } from "../../../shared/ledger/registered-domains.ts";
import { type Invocation, inEachShard } from "../env.ts";

/** After an address was registered, changed or removed: its domains are listed, and those it no longer accepts are not. */
export async function followAddress(rua: string, invocation: Invocation): Promise<void> {
  const registered = await findAddresses(invocation.shards.directory, [rua]);
  for (const { ledger, shard, nowSeconds } of inEachShard(invocation)) {
    const here = registered.filter((one) => one.shard === shard);
    await change(ledger, followRegistry(here, await ask(ledger, domainAddressesQuery(rua)), nowSeconds));
  }
}

/** The same for all addresses of the accounts of one database, to complete what a fault interrupted. */
export async function followWholeRegistry({ ledger, shard, shards, nowSeconds }: Invocation): Promise<void> {
  const registered = await ask(shards.directory, addressesQuery());
  const here = registered.filter((one) => one.shard === shard);
  await change(ledger, followRegistry(here, await ask(ledger, domainAddressesQuery()), nowSeconds));
}
