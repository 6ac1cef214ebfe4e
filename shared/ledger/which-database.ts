/**
 * Which database of the ledger an object belongs to: that of its address's account. If the address moved to another
 * account after the object was finished, or was registered only then, its row may still be in another database.
 */

import type { ReportMessage } from "../messages.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { addRegistrations, type Registrations } from "./addresses.ts";
import { type LedgerDatabase, OneCall } from "./database.ts";
import { addObjects, type FinishedObject, faultOfNewer, findObjects, objectReference } from "./objects.ts";
import { wasDecided } from "./outcomes.ts";
import { missingDatabase, type Shards } from "./shards.ts";

/** A row of an object in one database. */
export interface ObjectRowInDatabase {
  shard: number;
  finished: FinishedObject;
}

/** Where an object is finished. */
export interface ObjectHome {
  shard: number;
  /** Its row there, if any. */
  finished: FinishedObject | undefined;
  /** Its rows in other databases, which must be removed. */
  others: ObjectRowInDatabase[];
}

/** A message about an object, as delivered. */
interface ReceivedReport {
  message: ReportMessage;
  attempts: number;
}

/** What the ledger says about a batch before its objects are read. */
export interface FoundDatabases {
  registrations: Registrations;
  /** A database or a fault for each raw key. */
  homes: ReadonlyMap<string, ObjectHome | { error: unknown }>;
}

/**
 * Finds the databases of a batch's objects: with one call to the first database, and one query for each further one that is
 * involved. One of those that is down only affects the objects that need it; one that is not bound, those that it may hold.
 *
 * @throws whatever the first database throws
 */
export async function findDatabases(received: readonly ReceivedReport[], shards: Shards): Promise<FoundDatabases> {
  const inDirectory = await askDirectory(shards.directory, received);
  const { registrations } = inDirectory;
  const moved = received.filter((one) => mayHaveMoved(one, registrations));
  const missing = moved.length === 0 ? undefined : await missingDatabase(shards);
  const homes = await findHomes(received, inDirectory, shards);
  // What counts there would be counted here, too.
  if (missing !== undefined) for (const { message } of moved) homes.set(message.key, { error: new Error(missing) });
  return { registrations, homes };
}

interface InDirectory {
  registrations: Registrations;
  /** The batch's objects that are finished there, by raw key. */
  finished: ReadonlyMap<string, FinishedObject>;
}

async function askDirectory(directory: LedgerDatabase, received: readonly ReceivedReport[]): Promise<InDirectory> {
  const call = new OneCall();
  const registrations = addRegistrations(
    call,
    received.map(({ message }) => message.rua),
  );
  const finished = await addObjects(
    call,
    received.map(({ message }) => objectReference(message)),
  );
  await call.send(directory);
  return { registrations: registrations(), finished: finished() };
}

async function findHomes(
  received: readonly ReceivedReport[],
  { registrations, finished: inDirectory }: InDirectory,
  { all }: Shards,
): Promise<Map<string, ObjectHome | { error: unknown }>> {
  const { byAddress } = registrations;
  const rows = new Map<string, ObjectRowInDatabase[]>();
  const faults = new Map<string, unknown>();
  const askOne = async (ledger: LedgerDatabase, shard: number): Promise<void> => {
    const asked = received.filter(
      (one) => mayBeAnywhere(one, registrations) || byAddress.get(one.message.rua)?.shard === shard,
    );
    try {
      const references = asked.map(({ message }) => objectReference(message));
      const known = shard === 0 ? inDirectory : await findObjects(ledger, references);
      for (const { rawKey } of references) {
        const finished = known.get(rawKey);
        if (finished !== undefined) rows.set(rawKey, [...(rows.get(rawKey) ?? []), { shard, finished }]);
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
      const isDone = home.finished !== undefined && home.finished.generation >= (message.generation ?? 1);
      const fault = faults.get(key) ?? (isDone ? undefined : faultOfNewer(found.map(({ finished }) => finished)));
      return [key, fault === undefined ? home : { error: fault }];
    }),
  );
}

// A message delivered for the first time is about an object that no other database can know, unless it may have moved.
function mayBeAnywhere(received: ReceivedReport, registrations: Registrations): boolean {
  const { generation = 1, resent } = received.message;
  return generation > 1 || resent === true || received.attempts > 1 || mayHaveMoved(received, registrations);
}

/** Whether the same mail may have come before, on the same day, when its address was another account's. */
function mayHaveMoved({ message }: ReceivedReport, { byAddress, changedSeconds }: Registrations): boolean {
  const { rua, receivedSeconds } = message;
  const dayBegins = Math.floor(receivedSeconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  return !byAddress.has(rua) || (changedSeconds.get(rua) ?? 0) >= dayBegins;
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
  if (home === undefined) {
    // A row of nobody's was filed while the database of the other was not bound.
    const owned = rows.filter(({ finished }) => finished.account !== "");
    const kept = newest(owned.filter(({ finished }) => wasDecided(finished.outcomes))) ?? newest(owned) ?? newest(rows);
    return { ...(kept ?? { shard: 0, finished: undefined }), others: rows.filter((row) => row !== kept) };
  }
  return { shard: home, finished: here?.finished, others: rows.filter((row) => row !== here) };
}

function newest(rows: readonly ObjectRowInDatabase[]): ObjectRowInDatabase | undefined {
  return rows.toSorted((a, b) => b.finished.generation - a.finished.generation)[0];
}

/** The number of the database in which to file a message that the platform gave up on. @throws whatever D1 throws */
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
