/** The parts of a waiting report: what the ledger holds, and its records or policies read again where they are wanted. */

import { domainName } from "../../../shared/domain-name.ts";
import type { ExportedRecord } from "../../../shared/export/lines.ts";
import { type ForwardedReport, partsOf } from "../../../shared/forward/event.ts";
import type { ReportPart } from "../../../shared/forward/requests.ts";
import type { DueForward } from "../../../shared/ledger/forwards.ts";
import { FORWARD_LIMITS } from "../../../shared/limits.ts";
import { boundPolicies } from "../../../shared/report-page/tls-policies.ts";
import { readAgain } from "../reports/read-again.ts";

/** The report of a row; undefined when it is no longer accepted. */
export function reportOf({ report, uid, account, kind, domain, day }: DueForward): ForwardedReport | undefined {
  return report === null ? undefined : { ...report, uid, account, kind, domain, day };
}

/**
 * The parts of a report from one on, read as they are taken.
 *
 * @throws whatever R2 throws
 */
export async function* partsFrom(
  report: ForwardedReport,
  { firstPart, withRecords, bucket }: { firstPart: number; withRecords: boolean; bucket: R2Bucket },
): AsyncGenerator<ReportPart> {
  const parts = partsOf(report, withRecords);
  if (!withRecords || report.kind === "failure") return yield { report, content: { part: 1, parts } };
  if (report.kind === "tls") return yield await withPolicies(report, bucket);
  const { recordsPerPart } = FORWARD_LIMITS;
  let part = firstPart;
  let held: ExportedRecord[] = [];
  for await (const event of readAgain(report, bucket)) {
    if (event.type === "gone") return yield { report, content: { part, parts, missing: event.reason } };
    if (event.type === "report") break;
    for (const [i, record] of event.records.entries()) {
      if (event.firstOrdinal + i < (part - 1) * recordsPerPart) continue;
      held.push(record);
      if (held.length < recordsPerPart || part === parts) continue;
      yield { report, content: { part, parts, records: held, firstOrdinal: (part - 1) * recordsPerPart } };
      held = [];
      part++;
    }
  }
  const last = { part, parts, records: held, firstOrdinal: (part - 1) * recordsPerPart };
  // Another version may have counted other records than this one reads: the last part says how many are missing.
  yield { report, content: part < parts ? { ...last, missing: FEWER } : last };
}

const FEWER = "The file gives fewer records than were counted.";

async function withPolicies(report: ForwardedReport, bucket: R2Bucket): Promise<ReportPart> {
  const content = { part: 1, parts: 1 };
  const accepted = new Set(report.details.spread?.map(([domain]) => domain) ?? [report.domain]);
  for await (const event of readAgain(report, bucket)) {
    if (event.type === "gone") return { report, content: { ...content, missing: event.reason } };
    if (event.type !== "report" || event.report.kind !== "tls") continue;
    const policies = event.report.policies.filter(({ policyDomain }) => accepted.has(domainName(policyDomain)));
    const bounded = boundPolicies(policies);
    return { report, content: { ...content, policies: bounded.policies } };
  }
  return { report, content: { ...content, missing: "It is no TLS report any more." } };
}
