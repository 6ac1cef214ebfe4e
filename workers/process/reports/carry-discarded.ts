/**
 * Before an object moves to another database, its discards are copied there: an object row with the discarded outcomes
 * only, and their dead letters. It is safe to interrupt or repeat.
 */
import { commitBatch, noChanges } from "../../../shared/ledger/commit-batch.ts";
import { findDeadLetters, isDiscarded } from "../../../shared/ledger/dead-letters.ts";
import { changedRow, findObjects, objectReference } from "../../../shared/ledger/objects.ts";
import { countParts, discardedByPeople } from "../../../shared/ledger/outcomes.ts";
import { type Invocation, inShard } from "../env.ts";
import type { Task } from "./task.ts";

/**
 * Copies the discards of an object to the database it belongs to now.
 *
 * @param shard the database it moves away from
 * @throws whatever D1 throws, and Error when another consumer finished the object at the same time
 */
export async function carryDiscarded(
  { message, home, read }: Task,
  shard: number,
  invocation: Invocation,
): Promise<void> {
  const row = home.others.find((other) => other.shard === shard);
  const outcomes = row?.finished.outcomes.filter(({ outcome }) => outcome === "discarded") ?? [];
  if (row === undefined || outcomes.length === 0) return;
  const { ledger } = inShard(invocation, home.shard);
  const reference = objectReference(read?.message ?? message);
  const here = (await findObjects(ledger, [reference])).get(message.key);
  const known = new Set(here?.outcomes.map(({ id }) => id));
  const ids = outcomes.map(({ id }) => id).filter((id) => !known.has(id));
  const found = await findDeadLetters(inShard(invocation, shard).ledger, ids);
  const discarded = new Map(found.filter(isDiscarded).map((deadLetter) => [deadLetter.id, deadLetter]));
  const carried = discardedByPeople(outcomes, discarded);
  if (carried.length === 0) return;
  const account = read?.registration?.entry.account ?? row.finished.account;
  const object = changedRow(reference, here, {
    account,
    // Lower than the message's generation: the object is not finished yet.
    generation: here?.generation ?? row.finished.generation,
    outcomes: [...(here?.outcomes ?? []), ...carried],
    found: (here?.found ?? 0) + countParts(carried),
  });
  const deadLetters = [...discarded.values()].map((deadLetter) => ({ ...deadLetter, account }));
  const { state } = await commitBatch(
    ledger,
    { ...noChanges(), objects: [object], deadLetters },
    invocation.nowSeconds,
  );
  if (state === "changed") throw new Error(`${message.key} was finished by another consumer at the same time.`);
}
