/** The values of a record of known shape, by their path: each from its bytes into the record (see record-shapes.ts). */

import { READ_LIMITS } from "../../limits.ts";
import type {
  AggregateRecord,
  AlignedResult,
  DkimAuthResult,
  OverrideReason,
  SpfAuthResult,
  SpfScope,
} from "../vocabulary.ts";
import { DISPOSITIONS, DKIM_RESULTS, OVERRIDE_TYPES, SPF_RESULTS } from "../vocabulary.ts";
import { addressText, type ByteTexts, NOT_PLAIN, parseDigits, type Span, wordAt } from "./byte-values.ts";

/** Where a value is, and what its text is looked up in. */
export interface FieldSpan extends Span {
  domains: ByteTexts;
  /** Of header_from: of what is no domain name, or missing, the general reader warns. */
  fromDomains: ByteTexts;
  texts: ByteTexts;
}

/** Puts a value into the record; false when the general reader must look at it. `place` counts repeated elements. */
export type ReadField = (span: FieldSpan, record: AggregateRecord, place: number) => boolean;

/** Of a value that nobody reads: it must still be plain, because the general reader warns about repairs in it. */
export const readNothing: ReadField = (span) => span.texts.at(span) !== NOT_PLAIN;

const ALIGNED_RESULTS: readonly AlignedResult[] = ["pass", "fail"];
const SPF_SCOPES: readonly SpfScope[] = ["mfrom", "helo"];

/** Path of a value inside a record → what reads it. A path that is not here holds a value nobody reads. */
export const FIELDS: ReadonlyMap<string, ReadField> = new Map<string, ReadField>([
  [
    "row/source_ip",
    text(addressText, (record, value) => {
      record.sourceIp = value;
    }),
  ],
  ["row/count", readCount],
  [
    "row/policy_evaluated/disposition",
    word(DISPOSITIONS, (record, value) => {
      record.disposition = value;
      record.rawDisposition = value;
    }),
  ],
  [
    "row/policy_evaluated/dkim",
    word(ALIGNED_RESULTS, (record, value) => {
      record.dkim = value;
    }),
  ],
  [
    "row/policy_evaluated/spf",
    word(ALIGNED_RESULTS, (record, value) => {
      record.spf = value;
    }),
  ],
  [
    "row/policy_evaluated/reason/type",
    word(OVERRIDE_TYPES, (record, value, place) => {
      const reason = reasonAt(record, place);
      reason.type = value;
      reason.rawType = value;
    }),
  ],
  [
    "row/policy_evaluated/reason/comment",
    text(plainText, (record, value, place) => {
      reasonAt(record, place).comment = value;
    }),
  ],
  [
    "identifiers/header_from",
    text(fromDomain, (record, value) => {
      record.headerFrom = value;
    }),
  ],
  [
    "identifiers/envelope_from",
    text(domain, (record, value) => {
      record.envelopeFrom = value;
    }),
  ],
  [
    "identifiers/envelope_to",
    text(domain, (record, value) => {
      record.envelopeTo = value;
    }),
  ],
  [
    "auth_results/dkim/domain",
    text(domain, (record, value, place) => {
      dkimAt(record, place).domain = value;
    }),
  ],
  [
    "auth_results/dkim/selector",
    text(plainText, (record, value, place) => {
      dkimAt(record, place).selector = value;
    }),
  ],
  [
    "auth_results/dkim/result",
    word(DKIM_RESULTS, (record, value, place) => {
      const entry = dkimAt(record, place);
      entry.result = value;
      entry.rawResult = value;
    }),
  ],
  [
    "auth_results/dkim/human_result",
    text(plainText, (record, value, place) => {
      dkimAt(record, place).humanResult = value;
    }),
  ],
  [
    "auth_results/spf/domain",
    text(domain, (record, value, place) => {
      spfAt(record, place).domain = value;
    }),
  ],
  ["auth_results/spf/scope", readScope],
  [
    "auth_results/spf/result",
    word(SPF_RESULTS, (record, value, place) => {
      const entry = spfAt(record, place);
      entry.result = value;
      entry.rawResult = value;
    }),
  ],
  [
    "auth_results/spf/human_result",
    text(plainText, (record, value, place) => {
      spfAt(record, place).humanResult = value;
    }),
  ],
]);

type Put<V> = (record: AggregateRecord, value: V, place: number) => void;

function text(take: (span: FieldSpan) => string, put: Put<string>): ReadField {
  return (span, record, place) => {
    const value = take(span);
    put(record, value, place);
    return value !== NOT_PLAIN;
  };
}

function word<W extends string>(words: readonly W[], put: Put<W>): ReadField {
  return (span, record, place) => {
    const value = wordAt(span, words);
    if (value !== undefined) put(record, value, place);
    return value !== undefined;
  };
}

function domain(span: FieldSpan): string {
  return span.domains.at(span);
}

function fromDomain(span: FieldSpan): string {
  return span.start === span.end ? NOT_PLAIN : span.fromDomains.at(span);
}

function plainText(span: FieldSpan): string {
  return span.texts.at(span);
}

function readCount(span: FieldSpan, record: AggregateRecord): boolean {
  record.count = parseDigits(span);
  // One beyond the limit is the general reader's to judge.
  return record.count >= 0 && record.count <= READ_LIMITS.maxCount;
}

// RFC 9990 makes the element optional: an empty one says what none says.
function readScope(span: FieldSpan, record: AggregateRecord, place: number): boolean {
  const scope = span.start === span.end ? "mfrom" : wordAt(span, SPF_SCOPES);
  spfAt(record, place).scope = scope ?? "unknown";
  return scope !== undefined;
}

/** A record with no value yet. */
export function emptyRecord(): AggregateRecord {
  return {
    sourceIp: "",
    count: 0,
    disposition: "unknown",
    rawDisposition: "",
    dkim: "unknown",
    spf: "unknown",
    reasons: [],
    headerFrom: "",
    envelopeFrom: "",
    envelopeTo: "",
    dkimResults: [],
    spfResults: [],
  };
}

function reasonAt(record: AggregateRecord, place: number): OverrideReason {
  const known = record.reasons[place];
  if (known !== undefined) return known;
  const reason: OverrideReason = { type: "unknown", rawType: "", comment: "" };
  record.reasons = withEntry(record.reasons, place, reason);
  return reason;
}

function dkimAt(record: AggregateRecord, place: number): DkimAuthResult {
  const known = record.dkimResults[place];
  if (known !== undefined) return known;
  const result: DkimAuthResult = { domain: "", selector: "", result: "unknown", rawResult: "", humanResult: "" };
  record.dkimResults = withEntry(record.dkimResults, place, result);
  return result;
}

function spfAt(record: AggregateRecord, place: number): SpfAuthResult {
  const known = record.spfResults[place];
  if (known !== undefined) return known;
  const result: SpfAuthResult = { domain: "", scope: "mfrom", result: "unknown", rawResult: "", humanResult: "" };
  record.spfResults = withEntry(record.spfResults, place, result);
  return result;
}

// Nearly every list has one entry. One made with it has room for just that; one that grows has room for seventeen.
function withEntry<T>(entries: T[], place: number, entry: T): T[] {
  if (place === 0) return [entry];
  entries[place] = entry;
  return entries;
}
