/** Which raw objects are an account's: a page of R2's listing, with the rows of the ledger beside it. */
import { findAddresses } from "../../../shared/ledger/addresses.ts";
import { accountsOfObjects } from "../../../shared/ledger/forget.ts";
import { type ObjectReference, objectHash } from "../../../shared/ledger/objects.ts";
import { SECONDS_PER_DAY } from "../../../shared/report-day.ts";
import { parseRawMetadata, RAW_PREFIX, type RawMetadata } from "../../../shared/storage.ts";
import type { Invocation } from "../env.ts";
import { listObjects } from "./raw-object.ts";

/** A raw object of an account. */
export interface ObjectOfAccount {
  rawKey: string;
  rua: string;
  receivedSeconds: number;
  sizeBytes: number;
  metadata: RawMetadata;
}

/** Whose objects to find. */
export interface WantedObjects {
  account: string;
  /** Which of some addresses are, or were, the account's. */
  isAddress(ruas: readonly string[]): Promise<ReadonlySet<string>>;
  /** The last key of the page before; "" = from the beginning. */
  after: string;
}

/**
 * A page of the bucket: the objects that the ledger has a row of for the account, and those without a row that came to
 * its addresses. What another account has a row of is the other's.
 */
export async function rawObjectsPage(
  { account, isAddress, after }: WantedObjects,
  invocation: Invocation,
): Promise<{ objects: ObjectOfAccount[]; scanned: number; next: string | undefined }> {
  const listed = await listObjects(invocation.env, { prefix: RAW_PREFIX, after });
  const objects = listed.objects.map(({ key, size, customMetadata }): ObjectOfAccount => {
    const metadata = parseRawMetadata(customMetadata);
    const { rua, receivedSeconds } = metadata;
    return { rawKey: key, rua, receivedSeconds, sizeBytes: size, metadata };
  });
  const owners = await ownersOf(objects, invocation);
  const without = objects.filter((_, place) => owners[place]?.size === 0).map(({ rua }) => rua);
  const [own, registered] = await Promise.all([isAddress(without), othersAmong(without, account, invocation)]);
  const isOfAccount = (object: ObjectOfAccount, place: number): boolean => {
    const accounts = owners[place] ?? new Set();
    if (accounts.size > 0) return accounts.has(account) && accounts.size === 1;
    return own.has(object.rua) && !registered.has(object.rua);
  };
  return { objects: objects.filter(isOfAccount), scanned: objects.length, next: listed.next };
}

/** Accounts with a row of each object; rows of account '' are nobody's. */
export async function ownersOf(objects: readonly ObjectReference[], { shards }: Invocation): Promise<Set<string>[]> {
  const references = await Promise.all(
    objects.map(
      async ({ rua, receivedSeconds, rawKey }): Promise<[string, number, string]> => [
        rua,
        Math.floor(receivedSeconds / SECONDS_PER_DAY),
        await objectHash(rawKey),
      ],
    ),
  );
  const owners = objects.map(() => new Set<string>());
  const found = await Promise.all(shards.all.map((ledger) => accountsOfObjects(ledger, references)));
  for (const { place, account } of found.flat()) if (account !== "") owners[place]?.add(account);
  return owners;
}

/** Which of some addresses are registered for another account now. */
export async function othersAmong(
  ruas: readonly string[],
  account: string,
  { shards }: Invocation,
): Promise<ReadonlySet<string>> {
  if (ruas.length === 0) return new Set();
  const registered = await findAddresses(shards.directory, [...new Set(ruas)]);
  return new Set(registered.filter(({ entry }) => entry.account !== account).map(({ rua }) => rua));
}
