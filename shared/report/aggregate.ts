/**
 * Aggregate reports (RFC 7489, RFC 9990): bytes in, records out as they come, the report at the end. Nothing is
 * known to be good before the end: a document that turns out bad throws a Rejection, and its records must be forgotten.
 */
import { READ_LIMITS } from "../limits.ts";
import { readFrame } from "./frame.ts";
import { readRecordXml } from "./record.ts";
import { type RecordSink, RecordStream } from "./record-stream.ts";
import { reject } from "./rejection.ts";
import type { RecordShapes } from "./shapes/record-shapes.ts";
import { XmlTextDecoder } from "./text.ts";
import type { AggregateRecord, AggregateReport, AggregateTotals } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";
import { Segmenter } from "./xml/segments.ts";

/** A report without its content hash, which the reader of bytes knows. */
export type AggregateBody = Omit<AggregateReport, "contentHash" | "warnings" | "omittedWarnings">;

/** Where a document's warnings go, and what is known of how records are written. */
export interface AggregateContext {
  warnings: WarningLog;
  shapes: RecordShapes;
}

/**
 * Reads one document: feed `push` every piece in order, then `finish`. Both throw a Rejection (see problems.ts) when the
 * document cannot be used.
 */
export class AggregateReader implements RecordSink {
  readonly #warnings: WarningLog;
  readonly #shapes: RecordShapes;
  readonly #segmenter: Segmenter;
  readonly #stream: RecordStream;
  readonly #totals: AggregateTotals = { records: 0, skippedRecords: 0, messages: 0, passed: 0, dispositions: {} };
  #records: AggregateRecord[] = [];

  /** @param head the document's first bytes, from which its encoding is told */
  constructor(head: Uint8Array, { warnings, shapes }: AggregateContext) {
    this.#warnings = warnings;
    this.#shapes = shapes;
    this.#segmenter = new Segmenter((detail) => warnings.addOnce("repaired_xml", "feedback", detail));
    const decoder = new XmlTextDecoder(head, (detail) => warnings.addOnce("repaired_encoding", "feedback", detail));
    this.#stream = new RecordStream({ decoder, segmenter: this.#segmenter, shapes, sink: this });
  }

  /** Takes the next bytes. @returns the records they complete, in order */
  push(bytes: Uint8Array): AggregateRecord[] {
    this.#stream.push(bytes);
    return this.#takeRecords();
  }

  /** Takes the end of the document. @returns the last records, and the report */
  finish(): { records: AggregateRecord[]; body: AggregateBody } {
    const frame = this.#stream.finish();
    const records = this.#takeRecords();
    const { metadata, policy } = readFrame(frame, this.#segmenter.namespaced9990, this.#warnings);
    return { records, body: { kind: "aggregate", metadata, policy, totals: this.#totals } };
  }

  takeRecord(record: AggregateRecord): void {
    addToTotals(this.#totals, record);
    this.#records.push(record);
  }

  /** The general reader; what it reads without a warning, the shapes learn. */
  takeText(xml: string): void {
    const { records, skippedRecords } = this.#totals;
    const ordinal = records + skippedRecords;
    if (ordinal >= READ_LIMITS.maxRecords) reject("too_large", `more than ${READ_LIMITS.maxRecords} records`);
    const warningsBefore = this.#warnings.count;
    const record = readRecordXml(xml, { ordinal, warnings: this.#warnings });
    if ("skipped" in record) {
      this.#warnings.add("record_skipped", `record[${ordinal}]`, record.skipped);
      this.#totals.skippedRecords++;
      return;
    }
    this.takeRecord(record);
    if (this.#warnings.count === warningsBefore) this.#shapes.learn(xml);
  }

  #takeRecords(): AggregateRecord[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }
}

function addToTotals(totals: AggregateTotals, record: AggregateRecord): void {
  totals.records++;
  if (totals.records + totals.skippedRecords > READ_LIMITS.maxRecords) {
    reject("too_large", `more than ${READ_LIMITS.maxRecords} records`);
  }
  totals.messages += record.count;
  if (isPass(record)) totals.passed += record.count;
  totals.dispositions[record.disposition] = (totals.dispositions[record.disposition] ?? 0) + record.count;
  // Beyond this the sum would be a number near the truth.
  if (!Number.isSafeInteger(totals.messages)) reject("too_large", "more messages than can be counted");
}

/** Whether mail of a record passed DMARC: an aligned pass by either mechanism (never by disposition). */
export function isPass(record: AggregateRecord): boolean {
  return record.dkim === "pass" || record.spf === "pass";
}
