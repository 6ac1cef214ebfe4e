/** How two versions of a report differ: counts of each under labels that name every other fact. Bounded in memory and output. Pure. */
import type { Outputs } from "../contract/operations.ts";
import { PROCESS_LIMITS } from "../limits.ts";
import { cleanDetail } from "../report/problems.ts";
import type { AggregateRecord, TlsReport } from "../report/vocabulary.ts";

/** Takes what one version counts under a label. */
export type CountLabel = (label: string, count: number) => void;

/** Everything in a record except its count. */
export function recordLabel(record: AggregateRecord): string {
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

/** The sessions of a TLS report under labels. */
export function countSessions({ policies }: TlsReport, count: CountLabel): void {
  for (const { policyDomain, policyType, successfulSessionCount, failureDetails } of policies) {
    const policy = `${policyDomain}, policy ${policyType}`;
    count(`${policy}: successful sessions`, successfulSessionCount);
    for (const { resultType, sendingMtaIp, receivingMxHostname, failedSessionCount } of failureDetails) {
      count(`${policy}: ${resultType}, from ${sendingMtaIp} to ${receivingMxHostname}`, failedSessionCount);
    }
  }
}

/** The count of each version under each label. */
export class VersionCounts {
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
  compare(): Outputs["compareConflict"] {
    const all = [...this.#counts]
      .filter(([, { accepted, other }]) => accepted !== other)
      .map(([label, sides]) => ({ label, ...sides }))
      .sort((a, b) => Math.abs(b.other - b.accepted) - Math.abs(a.other - a.accepted) || (a.label < b.label ? -1 : 1));
    const differences = all.slice(0, PROCESS_LIMITS.maxDifferences);
    return { kind: "compared", differences, count: all.length, isComplete: this.#isComplete };
  }
}
