/**
 * Finds how the two versions of a report in conflict differ: reads both again from their raw objects and compares what they
 * count.
 */

import type { Outputs } from "../../../shared/contract/operations.ts";
import type { ConflictRow, ReportVersion } from "../../../shared/ledger/conflicts.ts";
import {
  type CountLabel,
  countSessions,
  recordLabel,
  VersionCounts,
} from "../../../shared/report-page/version-counts.ts";
import { readAgain } from "../reports/read-again.ts";

type Comparison = Outputs["compareConflict"];

/** Compares the versions of a conflict. @throws whatever R2 throws */
export async function compareVersions({ accepted, other }: ConflictRow, bucket: R2Bucket): Promise<Comparison> {
  const counts = new VersionCounts();
  for (const [side, version] of [["accepted", accepted] as const, ["other", other] as const]) {
    const gone = await countVersion(version, bucket, (label, count) => counts.add(side, label, count));
    if (gone !== undefined) return { kind: "gone", reason: gone };
  }
  return counts.compare();
}

/** @returns why it can no longer be read, as a sentence */
async function countVersion(version: ReportVersion, bucket: R2Bucket, count: CountLabel): Promise<string | undefined> {
  for await (const event of readAgain(version, bucket)) {
    if (event.type === "gone") return event.reason;
    if (event.type === "records") for (const record of event.records) count(recordLabel(record), record.count);
    else if (event.report.kind === "tls") countSessions(event.report, count);
  }
  return undefined;
}
