/** Reads a page of an accepted report's records again from its raw object, streaming. */

import { domainName } from "../../shared/domain-name.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { findReports, type HeldReport } from "../../shared/ledger/reports.ts";
import type { RecordQuery, RecordsAnswer } from "../../shared/operations.ts";
import { readReports } from "../../shared/report/read.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { TlsPolicy, TlsReport } from "../../shared/report/vocabulary.ts";
import { boundPolicies } from "./bounded-report.ts";
import { type Invocation, inShardOf } from "./env.ts";
import { findRawObject } from "./raw-object.ts";
import { fileOf, type ObjectOrigin, readOptions } from "./read-object.ts";
import { RecordPage } from "./record-page.ts";
import { UniqueParts } from "./unique-parts.ts";

/** Reads a page of records. @throws whatever D1 or R2 throws */
export async function readRecords(query: RecordQuery, invocation: Invocation): Promise<RecordsAnswer> {
  const { env, ledger } = await inShardOf(query.reference.account, invocation);
  const held = await findHeld(query.reference, ledger);
  if (held === undefined) return { kind: "gone", reason: "The ledger has no such report." };
  const object = await findRawObject(env.R2_DMARC_REPORTS, held.rawKey);
  if (object === undefined) return { kind: "gone", reason: `${held.rawKey} is no longer in R2.` };
  // The same options as when it was accepted.
  const origin = {
    receivedSeconds: held.receivedSeconds,
    objectsOfMail: object.metadata.objectsOfMail,
    file: fileOf(object.metadata),
  };
  return readPart(await object.open(), { held, origin }, new RecordPage(query));
}

async function findHeld(reference: ReportReference, ledger: Invocation["ledger"]): Promise<HeldReport | undefined> {
  return (await findReports(ledger, [reference])).reports.get(reference.uid);
}

async function readPart(
  source: ByteSource,
  { held, origin }: { held: HeldReport; origin: ObjectOrigin },
  page: RecordPage,
): Promise<RecordsAnswer> {
  const { part, rawKey, spread } = held;
  const parts = new UniqueParts();
  for await (const event of readReports(source, readOptions(origin))) {
    if (event.type === "refused") return { kind: "gone", reason: event.problem.message };
    if (event.type === "passed_over") continue;
    const isWanted = parts.next(event.part) === part;
    if (event.type === "records") {
      if (isWanted) page.add(event.records, event.firstOrdinal);
      // No further record can change the page, and the total is known.
      if (isWanted && page.isComplete) {
        const { records: matching, total: messages } = held.counts;
        return { ...page.answer(), matching, messages };
      }
      continue;
    }
    parts.take(event.part);
    if (!isWanted) continue;
    if (event.type === "problem") return { kind: "gone", reason: event.problem.message };
    if (event.report.kind === "tls") return boundPolicies(acceptedPolicies(event.report, spread));
    return event.report.kind === "failure" ? { kind: "failure" } : page.answer();
  }
  return { kind: "gone", reason: `${rawKey} no longer gives this report.` };
}

// Of a TLS report, only policies of domains that the address accepts may be seen.
function acceptedPolicies({ policies }: TlsReport, spread: HeldReport["spread"]): TlsPolicy[] {
  const domains = new Set(spread.map(([domain]) => domain));
  return policies.filter(({ policyDomain }) => domains.has(domainName(policyDomain)));
}
