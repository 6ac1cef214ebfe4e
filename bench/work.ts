/** The work that is measured: what process and ingest do with a report, without the platform around it. */
import { createHash } from "node:crypto";
import { Inflate } from "pako";
import { recordPoints } from "../shared/analytics/points.ts";
import { sha256Hex } from "../shared/identity.ts";
import { READ_LIMITS } from "../shared/limits.ts";
import { extractMail } from "../shared/mail/extract.ts";
import { type ReadOptions, readReports } from "../shared/report/read.ts";
import { RecordShapes } from "../shared/report/shapes/record-shapes.ts";
import { type ByteSource, bytesSource } from "../shared/report/source.ts";
import type { AggregateRecord, AggregateReport } from "../shared/report/vocabulary.ts";

/** Later than any report of the benchmarks. */
export const NOW_SECONDS = 1_900_000_000;

/** As an isolate of process keeps them from report to report. */
const shapes = new RecordShapes();

/** Reads one report to its end, as typed and validated records, and forgets them. @returns how many there were */
export async function readRecords(
  source: ByteSource | Uint8Array,
  options: Partial<ReadOptions> = { shapes },
): Promise<number> {
  let records = 0;
  for await (const event of readReports(source instanceof Uint8Array ? bytesSource(source) : source, {
    nowSeconds: NOW_SECONDS,
    ...options,
  })) {
    if (event.type === "problem" || event.type === "refused") throw new Error(event.problem.message);
    if (event.type === "records") records += event.records.length;
  }
  return records;
}

/** As process does it: with the content's SHA-256. */
export async function readHashed(bytes: Uint8Array): Promise<number> {
  return readRecords(bytes, { createHash: () => createHash("sha256"), shapes });
}

/** The same records as the general reader reads them. */
export async function readGenerally(bytes: Uint8Array): Promise<number> {
  return readRecords(bytes, { generalReaderOnly: true });
}

/** As the reader hands its input on. */
const { inflateInputBytes } = READ_LIMITS;

/** Decompression alone, streaming, which bounds every reader of gzip. @returns bytes */
export function inflateOnly(bytes: Uint8Array): number {
  let size = 0;
  const inflater = new Inflate();
  inflater.onData = (chunk) => {
    size += chunk.length;
  };
  for (let at = 0; at < bytes.byteLength; at += inflateInputBytes) {
    inflater.push(bytes.subarray(at, at + inflateInputBytes));
  }
  return size;
}

const POINT_CONTEXT = { uid: "0".repeat(32), account: "acme", generation: 1, receivedSeconds: 1_700_000_000 };

/** Points of records as they are read: the report's frame is known beforehand, as in process's second reading. */
export async function readToPoints(bytes: Uint8Array, report: AggregateReport): Promise<number> {
  let points = 0;
  for await (const event of readReports(bytesSource(bytes), { nowSeconds: NOW_SECONDS, shapes })) {
    if (event.type === "records") points += recordPoints(report, event, POINT_CONTEXT).length;
  }
  return points;
}

/** A report and its records, held. */
export interface HeldReport {
  report: AggregateReport;
  records: AggregateRecord[];
}

/** The frame of a report: what process knows of it before its second reading. */
export async function readFrame(bytes: Uint8Array): Promise<AggregateReport> {
  for await (const event of readReports(bytesSource(bytes), { nowSeconds: NOW_SECONDS, shapes })) {
    if (event.type === "report" && event.report.kind === "aggregate") return event.report;
  }
  throw new Error("no aggregate report");
}

export async function holdReport(bytes: Uint8Array): Promise<HeldReport> {
  const records: AggregateRecord[] = [];
  for await (const event of readReports(bytesSource(bytes), { nowSeconds: NOW_SECONDS })) {
    if (event.type === "records") for (const record of event.records) records.push(record);
    else if (event.type === "report" && event.report.kind === "aggregate") return { report: event.report, records };
  }
  throw new Error("no aggregate report");
}

export function buildPoints({ report, records }: HeldReport): number {
  return recordPoints(report, { records, firstOrdinal: 0 }, POINT_CONTEXT).length;
}

/** What ingest does with a mail beside waiting: its parts, each hashed for its key. @returns the parts' bytes */
export async function ingestMail(bytes: Uint8Array): Promise<number> {
  const mail = await extractMail(bytes);
  if (!mail.ok) throw new Error(mail.error.detail);
  let size = 0;
  for (const { bytes: content } of mail.value.candidates) {
    await sha256Hex(new Uint8Array(content));
    size += content.byteLength;
  }
  return size;
}
