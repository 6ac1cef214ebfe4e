/** Reads the records of an accepted report again from its raw object: a page of them, as they stream by. */
import { domainName } from "../../shared/domain-name.ts";
import type { ReportReference } from "../../shared/ledger/report-rows.ts";
import { findReports, type HeldReport } from "../../shared/ledger/reports.ts";
import { PROCESS_LIMITS } from "../../shared/limits.ts";
import type { PlacedRecord, RecordOrder, RecordQuery, RecordsAnswer } from "../../shared/operations.ts";
import { isPass } from "../../shared/report/aggregate.ts";
import { readReports } from "../../shared/report/read.ts";
import type { ByteSource } from "../../shared/report/source.ts";
import type { AggregateRecord, TlsPolicy, TlsReport } from "../../shared/report/vocabulary.ts";
import { boundPolicies } from "./bounded-report.ts";
import type { Invocation } from "./env.ts";
import { findRawObject } from "./raw-object.ts";
import { type ObjectOrigin, readOptions } from "./read-object.ts";
import { UniqueParts } from "./unique-parts.ts";
import { inShardOf } from "./which-database.ts";

/** Reads a page of records. @throws whatever D1 or R2 throws */
export async function readRecords(query: RecordQuery, invocation: Invocation): Promise<RecordsAnswer> {
  const { env, ledger } = await inShardOf(query.reference.account, invocation);
  const held = await findHeld(query.reference, ledger);
  if (held === undefined) return { kind: "gone", reason: "The ledger has no such report." };
  const object = await findRawObject(env.R2_DMARC_REPORTS, held.rawKey);
  if (object === undefined) return { kind: "gone", reason: `${held.rawKey} is no longer in R2.` };
  const { objectsOfMail } = object.metadata;
  // As it was read when it was accepted.
  const origin = { receivedSeconds: held.receivedSeconds, objectsOfMail };
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
    const isWanted = parts.next(event.part) === part;
    if (event.type === "records") {
      if (isWanted) page.add(event.records, event.firstOrdinal);
      // Nothing that comes can change the page, and how much there is in all is known.
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

// Of a TLS report only the policies of domains that the address accepted are anybody's to see.
function acceptedPolicies({ policies }: TlsReport, spread: HeldReport["spread"]): TlsPolicy[] {
  const domains = new Set(spread.map(([domain]) => domain));
  return policies.filter(({ policyDomain }) => domains.has(domainName(policyDomain)));
}

/** The records of one page, chosen as they go by; only those that can be on it are held. */
class RecordPage {
  readonly #text: string | undefined;
  readonly #isPass: boolean | undefined;
  /** undefined = as in the report. */
  readonly #order: Order | undefined;
  readonly #offset: number;
  readonly #limit: number;
  #records: PlacedRecord[] = [];
  #matching = 0;
  #messages = 0;
  /** What sorts behind this one cannot be on the page any more. */
  #last: PlacedRecord | undefined;

  constructor({ text, isPass, order = "record", descending = false, limit, offset }: RecordQuery) {
    this.#text = text === undefined || text === "" ? undefined : text.toLowerCase();
    this.#isPass = isPass;
    this.#limit = clamp(limit ?? PROCESS_LIMITS.maxRecordsPerCall, PROCESS_LIMITS.maxRecordsPerCall);
    this.#offset = clamp(offset ?? 0, Number.MAX_SAFE_INTEGER);
    // Of what lies further back only the report's own order is known without holding all.
    const isPlain = order === "record" && !descending;
    const canBeSorted = this.#offset + this.#limit <= PROCESS_LIMITS.maxOrderedRecords;
    this.#order = isPlain || !canBeSorted ? undefined : orderOf(order, descending);
  }

  /** Whether nothing that comes can change the page. */
  get isComplete(): boolean {
    const isFiltered = this.#text !== undefined || this.#isPass !== undefined;
    return this.#order === undefined && !isFiltered && this.#records.length === this.#limit;
  }

  add(records: readonly AggregateRecord[], firstOrdinal: number): void {
    for (const [i, record] of records.entries()) {
      if (this.#isPass !== undefined && isPass(record) !== this.#isPass) continue;
      if (this.#text !== undefined && !mentions(record, this.#text)) continue;
      this.#messages += record.count;
      const place = this.#matching++;
      if (this.#order !== undefined) this.#addInOrder({ ...record, ordinal: firstOrdinal + i }, this.#order);
      else if (place >= this.#offset && this.#records.length < this.#limit) {
        this.#records.push({ ...record, ordinal: firstOrdinal + i });
      }
    }
  }

  answer(): Extract<RecordsAnswer, { kind: "aggregate" }> {
    if (this.#order !== undefined) this.#cut(this.#order);
    const records =
      this.#order === undefined ? this.#records : this.#records.slice(this.#offset, this.#offset + this.#limit);
    return { kind: "aggregate", records, matching: this.#matching, messages: this.#messages };
  }

  #addInOrder(record: PlacedRecord, order: Order): void {
    if (this.#last !== undefined && order(record, this.#last) > 0) return;
    this.#records.push(record);
    if (this.#records.length >= 2 * (this.#offset + this.#limit) + 1000) this.#cut(order);
  }

  #cut(order: Order): void {
    this.#records.sort(order);
    const held = this.#offset + this.#limit;
    if (this.#records.length < held) return;
    this.#records.length = held;
    this.#last = this.#records.at(-1);
  }
}

type Order = (a: PlacedRecord, b: PlacedRecord) => number;

/** By one property, records equal in it as in the report. */
function orderOf(order: RecordOrder, descending: boolean): Order {
  const sign = descending ? -1 : 1;
  const value = ORDER_VALUES[order];
  return (a, b) => {
    const [first, second] = [value(a), value(b)];
    if (first === second) return a.ordinal - b.ordinal;
    return first < second ? -sign : sign;
  };
}

const ORDER_VALUES: Record<RecordOrder, (record: PlacedRecord) => string | number> = {
  record: ({ ordinal }) => ordinal,
  address: ({ sourceIp }) => sourceIp,
  messages: ({ count }) => count,
  dmarc: (record) => (isPass(record) ? 1 : 0),
  disposition: ({ disposition }) => disposition,
  from: ({ headerFrom }) => headerFrom,
  dkim_results: ({ dkimResults: [first] }) => first?.domain ?? "",
  spf_results: ({ spfResults: [first] }) => first?.domain ?? "",
  reasons: ({ reasons: [first] }) => first?.type ?? "",
};

function clamp(value: number, max: number): number {
  return Number.isFinite(value) ? Math.min(max, Math.max(0, Math.floor(value))) : 0;
}

function mentions(record: AggregateRecord, text: string): boolean {
  const { sourceIp, disposition, headerFrom, envelopeFrom, envelopeTo, dkimResults, spfResults, reasons } = record;
  const has = (value: string): boolean => value.toLowerCase().includes(text);
  return (
    [sourceIp, disposition, headerFrom, envelopeFrom, envelopeTo].some(has) ||
    dkimResults.some(({ domain, selector, result }) => has(domain) || has(selector) || has(result)) ||
    spfResults.some(({ domain, result }) => has(domain) || has(result)) ||
    reasons.some(({ type, comment }) => has(type) || has(comment))
  );
}
