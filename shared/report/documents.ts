/**
 * Reads one document from the containers that read.ts opens, and yields its events. Its format is known from its first
 * bytes; a bad document throws a Rejection.
 */
import { MAIL_LIMITS, READ_LIMITS } from "../limits.ts";
import { findPastedJson } from "../mail/pasted.ts";
import { SNIFF_BYTES } from "../sniff.ts";
import { AggregateReader } from "./aggregate.ts";
import type { Bounds } from "./bounds.ts";
import type { ReadBudget } from "./budget.ts";
import { type FailureSource, readFailure } from "./failure.ts";
import { decodeJson, isClosed, parseJson } from "./json-text.ts";
import { PartNames } from "./part-names.ts";
import { type FileFacts, problem } from "./problems.ts";
import type { ContentHash, ReadEvent } from "./read.ts";
import { Rejection, reject } from "./rejection.ts";
import type { RecordShapes } from "./shapes/record-shapes.ts";
import { holdStream, type Peeked } from "./source.ts";
import { readTls, reportsIn } from "./tls.ts";
import { domainAtStart } from "./values.ts";
import type { AggregateRecord } from "./vocabulary.ts";
import { WarningLog } from "./warnings.ts";

/** Where a document was found. */
export interface DocumentPlace {
  /** Path inside the file, "" for the file itself. */
  part: string;
  /** The file that it is or is in. */
  file: FileFacts;
  /** TLS-Report-Domain of its mail, "" if there is none. */
  tlsReportDomain: string;
  /** Oddities of the containers around it, collected while reading and so complete at the end of the content. */
  notes: ContainerNote[];
}

/** Oddities of one container. */
export interface ContainerNote {
  part: string;
  detail: string;
}

/** The context for reading any document of a file. */
export interface DocumentContext {
  shapes: RecordShapes;
  budget: ReadBudget;
  bounds: Bounds;
  createHash: (() => ContentHash) | undefined;
}

/** Reads an aggregate report as it streams in, or several that follow one another. */
export async function* readXml(
  { head, chunks }: Peeked,
  place: DocumentPlace,
  context: DocumentContext,
): AsyncGenerator<ReadEvent> {
  const file = new XmlFile(head, place, context);
  try {
    for await (const chunk of chunks) {
      for (const piece of inPieces(chunk)) yield* file.push(piece);
    }
  } catch (error) {
    // An archive that is damaged behind a report does not undo it; a fault is thrown.
    const event = file.problemOf(error);
    if (!file.isLost) yield event;
    return;
  }
  yield* file.finish();
}

// Content in memory comes as one chunk, but its records must not all be held at once.
function* inPieces(chunk: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < chunk.byteLength; at += READ_LIMITS.inflateOutputBytes) {
    yield chunk.subarray(at, at + READ_LIMITS.inflateOutputBytes);
  }
}

/** Reads what is in memory: the same result without the cost of a stream. */
export function readXmlWhole(bytes: Uint8Array, place: DocumentPlace, context: DocumentContext): ReadEvent[] {
  const file = new XmlFile(bytes.subarray(0, SNIFF_BYTES), place, context);
  const events = file.push(bytes);
  events.push(...file.finish());
  return events;
}

/** The aggregate reports of one file. A bad one is the problem of its part, and of the file where it is the only one. */
class XmlFile {
  readonly #place: DocumentPlace;
  readonly #context: DocumentContext;
  readonly #hash: ContentHash | undefined;
  readonly #names: PartNames;
  #part: string;
  #documents = 1;
  #warnings = new WarningLog();
  #reader: AggregateReader;
  /** Records of the current report that were emitted. */
  #emitted = 0;
  /** Whether a report is so damaged that its end, and so the next report, cannot be found. */
  isLost = false;

  constructor(head: Uint8Array, place: DocumentPlace, context: DocumentContext) {
    this.#place = place;
    this.#context = context;
    this.#hash = context.createHash?.();
    this.#names = new PartNames(place.part);
    this.#part = place.part;
    context.shapes.startDocument();
    this.#reader = new AggregateReader(head, { ...context, warnings: this.#warnings });
  }

  push(bytes: Uint8Array): ReadEvent[] {
    const events: ReadEvent[] = [];
    if (this.isLost) return events;
    this.#hash?.update(bytes);
    try {
      this.#emit(this.#reader.push(bytes), events);
      while (this.#reader.isFollowed) this.#startNext(events);
    } catch (error) {
      // Thrown where it is the file's.
      events.push(this.problemOf(error));
      this.isLost = true;
    }
    return events;
  }

  finish(): ReadEvent[] {
    const events: ReadEvent[] = [];
    if (this.isLost) return events;
    try {
      this.#endReport(events);
    } catch (error) {
      events.push(this.problemOf(error));
    }
    return events;
  }

  /** Ends the current report and starts the one that follows it. */
  #startNext(events: ReadEvent[]): void {
    try {
      this.#endReport(events);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      events.push({ type: "problem", part: this.#part, problem: error.problem, file: this.#place.file });
    }
    this.#context.budget.takeDocument();
    this.#part = this.#names.name("", `report ${++this.#documents}`);
    this.#warnings = new WarningLog();
    this.#emitted = 0;
    const { reader, records } = this.#reader.readFollowing({ ...this.#context, warnings: this.#warnings });
    this.#reader = reader;
    this.#emit(records, events);
  }

  #endReport(events: ReadEvent[]): void {
    const { records, body } = this.#reader.finish();
    this.#emit(records, events);
    const isOnly = this.#documents === 1 && !this.#reader.isFollowed;
    const contentHash = isOnly ? (this.#hash?.digest("hex") ?? "") : "";
    const closed = closing(this.#place, this.#warnings, this.#context);
    events.push({ type: "report", part: this.#part, report: { ...body, contentHash, ...closed } });
    for (const [i, json] of findPastedJson(this.#reader.trailing, "").entries()) {
      const place = { ...this.#place, part: this.#names.name("", `report ${++this.#documents}`) };
      events.push(...problemsOf(place, () => readJsonAfter(json, i, place, this.#context)));
    }
  }

  #emit(records: AggregateRecord[], events: ReadEvent[]): void {
    if (records.length === 0) return;
    events.push({ type: "records", part: this.#part, firstOrdinal: this.#emitted, records });
    this.#emitted += records.length;
  }

  /** The event of a Rejection. That of the only report is the file's and is thrown, as any other error is. */
  problemOf(error: unknown): ReadEvent {
    if (!(error instanceof Rejection) || this.#documents === 1) throw error;
    return { type: "problem", part: this.#part, problem: error.problem, file: this.#place.file };
  }
}

/** Reads the TLS report in a file, or several that follow one another or in a list. */
export async function* readJson(
  { chunks }: Peeked,
  place: DocumentPlace,
  context: DocumentContext,
): AsyncGenerator<ReadEvent> {
  const source = await holdStream(chunks, READ_LIMITS.maxJsonBytes);
  const bytes = await source.read(0, source.sizeBytes);
  const whole = new WarningLog();
  const text = decodeJson(bytes, (detail) => whole.addOnce("repaired_encoding", "", detail));
  const contentHash = hashOf(bytes, context.createHash);
  // No text in the reports is longer than the document.
  context.budget.takeHeld(bytes.byteLength);
  const { json, xml } = cutXml(text);
  const names = new PartNames(place.part);
  if (xml === "") return yield* readValues(json, { place, names, isOnly: true }, { ...context, whole, contentHash });
  yield* readValues(json, { place, names, isOnly: false }, { ...context, whole, contentHash });
  context.budget.takeDocument();
  const own = { ...place, part: names.name("", "report in XML") };
  yield* problemsOf(own, () => readXmlWhole(new TextEncoder().encode(xml), own, context));
}

const ROOT_TAG = /<(?:[A-Za-z_][\w.-]{0,60}:)?feedback[\s>]/;
const DECLARATION = /<\?xml[^<>]{0,200}>\s{0,99}$/;

/** Cuts a text into its JSON and an aggregate report behind it, without its declaration, since it is decoded. */
function cutXml(text: string): { json: string; xml: string } {
  const start = ROOT_TAG.exec(text)?.index;
  if (start === undefined) return { json: text, xml: "" };
  const json = text.slice(0, start).replace(DECLARATION, "");
  return isClosed(json) ? { json, xml: text.slice(start) } : { json: text, xml: "" };
}

/** The TLS report behind an aggregate report in the same file. @param before how many there are between them */
function readJsonAfter(json: string, before: number, place: DocumentPlace, context: DocumentContext): ReadEvent[] {
  const most = MAIL_LIMITS.maxPartsPerMessage;
  if (before >= most) reject("too_many_parts", `more than ${most} TLS reports behind an aggregate report`);
  context.budget.takeDocument();
  context.budget.takeHeld(json.length);
  const names = new PartNames(place.part);
  const read = { ...context, whole: new WarningLog(), contentHash: "" };
  return [...readValues(json, { place, names, isOnly: true }, read)];
}

/** The events of a document that is a part by itself; its problem, if it cannot be read. */
function problemsOf(place: DocumentPlace, read: () => ReadEvent[]): ReadEvent[] {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return [{ type: "problem", part: place.part, problem: error.problem, file: place.file }];
  }
}

/** Where reports in JSON are, and whether one that stands alone is the file, and its problem the file's. */
interface ValuesPlace {
  place: DocumentPlace;
  names: PartNames;
  isOnly: boolean;
}

function* readValues(
  json: string,
  { place, names, isOnly }: ValuesPlace,
  { whole, contentHash, ...context }: DocumentContext & { whole: WarningLog; contentHash: string },
): Generator<ReadEvent> {
  const values = parseJson(json, whole).flatMap((value) => reportsIn(value));
  if (values.length === 0) reject("not_a_report", "JSON, but no TLS report");
  for (const [i, value] of values.entries()) {
    if (i > 0) context.budget.takeDocument();
    const own = i === 0 ? place : { ...place, part: names.name("", `report ${i + 1}`) };
    try {
      yield readTlsReport(value, own, { ...context, whole, contentHash });
    } catch (error) {
      if (!(error instanceof Rejection) || (isOnly && values.length === 1)) throw error;
      yield { type: "problem", part: own.part, problem: error.problem, file: place.file };
    }
  }
}

function readTlsReport(
  value: unknown,
  place: DocumentPlace,
  { whole, contentHash, ...context }: DocumentContext & { whole: WarningLog; contentHash: string },
): ReadEvent {
  const { budget, bounds } = context;
  const warnings = new WarningLog();
  for (const { code, path, detail } of whole.warnings) warnings.add(code, path, detail);
  const report = readTls(value, { bounds, warnings, domain: domainOfPlace(place) });
  budget.takeRecords(report.policies.reduce((sum, { failureDetails }) => sum + failureDetails.length, 0));
  budget.takeRecords(report.policies.length);
  return { type: "report", part: place.part, report: { ...report, contentHash, ...closing(place, warnings, context) } };
}

/** Reads a failure report; undefined if it is not one. One about no domain would count on no page: it is a problem. */
export function readFailureMail(
  source: FailureSource,
  place: DocumentPlace,
  context: DocumentContext,
): ReadEvent | undefined {
  const { bounds, createHash } = context;
  const warnings = new WarningLog();
  const failure = readFailure(source, { bounds, warnings });
  if (failure === undefined) return undefined;
  if (failure.reportedDomain === "") {
    const detail = "neither Reported-Domain nor the From of the reported mail names one";
    return { type: "problem", part: place.part, problem: problem("missing_domain", detail), file: place.file };
  }
  const said = "fields" in source ? `${source.fields}\n${source.originalHeader}` : source.text;
  const contentHash = hashOf(new TextEncoder().encode(said), createHash);
  const closed = closing(place, warnings, context);
  return { type: "report", part: place.part, report: { ...failure, contentHash, ...closed } };
}

/**
 * RFC 8460 sections 5.3 and 5.1: the domain of a TLS report according to its mail's header, or else to its file name, or
 * to the name of the archive around it.
 */
function domainOfPlace({ tlsReportDomain, file, part }: DocumentPlace): string {
  const names = [file.name, ...part.split("/").reverse()].map((name) => name.split("!")[1] ?? "");
  const domains = [tlsReportDomain, ...names].map(domainAtStart);
  return domains.find((domain) => domain !== "") ?? "";
}

function hashOf(bytes: Uint8Array, createHash: DocumentContext["createHash"]): string {
  const hash = createHash?.();
  hash?.update(bytes);
  return hash?.digest("hex") ?? "";
}

function closing({ notes }: DocumentPlace, log: WarningLog, { budget }: DocumentContext) {
  for (const { part, detail } of notes) log.addOnce("repaired_archive", part, detail);
  const { warnings, omitted } = log;
  budget.takeHeld(warnings.reduce((sum, { path, detail }) => sum + path.length + detail.length, 0));
  return { warnings, omittedWarnings: omitted };
}
