/**
 * Finds how the two versions of a report in conflict differ: reads both again from their raw objects and compares the
 * counts for each combination of facts. Memory and output are bounded.
 */

import type { Outputs } from "../../../shared/contract/operations.ts";
import type { ConflictRow, ReportVersion } from "../../../shared/ledger/conflicts.ts";
import { PROCESS_LIMITS } from "../../../shared/limits.ts";
import { cleanDetail } from "../../../shared/report/problems.ts";
import type { AggregateRecord, TlsReport } from "../../../shared/report/vocabulary.ts";
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

type Count = (label: string, count: number) => void;

/** @returns why it can no longer be read, as a sentence */
async function countVersion(version: ReportVersion, bucket: R2Bucket, count: Count): Promise<string | undefined> {
  for await (const event of readAgain(version, bucket)) {
    if (event.type === "gone") return event.reason;
    if (event.type === "records") for (const record of event.records) count(recordLabel(record), record.count);
    else if (event.report.kind === "tls") countSessions(event.report, count);
  }
  return undefined;
}

/** Everything in a record except its count. */
function recordLabel(record: AggregateRecord): string {
  const { sourceIp, headerFrom, envelopeFrom, disposition, dkim, spf, reasons, dkimResults, spfResults } = record;
  const results = [
    ...dkimResults.map(({ domain, selector, result }) => `DKIM ${selector || "–"} of ${domain} ${result}`),
    ...spfResults.map(({ domain, result }) => `SPF of ${domain} ${result}`),
    ...reasons.map(({ rawType, comment }) => `${rawType} ${comment}`.trim()),
    ...(envelopeFrom === "" ? [] : [`envelope from ${envelopeFrom}`]),
  ];
  const facts = [
    sourceIp,
    `from ${headerFrom}`,
    `DMARC: dkim ${dkim}, spf ${spf}`,
    `disposition ${disposition}`,
    ...results,
  ];
  return facts.join("; ");
}

function countSessions({ policies }: TlsReport, count: Count): void {
  for (const { policyDomain, policyType, successfulSessionCount, failureDetails } of policies) {
    const policy = `${policyDomain}, policy ${policyType}`;
    count(`${policy}: successful sessions`, successfulSessionCount);
    for (const { resultType, sendingMtaIp, receivingMxHostname, failedSessionCount } of failureDetails) {
      count(`${policy}: ${resultType}, from ${sendingMtaIp} to ${receivingMxHostname}`, failedSessionCount);
    }
  }
}

/** The count of each version under each label. */
class VersionCounts {
  readonly #counts = new Map<string, { accepted: number; other: number }>();
  #isComplete = true;

  add(side: "accepted" | "other", fullLabel: string, count: number): void {
    const label = cleanDetail(fullLabel, PROCESS_LIMITS.maxDifferenceChars);
    const known = this.#counts.get(label);
    if (known !== undefined) known[side] += count;
    else if (this.#counts.size < PROCESS_LIMITS.maxComparedRecords) {
      this.#counts.set(label, { accepted: 0, other: 0, [side]: count });
    } else this.#isComplete = false;
  }

  /** The largest differences. */
  compare(): Comparison {
    const all = [...this.#counts]
      .filter(([, { accepted, other }]) => accepted !== other)
      .map(([label, sides]) => ({ label, ...sides }))
      .sort((a, b) => Math.abs(b.other - b.accepted) - Math.abs(a.other - a.accepted) || (a.label < b.label ? -1 : 1));
    const differences = all.slice(0, PROCESS_LIMITS.maxDifferences);
    return { kind: "compared", differences, count: all.length, isComplete: this.#isComplete };
  }
}
