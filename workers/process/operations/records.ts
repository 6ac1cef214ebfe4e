/** Reads a page of an accepted report's records again from its raw object, streaming. */

import { domainName } from "../../../shared/domain-name.ts";
import type { ReportReference } from "../../../shared/ledger/report-rows.ts";
import { findReports, type LedgerReport } from "../../../shared/ledger/reports.ts";
import type { RecordQuery, RecordsAnswer } from "../../../shared/operations.ts";
import type { TlsPolicy, TlsReport } from "../../../shared/report/vocabulary.ts";
import { RecordPage } from "../../../shared/report-page/record-page.ts";
import { boundPolicies } from "../../../shared/report-page/tls-policies.ts";
import { type Invocation, inShardOf } from "../env.ts";
import { readAgain } from "../reports/read-again.ts";

/** Reads a page of records. @throws whatever D1 or R2 throws */
export async function readRecords(query: RecordQuery, invocation: Invocation): Promise<RecordsAnswer> {
  const { env, ledger } = await inShardOf(query.reference.account, invocation);
  const held = await findHeld(query.reference, ledger);
  if (held === undefined) return { kind: "gone", reason: "The ledger has no such report." };
  return readPage(held, new RecordPage(query), env.R2_DMARC_REPORTS);
}

async function findHeld(reference: ReportReference, ledger: Invocation["ledger"]): Promise<LedgerReport | undefined> {
  return (await findReports(ledger, [reference])).reports.get(reference.uid);
}

async function readPage(held: LedgerReport, page: RecordPage, bucket: R2Bucket): Promise<RecordsAnswer> {
  for await (const event of readAgain(held, bucket)) {
    if (event.type === "gone") return { kind: "gone", reason: event.reason };
    if (event.type === "records") {
      page.add(event.records, event.firstOrdinal);
      // No further record can change the page, and the total is known.
      if (page.isComplete) {
        const { records: matching, total: messages } = held.counts;
        return { ...page.answer(), matching, messages };
      }
      continue;
    }
    const { report } = event;
    if (report.kind === "tls") return boundPolicies(acceptedPolicies(report, held.spread));
    return report.kind === "failure" ? { kind: "failure" } : page.answer();
  }
  throw new Error("Reading a report again always ends with the report, or with what keeps it from being read.");
}

// Of a TLS report, only policies of domains that the address accepts may be seen.
function acceptedPolicies({ policies }: TlsReport, spread: LedgerReport["spread"]): TlsPolicy[] {
  const domains = new Set(spread.map(([domain]) => domain));
  return policies.filter(({ policyDomain }) => domains.has(domainName(policyDomain)));
}
