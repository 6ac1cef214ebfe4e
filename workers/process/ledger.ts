/** The ledger of accepted reports in R2: who came first, and whether what comes now is the same, a copy, or in conflict. */
import { beginOf, domainOf } from "../../shared/identity.ts";
import { type LedgerEntry, metadataText, reportKey } from "../../shared/storage.ts";

/**
 * What the ledger says of a report, and its entry there:
 * accepted = write its points under `entry.generation`, and cover stale ones up to `entry.highestPointCount`;
 * duplicate = the same content was accepted from another object, or a person decided against it;
 * conflict = the same identity with other content was accepted.
 */
export interface Claim {
  verdict: "accepted" | "duplicate" | "conflict";
  entry: LedgerEntry;
  key: string;
}

/** The report a claim is for: an entry, its `generation` the one asked for, and whether a person has accepted it. */
export interface Claimant {
  entry: LedgerEntry;
  /** Content hash a person has accepted in the place of the one accepted first. */
  acceptHash?: string | undefined;
}

/** Key of an entry in the ledger. */
export function ledgerKeyOf({ account, report, uid }: LedgerEntry): string {
  return reportKey(account, domainOf(report), beginOf(report), uid);
}

/**
 * Claims the identity of a report before its points are written. The first claim wins (create-only put), also against a
 * consumer running at the same time. The same object claiming again goes on where it was: redelivery, retry or rerun.
 *
 * @throws whatever R2 throws; when another consumer changed the entry meanwhile
 */
export async function claimReport(bucket: R2Bucket, claimant: Claimant): Promise<Claim> {
  const { entry } = claimant;
  const key = ledgerKeyOf(entry);
  if (await putEntry(bucket, entry, { etagDoesNotMatch: "*" })) return { verdict: "accepted", entry, key };
  const stored = await bucket.get(key);
  // Removed between the two calls: the retry claims it afresh.
  if (stored === null) throw new Error(`${key} disappeared while it was claimed.`);
  const first = await stored.json<LedgerEntry>();
  const decision = decide(first, claimant);
  switch (decision) {
    case "keep":
      return { verdict: "accepted", entry: first, key };
    case "replace": {
      const replacing = replace(first, claimant);
      await changeEntry(bucket, replacing, stored.etag);
      return { verdict: "accepted", entry: replacing, key };
    }
    default:
      return { verdict: decision, entry: first, key };
  }
}

/** Writes a changed entry in the place of the one with `etag`. @throws when it is no longer that one */
export async function changeEntry(bucket: R2Bucket, entry: LedgerEntry, etag: string): Promise<void> {
  if (await putEntry(bucket, entry, { etagMatches: etag })) return;
  throw new Error(`${ledgerKeyOf(entry)} was changed by another consumer at the same time.`);
}

function decide(
  first: LedgerEntry,
  { entry, acceptHash }: Claimant,
): "keep" | "replace" | Exclude<Claim["verdict"], "accepted"> {
  if (first.retracted === true) return "replace";
  const sameContent = first.report.contentHash === entry.report.contentHash;
  const sameObject = first.rawKey === entry.rawKey;
  if (sameObject && first.part === entry.part) {
    return entry.generation > first.generation || !isSameReading(first, entry) ? "replace" : "keep";
  }
  // Run again by a reader that names the parts of the object differently.
  if (sameObject && sameContent && entry.generation > first.generation) return "replace";
  if (sameContent || first.refusedHashes.includes(entry.report.contentHash)) return "duplicate";
  return acceptHash === entry.report.contentHash ? "replace" : "conflict";
}

// Another version of the reader may have been deployed between two deliveries: its points must win over the old ones.
function isSameReading(first: LedgerEntry, entry: LedgerEntry): boolean {
  return first.pointCount === entry.pointCount && JSON.stringify(first.report) === JSON.stringify(entry.report);
}

function replace(first: LedgerEntry, { entry }: Claimant): LedgerEntry {
  const { contentHash } = entry.report;
  const refused = first.refusedHashes.filter((hash) => hash !== contentHash);
  if (first.retracted !== true && first.report.contentHash !== contentHash) refused.push(first.report.contentHash);
  return {
    ...entry,
    generation: Math.max(entry.generation, Math.floor(first.generation) + 1),
    highestPointCount: Math.max(first.highestPointCount, entry.pointCount),
    refusedHashes: refused,
  };
}

async function putEntry(bucket: R2Bucket, entry: LedgerEntry, onlyIf: R2Conditional): Promise<boolean> {
  const customMetadata = {
    // What a job for a domain needs to run it again, so that it can be listed without being read.
    rawKey: entry.rawKey,
    rua: metadataText(entry.rua),
    received: String(entry.receivedSeconds),
  };
  return (await bucket.put(ledgerKeyOf(entry), JSON.stringify(entry), { onlyIf, customMetadata })) !== null;
}
