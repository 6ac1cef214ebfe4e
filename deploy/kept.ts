/**
 * What is kept of a deployment on this machine, in files that git ignores: `.deployment/<prefix>/deployment.json`. It holds
 * ids, what was chosen, how far a run came, and the secret API_TOKEN, so only its owner may read it.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { fail, ok, type Result } from "../shared/result.ts";

const worker = v.picklist(["process", "dashboard", "ingest"]);

const kept = v.object({
  v: v.literal(1),
  /** As they were given, for the next run. */
  settings: v.record(v.string(), v.unknown()),
  accountId: v.optional(v.string()),
  databaseId: v.optional(v.string()),
  /** Of the ledger's further databases, from number 1. */
  furtherDatabaseIds: v.optional(v.array(v.string()), []),
  namespaceId: v.optional(v.string()),
  /** Names of the zones in which rules of Email Routing were made, those of earlier addresses included. */
  routedZones: v.optional(v.array(v.string()), []),
  /** First part of the names of the datasets that process was uploaded with; before it was noted, `dmarc`. */
  datasets: v.optional(v.string()),
  /** Hash of what was last uploaded for each Worker. */
  uploaded: v.optional(v.record(worker, v.string()), {}),
  /** Secret of the dashboard for programs. */
  apiToken: v.optional(v.string()),
  /** Where the dashboard answers. */
  url: v.optional(v.string()),
  /** The test report that the ledger has, and for which uploads it was sent. */
  tested: v.optional(v.object({ key: v.string(), uploads: v.string() })),
});

export type Kept = v.InferOutput<typeof kept>;

const KEPT_FOLDER = ".deployment";

/** Files of a deployment. @param root the repository */
export function folderOf(root: string, prefix: string): string {
  return join(root, KEPT_FOLDER, prefix);
}

/** @returns an empty one if there is none yet; a sentence if the file is damaged */
export function readKept(folder: string): Result<Kept, string> {
  const path = join(folder, "deployment.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return ok({ v: 1, settings: {}, furtherDatabaseIds: [], routedZones: [], uploaded: {} });
  }
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), kept), text);
  if (read.success) return ok(read.output);
  return fail(`${path} is damaged (${read.issues[0].message}): delete it; what it listed is found by name.`);
}

/** Writes it whole or not at all. */
export function writeKept(folder: string, value: Kept): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, "deployment.json");
  writeFileSync(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
