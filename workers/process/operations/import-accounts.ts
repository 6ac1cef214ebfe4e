/**
 * Imports accounts, addresses and domains from the lines of a list: a few statements for all of them, whatever the
 * number of accounts. An invalid line does not affect the others; what exists already is not changed.
 */
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { ImportLine } from "../../../shared/import-lines.ts";
import { type ImportPlan, ImportPlanner, readLine } from "../../../shared/import-plan.ts";
import { accountNamesQuery, importAccounts as accountsToAdd } from "../../../shared/ledger/accounts.ts";
import { addressesNamingQuery, copyDue, findAddresses, importAddresses } from "../../../shared/ledger/addresses.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { beingForgotten } from "../../../shared/ledger/forgotten.ts";
import {
  putRegisteredDomains,
  registeredCountsQuery,
  registeredOfAccountsQuery,
} from "../../../shared/ledger/registered-domains.ts";
import { askAll } from "../../../shared/ledger/shards.ts";
import { SETUP_LIMITS } from "../../../shared/limits.ts";
import { addressAt, localPart, type RandomBytes } from "../domains/register-domains.ts";
import { type Invocation, inEachShard } from "../env.ts";

interface ImportOptions {
  /** Only report what would be done. */
  dryRun: boolean;
  invocation: Invocation;
  randomBytes: RandomBytes;
}

/** Imports lines. @returns the result of each, in order */
export async function importAccounts(
  given: readonly ImportLine[],
  { dryRun, invocation, randomBytes }: ImportOptions,
): Promise<Outputs["importAccounts"]["items"]> {
  const lines = given.map(readLine);
  const read = lines.flatMap((line) => (line.ok ? [line.value] : []));
  const accounts = [...new Set(read.map(({ account }) => account))];
  const domains = [...new Set(read.map(({ domain }) => domain).filter((domain) => domain !== ""))];
  const { directory } = invocation.shards;
  const ruas = [...new Set(read.map(({ rua }) => rua))];
  const host = invocation.env.RUA_HOST;
  const planner = new ImportPlanner({
    accounts: await ask(directory, accountNamesQuery(accounts)),
    addresses: [
      ...(await ask(directory, addressesNamingQuery(accounts, domains))),
      ...(await findAddresses(directory, ruas)),
    ],
    listed: await askAll(invocation.shards.all, registeredOfAccountsQuery(accounts, domains)),
    counts: await askAll(invocation.shards.all, registeredCountsQuery(accounts)),
    makeAddress: host === "" ? undefined : () => addressAt(host, localPart(randomBytes)),
    mayCreate: invocation.shards.all[Number(invocation.env.NEW_ACCOUNTS_SHARD)] !== undefined,
    forgotten: await beingForgotten(directory, accounts, ruas),
  });
  const items = lines.map((line) => (line.ok ? planner.add(line.value) : line.error));
  if (!dryRun) await write(planner.plan(), invocation);
  // A dry run shows no address, since the import will make another.
  return dryRun ? items.map(({ rua, ...item }) => (planner.isMade(rua) ? item : { ...item, rua })) : items;
}

async function write({ accounts, added, widened, domains }: ImportPlan, invocation: Invocation): Promise<void> {
  const { env, shards, nowSeconds } = invocation;
  const place = { directory: shards.directory, copy: env.KV_DMARC_REPORTS };
  const shard = Number(env.NEW_ACCOUNTS_SHARD);
  await change(shards.directory, [
    ...accountsToAdd(accounts, { shard, nowSeconds }),
    ...importAddresses(added, widened, nowSeconds),
  ]);
  const shardOf = new Map(
    (await ask(shards.directory, accountNamesQuery([...new Set(domains.map(({ account }) => account))]))).map((one) => [
      one.account,
      one.shard,
    ]),
  );
  for (const { ledger, shard: here } of inEachShard(invocation)) {
    const some = domains.filter(({ account }) => shardOf.get(account) === here);
    if (some.length > 0) await change(ledger, [putRegisteredDomains(some, nowSeconds)]);
  }
  const changed = [...added, ...widened].map(({ rua }) => rua);
  if (changed.length > 0) await copyDue(place, changed.slice(0, SETUP_LIMITS.copiedWhenAdded));
}
