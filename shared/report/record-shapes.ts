/**
 * The fast path for records. A reporter's software writes all its records in a few shapes, to the letter: the same tags,
 * the same white space, other values. `RecordShapes` learns the shapes of one document from records that the general
 * reader (record.ts) read without a warning, and then reads further records of those shapes straight from the bytes by
 * comparing the letters between the values. Anything else, an attribute, an entity, a word in capitals, a letter outside
 * ASCII, is left to the general reader; both give the same records (test/report/record-shapes.test.ts).
 */
import { addressText, ByteTexts, NOT_PLAIN, parseDigits, type Span, wordAt } from "./byte-values.ts";
import { normalizeDomain } from "./values.ts";
import type {
  AggregateRecord,
  AlignedResult,
  Disposition,
  DkimAuthResult,
  DkimResult,
  OverrideReason,
  OverrideType,
  SpfAuthResult,
  SpfResult,
  SpfScope,
} from "./vocabulary.ts";

/** Path of a value inside a record → what it is. A path that is not here holds a value nobody reads. */
const FIELDS = {
  "row/source_ip": 1,
  "row/count": 2,
  "row/policy_evaluated/disposition": 3,
  "row/policy_evaluated/dkim": 4,
  "row/policy_evaluated/spf": 5,
  "row/policy_evaluated/reason/type": 6,
  "row/policy_evaluated/reason/comment": 7,
  "identifiers/header_from": 8,
  "identifiers/envelope_from": 9,
  "identifiers/envelope_to": 10,
  "auth_results/dkim/domain": 11,
  "auth_results/dkim/selector": 12,
  "auth_results/dkim/result": 13,
  "auth_results/dkim/human_result": 14,
  "auth_results/spf/domain": 15,
  "auth_results/spf/scope": 16,
  "auth_results/spf/result": 17,
  "auth_results/spf/human_result": 18,
} as const;
const UNREAD = 0;

type Field = (typeof FIELDS)[keyof typeof FIELDS] | typeof UNREAD;

/** Elements that may occur several times in a record; the others may occur once. */
const REPEATED = new Set(["row/policy_evaluated/reason", "auth_results/dkim", "auth_results/spf"]);
/** Elements that hold others; a shape with text directly in one of them is not learned. */
const CONTAINERS = new Set([
  "",
  "row",
  "row/policy_evaluated",
  "row/policy_evaluated/reason",
  "identifiers",
  "auth_results",
  "auth_results/dkim",
  "auth_results/spf",
]);

/**
 * One step of a shape: these letters, then a value. Shapes that begin alike share their steps. The step at the end of a
 * record has no value.
 */
interface Step {
  letters: Uint8Array;
  /** The letters as little-endian words, so that four are compared at once; the last `length % 4` are left over. */
  words: Uint32Array;
  field: Field;
  /** Which of the repeated elements the value belongs to. */
  place: number;
  isEnd: boolean;
  next: Step[];
}

const MAX_STEPS = 2000;
/** Records of a document before any shape is learned: a short report is read sooner than its shape. */
const RECORDS_BEFORE_LEARNING = 10;
const LESS_THAN = 0x3c;

/** How reading a run of records ended: at a record that is not all there, or at something of no known shape. */
export interface RunEnd {
  /** Past the last record read. */
  end: number;
  incomplete: boolean;
}

/** A piece of the document. */
export interface BytePiece {
  bytes: Uint8Array;
  view: DataView;
}

/** Reads the records of one document that have a shape seen before. */
export class RecordShapes {
  readonly #first: Step[] = [];
  #steps = 0;
  /** Records offered for learning. */
  #offered = 0;
  readonly #domains = new ByteTexts(normalizeDomain);
  readonly #texts = new ByteTexts((raw) => raw);
  /** Set by a match that ran into the end of the piece. */
  #incomplete = false;
  readonly #learns: boolean;

  /** @param options `learns: false` leaves every record to the general reader */
  constructor(options: { learns: boolean } = { learns: true }) {
    this.#learns = options.learns;
  }

  /** Whether any shape is known. */
  get isEmpty(): boolean {
    return this.#first.length === 0;
  }

  /**
   * Reads records that follow each other from `at` on, white space between them, and adds them to `records`.
   */
  read(piece: BytePiece, at: number, records: AggregateRecord[]): RunEnd {
    const { bytes } = piece;
    let end = at;
    for (;;) {
      let start = end;
      while (isBlank(bytes[start])) start++;
      const record = emptyRecord();
      this.#incomplete = false;
      const recordEnd = this.#match(piece, start, record);
      if (recordEnd < 0) return { end, incomplete: this.#incomplete };
      records.push(record);
      end = recordEnd;
    }
  }

  /** Learns the shape of a record, given as text, that the general reader read without a warning. */
  learn(xml: string): void {
    this.#offered++;
    if (this.#offered <= RECORDS_BEFORE_LEARNING) return;
    const shape = this.#learns && this.#steps < MAX_STEPS ? shapeOf(xml) : undefined;
    let steps = this.#first;
    for (const step of shape ?? []) {
      let known = steps.find((other) => isSameStep(step, other));
      if (known === undefined) {
        known = step;
        steps.push(step);
        this.#steps++;
      }
      steps = known.next;
    }
  }

  #match(piece: BytePiece, start: number, record: AggregateRecord): number {
    const { bytes } = piece;
    let at = start;
    let steps = this.#first;
    for (;;) {
      const step = this.#findStep(steps, piece, at);
      if (step === undefined) return -1;
      at += step.letters.byteLength;
      if (step.isEnd) return at;
      let end = at;
      while (end < bytes.byteLength && bytes[end] !== LESS_THAN) end++;
      if (end === bytes.byteLength) {
        this.#incomplete = true;
        return -1;
      }
      if (!this.#take(step, { bytes, view: piece.view, start: at, end }, record)) return -1;
      at = end;
      steps = step.next;
    }
  }

  // The step used last stands first: neighbours have the same shape.
  #findStep(steps: Step[], piece: BytePiece, at: number): Step | undefined {
    for (let i = 0; i < steps.length; i++) {
      const step = steps[i];
      if (step === undefined) continue;
      if (at + step.letters.byteLength > piece.bytes.byteLength) {
        this.#incomplete = true;
        continue;
      }
      if (!hasLetters(piece, at, step)) continue;
      if (i > 0) {
        steps.splice(i, 1);
        steps.unshift(step);
      }
      return step;
    }
    return undefined;
  }

  /** Puts one value into the record; false when the general reader must look at it. */
  #take(step: Step, span: Span, record: AggregateRecord): boolean {
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
        record.disposition = wordAt(span, DISPOSITION_WORDS) ?? "unknown";
        record.rawDisposition = record.disposition;
        return record.disposition !== "unknown";
      case FIELDS["row/policy_evaluated/dkim"]:
        record.dkim = wordAt(span, ALIGNED_WORDS) ?? "unknown";
        return record.dkim !== "unknown";
      case FIELDS["row/policy_evaluated/spf"]:
        record.spf = wordAt(span, ALIGNED_WORDS) ?? "unknown";
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
    reason.type = wordAt(span, OVERRIDE_WORDS) ?? "unknown";
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
        entry.result = wordAt(span, DKIM_WORDS) ?? "unknown";
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
        entry.scope = span.start === span.end ? "mfrom" : (wordAt(span, SCOPE_WORDS) ?? "unknown");
        return entry.scope !== "unknown";
      default:
        entry.result = wordAt(span, SPF_WORDS) ?? "unknown";
        entry.rawResult = entry.result;
        return entry.result !== "unknown";
    }
  }
}

const ALIGNED_WORDS: readonly AlignedResult[] = ["pass", "fail"];
const DISPOSITION_WORDS: readonly Disposition[] = ["none", "quarantine", "reject", "pass"];
const DKIM_WORDS: readonly DkimResult[] = ["pass", "fail", "none", "neutral", "temperror", "permerror", "policy"];
const SPF_WORDS: readonly SpfResult[] = [
  "pass",
  "fail",
  "softfail",
  "none",
  "neutral",
  "temperror",
  "permerror",
  "policy",
];
const SCOPE_WORDS: readonly SpfScope[] = ["mfrom", "helo"];
const OVERRIDE_WORDS: readonly OverrideType[] = [
  "forwarded",
  "sampled_out",
  "trusted_forwarder",
  "mailing_list",
  "local_policy",
  "policy_test_mode",
  "other",
];

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function hasLetters({ bytes, view }: BytePiece, at: number, { letters, words }: Step): boolean {
  for (let i = 0; i < words.length; i++) if (view.getUint32(at + 4 * i, true) !== words[i]) return false;
  for (let i = 4 * words.length; i < letters.byteLength; i++) if (bytes[at + i] !== letters[i]) return false;
  return true;
}

function emptyRecord(): AggregateRecord {
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

const TAG = /<(\/?)([A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)(\/?)>/y;

/**
 * The shape of a record: its letters cut at its values. undefined when it has anything but plain tags and text, repeats
 * what may stand once, or holds elements that no RFC knows.
 */
function shapeOf(xml: string): Step[] | undefined {
  const walk: ShapeWalk = { steps: [], open: [], seen: new Set(), places: new Map(), lettersStart: 0 };
  let at = 0;
  do {
    const tagEnd = readShapeTag(xml, at, walk);
    if (tagEnd === undefined) return undefined;
    at = walk.open.length === 0 ? tagEnd : xml.indexOf("<", tagEnd);
    if (at < 0 || (walk.open.length > 0 && xml.slice(tagEnd, at).trim() !== "")) return undefined;
  } while (walk.open.length > 0);
  if (at !== xml.length) return undefined;
  walk.steps.push(newStep(xml.slice(walk.lettersStart, at), { field: UNREAD, place: 0, isEnd: true }));
  return walk.steps;
}

interface ShapeWalk {
  steps: Step[];
  /** Raw names of the open elements, the record first. */
  open: string[];
  /** Values and elements that have occurred in the elements they may occur once in. */
  seen: Set<string>;
  /** How many of each repeated element there have been. */
  places: Map<string, number>;
  lettersStart: number;
}

/** Reads the tag at `at`, with its value and end tag if it is a leaf. @returns past what was read; undefined = no shape */
function readShapeTag(xml: string, at: number, walk: ShapeWalk): number | undefined {
  TAG.lastIndex = at;
  const [tag, slash, name = "", selfClosing] = TAG.exec(xml) ?? [];
  if (tag === undefined) return undefined;
  const after = at + tag.length;
  if (slash !== "") return walk.open.pop() === name ? after : undefined;
  const path = pathOf([...walk.open, name]);
  const parent = pathOf(walk.open);
  const place = (walk.places.get(parent) ?? 0) - 1;
  if (REPEATED.has(path)) walk.places.set(path, (walk.places.get(path) ?? 0) + 1);
  else if (walk.seen.has(`${path} ${place}`)) return undefined;
  walk.seen.add(`${path} ${place}`);
  if (selfClosing !== "") return after;
  if (CONTAINERS.has(path)) {
    walk.open.push(name);
    return after;
  }
  const valueEnd = xml.indexOf("<", after);
  const endTag = `</${name}>`;
  if (!xml.startsWith(endTag, valueEnd)) return undefined;
  const field = Object.hasOwn(FIELDS, path) ? FIELDS[path as keyof typeof FIELDS] : UNREAD;
  walk.steps.push(newStep(xml.slice(walk.lettersStart, after), { field, place: Math.max(0, place), isEnd: false }));
  walk.lettersStart = valueEnd;
  return valueEnd + endTag.length;
}

/** Path below the record, in local names; `identities` is a known misspelling. */
function pathOf(names: string[]): string {
  const locals = names.slice(1).map((name) => name.slice(name.indexOf(":") + 1));
  return locals.join("/").replace(/^identities/, "identifiers");
}

function newStep(letters: string, { field, place, isEnd }: Pick<Step, "field" | "place" | "isEnd">): Step {
  const bytes = new TextEncoder().encode(letters);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Uint32Array.from({ length: bytes.byteLength >> 2 }, (_, i) => view.getUint32(4 * i, true));
  return { letters: bytes, words, field, place, isEnd, next: [] };
}

function isSameStep(a: Step, b: Step): boolean {
  const sameRole = a.field === b.field && a.place === b.place && a.isEnd === b.isEnd;
  return (
    sameRole && a.letters.byteLength === b.letters.byteLength && a.letters.every((byte, i) => byte === b.letters[i])
  );
}
