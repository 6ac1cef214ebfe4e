/** Registers people, and notes when they were last seen. Their roles in one account are in accounts.ts. */
import type { Inputs, Outputs } from "../../../shared/contract/operations.ts";
import type { Answer } from "../../../shared/contract/problems.ts";
import { accountsNamedQuery } from "../../../shared/ledger/accounts.ts";
import { ask, change } from "../../../shared/ledger/database.ts";
import { notePersonSeen, putPerson, removePerson } from "../../../shared/ledger/people.ts";
import { authorityOf, normalizeEmail, PersonValueError, validPerson } from "../../../shared/people.ts";
import { ok } from "../../../shared/result.ts";
import { noAccount, valid } from "../answers.ts";
import type { Call } from "../env.ts";
import { closeLostAccounts } from "../notify/confirm-channel.ts";

/**
 * Registers a person, or changes their roles.
 *
 * @returns a problem if the address or an account's name is not valid, or an account does not exist
 */
export async function registerPerson(
  { email, entry }: Inputs["putIdentity"],
  { invocation, caller }: Call,
): Promise<Answer<Outputs["putIdentity"]>> {
  const { shards, nowSeconds } = invocation;
  const person = valid(() => validPerson(email, entry), PersonValueError);
  if (!person.ok) return person;
  const { role, accounts, alsoViews = [] } = person.value.entry;
  // Those of an operator mean nothing.
  const named = role === "operator" ? [] : [...accounts, ...alsoViews];
  const known = await ask(shards.directory, accountsNamedQuery(named));
  const unknown = named.find((name) => !known.some(({ account }) => account === name));
  if (unknown !== undefined) return noAccount(unknown);
  await closeLostAccounts(person.value.email, () => authorityOf(person.value.entry), invocation);
  await change(shards.directory, putPerson(person.value, { by: caller.name, nowSeconds }));
  return person;
}

/** Removes a person, who then sees nothing. */
export async function dropPerson(
  { email: typed }: Inputs["removeIdentity"],
  { invocation }: Call,
): Promise<Answer<Outputs["removeIdentity"]>> {
  const email = normalizeEmail(typed);
  await closeLostAccounts(email, () => ({ isOperator: false, accounts: {} }), invocation);
  await change(invocation.shards.directory, removePerson(email));
  return ok(undefined);
}

/** Notes that the caller was seen now. */
export async function noteCallerSeen(
  _: Inputs["noteSeen"],
  { invocation: { shards, nowSeconds }, caller }: Call,
): Promise<Answer<Outputs["noteSeen"]>> {
  await change(shards.directory, [notePersonSeen(normalizeEmail(caller.name), nowSeconds)]);
  return ok(undefined);
}
