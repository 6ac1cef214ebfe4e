/** Reads an accepted report again from its raw object, streaming, the same way as when it was accepted. */

import { fileOf, readOptions } from "../../../shared/batch/read-object.ts";
import { UniqueParts } from "../../../shared/batch/unique-parts.ts";
import type { LedgerReport } from "../../../shared/ledger/reports.ts";
import { readReports } from "../../../shared/report/read.ts";
import type { AggregateRecord, Report } from "../../../shared/report/vocabulary.ts";
import { type FoundObject, findRawObject } from "./raw-object.ts";

/** Where a report is. */
export type ReportPlace = Pick<LedgerReport, "rawKey" | "part" | "receivedSeconds">;

/** Records in their order, then the report; or at any point `gone`: it cannot be read (any more), with a sentence. */
export type ReadAgain =
  | { type: "records"; firstOrdinal: number; records: readonly AggregateRecord[] }
  | { type: "report"; report: Report }
  | { type: "gone"; reason: string };

/**
 * Reads a report again.
 *
 * @returns what it holds; the last event is `report` or `gone`
 * @throws whatever R2 throws
 */
export async function* readAgain(place: ReportPlace, bucket: R2Bucket): AsyncGenerator<ReadAgain> {
  const object = await findRawObject(bucket, place.rawKey);
  if (object === undefined) yield { type: "gone", reason: `${place.rawKey} is no longer in R2.` };
  else yield* readFound(object, place);
}

async function* readFound(
  object: FoundObject,
  { rawKey, part, receivedSeconds }: ReportPlace,
): AsyncGenerator<ReadAgain> {
  const { metadata } = object;
  const origin = { receivedSeconds, objectsOfMail: metadata.objectsOfMail, file: fileOf(metadata) };
  const parts = new UniqueParts();
  for await (const event of readReports(await object.open(), readOptions(origin))) {
    if (event.type === "refused") return yield { type: "gone", reason: event.problem.message };
    if (event.type === "passed_over") continue;
    const isWanted = parts.next(event.part) === part;
    if (event.type === "records") {
      if (isWanted) yield { type: "records", firstOrdinal: event.firstOrdinal, records: event.records };
      continue;
    }
    parts.take(event.part);
    if (!isWanted) continue;
    if (event.type === "problem") return yield { type: "gone", reason: event.problem.message };
    return yield { type: "report", report: event.report };
  }
  yield { type: "gone", reason: `${rawKey} no longer gives this report.` };
}
