/** Reads a raw object to its end: validates and counts everything, and keeps the records of small reports. */
import { pointCountOf } from "../analytics/points.ts";
import { contentHashOf, RecordsHash } from "../content-hash.ts";
import { reportUid } from "../identity.ts";
import { FigureChunks, recordKey, resultLetters } from "../ledger/figures.ts";
import { type ReportShare, sharesOf } from "../ledger/report-rows.ts";
import { PROCESS_LIMITS } from "../limits.ts";
import type { PartProblem } from "../report/problems.ts";
import { type ReadOptions, readReports, type SourceFile } from "../report/read.ts";
import { RecordShapes } from "../report/shapes/record-shapes.ts";
import type { ByteSource } from "../report/source.ts";
import type { AggregateRecord, Report } from "../report/vocabulary.ts";
import { headerOf, type ReportHeader } from "../report-header.ts";
import type { RawMetadata } from "../storage.ts";
import { UniqueParts } from "./unique-parts.ts";

/** Record layouts this isolate has seen. They change how fast a report is read, never the result. */
const KNOWN_SHAPES = new RecordShapes();

/** A report found in an object. */
export interface FoundReport {
  /** Path inside the object, unique in it. */
  part: string;
  report: Report;
  header: ReportHeader;
  uid: string;
  contentHash: string;
  /** Of its records, for the hash of the content as other words say it. */
  recordsHash: RecordsHash;
  /** What it counts, by domain and day. Figures are undefined when its records must be read again. */
  shares: ReportShare[];
  counts: { records: number; total: number; passed: number };
  /** Points in the dataset of its kind. */
  points: number;
  /** Its place among the object's documents with records, from 0, by which a second reading finds it. */
  document: number;
  /** Undefined when there are too many to hold: they must be read again. */
  records: AggregateRecord[] | undefined;
  /** Messages of its records by result letters (figures.ts). */
  byResult: ReadonlyMap<string, number>;
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
  /** Number of objects its mail was split into. */
  objectsOfMail: number;
  /** The file, as declared by its mail. */
  file: SourceFile;
}

/** The file described by a raw object's metadata. */
export function fileOf({ fileName, mimeType, tlsReportDomain }: RawMetadata): SourceFile {
  return { name: fileName, mimeType, tlsReportDomain };
}

/** The options for reading an object, the same each time. */
export function readOptions({ receivedSeconds, objectsOfMail, file }: ObjectOrigin): ReadOptions {
  return { nowSeconds: receivedSeconds, objectsOfMail, file, shapes: KNOWN_SHAPES };
}

/** How many records may be held at once, over all objects of a batch. */
export class RecordBudget {
  #left = PROCESS_LIMITS.maxHeldRecordsPerBatch;

  take(records: number): boolean {
    if (records > this.#left) return false;
    this.#left -= records;
    return true;
  }

  giveBack(records: number): void {
    this.#left += records;
  }
}

/** What was found in an object. */
export interface ReadParts {
  /** In order. */
  findings: Finding[];
  /** Parts that are evidently not reports: kind → count. */
  passedOver: Record<string, number>;
}

/**
 * Reads an object to its end.
 *
 * @param origin whose reports these are, and what is known of the object
 * @returns what it holds; only the problem if it is refused as a whole
 */
export async function readObject(
  source: ByteSource,
  origin: ObjectOrigin & { account: string },
  held: RecordBudget,
): Promise<ReadParts> {
  const findings: Finding[] = [];
  const passedOver: Record<string, number> = {};
  const parts = new UniqueParts();
  let tally = new Tally(held, 0);
  let heldByOthers = 0;
  let document = -1;
  for await (const event of readReports(source, readOptions(origin))) {
    if (event.type === "refused") {
      tally.forget();
      return { findings: [{ part: event.part, problem: event.problem }], passedOver: {} };
    }
    // Text, pictures and signatures beside a report are only counted.
    if (event.type === "passed_over") {
      passedOver[event.kind] = (passedOver[event.kind] ?? 0) + 1;
      continue;
    }
    if (event.type === "records") {
      if (event.records.length === 0) continue;
      if (event.firstOrdinal === 0) {
        document++;
        tally.forget();
        tally = new Tally(held, heldByOthers);
      }
      tally.add(event.records);
      continue;
    }
    const part = parts.next(event.part);
    parts.take(event.part);
    if (event.type === "problem") {
      tally.forget();
      findings.push({ part, problem: event.problem, ...(event.file === undefined ? {} : { file: event.file }) });
    } else {
      findings.push(await foundReport(event.report, tally, { ...origin, part, document }));
      heldByOthers += tally.records?.length ?? 0;
    }
    tally = new Tally(held, heldByOthers);
  }
  return { findings, passedOver };
}

/** Totals of one document, gathered while it is read, and its records while they are few. */
class Tally {
  readonly hash = new RecordsHash();
  /** Messages by result letters (figures.ts). */
  readonly byResult = new Map<string, number>();
  records: AggregateRecord[] | undefined = [];
  readonly #held: RecordBudget;
  readonly #heldByOthers: number;
  #chars = 0;

  /** @param heldByOthers records held of other documents of the object */
  constructor(held: RecordBudget, heldByOthers: number) {
    this.#held = held;
    this.#heldByOthers = heldByOthers;
  }

  add(records: readonly AggregateRecord[]): void {
    for (const record of records) {
      this.hash.add(record);
      const letters = resultLetters(record);
      this.byResult.set(letters, (this.byResult.get(letters) ?? 0) + record.count);
    }
    if (this.records === undefined) return;
    this.#chars += charsOf(records);
    const count = this.#heldByOthers + this.records.length + records.length;
    const isMany = count > PROCESS_LIMITS.maxHeldRecords || this.#chars > PROCESS_LIMITS.maxHeldRecordChars;
    if (isMany || !this.#held.take(records.length)) this.forget();
    else for (const record of records) this.records.push(record);
  }

  /** Drops the records: there are too many, or the document turned out to be bad. */
  forget(): void {
    this.#held.giveBack(this.records?.length ?? 0);
    this.records = undefined;
  }
}

/** The number of characters in records. */
function charsOf(records: readonly AggregateRecord[]): number {
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

async function foundReport(
  report: Report,
  tally: Tally,
  {
    account,
    receivedSeconds,
    part,
    document,
  }: { account: string; receivedSeconds: number; part: string; document: number },
): Promise<FoundReport> {
  const header = headerOf(report);
  const contentHash = await contentHashOf(report, header, tally.hash);
  const { byResult, records } = tally;
  const figures =
    report.kind === "aggregate" && records !== undefined ? figuresOf(records, header.domains[0]) : undefined;
  return {
    part,
    header,
    uid: await reportUid(account, header, contentHash),
    contentHash,
    recordsHash: tally.hash,
    document,
    records,
    byResult,
    ...contentOf(report, { records: { byResult, figures, reading: undefined }, receivedSeconds }),
  };
}

/** The report restricted to what an address accepts; it keeps the identity of the whole. */
export function narrowed(found: FoundReport, report: Report, receivedSeconds: number): FoundReport {
  if (report === found.report) return found;
  return { ...found, ...contentOf(report, { records: undefined, receivedSeconds }) };
}

function contentOf(
  report: Report,
  from: Parameters<typeof sharesOf>[1],
): Pick<FoundReport, "report" | "shares" | "counts" | "points"> {
  const shares = sharesOf(report, from);
  const sum = (count: (share: ReportShare) => number): number => shares.reduce((all, share) => all + count(share), 0);
  return {
    report,
    shares,
    counts: {
      records: sum(({ sums }) => sums.records),
      total: sum(({ sums }) => sums.total),
      passed: sum(({ sums }) => sums.passed),
    },
    points: pointCountOf(report),
  };
}

/** Figures of held records about `domain`, as JSON objects of bounded size. */
function figuresOf(records: readonly AggregateRecord[], domain: string): string[] {
  const figures = new FigureChunks();
  const chunks: string[] = [];
  for (const record of records) {
    if (!figures.add(recordKey(record, domain), record.count)) chunks.push(figures.take());
  }
  if (figures.chars > 0 || chunks.length === 0) chunks.push(figures.take());
  return chunks;
}
