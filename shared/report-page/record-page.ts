/**
 * Selects one page of a report's records, filtered and sorted, while a million of them stream by. Only records that can
 * be on the page are kept. Pure.
 */
import { PROCESS_LIMITS } from "../limits.ts";
import type { PlacedRecord, RecordOrder, RecordQuery, RecordsAnswer } from "../operations.ts";
import { isPass } from "../report/aggregate.ts";
import type { AggregateRecord } from "../report/vocabulary.ts";

/** How many texts to remember search results for: a report repeats few domains many times. */
const MAX_KNOWN_TEXTS = 10_000;

/** A record that may end up on the page. */
interface Candidate {
  /** Its sort key. */
  value: string | number;
  ordinal: number;
  record: AggregateRecord;
}

/** Collects the records of a page: they are added in the report's order, and the page is read at the end. */
export class RecordPage {
  readonly #search: TextSearch | undefined;
  readonly #isPass: boolean | undefined;
  readonly #offset: number;
  readonly #limit: number;
  /** Undefined = the report's own order. */
  readonly #order: { keyOf: (record: AggregateRecord, ordinal: number) => string | number; sign: number } | undefined;
  #candidates: Candidate[] = [];
  #matching = 0;
  #messages = 0;
  /** Records that sort after this one can no longer be on the page. */
  #last: Candidate | undefined;

  constructor({ text, isPass, order = "record", descending = false, limit, offset }: Omit<RecordQuery, "reference">) {
    this.#search = text === undefined || text === "" ? undefined : new TextSearch(text);
    this.#isPass = isPass;
    this.#limit = clamp(limit ?? PROCESS_LIMITS.maxRecordsPerCall, PROCESS_LIMITS.maxRecordsPerCall);
    this.#offset = clamp(offset ?? 0, Number.MAX_SAFE_INTEGER);
    // Deeper pages are possible only in the report's own order, which needs no held records.
    const isPlain = order === "record" && !descending;
    const canBeSorted = this.#end <= PROCESS_LIMITS.maxOrderedRecords;
    if (!isPlain && canBeSorted) this.#order = { keyOf: ORDER_VALUES[order], sign: descending ? -1 : 1 };
  }

  /** Whether no further record can change the page. */
  get isComplete(): boolean {
    const isFiltered = this.#search !== undefined || this.#isPass !== undefined;
    return this.#order === undefined && !isFiltered && this.#candidates.length === this.#limit;
  }

  /** Adds the next records. */
  add(records: readonly AggregateRecord[], firstOrdinal: number): void {
    for (let i = 0; i < records.length; i++) {
      const record = records[i];
      if (record === undefined) continue;
      if (this.#isPass !== undefined && isPass(record) !== this.#isPass) continue;
      if (this.#search !== undefined && !this.#search.isIn(record)) continue;
      this.#messages += record.count;
      const place = this.#matching++;
      const ordinal = firstOrdinal + i;
      if (this.#order !== undefined) this.#addInOrder(record, ordinal);
      else if (place >= this.#offset && this.#candidates.length < this.#limit) {
        this.#candidates.push({ value: place, ordinal, record });
      }
    }
  }

  /** The page, from the records added so far. */
  answer(): Extract<RecordsAnswer, { kind: "aggregate" }> {
    if (this.#order !== undefined) this.#cut();
    const chosen = this.#order === undefined ? this.#candidates : this.#candidates.slice(this.#offset, this.#end);
    const records = chosen.map(({ record, ordinal }): PlacedRecord => ({ ...record, ordinal }));
    return { kind: "aggregate", records, matching: this.#matching, messages: this.#messages };
  }

  get #end(): number {
    return this.#offset + this.#limit;
  }

  #addInOrder(record: AggregateRecord, ordinal: number): void {
    if (this.#order === undefined) return;
    const { keyOf, sign } = this.#order;
    const value = keyOf(record, ordinal);
    if (this.#last !== undefined) {
      const last = this.#last.value;
      // Equal records stay in the report's order.
      if (value === last || (value < last ? -1 : 1) === sign) return;
    }
    this.#candidates.push({ value, ordinal, record });
    if (this.#candidates.length >= 2 * this.#end + 1000) this.#cut();
  }

  #cut(): void {
    const sign = this.#order?.sign ?? 1;
    this.#candidates.sort((a, b) => {
      if (a.value === b.value) return a.ordinal - b.ordinal;
      return a.value < b.value ? -sign : sign;
    });
    if (this.#candidates.length < this.#end) return;
    this.#candidates.length = this.#end;
    this.#last = this.#candidates.at(-1);
  }
}

const ORDER_VALUES: Record<RecordOrder, (record: AggregateRecord, ordinal: number) => string | number> = {
  record: (_, ordinal) => ordinal,
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

/** Whether a record contains a text, ignoring case. */
class TextSearch {
  readonly #needle: string;
  readonly #known = new Map<string, boolean>();

  constructor(text: string) {
    this.#needle = text.toLowerCase();
  }

  isIn(record: AggregateRecord): boolean {
    const { sourceIp, disposition, headerFrom, envelopeFrom, envelopeTo } = record;
    const { dkimResults, spfResults, reasons } = record;
    if (this.#stands(sourceIp)) return true;
    if (this.#isKnown(disposition) || this.#isKnown(headerFrom)) return true;
    if (this.#isKnown(envelopeFrom) || this.#isKnown(envelopeTo)) return true;
    for (const { domain, selector, result } of dkimResults) {
      if (this.#isKnown(domain) || this.#isKnown(selector) || this.#isKnown(result)) return true;
    }
    for (const { domain, result } of spfResults) if (this.#isKnown(domain) || this.#isKnown(result)) return true;
    for (const { type, comment } of reasons) if (this.#isKnown(type) || this.#stands(comment)) return true;
    return false;
  }

  // Remembers results, because the same texts recur.
  #isKnown(text: string): boolean {
    if (text === "") return false;
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const stands = this.#stands(text);
    if (this.#known.size < MAX_KNOWN_TEXTS) this.#known.set(text, stands);
    return stands;
  }

  #stands(text: string): boolean {
    return text.toLowerCase().includes(this.#needle);
  }
}
