/** The ledger of accepted reports in R2: who came first, and whether what comes now is the same, a copy, or in conflict. */

import { beginOf, domainOf } from "../../shared/identity.ts";
import { type LedgerEntry, reportKey } from "../../shared/storage.ts";

/**
 * What the ledger says of a report:
 * accepted = write its points, under `entry.generation`; `replaces` points of an older generation may be stale;
 * duplicate = the same content was accepted from another object;
 * conflict = the same identity with other content was accepted.
 */
export type Claim =
  | { verdict: "accepted"; entry: LedgerEntry; replaces: number }
  | { verdict: "duplicate" | "conflict"; entry: LedgerEntry };

/**
 * Claims the identity of a report before its points are written. The first claim wins (create-only put), also against a
 * consumer running at the same time. The same object claiming again goes on where it was: redelivery, retry or rerun.
 *
 * @param entry the report; its `generation` is the one asked for
 * @throws whatever R2 throws
 */
export async function claimReport(bucket: R2Bucket, entry: LedgerEntry): Promise<Claim> {
  const key = reportKey(entry.account, domainOf(entry.report), beginOf(entry.report), entry.uid);
  const body = JSON.stringify(entry);
  if ((await bucket.put(key, body, { onlyIf: { etagDoesNotMatch: "*" } })) !== null) {
    return { verdict: "accepted", entry, replaces: 0 };
  }
  const stored = await bucket.get(key);
  // Removed between the two calls: the retry claims it afresh.
  if (stored === null) throw new Error(`${key} disappeared while it was claimed.`);
  const first = await stored.json<LedgerEntry>();
  if (first.rawKey !== entry.rawKey || first.part !== entry.part) {
    return { verdict: first.report.contentHash === entry.report.contentHash ? "duplicate" : "conflict", entry: first };
  }
  if (entry.generation <= first.generation) return { verdict: "accepted", entry: first, replaces: first.pointCount };
  const replaced = await bucket.put(key, body, { onlyIf: { etagMatches: stored.etag } });
  if (replaced === null) throw new Error(`${key} was rerun by another consumer at the same time.`);
  return { verdict: "accepted", entry, replaces: first.pointCount };
}
