/** The first reading of a raw object: everything in it validated and counted, the records of small reports kept. */
import { createHash } from "node:crypto";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import type { PartProblem } from "../../shared/report/problems.ts";
import { type ReadOptions, readReports } from "../../shared/report/read.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { AggregateRecord, Report } from "../../shared/report/vocabulary.ts";

/** How reporters write their records, as far as this isolate has seen: it changes how fast a report is read, not how. */
const KNOWN_SHAPES = new RecordShapes();

/** A report found in an object. */
export interface FoundReport {
  /** Path inside the object, unique in it. */
  part: string;
  report: Report;
  /** Which of the object's documents with records it is, from 0: a second reading tells them apart by this. */
  document: number;
  /** undefined when they are too many to hold and must be read again. */
  records: AggregateRecord[] | undefined;
}

/** A part that could not be read, or is about a domain that the address does not accept. */
export interface FoundProblem extends PartProblem {
  /** Which domain. */
  domain?: string;
}

export type Finding = FoundReport | FoundProblem;

/** What is known of an object before it is read. */
export interface ObjectOrigin {
  /** When its mail came, seconds since 1970 UTC. */
  receivedSeconds: number;
  /** Objects that its mail was taken apart into. */
  objectsOfMail: number;
}

/** Reads an object to its end. @returns what it holds, in order; of one that is refused as a whole, that problem alone */
export async function readFindings(source: ByteSource, origin: ObjectOrigin): Promise<Finding[]> {
  const findings: Finding[] = [];
  const uniquePart = partNames();
  let heldByOthers = 0;
  let heldChars = 0;
  let held: AggregateRecord[] | undefined = [];
  let document = -1;
  for await (const event of readReports(source, { ...readOptions(origin), createHash: () => createHash("sha256") })) {
    if (event.type === "refused") return [{ part: event.part, problem: event.problem }];
    if (event.type === "records") {
      if (event.records.length === 0) continue;
      if (event.firstOrdinal === 0) {
        document++;
        held = [];
      }
      if (held === undefined) continue;
      heldChars += charsOf(event.records);
      const count = heldByOthers + held.length + event.records.length;
      const fits = count <= PROCESS_LIMITS.maxHeldRecords && heldChars <= PROCESS_LIMITS.maxHeldRecordChars;
      if (fits) held.push(...event.records);
      else held = undefined;
      continue;
    }
    const part = uniquePart(event.part);
    if (event.type === "problem") findings.push({ part, problem: event.problem });
    else {
      findings.push({ part, report: event.report, document, records: held });
      heldByOthers += held?.length ?? 0;
    }
    held = [];
  }
  return findings;
}

/** How an object is read, each time it is. */
export function readOptions({ receivedSeconds, objectsOfMail }: ObjectOrigin): ReadOptions {
  return { nowSeconds: receivedSeconds, objectsOfMail, shapes: KNOWN_SHAPES };
}

/** Characters of all that records say. */
function charsOf(records: AggregateRecord[]): number {
  let chars = 0;
  for (const { envelopeFrom, envelopeTo, headerFrom, reasons, dkimResults, spfResults } of records) {
    chars += envelopeFrom.length + envelopeTo.length + headerFrom.length;
    for (const { rawType, comment } of reasons) chars += rawType.length + comment.length;
    for (const { domain, selector, humanResult } of dkimResults)
      chars += domain.length + selector.length + humanResult.length;
    for (const { domain, humanResult } of spfResults) chars += domain.length + humanResult.length;
  }
  return chars;
}

// An archive may hold several files of one name.
function partNames(): (part: string) => string {
  const seen = new Map<string, number>();
  return (part) => {
    const count = (seen.get(part) ?? 0) + 1;
    seen.set(part, count);
    return count === 1 ? part : `${part}#${count}`;
  };
}
