/**
 * Which database of the ledger an object belongs to: that of its address's account. Where its address came to another
 * account since it was finished, or was registered only then, its row may still be in another one.
 */

import { findAccount } from "../../shared/ledger/accounts.ts";
import type { Registrations } from "../../shared/ledger/addresses.ts";
import { type FinishedObject, findObjects } from "../../shared/ledger/objects.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { type Invocation, inEachShard, inShard } from "./env.ts";
import type { Received } from "./kinds/kind.ts";
import { referenceOf } from "./lookup.ts";

/** A row of an object in one database. */
export interface ObjectRowInDatabase {
  shard: number;
  finished: FinishedObject;
}

/** Where an object is finished. */
export interface ObjectHome {
  shard: number;
  /** Its row there, if it has one. */
  finished: FinishedObject | undefined;
  /** Rows it has in other databases: they have to go. */
  others: ObjectRowInDatabase[];
}

type ReceivedReport = Pick<Received<ReportMessage>, "message" | "attempts">;

/**
 * Finds the places of a batch's objects: one query for each database that is asked.
 *
 * @returns a place or a fault for each raw key; a database that is down is a fault only of what has to be asked of it
 */
export async function findDatabases(
  received: readonly ReceivedReport[],
  { byAddress }: Registrations,
  invocation: Invocation,
): Promise<Map<string, ObjectHome | { error: unknown }>> {
  const rows = new Map<string, ObjectRowInDatabase[]>();
  const faults = new Map<string, unknown>();
  const askOne = async ({ shard, ledger }: Invocation): Promise<void> => {
    const asked = received.filter(
      (one) => mayBeAnywhere(one, byAddress) || byAddress.get(one.message.rua)?.shard === shard,
    );
    try {
      for (const [key, finished] of await findObjects(ledger, asked.map(referenceOf))) {
        rows.set(key, [...(rows.get(key) ?? []), { shard, finished }]);
      }
    } catch (error) {
      for (const { message } of asked) faults.set(message.key, error);
    }
  };
  await Promise.all(inEachShard(invocation).map(askOne));
  return new Map(
    received.map(({ message }) => {
      const { key } = message;
      const found = rows.get(key) ?? [];
      const place = chooseDatabase(message, found, byAddress.get(message.rua)?.shard);
      return [key, faults.has(key) ? { error: faults.get(key) } : place];
    }),
  );
}

// A message that comes for the first time is about an object that no other database can know.
function mayBeAnywhere({ message, attempts }: ReceivedReport, byAddress: Registrations["byAddress"]): boolean {
  return (message.generation ?? 1) > 1 || message.resent === true || attempts > 1 || !byAddress.has(message.rua);
}

function chooseDatabase(
  { generation = 1 }: ReportMessage,
  rows: ObjectRowInDatabase[],
  home: number | undefined,
): ObjectHome {
  const isDone = (row: ObjectRowInDatabase): boolean => row.finished.generation >= generation;
  const here = rows.find(({ shard }) => shard === home);
  const done = here !== undefined && isDone(here) ? here : rows.find(isDone);
  if (done !== undefined) return { ...done, others: [] };
  if (home === undefined) return { ...(newest(rows) ?? { shard: 0, finished: undefined }), others: [] };
  return { shard: home, finished: here?.finished, others: rows.filter((row) => row !== here) };
}

function newest(rows: readonly ObjectRowInDatabase[]): ObjectRowInDatabase | undefined {
  return rows.toSorted((a, b) => b.finished.generation - a.finished.generation)[0];
}

/** The invocation on the database in which a message is filed that the platform gave up. @throws whatever D1 throws */
export async function inDatabaseOfExhausted(
  message: ReportMessage,
  { byAddress }: Registrations,
  invocation: Invocation,
): Promise<Invocation> {
  const rows: ObjectRowInDatabase[] = [];
  for (const { shard, ledger } of inEachShard(invocation)) {
    const finished = (await findObjects(ledger, [referenceOf({ message })])).get(message.key);
    if (finished !== undefined) rows.push({ shard, finished });
  }
  return inShardIfBound(invocation, newest(rows)?.shard ?? byAddress.get(message.rua)?.shard ?? 0);
}

/** The invocation on a database, or on the first one where it is no longer bound: what is filed has to be somewhere. */
export function inShardIfBound(invocation: Invocation, shard: number): Invocation {
  return inShard(invocation, invocation.shards.all[shard] === undefined ? 0 : shard);
}

/** The invocation on the database of an account; on the first one where there is no such account. */
export async function inShardOf(account: string, invocation: Invocation): Promise<Invocation> {
  const found = await findAccount(invocation.shards.directory, account);
  return inShard(invocation, found?.shard ?? 0);
}
