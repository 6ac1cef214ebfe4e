/**
 * RUA addresses: the registry itself, with a copy in KV for ingest. A change is written here first and then copied; a
 * failed copy stays due until cron makes it.
 */
import * as v from "valibot";
import { USE_LIMITS } from "../limits.ts";
import {
  deleteCopy,
  isWrittenTooOften,
  normalizeRua,
  putCopy,
  type Registration,
  type RegistryStore,
  registryEntry,
} from "../registry.ts";
import { addAccount } from "./accounts.ts";
import {
  ask,
  type Change,
  change,
  jsonColumn,
  type LedgerDatabase,
  type OneCall,
  type Query,
  query,
} from "./database.ts";

const row = v.object({
  rua: v.string(),
  entry: jsonColumn(registryEntry),
  shard: v.number(),
});

const SELECT = `SELECT a.rua, a.entry, c.shard FROM addresses a JOIN accounts c ON c.account = a.account`;

/** Registered addresses by name: every one of them, or those of `ruas`. One query. */
export function addressesQuery(ruas?: readonly string[]): Query<Registration> {
  if (ruas === undefined) return query(`${SELECT} WHERE a.removed = 0 ORDER BY a.rua`, [], row);
  return query(
    `${SELECT} WHERE a.rua IN (SELECT value FROM json_each(?1)) AND a.removed = 0 ORDER BY a.rua`,
    [JSON.stringify(ruas.map(normalizeRua))],
    row,
  );
}

/** The addresses of one account. One query, which reads no others. */
export function addressesOfAccountQuery(account: string): Query<Registration> {
  return query(`${SELECT} WHERE a.account = ?1 AND a.removed = 0 ORDER BY a.rua`, [account], row);
}

/** Registrations of those addresses that are registered: one query. */
export function findAddresses(directory: LedgerDatabase, ruas: readonly string[]): Promise<Registration[]> {
  return ask(directory, addressesQuery(ruas));
}

const batchRow = v.object({
  rua: v.string(),
  account: v.string(),
  entry: v.nullable(jsonColumn(registryEntry)),
  shard: v.nullable(v.number()),
  changedSeconds: v.nullable(v.number()),
  addresses: v.nullable(jsonColumn(v.array(v.string()))),
});

/** The registrations that a batch needs. */
export interface Registrations {
  /** Registered addresses of the batch. */
  byAddress: ReadonlyMap<string, Registration>;
  /** When each of them was last changed, seconds since 1970 UTC. */
  changedSeconds: ReadonlyMap<string, number>;
  /**
   * Addresses of their accounts, by account: an account's daily budget covers all of them. One more than
   * USE_LIMITS.countedAddresses of an account that has more.
   */
  addressesOf: ReadonlyMap<string, readonly string[]>;
}

/** Registrations of a batch of addresses: one query. @throws whatever D1 throws */
export async function findRegistrations(directory: LedgerDatabase, ruas: readonly string[]): Promise<Registrations> {
  return registrationsOf(await ask(directory, registrationsQuery(ruas)));
}

/** Adds the lookup of `findRegistrations` to a call. @returns what it finds, as `OneCall.add` does */
export function addRegistrations(call: OneCall, ruas: readonly string[]): () => Registrations {
  const found = call.add(registrationsQuery(ruas));
  return () => registrationsOf(found());
}

type BatchRow = v.InferOutput<typeof batchRow>;

function registrationsQuery(ruas: readonly string[]): Query<BatchRow> {
  return query(
    `WITH asked AS MATERIALIZED (
        SELECT a.rua, a.account, a.entry, c.shard, a.changed_seconds
        FROM addresses a JOIN accounts c ON c.account = a.account
        WHERE a.rua IN (SELECT value FROM json_each(?1)) AND a.removed = 0)
      SELECT rua, account, entry, shard, changed_seconds AS changedSeconds, NULL AS addresses FROM asked
      UNION ALL
      SELECT '', s.account, NULL, NULL, NULL, (SELECT json_group_array(rua) FROM (SELECT a.rua FROM addresses a
        WHERE a.account = s.account ORDER BY a.rua LIMIT ${USE_LIMITS.countedAddresses + 1}))
      FROM (SELECT DISTINCT account FROM asked) s`,
    [JSON.stringify([...new Set(ruas.map(normalizeRua))])],
    batchRow,
  );
}

function registrationsOf(rows: readonly BatchRow[]): Registrations {
  const byAddress = new Map<string, Registration>();
  const changed = new Map<string, number>();
  const addressesOf = new Map<string, string[]>();
  for (const { rua, account, entry, shard, changedSeconds, addresses } of rows) {
    if (entry !== null && shard !== null) {
      byAddress.set(rua, { rua, entry, shard });
      changed.set(rua, changedSeconds ?? 0);
    } else addressesOf.set(account, addresses ?? []);
  }
  return { byAddress, changedSeconds: changed, addressesOf };
}

/** Where registry changes are written: the directory, then KV. */
export interface RegistryPlace {
  directory: LedgerDatabase;
  copy: RegistryStore;
  /** The database for the ledger of a new account. */
  newAccountShard: number;
}

/** An address with its entry, validated by `validRegistration`. */
type NewRegistration = Pick<Registration, "rua" | "entry">;

/**
 * Registers an address or changes its registration; creates its account if needed.
 *
 * @throws whatever D1 or KV throws; when only KV did, the address still works (ingest asks D1) and the copy is due
 */
export async function putAddress(
  registration: NewRegistration,
  place: RegistryPlace,
  nowSeconds: number,
): Promise<Registration> {
  await write(registration, { ...place, onlyWhere: "true" }, nowSeconds);
  return copied(registration, place);
}

/**
 * Registers an address that is not registered; creates its account if needed.
 *
 * @returns undefined where it is registered: that stays as it is
 * @throws as `putAddress` does
 */
export async function addAddress(
  registration: NewRegistration,
  place: RegistryPlace,
  nowSeconds: number,
): Promise<Registration | undefined> {
  const isWritten = await write(registration, { ...place, onlyWhere: "addresses.removed = 1" }, nowSeconds);
  return isWritten ? copied(registration, place) : undefined;
}

/** @param place.onlyWhere SQL: the row that is there is written over where this is true. @returns whether it was written */
async function write(
  { rua, entry }: NewRegistration,
  { directory, newAccountShard, onlyWhere }: RegistryPlace & { onlyWhere: string },
  nowSeconds: number,
): Promise<boolean> {
  const [, written] = await change(directory, [
    addAccount({ account: entry.account, shard: newAccountShard }, nowSeconds),
    {
      sql: `INSERT INTO addresses (rua, account, entry, changed_seconds, version) VALUES (?1, ?2, ?3, ?4, 1)
        ON CONFLICT (rua) DO UPDATE SET account = excluded.account, entry = excluded.entry, removed = 0,
          changed_seconds = excluded.changed_seconds, version = version + 1 WHERE ${onlyWhere}
        RETURNING rua`,
      parameters: [rua, entry.account, JSON.stringify(entry), nowSeconds],
    },
  ]);
  return (written?.results.length ?? 0) > 0;
}

async function copied({ rua, entry }: NewRegistration, place: RegistryPlace): Promise<Registration> {
  await copyDue(place, [rua]);
  const [registered] = await findAddresses(place.directory, [rua]);
  // Removed again by somebody else between the two calls.
  return registered ?? { rua, entry, shard: place.newAccountShard };
}

/** Removes an address; a missing one is no error. @throws as `putAddress` does */
export async function removeAddress(
  rua: string,
  { directory, copy }: Pick<RegistryPlace, "directory" | "copy">,
  nowSeconds: number,
): Promise<void> {
  const key = normalizeRua(rua);
  await change(directory, [
    {
      sql: "UPDATE addresses SET removed = 1, version = version + 1, changed_seconds = ?2 WHERE rua = ?1",
      parameters: [key, nowSeconds],
    },
  ]);
  await copyDue({ directory, copy }, [key]);
}

/**
 * Registers addresses that were made just now, each for one domain; creates their account if needed. Their copies are
 * due: ingest asks D1 until they are made. The transaction fails where an address is registered already.
 */
export function insertAddresses(
  account: string,
  made: readonly { rua: string; domain: string }[],
  { newAccountShard, nowSeconds }: { newAccountShard: number; nowSeconds: number },
): Change[] {
  return [
    addAccount({ account, shard: newAccountShard }, nowSeconds),
    {
      sql: `INSERT INTO addresses (rua, account, entry, changed_seconds, version)
        SELECT value ->> 'rua', ?2, json_object('account', ?2, 'domains', json_array(value ->> 'domain')), ?3, 1
        FROM json_each(?1)`,
      parameters: [JSON.stringify(made), account, nowSeconds],
    },
  ];
}

/**
 * Registers addresses as their copies in KV say, with their accounts, after the directory was lost; those that are registered
 * stay as they are.
 *
 * @returns how many were registered
 */
export async function restoreAddresses(
  directory: LedgerDatabase,
  copies: readonly Registration[],
  nowSeconds: number,
): Promise<number> {
  if (copies.length === 0) return 0;
  const rows = JSON.stringify(copies.map(({ rua, entry, shard }) => ({ rua, account: entry.account, shard, entry })));
  const [, restored] = await change(directory, [
    {
      sql: `INSERT INTO accounts (account, shard, created_seconds)
        SELECT value ->> 'account', value ->> 'shard', ?2 FROM json_each(?1) WHERE true ON CONFLICT (account) DO NOTHING`,
      parameters: [rows, nowSeconds],
    },
    {
      sql: `INSERT INTO addresses (rua, account, entry, changed_seconds, version, copied_version)
        SELECT value ->> 'rua', value ->> 'account', value ->> 'entry', ?2, 1, 1 FROM json_each(?1) WHERE true
        ON CONFLICT (rua) DO NOTHING RETURNING rua`,
      parameters: [rows, nowSeconds],
    },
  ]);
  return restored?.results.length ?? 0;
}

/** Addresses of some accounts that name any of some domains themselves. */
export function addressesNamingQuery(accounts: readonly string[], domains: readonly string[]): Query<Registration> {
  const sql = `${SELECT} WHERE a.account IN (SELECT value FROM json_each(?1)) AND a.removed = 0 AND EXISTS (
      SELECT 1 FROM json_each(a.entry, '$.domains') d WHERE d.value IN (SELECT value FROM json_each(?2)))
    ORDER BY json_array_length(a.entry, '$.domains'), a.rua`;
  return query(sql, [JSON.stringify(accounts), JSON.stringify(domains)], row);
}

/**
 * Registers addresses that are not registered, of accounts that exist by then, and lets others accept more domains. Copies are
 * due: ingest asks D1 until they are made.
 */
export function importAddresses(
  added: readonly NewRegistration[],
  widened: readonly WidenedAddress[],
  nowSeconds: number,
): Change[] {
  return [
    {
      sql: `INSERT INTO addresses (rua, account, entry, changed_seconds, version)
        SELECT value ->> 'rua', value ->> '$.entry.account', value -> 'entry', ?2, 1 FROM json_each(?1) WHERE true
        ON CONFLICT (rua) DO UPDATE SET account = excluded.account, entry = excluded.entry, removed = 0,
          changed_seconds = excluded.changed_seconds, version = version + 1 WHERE addresses.removed = 1`,
      parameters: [JSON.stringify(added), nowSeconds],
    },
    widenAddresses(widened, nowSeconds),
  ];
}

/** Lets addresses that accept some domains only accept more of them. */
export function widenAddresses(widened: readonly WidenedAddress[], nowSeconds: number): Change {
  return {
    sql: `UPDATE addresses SET version = version + 1, changed_seconds = ?2, entry = json_set(entry, '$.domains', json((
        SELECT json_group_array(value) FROM (
          SELECT value FROM json_each(addresses.entry, '$.domains')
          UNION SELECT value FROM json_each(w.value, '$.domains')))))
      FROM json_each(?1) w WHERE addresses.rua = w.value ->> 'rua' AND removed = 0
        AND json_type(addresses.entry, '$.domains') = 'array'`,
    parameters: [JSON.stringify(widened), nowSeconds],
  };
}

/** An address, and domains that it accepts besides those that it names. */
interface WidenedAddress {
  rua: string;
  domains: readonly string[];
}

/** Takes a domain from those that an address accepts; it has to be one of several. */
export function narrowAddress(rua: string, domain: string, nowSeconds: number): Change {
  return {
    sql: `UPDATE addresses SET version = version + 1, changed_seconds = ?3, entry = json_set(entry, '$.domains', json((
        SELECT json_group_array(value) FROM json_each(addresses.entry, '$.domains') WHERE value <> ?2)))
      WHERE rua = ?1 AND json_array_length(entry, '$.domains') > 1`,
    parameters: [rua, domain, nowSeconds],
  };
}

const dueRow = v.object({
  rua: v.string(),
  entry: jsonColumn(registryEntry),
  shard: v.number(),
  version: v.number(),
  removed: v.number(),
});

/**
 * Copies addresses to KV whose copy is due. KV takes one write of a key a second: an address that was changed twice within
 * one has its second copy later (process: scheduled()).
 *
 * @param ruas only these; if absent, the first `limit` that are due
 * @returns how many were copied
 * @throws whatever D1 throws, and KV for another reason than that
 */
export async function copyDue(
  { directory, copy }: Pick<RegistryPlace, "directory" | "copy">,
  ruas?: readonly string[],
  limit = 100,
): Promise<number> {
  const some = ruas === undefined ? "" : "AND a.rua IN (SELECT value FROM json_each(?2))";
  const due = await ask(
    directory,
    query(
      `SELECT a.rua, a.entry, c.shard, a.version, a.removed FROM addresses a JOIN accounts c ON c.account = a.account
      WHERE a.version <> a.copied_version ${some} ORDER BY a.rua LIMIT ?1`,
      [limit, ...(ruas === undefined ? [] : [JSON.stringify(ruas)])],
      dueRow,
    ),
  );
  const done: typeof due = [];
  for (const row of due) if (await makeCopy(row, copy)) done.push(row);
  if (done.length === 0) return 0;
  // If it changed meanwhile, the newer version stays due and will replace this copy.
  const copied = JSON.stringify(done.map(({ rua, version }) => [rua, version]));
  await change(directory, [
    {
      sql: `DELETE FROM addresses WHERE removed = 1 AND (rua, version) IN
        (SELECT value ->> 0, value ->> 1 FROM json_each(?1))`,
      parameters: [copied],
    },
    {
      sql: "UPDATE addresses SET copied_version = w.value ->> 1 FROM json_each(?1) w WHERE addresses.rua = w.value ->> 0",
      parameters: [copied],
    },
  ]);
  return done.length;
}

/** @returns false where KV has taken a write of the key within the last second. @throws whatever else KV throws */
async function makeCopy(
  { rua, entry, shard, removed }: v.InferOutput<typeof dueRow>,
  copy: RegistryStore,
): Promise<boolean> {
  try {
    await (removed === 1 ? deleteCopy(copy, rua) : putCopy(copy, { rua, entry, shard }));
    return true;
  } catch (error) {
    if (isWrittenTooOften(error)) return false;
    throw error;
  }
}
