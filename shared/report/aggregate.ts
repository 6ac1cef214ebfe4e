/**
 * Aggregate reports (RFC 7489, RFC 9990): bytes in, records out as they come, the report at the end. Nothing is
 * known to be good before the end: a document that turns out bad throws a Rejection, and its records must be forgotten.
 */
import { READ_LIMITS } from "../limits.ts";
import { readRecordXml } from "./record.ts";
import type { RecordShapes } from "./record-shapes.ts";
import { type RecordSink, RecordStream } from "./record-stream.ts";
import { reject } from "./rejection.ts";
import type { Peeked } from "./source.ts";
import { XmlTextDecoder } from "./text.ts";
import { isDomainLike, matchWord, normalizeDomain, parseEpochSeconds, storedText } from "./values.ts";
import type {
  AggregateRecord,
  AggregateReport,
  AggregateTotals,
  AlignmentMode,
  Policy,
  PolicyPublished,
  ReportFormat,
  ReportMetadata,
} from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";
import { child, children, childText, parseElement, type XmlElement } from "./xml/element.ts";
import { parsePlainElement } from "./xml/plain.ts";
import { repairCharacters } from "./xml/repair.ts";
import { Segmenter } from "./xml/segments.ts";

const POLICIES: readonly Policy[] = ["none", "quarantine", "reject"];
const NEW_IN_RFC_9990 = ["np", "testing", "discovery_method"];

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

/** Reads one document that comes in pieces. @returns a generator of batches of records that returns the report */
export async function* readAggregate(
  { head, chunks }: Peeked,
  context: AggregateContext,
): AsyncGenerator<AggregateRecord[], AggregateBody> {
  const reader = new AggregateReader(head, context);
  for await (const chunk of chunks) {
    // What is in memory whole comes as one chunk; its records must not all be held at once.
    for (let at = 0; at < chunk.byteLength; at += READ_LIMITS.inflateOutputBytes) {
      const records = reader.push(chunk.subarray(at, at + READ_LIMITS.inflateOutputBytes));
      if (records.length > 0) yield records;
    }
  }
  const { records, body } = reader.finish();
  if (records.length > 0) yield records;
  return body;
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

function readFrame(frame: string, namespaced9990: boolean, warnings: WarningLog) {
  const root = parsePlainElement(frame) ?? parseRepaired(frame, warnings);
  const published = child(root, "policy_published");
  const metadata = child(root, "report_metadata");
  if (metadata === undefined && published === undefined) return reject("no_metadata");
  warnDuplicates(root, warnings);
  const isNew =
    namespaced9990 ||
    child(metadata, "generator") !== undefined ||
    NEW_IN_RFC_9990.some((name) => child(published, name) !== undefined);
  const format: ReportFormat = isNew ? "rfc9990" : "rfc7489";
  const policy = readPolicy(published, warnings);
  return { metadata: readMetadata(metadata, { root, format, warnings }), policy };
}

function parseRepaired(frame: string, warnings: WarningLog): XmlElement {
  const repaired = repairCharacters(frame);
  if (repaired.done !== "") warnings.addOnce("repaired_xml", "feedback", repaired.done);
  const root = parseElement(repaired.xml);
  return "malformed" in root ? reject("malformed_xml", root.malformed) : root;
}

function warnDuplicates(root: XmlElement, warnings: WarningLog): void {
  for (const name of ["report_metadata", "policy_published"]) {
    const found = children(root, name);
    if (found.length > 1) warnings.add("duplicate_element", name, `${found.length} times; the first is used`);
    for (const repeated of repeatedNames(found[0])) {
      if (repeated !== "error") warnings.add("duplicate_element", `${name}/${repeated}`, "the first is used");
    }
  }
}

function repeatedNames(element: XmlElement | undefined): Set<string> {
  const names = element?.children.map(({ name }) => name) ?? [];
  const seen = new Set<string>();
  return new Set(names.filter((name) => seen.size === seen.add(name).size));
}

interface MetadataContext {
  root: XmlElement;
  format: ReportFormat;
  warnings: WarningLog;
}

function readMetadata(metadata: XmlElement | undefined, context: MetadataContext): ReportMetadata {
  const { root, format, warnings } = context;
  const email = short(childText(metadata, "email"));
  const orgName = short(childText(metadata, "org_name"));
  if (orgName === "") warnings.add("missing_value", "report_metadata/org_name", "the domain of email is used");
  const reportId = short(childText(metadata, "report_id"));
  if (reportId === "") warnings.add("missing_value", "report_metadata/report_id", "");
  const range = child(metadata, "date_range");
  const beginSeconds = readDate(range, "begin", warnings);
  const endSeconds = readDate(range, "end", warnings);
  if (beginSeconds > endSeconds) {
    warnings.add("invalid_value", "report_metadata/date_range", `${beginSeconds} is after ${endSeconds}`);
  }
  return {
    orgName: orgName === "" ? email.slice(email.lastIndexOf("@") + 1).replace(/>$/, "") : orgName,
    email,
    extraContactInfo: short(childText(metadata, "extra_contact_info")),
    reportId,
    beginSeconds,
    endSeconds,
    errors: children(metadata, "error").map((error) => short(error.text)),
    generator: short(childText(metadata, "generator")),
    version: short(childText(root, "version")),
    format,
  };
}

function readDate(range: XmlElement | undefined, name: "begin" | "end", warnings: WarningLog): number {
  const raw = childText(range, name);
  const seconds = parseEpochSeconds(raw);
  if (seconds === null) return reject("missing_dates", `${name} is '${raw.slice(0, 40)}'`);
  if (String(seconds) !== raw) warnings.add("invalid_value", `report_metadata/date_range/${name}`, raw);
  return seconds;
}

function readPolicy(published: XmlElement | undefined, warnings: WarningLog): PolicyPublished {
  const rawDomain = childText(published, "domain");
  const domain = normalizeDomain(rawDomain);
  if (!isDomainLike(domain)) return reject("missing_domain", rawDomain === "" ? "" : `domain is '${rawDomain}'`);
  const p = readPolicyWord(published, { name: "p", inherited: undefined, warnings });
  const sp = readPolicyWord(published, { name: "sp", inherited: p, warnings });
  return {
    domain,
    p,
    sp,
    np: readPolicyWord(published, { name: "np", inherited: sp, warnings }),
    adkim: readAlignment(published, "adkim", warnings),
    aspf: readAlignment(published, "aspf", warnings),
    pct: readPct(published, warnings),
    fo: short(childText(published, "fo")),
    testing: childText(published, "testing").toLowerCase() === "y",
    discoveryMethod: short(childText(published, "discovery_method")).toLowerCase(),
  };
}

interface PolicyTag {
  name: "p" | "sp" | "np";
  /** What a missing tag means; p inherits from nothing. */
  inherited: Policy | undefined;
  warnings: WarningLog;
}

// RFC 7489 section 6.3: sp defaults to p; RFC 9989 section 4.7: np to sp.
function readPolicyWord(published: XmlElement | undefined, { name, inherited, warnings }: PolicyTag): Policy {
  const raw = childText(published, name);
  if (raw === "" && inherited !== undefined) return inherited;
  const word = matchWord(raw, POLICIES);
  if (word === undefined) {
    warnings.add(raw === "" ? "missing_value" : "unknown_value", `policy_published/${name}`, raw);
  }
  return word ?? "unknown";
}

function readAlignment(published: XmlElement | undefined, name: "adkim" | "aspf", warnings: WarningLog): AlignmentMode {
  const raw = childText(published, name);
  if (raw === "") return "r";
  const mode = matchWord(raw, ["r", "s", "relaxed", "strict"] as const);
  if (mode === undefined) warnings.add("unknown_value", `policy_published/${name}`, raw);
  if (mode === "relaxed") return "r";
  return mode === "strict" ? "s" : (mode ?? "unknown");
}

function readPct(published: XmlElement | undefined, warnings: WarningLog): number {
  const raw = childText(published, "pct");
  if (raw === "") return 100;
  const pct = Number(raw);
  if (/^\d{1,3}$/.test(raw) && pct <= 100) return pct;
  warnings.add("invalid_value", "policy_published/pct", raw);
  return 100;
}

function short(text: string): string {
  return storedText(text);
}
