/** Registers RUA addresses, changes what is registered, and removes them. */
import type { Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { findAccount } from "../../../shared/ledger/accounts.ts";
import {
  addAddress,
  putAddress,
  type RegistryPlace,
  removeAddress,
  restoreAddresses,
} from "../../../shared/ledger/addresses.ts";
import { beingForgotten } from "../../../shared/ledger/forgotten.ts";
import { LEDGER_BINDING } from "../../../shared/ledger/shards.ts";
import { PAGE_LIMITS } from "../../../shared/limits.ts";
import {
  listCopies,
  normalizeRua,
  type RegistryEntry,
  RegistryValueError,
  validRegistration,
} from "../../../shared/registry.ts";
import { fail, ok } from "../../../shared/result.ts";
import { valid } from "../answers.ts";
import type { Invocation } from "../env.ts";
import { followAddress } from "./follow-registry.ts";

/** Registers an address, or changes what is registered; a new account goes to the database that NEW_ACCOUNTS_SHARD names. */
export async function putRegistration(
  rua: string,
  entry: RegistryEntry,
  invocation: Invocation,
): Promise<Answer<Outputs["putRegistration"]>> {
  const wanted = await readRegistration(rua, entry, invocation);
  if (!wanted.ok) return wanted;
  const { registration, place } = wanted.value;
  const stored = await putAddress(registration, place, invocation.nowSeconds);
  return ok({ rua: stored.rua, entry: stored.entry });
}

/** Registers a new address. @returns a problem where it is registered already; nothing is changed then */
export async function addRegistration(
  rua: string,
  entry: RegistryEntry,
  invocation: Invocation,
): Promise<Answer<Outputs["addRegistration"]>> {
  const wanted = await readRegistration(rua, entry, invocation);
  if (!wanted.ok) return wanted;
  const { registration, place } = wanted.value;
  const stored = await addAddress(registration, place, invocation.nowSeconds);
  if (stored !== undefined) return ok({ rua: stored.rua, entry: stored.entry });
  const message = `${registration.rua} is registered already; nothing was changed.`;
  return fail({ code: "already_exists", message });
}

/** Removes an address: mail to it is rejected from now on. */
export async function dropRegistration(
  rua: string,
  invocation: Invocation,
): Promise<Answer<Outputs["removeRegistration"]>> {
  const { env, shards, nowSeconds } = invocation;
  await removeAddress(rua, { directory: shards.directory, copy: env.KV_DMARC_REPORTS }, nowSeconds);
  await followAddress(normalizeRua(rua), invocation);
  return ok(undefined);
}

/** Updates the list of registered domains once an address is registered. @returns the answer it is given */
export async function followed(
  answer: Answer<Outputs["putRegistration"]>,
  invocation: Invocation,
): Promise<Answer<Outputs["putRegistration"]>> {
  if (answer.ok) await followAddress(answer.value.rua, invocation);
  return answer;
}

/** Registers a page of addresses again as their copies in KV say: KV is a copy of the directory, and outlives it. */
export async function restoreRegistrations(
  cursor: string | undefined,
  { env, shards, nowSeconds }: Invocation,
): Promise<Answer<Outputs["restoreRegistrations"]>> {
  const page = await listCopies(env.KV_DMARC_REPORTS, { cursor, limit: PAGE_LIMITS.copiesRestored });
  const restored = await restoreAddresses(shards.directory, page.copies, nowSeconds);
  return ok({ found: page.copies.length, restored, cursor: page.cursor });
}

/** Reads what is to be registered, and where. @returns a problem where either makes no sense */
export async function readRegistration(
  rua: string,
  entry: RegistryEntry,
  { env, shards }: Invocation,
): Promise<Answer<{ registration: { rua: string; entry: RegistryEntry }; place: RegistryPlace }>> {
  const registration = valid(() => validRegistration(rua, entry), RegistryValueError);
  if (!registration.ok) return registration;
  const place = {
    directory: shards.directory,
    copy: env.KV_DMARC_REPORTS,
    newAccountShard: Number(env.NEW_ACCOUNTS_SHARD),
  };
  const { account } = registration.value.entry;
  const forgotten = await whyForgotten({ account, rua: registration.value.rua }, shards);
  if (forgotten !== undefined) return forgotten;
  if (shards.all[place.newAccountShard] === undefined && (await findAccount(shards.directory, account)) === undefined) {
    const message =
      `New accounts go to database ${env.NEW_ACCOUNTS_SHARD} (NEW_ACCOUNTS_SHARD), and ` +
      `${LEDGER_BINDING}_${env.NEW_ACCOUNTS_SHARD} is not bound to process.`;
    return fail({ code: "not_configured", message });
  }
  return ok({ registration: registration.value, place });
}

/** Nothing is registered for an account, or at an address, that is being forgotten: it would be forgotten, too. */
async function whyForgotten(
  { account, rua }: { account: string; rua: string },
  { directory }: Invocation["shards"],
): Promise<Answer<never> | undefined> {
  if ((await beingForgotten(directory, [account], [rua])).length === 0) return undefined;
  const message = `The account ${account} is being forgotten; wait until that is done.`;
  return fail({ code: "already_exists", message });
}
