/**
 * Aggregate reports (RFC 7489, RFC 9990): bytes in, records out as they come, the report at the end. Nothing is
 * known to be good before the end: a document that turns out bad throws a Rejection, and its records must be forgotten.
 */
import { READ_LIMITS } from "../limits.ts";
import type { Bounds } from "./bounds.ts";
import type { ReadBudget } from "./budget.ts";
import { readFrame } from "./frame.ts";
import { readRecordXml } from "./record.ts";
import { type RecordSink, RecordStream } from "./record-stream.ts";
import { reject } from "./rejection.ts";
import type { RecordShapes } from "./shapes/record-shapes.ts";
import { XmlTextDecoder } from "./text.ts";
import type { AggregateRecord, AggregateReport, AggregateTotals } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";
import { type RecordText, Segmenter } from "./xml/segments.ts";

/** A report without its content hash, which the reader of bytes knows. */
export type AggregateBody = Omit<AggregateReport, "contentHash" | "warnings" | "omittedWarnings">;

/** Where a document's warnings go, the known shapes of records, and the limits on its cost and content. */
export interface AggregateContext {
  warnings: WarningLog;
  shapes: RecordShapes;
  budget: ReadBudget;
  bounds: Bounds;
}

/**
 * Reads one document: feed `push` every piece in order, then `finish`. Both throw a Rejection (see problems.ts) when the
 * document cannot be used.
 */
export class AggregateReader implements RecordSink {
  readonly #context: AggregateContext;
  readonly #segmenter: Segmenter;
  readonly #decoder: XmlTextDecoder;
  readonly #stream: RecordStream;
  #ownShapes: RecordShapes | undefined;
  readonly #totals: AggregateTotals = { records: 0, skippedRecords: 0, messages: 0, passed: 0, dispositions: {} };
  #records: AggregateRecord[] = [];

  /** @param head the document's first bytes, which reveal its encoding; or the decoder of the document before it */
  constructor(head: Uint8Array | XmlTextDecoder, context: AggregateContext) {
    const { warnings, shapes, budget } = context;
    this.#context = context;
    this.#segmenter = new Segmenter((detail) => warnings.addOnce("repaired_xml", "feedback", detail));
    const note = (detail: string): void => warnings.addOnce("repaired_encoding", "feedback", detail);
    this.#decoder = head instanceof XmlTextDecoder ? head : new XmlTextDecoder(head, note);
    this.#decoder.note = note;
    this.#stream = new RecordStream({
      decoder: this.#decoder,
      segmenter: this.#segmenter,
      shapes,
      ownShapes: () => this.#ownShapes,
      budget,
      sink: this,
    });
  }

  /** Takes the next bytes. @returns the records they complete, in order */
  push(bytes: Uint8Array): AggregateRecord[] {
    this.#stream.push(bytes);
    return this.#takeRecords();
  }

  /** Whether another report begins after the end of this one, which takes no more bytes then. */
  get isFollowed(): boolean {
    return this.#segmenter.following !== undefined;
  }

  /** Text after the end of this report that may hold JSON. */
  get trailing(): string {
    return this.#segmenter.trailing;
  }

  /** The reader of the report that follows, and the records that are complete in what was pushed. */
  readFollowing(context: AggregateContext): { reader: AggregateReader; records: AggregateRecord[] } {
    const reader = new AggregateReader(this.#decoder, context);
    reader.#stream.pushFollowing(this.#segmenter.following ?? "", this.#stream.rest);
    return { reader, records: reader.#takeRecords() };
  }

  /** Takes the end of the document. @returns the last records, and the report */
  finish(): { records: AggregateRecord[]; body: AggregateBody } {
    const frame = this.#stream.finish();
    const records = this.#takeRecords();
    const { metadata, policy } = readFrame(frame, this.#segmenter.namespaced9990, this.#context);
    if (this.#totals.records === 0) this.#context.warnings.add("missing_value", "record", "nothing is counted");
    this.#context.budget.takeHeld(charsOf(metadata) + charsOf(policy));
    return { records, body: { kind: "aggregate", metadata, policy, totals: this.#totals } };
  }

  takeRecord(record: AggregateRecord, unknown: readonly string[]): void {
    this.#tellUnknown(unknown);
    addToTotals(this.#totals, record);
    this.#records.push(record);
  }

  /** The general reader; what it reads without a warning, the shapes learn. */
  takeText(text: RecordText): void {
    const { warnings, shapes, budget } = this.#context;
    const { records, skippedRecords } = this.#totals;
    const ordinal = records + skippedRecords;
    const warningsBefore = warnings.count;
    budget.takeGeneral(READ_LIMITS.generalRecordChars);
    const unknown: string[] = [];
    const record = readRecordXml(text, { ...this.#context, ordinal, unknown });
    if ("skipped" in record) {
      this.#tellUnknown(unknown);
      warnings.add("record_skipped", `record[${ordinal}]`, record.skipped);
      budget.takeRecords(1);
      if (++this.#totals.skippedRecords > READ_LIMITS.maxSkippedRecords) {
        reject("unusable_records", `more than ${READ_LIMITS.maxSkippedRecords}; the last: ${record.skipped}`);
      }
      return;
    }
    if (shapes.learns && warnings.count === warningsBefore) this.#shapesFor(text, shapes).learn(text, unknown);
    this.takeRecord(record, unknown);
  }

  /** Of the record that is about to be counted, or skipped. */
  #tellUnknown(paths: readonly string[]): void {
    const { records, skippedRecords } = this.#totals;
    for (const path of paths)
      this.#context.warnings.add("unknown_element", `record[${records + skippedRecords}]/${path}`, "");
  }

  // A prefix, and a default namespace that is not the report's, mean something in this document only.
  #shapesFor({ xml, namespaces }: RecordText, shared: RecordShapes): RecordShapes {
    if (!/<[\w.-]+:/.test(xml) && namespaces.isOwn("record")) return shared;
    this.#ownShapes ??= shared.forDocument();
    return this.#ownShapes;
  }

  #takeRecords(): AggregateRecord[] {
    const records = this.#records;
    this.#records = [];
    this.#context.budget.takeRecords(records.length);
    return records;
  }
}

/** Characters of the texts of an object, lists of texts included. */
function charsOf(values: object): number {
  let chars = 0;
  for (const value of Object.values(values)) {
    if (typeof value === "string") chars += value.length;
    else if (typeof value === "object" && value !== null) chars += charsOf(value);
  }
  return chars;
}

function addToTotals(totals: AggregateTotals, record: AggregateRecord): void {
  totals.records++;
  totals.messages += record.count;
  if (isPass(record)) totals.passed += record.count;
  totals.dispositions[record.disposition] = (totals.dispositions[record.disposition] ?? 0) + record.count;
}

/** Whether mail of a record passed DMARC: an aligned pass by either mechanism (never by disposition). */
export function isPass(record: AggregateRecord): boolean {
  return record.dkim === "pass" || record.spf === "pass";
}
