/** Conflicts in R2: another version of an accepted report, kept until a person accepts or discards it. */
import { beginOf, conflictId, domainOf, reporterOf } from "../../shared/identity.ts";
import { PAGE_LIMITS } from "../../shared/limits.ts";
import type { ReportMessage } from "../../shared/messages.ts";
import type { OperationRefused, Page } from "../../shared/operations.ts";
import {
  CONFLICT_PREFIX,
  type Conflict,
  conflictKey,
  isDatedId,
  type LedgerEntry,
  parseRawMetadata,
  type ReceiptOutcome,
  type ReportVersion,
} from "../../shared/storage.ts";
import { clearConflict } from "./clearing.ts";
import { readPage } from "./dead-letters.ts";
import type { JobContext, ProcessEnv } from "./env.ts";
import { eventPoint } from "./events.ts";
import { changeEntry } from "./ledger.ts";
import { writePoints } from "./points.ts";
import { replaceOutcome } from "./receipts.ts";

/** The version that came later, and the one in the ledger. */
interface Versions {
  entry: LedgerEntry;
  accepted: LedgerEntry;
  ledgerKey: string;
}

/** Files a conflict and its event. Met again, it has the same key, and tells of the object met last. */
export async function fileConflict(versions: Versions, context: JobContext): Promise<ReceiptOutcome> {
  const { entry, accepted, ledgerKey } = versions;
  const { uid, account, rua, rawKey, part, report, generation, receivedSeconds } = entry;
  const id = await conflictId(beginOf(report), uid, report.contentHash);
  const bucket = context.env.R2_DMARC_REPORTS;
  const conflict: Conflict = {
    ...{ v: 1, id, at: new Date(context.nowSeconds * 1000).toISOString(), account, rua, uid, generation, ledgerKey },
    ...{ domain: domainOf(report), reporter: reporterOf(report) },
    reportId: report.kind === "failure" ? "" : report.kind === "tls" ? report.reportId : report.metadata.reportId,
    accepted: await versionOf(accepted, bucket),
    other: await versionOf(entry, bucket),
  };
  await bucket.put(conflictKey(id), JSON.stringify(conflict));
  const place = { rawKey, part, account, rua, report, generation, receivedSeconds };
  const event = eventPoint(context, { id, outcome: "conflict", ...place });
  const origin = { key: rawKey, reportUid: id, generation, receivedSeconds };
  await writePoints([{ dataset: "events", points: [event] }], { origin, context });
  return { outcome: "conflict", id, part, key: conflictKey(id) };
}

/** By day, oldest first. */
export function listConflicts(bucket: R2Bucket, cursor: string | undefined): Promise<Page<Conflict>> {
  return readPage<Conflict>(bucket, { prefix: CONFLICT_PREFIX, cursor, limit: PAGE_LIMITS.letters });
}

/** Runs the other version's object again with leave to replace the one accepted first. */
export async function acceptConflict(id: string, context: JobContext): Promise<Conflict | OperationRefused> {
  const conflict = await getConflict(context.env, id);
  if ("refused" in conflict) return conflict;
  const { other, rua, generation } = conflict;
  const message: ReportMessage = {
    ...{ v: 1, kind: "report", key: other.rawKey, rua, receivedSeconds: other.receivedSeconds },
    generation: Math.max(context.nowSeconds, Math.floor(generation) + 1),
    acceptHash: other.contentHash,
  };
  await context.env.QUEUE_REPORTS.send(message);
  return conflict;
}

/** Notes in the ledger that this version was decided against, then removes the conflict; the raw object stays. */
export async function discardConflict(id: string, context: JobContext): Promise<Conflict | OperationRefused> {
  const bucket = context.env.R2_DMARC_REPORTS;
  const conflict = await getConflict(context.env, id);
  if ("refused" in conflict) return conflict;
  const { ledgerKey, other } = conflict;
  const stored = await bucket.get(ledgerKey);
  if (stored !== null) {
    const entry = await stored.json<LedgerEntry>();
    const refusedHashes = [...new Set([...entry.refusedHashes, other.contentHash])];
    await changeEntry(bucket, { ...entry, refusedHashes }, stored.etag);
  }
  await replaceOutcome(bucket, other.rawKey, { outcome: "discarded", id, part: other.part, key: "" });
  await clearConflict(id, context, "discarded");
  return conflict;
}

/** One conflict. */
export async function getConflict(
  { R2_DMARC_REPORTS: bucket }: ProcessEnv,
  id: string,
): Promise<Conflict | OperationRefused> {
  const stored = isDatedId(id) ? await bucket.get(conflictKey(id)) : null;
  return stored === null ? { refused: `There is no conflict '${id}'.` } : stored.json<Conflict>();
}

async function versionOf(
  { rawKey, part, report, receivedSeconds }: LedgerEntry,
  bucket: R2Bucket,
): Promise<ReportVersion> {
  const totals = report.kind === "aggregate" ? report.totals : { records: 0, messages: 0 };
  const { records, messages } = totals;
  const version = { rawKey, part, contentHash: report.contentHash, receivedSeconds, records, messages };
  const stored = await bucket.head(rawKey);
  if (stored === null) return version;
  const { sender, from, subject, messageId } = parseRawMetadata(stored.customMetadata);
  return { ...version, mail: { sender, from, subject, messageId } };
}
