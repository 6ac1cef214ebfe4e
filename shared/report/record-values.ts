/** Values of a record of known shape, from bytes into the record (see record-shapes.ts). */
import { addressText, ByteTexts, NOT_PLAIN, parseDigits, type Span, wordAt } from "./byte-values.ts";
import { DISPOSITIONS, DKIM_RESULTS, OVERRIDE_TYPES, SPF_RESULTS } from "./record.ts";
import { FIELDS, type Field, type Step, UNREAD } from "./record-shape.ts";
import { normalizeDomain } from "./values.ts";
import type {
  AggregateRecord,
  AlignedResult,
  DkimAuthResult,
  OverrideReason,
  SpfAuthResult,
  SpfScope,
} from "./vocabulary.ts";

const ALIGNED_RESULTS: readonly AlignedResult[] = ["pass", "fail"];
const SPF_SCOPES: readonly SpfScope[] = ["mfrom", "helo"];

/** Reads the values of one document's records. */
export class RecordValues {
  readonly #domains = new ByteTexts(normalizeDomain);
  readonly #texts = new ByteTexts((raw) => raw);

  /** Puts the value of a step into the record; false when the general reader must look at it. */
  take(step: Step, span: Span, record: AggregateRecord): boolean {
    switch (step.field) {
      case UNREAD:
        return true;
      case FIELDS["row/source_ip"]:
        record.sourceIp = addressText(span);
        return record.sourceIp !== NOT_PLAIN;
      case FIELDS["row/count"]:
        record.count = parseDigits(span);
        return record.count >= 0;
      case FIELDS["row/policy_evaluated/disposition"]:
        record.disposition = wordAt(span, DISPOSITIONS) ?? "unknown";
        record.rawDisposition = record.disposition;
        return record.disposition !== "unknown";
      case FIELDS["row/policy_evaluated/dkim"]:
        record.dkim = wordAt(span, ALIGNED_RESULTS) ?? "unknown";
        return record.dkim !== "unknown";
      case FIELDS["row/policy_evaluated/spf"]:
        record.spf = wordAt(span, ALIGNED_RESULTS) ?? "unknown";
        return record.spf !== "unknown";
      case FIELDS["identifiers/header_from"]:
        record.headerFrom = this.#domains.at(span);
        return record.headerFrom !== NOT_PLAIN;
      case FIELDS["identifiers/envelope_from"]:
        record.envelopeFrom = this.#domains.at(span);
        return record.envelopeFrom !== NOT_PLAIN;
      case FIELDS["identifiers/envelope_to"]:
        record.envelopeTo = this.#domains.at(span);
        return record.envelopeTo !== NOT_PLAIN;
      case FIELDS["row/policy_evaluated/reason/type"]:
      case FIELDS["row/policy_evaluated/reason/comment"]:
        return this.#takeReason(step.field, span, entryAt(record.reasons, step.place, newReason));
      case FIELDS["auth_results/spf/domain"]:
      case FIELDS["auth_results/spf/scope"]:
      case FIELDS["auth_results/spf/result"]:
      case FIELDS["auth_results/spf/human_result"]:
        return this.#takeSpf(step.field, span, entryAt(record.spfResults, step.place, newSpf));
      default:
        return this.#takeDkim(step.field, span, entryAt(record.dkimResults, step.place, newDkim));
    }
  }

  #takeReason(field: Field, span: Span, reason: OverrideReason): boolean {
    if (field === FIELDS["row/policy_evaluated/reason/comment"]) {
      reason.comment = this.#texts.at(span);
      return reason.comment !== NOT_PLAIN;
    }
    reason.type = wordAt(span, OVERRIDE_TYPES) ?? "unknown";
    reason.rawType = reason.type;
    return reason.type !== "unknown";
  }

  #takeDkim(field: Field, span: Span, entry: DkimAuthResult): boolean {
    switch (field) {
      case FIELDS["auth_results/dkim/domain"]:
        entry.domain = this.#domains.at(span);
        return entry.domain !== NOT_PLAIN;
      case FIELDS["auth_results/dkim/selector"]:
        entry.selector = this.#texts.at(span);
        return entry.selector !== NOT_PLAIN;
      case FIELDS["auth_results/dkim/human_result"]:
        entry.humanResult = this.#texts.at(span);
        return entry.humanResult !== NOT_PLAIN;
      default:
        entry.result = wordAt(span, DKIM_RESULTS) ?? "unknown";
        entry.rawResult = entry.result;
        return entry.result !== "unknown";
    }
  }

  #takeSpf(field: Field, span: Span, entry: SpfAuthResult): boolean {
    switch (field) {
      case FIELDS["auth_results/spf/domain"]:
        entry.domain = this.#domains.at(span);
        return entry.domain !== NOT_PLAIN;
      case FIELDS["auth_results/spf/human_result"]:
        entry.humanResult = this.#texts.at(span);
        return entry.humanResult !== NOT_PLAIN;
      case FIELDS["auth_results/spf/scope"]:
        entry.scope = span.start === span.end ? "mfrom" : (wordAt(span, SPF_SCOPES) ?? "unknown");
        return entry.scope !== "unknown";
      default:
        entry.result = wordAt(span, SPF_RESULTS) ?? "unknown";
        entry.rawResult = entry.result;
        return entry.result !== "unknown";
    }
  }
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

function newReason(): OverrideReason {
  return { type: "unknown", rawType: "", comment: "" };
}

function newDkim(): DkimAuthResult {
  return { domain: "", selector: "", result: "unknown", rawResult: "", humanResult: "" };
}

function newSpf(): SpfAuthResult {
  return { domain: "", scope: "mfrom", result: "unknown", rawResult: "", humanResult: "" };
}

function entryAt<T>(entries: T[], place: number, create: () => T): T {
  let entry = entries[place];
  if (entry === undefined) {
    entry = create();
    entries[place] = entry;
  }
  return entry;
}
