/** Reads one report of the ledger for the dashboard. It checks the form of what it is asked for and changes nothing. */
import type { ReportReference } from "../../shared/operations.ts";
import { type LedgerEntry, RAW_PREFIX, reportKey } from "../../shared/storage.ts";
import { readReceipt } from "./receipts.ts";

/**
 * The ledger entry of a report.
 *
 * @returns undefined when there is none, or the reference has not the form of one
 * @throws whatever R2 throws
 */
export async function readLedgerEntry(bucket: R2Bucket, reference: ReportReference): Promise<LedgerEntry | undefined> {
  const { account, domain, beginSeconds, uid, rawKey } = reference;
  if (!/^[0-9a-f]{1,64}$/.test(uid) || !Number.isFinite(beginSeconds)) return undefined;
  const key =
    rawKey === undefined ? reportKey(account, domain, beginSeconds, uid) : await acceptedKey(bucket, { rawKey, uid });
  const stored = key === undefined ? null : await bucket.get(key);
  if (stored === null) return undefined;
  const entry = await stored.json<LedgerEntry>();
  // Keys are lower case and cut; the entry itself says whose it is.
  return entry.account === account && entry.uid === uid ? entry : undefined;
}

// The receipt of a raw object names the entries of the reports that were accepted from it.
async function acceptedKey(
  bucket: R2Bucket,
  { rawKey, uid }: { rawKey: string; uid: string },
): Promise<string | undefined> {
  if (!rawKey.startsWith(RAW_PREFIX)) return undefined;
  const stored = await readReceipt(bucket, rawKey);
  return stored?.receipt.outcomes.find(({ outcome, id }) => outcome === "accepted" && id === uid)?.key;
}
