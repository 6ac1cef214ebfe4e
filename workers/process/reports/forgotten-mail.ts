/**
 * Mail of forgotten accounts that was under way: its raw object is deleted and nothing is kept of it. Only mail to an
 * address that is no longer registered is looked up, so that other batches cost nothing extra.
 */
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { forgottenAmong } from "../../../shared/ledger/forgotten.ts";
import { objectReference } from "../../../shared/ledger/objects.ts";
import { FORGET_LIMITS } from "../../../shared/limits.ts";
import type { Invocation } from "../env.ts";
import { ownersOf } from "./objects-of-account.ts";
import type { Task } from "./task.ts";

/** Ends the tasks of forgotten accounts. @throws nothing: a fault becomes the ending of the tasks it concerns */
export async function dropForgotten(
  tasks: readonly Task[],
  { byAddress }: Registrations,
  invocation: Invocation,
): Promise<void> {
  const unregistered = tasks.filter(({ ending, message }) => ending === undefined && !byAddress.has(message.rua));
  if (unregistered.length === 0) return;
  try {
    const forgotten = await forgottenAmong(
      invocation.shards.directory,
      unregistered.map(({ message }) => message.rua),
    );
    // Later mail is for the next owner of the address.
    const dropped = unregistered.filter(
      ({ message: { rua, receivedSeconds } }) =>
        receivedSeconds <= (forgotten.get(rua) ?? Number.NEGATIVE_INFINITY) + FORGET_LIMITS.settleSeconds,
    );
    // Another account may have had the address before, and keeps its objects; the job removes those of the forgotten
    // account.
    const references = dropped.map(({ message }) => objectReference(message));
    const owners = dropped.length === 0 ? [] : await ownersOf(references, invocation);
    const ownerless = dropped.filter((_, place) => owners[place]?.size === 0);
    if (ownerless.length === 0) return;
    await invocation.env.R2_DMARC_REPORTS.delete(ownerless.map(({ message }) => message.key));
    for (const task of ownerless) task.ending = { entry: { event: "report", outcome: "account was forgotten" } };
  } catch (error) {
    for (const task of unregistered) task.ending = { error };
  }
}
