/** Creates accounts, and changes their names, logos and people. */
import { decodeBase64 } from "../../../shared/base64.ts";
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import type { Caller } from "../../../shared/contract/rpc.ts";
import {
  accountHeadQuery,
  addAccount,
  findAccount,
  removeAccountLogo,
  setAccountLogo,
  setAccountName,
} from "../../../shared/ledger/accounts.ts";
import { ask, type Change, change } from "../../../shared/ledger/database.ts";
import { accountPeopleQuery, putAccountPerson, removeAccountPerson } from "../../../shared/ledger/people.ts";
import { LEDGER_BINDING } from "../../../shared/ledger/shards.ts";
import { ACCOUNT_LIMITS } from "../../../shared/limits.ts";
import { readLogo } from "../../../shared/logo.ts";
import { type Authority, normalizeEmail } from "../../../shared/people.ts";
import { fail, ok } from "../../../shared/result.ts";
import { badRequest, noAccount } from "../answers.ts";
import type { Call, Invocation } from "../env.ts";
import { closeLostAccounts } from "../notify/confirm-channel.ts";

/** Creates an account. @returns a problem if it exists, or its database is not bound */
export async function createAccount(
  { account, name = "" }: Inputs["createAccount"],
  { invocation }: Call,
): Promise<Answer<Outputs["createAccount"]>> {
  const { env, shards, nowSeconds } = invocation;
  if ((await findAccount(shards.directory, account)) !== undefined) {
    return fail({ code: "already_exists", message: `There is an account '${account}' already.` });
  }
  const shard = Number(env.NEW_ACCOUNTS_SHARD);
  if (shards.all[shard] === undefined) {
    const message = `New accounts go to database ${shard} (NEW_ACCOUNTS_SHARD), and ${LEDGER_BINDING}_${shard} is not bound to process.`;
    return fail({ code: "not_configured", message });
  }
  return changeAccount(
    account,
    [addAccount({ account, shard }, nowSeconds), setAccountName(account, name)],
    invocation,
  );
}

/** Sets the name of an account. @returns a problem if there is no such account */
export function renameAccount(
  { account, name }: Inputs["setAccountName"],
  { invocation }: Call,
): Promise<Answer<Outputs["setAccountName"]>> {
  return changeAccount(account, [setAccountName(account, name)], invocation);
}

/** Sets an account's logo. @returns a problem if the picture is not allowed, or there is no such account */
export async function changeLogo(
  { account, base64 }: Inputs["setAccountLogo"],
  { invocation }: Call,
): Promise<Answer<Outputs["setAccountLogo"]>> {
  const bytes = decodeBase64(base64);
  if (bytes === undefined) return badRequest("The picture is not base64.");
  const mediaType = readLogo(bytes);
  if (!mediaType.ok) return badRequest(mediaType.error);
  if ((await findAccount(invocation.shards.directory, account)) === undefined) return noAccount(account);
  const logo = { mediaType: mediaType.value, base64, changedSeconds: invocation.nowSeconds };
  return changeAccount(account, [setAccountLogo(account, logo)], invocation);
}

/** Removes an account's logo; a missing one is no error. */
export async function dropLogo(
  { account }: Inputs["removeAccountLogo"],
  { invocation }: Call,
): Promise<Answer<undefined>> {
  await change(invocation.shards.directory, [removeAccountLogo(account)]);
  return ok(undefined);
}

/**
 * Gives a person a role in an account.
 *
 * @returns a problem if there is no such account, it is full, or an administrator would change their own role
 */
export async function givePersonRole(
  { account, email: typed, role }: Inputs["putAccountPerson"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["putAccountPerson"]>> {
  const email = normalizeEmail(typed);
  if (isOwnRole(email, caller)) return ownRole();
  const { shards, nowSeconds } = invocation;
  if ((await findAccount(shards.directory, account)) === undefined) return noAccount(account);
  const people = await ask(shards.directory, accountPeopleQuery([account]));
  if (people.length >= ACCOUNT_LIMITS.peoplePerAccount && !people.some((one) => one.email === email)) {
    const message = `The account has ${people.length} people, as many as it may have.`;
    return fail({ code: "too_large", message });
  }
  await change(shards.directory, putAccountPerson({ account, email, role }, { by: caller.name, nowSeconds }));
  return ok({ account, email, role });
}

/** Removes a person's role in an account; a missing one is no error. */
export async function takePersonRole(
  { account, email: typed }: Inputs["removeAccountPerson"],
  { invocation, caller }: Call,
): Promise<Answer<undefined>> {
  const email = normalizeEmail(typed);
  if (isOwnRole(email, caller)) return ownRole();
  const without = ({ isOperator, accounts: { [account]: _, ...accounts } }: Authority) => ({ isOperator, accounts });
  await closeLostAccounts(email, without, invocation);
  await change(invocation.shards.directory, removeAccountPerson({ account, email }, invocation.nowSeconds));
  return ok(undefined);
}

/** Nobody takes their own role away, so an account keeps an administrator unless an operator removes the last. */
function isOwnRole(email: string, { name, authority }: Caller): boolean {
  return !authority.isOperator && normalizeEmail(name) === email;
}

function ownRole(): Answer<never> {
  const message = "Your own role is changed by another administrator of the account, or by an operator.";
  return badRequest(message);
}

async function changeAccount(
  account: string,
  changes: readonly Change[],
  { shards }: Invocation,
): Promise<Answer<Outputs["setAccountName"]>> {
  await change(shards.directory, changes);
  const [head] = await ask(shards.directory, accountHeadQuery(account));
  return head === undefined ? noAccount(account) : ok(head);
}
