/** Reads one report of the ledger for the dashboard. It checks the form of what it is asked for and changes nothing. */
import type { ReportReference } from "../../shared/operations.ts";
import { type LedgerEntry, reportKey } from "../../shared/storage.ts";

/**
 * The ledger entry of a report.
 *
 * @returns undefined when there is none, or the reference has not the form of one
 * @throws whatever R2 throws
 */
export async function readLedgerEntry(bucket: R2Bucket, reference: ReportReference): Promise<LedgerEntry | undefined> {
  const { account, domain, beginSeconds, uid } = reference;
  if (!/^[0-9a-f]{1,64}$/.test(uid) || !Number.isFinite(beginSeconds)) return undefined;
  const stored = await bucket.get(reportKey(account, domain, beginSeconds, uid));
  if (stored === null) return undefined;
  const entry = await stored.json<LedgerEntry>();
  // Keys are lower case and cut; the entry itself says whose it is.
  return entry.account === account && entry.uid === uid ? entry : undefined;
}
