/**
 * Which database of the ledger an object belongs to: that of its address's account. Where its address came to another
 * account since it was settled, or was registered only then, its row may still be in another one.
 */

import { findAccount } from "../../shared/ledger/accounts.ts";
import type { Registrations } from "../../shared/ledger/addresses.ts";
import { findObjects, type SettledObject } from "../../shared/ledger/objects.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import { type Invocation, inEachShard, inShard } from "./env.ts";
import type { Received } from "./kinds/kind.ts";
import { referenceOf } from "./lookup.ts";

/** A row of an object in one database. */
export interface PlacedObject {
  shard: number;
  settled: SettledObject;
}

/** Where an object is settled. */
export interface Place {
  shard: number;
  /** Its row there, if it has one. */
  settled: SettledObject | undefined;
  /** Rows it has in other databases: they have to go. */
  others: PlacedObject[];
}

type ReceivedReport = Pick<Received<ReportMessage>, "message" | "attempts">;

/**
 * Finds the places of a batch's objects: one query for each database that is asked.
 *
 * @returns a place or a fault for each raw key; a database that is down is a fault only of what has to be asked of it
 */
export async function findPlaces(
  received: readonly ReceivedReport[],
  { byAddress }: Registrations,
  invocation: Invocation,
): Promise<Map<string, Place | { error: unknown }>> {
  const rows = new Map<string, PlacedObject[]>();
  const faults = new Map<string, unknown>();
  const askOne = async ({ shard, ledger }: Invocation): Promise<void> => {
    const asked = received.filter(
      (one) => mayBeAnywhere(one, byAddress) || byAddress.get(one.message.rua)?.shard === shard,
    );
    try {
      for (const [key, settled] of await findObjects(ledger, asked.map(referenceOf))) {
        rows.set(key, [...(rows.get(key) ?? []), { shard, settled }]);
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
      const place = choosePlace(message, found, byAddress.get(message.rua)?.shard);
      return [key, faults.has(key) ? { error: faults.get(key) } : place];
    }),
  );
}

// A message that comes for the first time is about an object that no other database can know.
function mayBeAnywhere({ message, attempts }: ReceivedReport, byAddress: Registrations["byAddress"]): boolean {
  return (message.generation ?? 1) > 1 || message.resent === true || attempts > 1 || !byAddress.has(message.rua);
}

function choosePlace({ generation = 1 }: ReportMessage, rows: PlacedObject[], home: number | undefined): Place {
  const isDone = (row: PlacedObject): boolean => row.settled.generation >= generation;
  const here = rows.find(({ shard }) => shard === home);
  const done = here !== undefined && isDone(here) ? here : rows.find(isDone);
  if (done !== undefined) return { ...done, others: [] };
  if (home === undefined) return { ...(newest(rows) ?? { shard: 0, settled: undefined }), others: [] };
  return { shard: home, settled: here?.settled, others: rows.filter((row) => row !== here) };
}

function newest(rows: readonly PlacedObject[]): PlacedObject | undefined {
  return rows.toSorted((a, b) => b.settled.generation - a.settled.generation)[0];
}

/** The invocation on the database in which a message is filed that the platform gave up. @throws whatever D1 throws */
export async function inPlaceOfExhausted(
  message: ReportMessage,
  { byAddress }: Registrations,
  invocation: Invocation,
): Promise<Invocation> {
  const rows: PlacedObject[] = [];
  for (const { shard, ledger } of inEachShard(invocation)) {
    const settled = (await findObjects(ledger, [referenceOf({ message })])).get(message.key);
    if (settled !== undefined) rows.push({ shard, settled });
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
