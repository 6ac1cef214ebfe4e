/**
 * Addresses and domains of accounts that are forgotten. While the job runs, their names say what to look for; afterwards
 * a hash is kept for a while, so that mail still under way does not bring anything back. Kept in the first database.
 */
import * as v from "valibot";
import { sha256Text } from "../identity.ts";
import { ask, type Change, type LedgerDatabase, query } from "./database.ts";

/** former: mail of the account was deleted that came to this address, whoever had it by then. */
export type ForgottenKind = "address" | "former" | "domain";

/** First 16 bytes of the SHA-256 of an address or domain and how it is noted, hex. */
export async function nameHash(kind: ForgottenKind, name: string): Promise<string> {
  return (await sha256Text(`${kind} ${name}`)).slice(0, 32);
}

/** Notes names that a job forgets; a name that was forgotten before is noted again. */
export async function putForgotten(
  kind: ForgottenKind,
  names: readonly string[],
  { jobId, nowSeconds }: { jobId: string; nowSeconds: number },
): Promise<Change> {
  const rows = await Promise.all([...new Set(names)].map(async (name) => [await nameHash(kind, name), name]));
  return {
    sql: `INSERT INTO forgotten (name_hash, kind, name, job_id, forgotten_seconds)
      SELECT unhex(value ->> 0), ?2, value ->> 1, ?3, ?4 FROM json_each(?1) WHERE true
      ON CONFLICT (name_hash) DO UPDATE SET name = excluded.name, job_id = excluded.job_id,
        forgotten_seconds = excluded.forgotten_seconds`,
    parameters: [JSON.stringify(rows), kind, jobId, nowSeconds],
  };
}

/** The names of a running job, a page at a time. */
export async function forgottenNames(
  directory: LedgerDatabase,
  { jobId, kind, limit, offset }: { jobId: string; kind: ForgottenKind; limit: number; offset: number },
): Promise<string[]> {
  const found = await ask(
    directory,
    query(
      "SELECT name FROM forgotten WHERE job_id = ?1 AND kind = ?2 ORDER BY name_hash LIMIT ?3 OFFSET ?4",
      [jobId, kind, limit, offset],
      v.object({ name: v.string() }),
    ),
  );
  return found.map(({ name }) => name);
}

/**
 * Which of some addresses belonged to forgotten accounts, and when they were forgotten, seconds since 1970 UTC.
 *
 * @param narrowed.jobId only those that this job forgets; absent = those of any
 * @param narrowed.kinds how they are noted
 */
export async function forgottenAmong(
  directory: LedgerDatabase,
  ruas: readonly string[],
  { jobId, kinds = ["address"] }: { jobId?: string; kinds?: readonly ForgottenKind[] } = {},
): Promise<Map<string, number>> {
  const asked = [...new Set(ruas)].flatMap((rua) => kinds.map((kind) => ({ rua, kind })));
  if (asked.length === 0) return new Map();
  const hashes = await Promise.all(asked.map(({ kind, rua }) => nameHash(kind, rua)));
  const found = await ask(
    directory,
    query(
      `SELECT w.key AS place, f.forgotten_seconds AS seconds FROM json_each(?1) w
      JOIN forgotten f ON f.name_hash = unhex(w.value) AND f.job_id = coalesce(?2, f.job_id) ORDER BY seconds`,
      [JSON.stringify(hashes), jobId ?? null],
      v.object({ place: v.number(), seconds: v.number() }),
    ),
  );
  return new Map(found.map(({ place, seconds }) => [asked[place]?.rua ?? "", seconds]));
}

/** Those of some accounts and addresses that are being forgotten right now: they cannot be registered then. */
export async function beingForgotten(
  directory: LedgerDatabase,
  accounts: readonly string[],
  ruas: readonly string[],
): Promise<string[]> {
  const hashes = await Promise.all(ruas.map((rua) => nameHash("address", rua)));
  const found = await ask(
    directory,
    query(
      `SELECT job ->> '$.filter.account' AS name FROM jobs WHERE kind = 'forget' AND state = 'running'
        AND job ->> '$.filter.account' IN (SELECT value FROM json_each(?1))
      UNION SELECT name FROM forgotten WHERE name <> '' AND name_hash IN (SELECT unhex(value) FROM json_each(?2))`,
      [JSON.stringify(accounts), JSON.stringify(hashes)],
      v.object({ name: v.string() }),
    ),
  );
  return found.map(({ name }) => name);
}

/** Removes the names of a job that is done; their hashes stay. Domains are not needed any more. */
export function dropNames(jobId: string): Change[] {
  return [
    { sql: "DELETE FROM forgotten WHERE job_id = ?1 AND kind = 'domain'", parameters: [jobId] },
    { sql: "UPDATE forgotten SET name = '' WHERE job_id = ?1", parameters: [jobId] },
  ];
}

/** Removes hashes after which no mail can be under way. */
export function removeOldForgotten(beforeSeconds: number): Change {
  return { sql: "DELETE FROM forgotten WHERE name = '' AND forgotten_seconds < ?1", parameters: [beforeSeconds] };
}
