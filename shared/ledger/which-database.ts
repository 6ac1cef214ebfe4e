/**
 * Which database of the ledger an object belongs to: that of its address's account. Where its address came to another
 * account since it was finished, or was registered only then, its row may still be in another one.
 */

import type { ReportMessage } from "../messages.ts";
import type { Registrations } from "./addresses.ts";
import type { LedgerDatabase } from "./database.ts";
import { type FinishedObject, findObjects, objectReference } from "./objects.ts";
import type { Shards } from "./shards.ts";

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

/** A message about an object, as it was delivered. */
interface ReceivedReport {
  message: ReportMessage;
  attempts: number;
}

/**
 * Finds the databases of a batch's objects: one query for each database that is asked.
 *
 * @returns a database or a fault for each raw key; a database that is down is a fault only of what has to be asked of it
 */
export async function findDatabases(
  received: readonly ReceivedReport[],
  { byAddress }: Registrations,
  { all }: Shards,
): Promise<Map<string, ObjectHome | { error: unknown }>> {
  const rows = new Map<string, ObjectRowInDatabase[]>();
  const faults = new Map<string, unknown>();
  const askOne = async (ledger: LedgerDatabase, shard: number): Promise<void> => {
    const asked = received.filter(
      (one) => mayBeAnywhere(one, byAddress) || byAddress.get(one.message.rua)?.shard === shard,
    );
    try {
      const references = asked.map(({ message }) => objectReference(message));
      for (const [key, finished] of await findObjects(ledger, references)) {
        rows.set(key, [...(rows.get(key) ?? []), { shard, finished }]);
      }
    } catch (error) {
      for (const { message } of asked) faults.set(message.key, error);
    }
  };
  await Promise.all(all.map(askOne));
  return new Map(
    received.map(({ message }) => {
      const { key } = message;
      const found = rows.get(key) ?? [];
      const home = chooseDatabase(message, found, byAddress.get(message.rua)?.shard);
      return [key, faults.has(key) ? { error: faults.get(key) } : home];
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

/** The number of the database in which a message is filed that the platform gave up. @throws whatever D1 throws */
export async function databaseOfExhausted(
  message: ReportMessage,
  { byAddress }: Registrations,
  { all }: Shards,
): Promise<number> {
  const rows: ObjectRowInDatabase[] = [];
  for (const [shard, ledger] of all.entries()) {
    const finished = (await findObjects(ledger, [objectReference(message)])).get(message.key);
    if (finished !== undefined) rows.push({ shard, finished });
  }
  return newest(rows)?.shard ?? byAddress.get(message.rua)?.shard ?? 0;
}
