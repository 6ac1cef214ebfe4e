/** The first reading of a raw object: everything in it validated and counted, the records of small reports kept. */
import { createHash } from "node:crypto";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import type { Problem } from "../../shared/report/problems.ts";
import { readReports } from "../../shared/report/read.ts";
import { RecordShapes } from "../../shared/report/shapes/record-shapes.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { AggregateRecord, Report } from "../../shared/report/vocabulary.ts";

/** How reporters write their records, as far as this isolate has seen: it changes how fast a report is read, not how. */
export const KNOWN_SHAPES = new RecordShapes();

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

/** A part that could not be read. */
export interface FoundProblem {
  part: string;
  problem: Problem;
}

export type Finding = FoundReport | FoundProblem;

/** Reads an object to its end. @returns what it holds, in order */
export async function readFindings(source: ByteSource): Promise<Finding[]> {
  const findings: Finding[] = [];
  const uniquePart = partNames();
  let heldByOthers = 0;
  let held: AggregateRecord[] | undefined = [];
  let document = -1;
  for await (const event of readReports(source, { createHash: () => createHash("sha256"), shapes: KNOWN_SHAPES })) {
    if (event.type === "records") {
      if (event.records.length === 0) continue;
      if (event.firstOrdinal === 0) {
        document++;
        held = [];
      }
      const fits = heldByOthers + (held?.length ?? 0) + event.records.length <= PROCESS_LIMITS.maxHeldRecords;
      if (fits) held?.push(...event.records);
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

// An archive may hold several files of one name.
function partNames(): (part: string) => string {
  const seen = new Map<string, number>();
  return (part) => {
    const count = (seen.get(part) ?? 0) + 1;
    seen.set(part, count);
    return count === 1 ? part : `${part}#${count}`;
  };
}
