/** Files that were imported: which raw object each became, who imported it and from where. */
import * as v from "valibot";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { sha256OfRawKey } from "../storage.ts";
import { type Change, type Query, query } from "./database.ts";
import { objectHash } from "./objects.ts";
import { outcomeNamesColumn } from "./outcomes.ts";

export interface ImportedFile {
  /** SHA-256 of the file, hex. */
  sha256: string;
  rua: string;
  rawKey: string;
  importedSeconds: number;
  /** Mail address of the person, or the name of the token. */
  importedBy: string;
  /** Where it was found, as the importer says: a path, or a mailbox and the mail in it. */
  origin: string;
}

/** Bytes of a SHA-256 that are kept, as hex digits. */
const HASH_DIGITS = 32;

/** Stores imported files; those that are known stay as they are. */
export async function putImports(files: readonly ImportedFile[]): Promise<Change> {
  const values = await Promise.all(
    files.map(async ({ sha256, rua, rawKey, importedSeconds, importedBy, origin }) => [
      sha256.slice(0, HASH_DIGITS),
      rua,
      rawKey,
      await objectHash(rawKey),
      importedSeconds,
      importedBy,
      origin,
    ]),
  );
  return {
    sql: `INSERT INTO imports (content_hash, rua, raw_key, object_hash, imported_seconds, imported_by, origin)
      SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, value ->> 5, value ->> 6
      FROM json_each(?1) WHERE true
      ON CONFLICT (content_hash, rua) DO NOTHING`,
    parameters: [JSON.stringify(values)],
  };
}

const knownRow = v.object({
  /** Place among the hashes asked for. */
  place: v.number(),
  rua: v.string(),
  rawKey: v.string(),
  importedSeconds: v.number(),
  /** null while it is waiting to be processed. */
  outcomes: v.nullable(outcomeNamesColumn),
});

export type KnownImport = v.InferOutput<typeof knownRow>;

/** Those of some files that were imported, to any address, with their outcomes. @param sha256s hex */
export function knownImportsQuery(sha256s: readonly string[]): Query<KnownImport> {
  return query(
    `SELECT w.key AS place, i.rua AS rua, i.raw_key AS rawKey, i.imported_seconds AS importedSeconds, o.outcomes AS outcomes
    FROM json_each(?1) w
    JOIN imports i ON i.content_hash = unhex(w.value)
    LEFT JOIN objects o ON o.rua = i.rua AND o.day = i.imported_seconds / ${SECONDS_PER_DAY}
      AND o.object_hash = i.object_hash`,
    [JSON.stringify(sha256s.map((sha256) => sha256.slice(0, HASH_DIGITS)))],
    knownRow,
  );
}

const originRow = v.object({ importedSeconds: v.number(), importedBy: v.string(), origin: v.string() });

export type ImportOrigin = v.InferOutput<typeof originRow>;

/** Who imported a raw object, and from where; no row if it came by mail. */
export function importOfObjectQuery({ rua, rawKey }: { rua: string; rawKey: string }): Query<ImportOrigin> {
  return query(
    `SELECT imported_seconds AS importedSeconds, imported_by AS importedBy, origin
    FROM imports WHERE content_hash = unhex(?1) AND rua = ?2 AND raw_key = ?3`,
    [sha256OfRawKey(rawKey).slice(0, HASH_DIGITS), rua, rawKey],
    originRow,
  );
}

/** Forgets the files that became these raw objects: whoever imports one again imports it anew. */
export function removeImports(objects: readonly { rua: string; rawKey: string }[]): Change {
  const values = objects.map(({ rua, rawKey }) => [sha256OfRawKey(rawKey).slice(0, HASH_DIGITS), rua, rawKey]);
  return {
    sql: `DELETE FROM imports WHERE (content_hash, rua, raw_key) IN
      (SELECT unhex(value ->> 0), value ->> 1, value ->> 2 FROM json_each(?1))`,
    parameters: [JSON.stringify(values)],
  };
}

/** Forgets what was imported before a time: details of such reports are gone, too. */
export function removeOldImports(beforeSeconds: number): Change {
  return { sql: "DELETE FROM imports WHERE imported_seconds < ?1", parameters: [beforeSeconds] };
}
