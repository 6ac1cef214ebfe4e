/**
 * Mail of forgotten accounts that was under way: its raw object is deleted and nothing is kept of it. Only mail to an
 * address that is no longer registered, or has been registered or changed since, is looked up, so that other batches cost
 * nothing extra.
 */
import type { Registrations } from "../../../shared/ledger/addresses.ts";
import { forgottenAmong } from "../../../shared/ledger/forgotten.ts";
import { objectReference } from "../../../shared/ledger/objects.ts";
import { missingDatabase } from "../../../shared/ledger/shards.ts";
import { FORGET_LIMITS } from "../../../shared/limits.ts";
import type { Invocation } from "../env.ts";
import { ownersOf } from "./objects-of-account.ts";
import type { Task } from "./task.ts";

/** Ends the tasks of forgotten accounts. @throws nothing: a fault becomes the ending of the tasks it concerns */
export async function dropForgotten(
  tasks: readonly Task[],
  { byAddress, changedSeconds }: Registrations,
  invocation: Invocation,
): Promise<void> {
  const open = tasks.filter(({ ending }) => ending === undefined);
  const unregistered = open.filter(({ message }) => !byAddress.has(message.rua));
  const changed = open.filter(({ message }) => (changedSeconds.get(message.rua) ?? -1) >= message.receivedSeconds);
  if (unregistered.length + changed.length === 0) return;
  try {
    // An address may have come from another account, which keeps what it has of it; the job removes what the forgotten one has.
    const dropped = [...(await toForgotten(unregistered, invocation)), ...(await deletedSince(changed, invocation))];
    if (dropped.length === 0) return;
    const missing = await missingDatabase(invocation.shards);
    if (missing !== undefined) throw new Error(missing);
    const references = dropped.map(({ message }) => objectReference(message));
    const owners = await ownersOf(references, invocation);
    const ownerless = dropped.filter((_, place) => owners[place]?.size === 0);
    if (ownerless.length === 0) return;
    await invocation.env.R2_DMARC_REPORTS.delete(ownerless.map(({ message }) => message.key));
    for (const task of ownerless) task.ending = { entry: { event: "report", outcome: "account was forgotten" } };
  } catch (error) {
    for (const task of [...unregistered, ...changed]) task.ending = { error };
  }
}

/** Mail to addresses of forgotten accounts. What came later is of somebody who had the address after that. */
async function toForgotten(tasks: readonly Task[], { shards }: Invocation): Promise<Task[]> {
  const forgotten = await forgottenAmong(shards.directory, ruasOf(tasks));
  return tasks.filter((task) => cameBefore(task, forgotten));
}

/** Mail for an earlier owner of the address whose raw object is gone: it was deleted with that account. */
async function deletedSince(tasks: readonly Task[], { env, shards }: Invocation): Promise<Task[]> {
  const forgotten = await forgottenAmong(shards.directory, ruasOf(tasks), { kinds: ["address", "former"] });
  // Hardly ever any: objects are not asked for one by one when many are read again.
  const earlier = tasks.filter((task) => cameBefore(task, forgotten));
  const heads = await Promise.all(earlier.map(({ message }) => env.R2_DMARC_REPORTS.head(message.key)));
  return earlier.filter((_, place) => heads[place] === null);
}

function ruasOf(tasks: readonly Task[]): string[] {
  return tasks.map(({ message }) => message.rua);
}

function cameBefore({ message: { rua, receivedSeconds } }: Task, forgotten: ReadonlyMap<string, number>): boolean {
  return receivedSeconds <= (forgotten.get(rua) ?? Number.NEGATIVE_INFINITY) + FORGET_LIMITS.settleSeconds;
}
