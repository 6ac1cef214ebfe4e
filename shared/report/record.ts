/**
 * One `<record>` of an aggregate report (RFC 7489 appendix C, RFC 9990 section 3.1.1): element tree → AggregateRecord.
 * This is the general reader: any order of elements, any prefix, several results, odd words.
 */
import { domainName } from "../domain-name.ts";
import { READ_LIMITS } from "../limits.ts";
import { type Bounds, judgeCount } from "./bounds.ts";
import type { ReadBudget } from "./budget.ts";
import { unknownPaths } from "./known-elements.ts";
import {
  addressesIn,
  canonicalIp,
  detach,
  domainAtStart,
  holdsAddress,
  INVISIBLE,
  isDomainLike,
  isOddAddress,
  keptText,
  matchWord,
  parseCount,
  storedText,
} from "./values.ts";
import {
  type AggregateRecord,
  type AlignedResult,
  DISPOSITIONS,
  type Disposition,
  DKIM_RESULTS,
  type DkimAuthResult,
  OVERRIDE_TYPES,
  type OverrideReason,
  SPF_RESULTS,
  type SpfAuthResult,
  type SpfScope,
} from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";
import {
  child,
  children,
  childText,
  isNamed,
  isRepeated,
  parseAnyElement,
  parseElement,
  type XmlElement,
} from "./xml/element.ts";
import { parsePlainElement } from "./xml/plain.ts";
import { repairCharacters } from "./xml/repair.ts";
import type { RecordText } from "./xml/segments.ts";

/** Words of other lists that reporters put into policy_evaluated: none of them is an aligned pass. */
const NOT_ALIGNED = ["none", "neutral", "softfail", "hardfail", "temperror", "permerror", "policy"];
/** The longest word has 17 characters; a comment may follow it. */
const MAX_WORD_CHARS = 200;
/** Words of old drafts. */
const OLD_DKIM_WORDS = new Map([
  ["hardfail", "fail"],
  ["error", "temperror"],
]);
/** RFC 7489 appendix C: what older SPF libraries call `temperror` and `permerror`. */
const OLD_SPF_WORDS = new Map([
  ["hardfail", "fail"],
  ["unknown", "temperror"],
  ["error", "permerror"],
]);

/** Where a record is read to: its place in the report, the bounds for its values, the budget, and where warnings go. */
export interface RecordContext {
  ordinal: number;
  bounds: Bounds;
  budget: ReadBudget;
  warnings: WarningLog;
  /** Filled with the paths of elements that no RFC knows, below the record. */
  unknown: string[];
}

/**
 * Reads a record from its XML text.
 *
 * @returns the record, or why it cannot be used (it is then skipped and counted; the others are kept)
 */
export function readRecordXml(text: RecordText, context: RecordContext): AggregateRecord | { skipped: string } {
  const { xml, namespaces } = text;
  // Cheap, and keeps a million empty records from costing a million parses.
  if (!/row|source_ip/i.test(xml)) return { skipped: "no row" };
  if (hasManyElements(xml)) return { skipped: `more than ${READ_LIMITS.maxRecordElements} elements` };
  const element = parsePlainElement(xml, namespaces) ?? parseOddElement(text, context);
  return "malformed" in element ? { skipped: element.malformed } : readRecord(element, context);
}

/** What ends an element, or begins a comment, a CDATA section or an instruction. */
const ELEMENT_END = /<[/!?]|\/>/g;

// Counted before they become objects, where they could be too many: each takes two characters or more.
function hasManyElements(xml: string): boolean {
  if (xml.length <= 2 * READ_LIMITS.maxRecordElements) return false;
  let elements = 0;
  ELEMENT_END.lastIndex = 0;
  while (ELEMENT_END.test(xml)) {
    if (++elements > READ_LIMITS.maxRecordElements) return true;
  }
  return false;
}

/** What only the XML parser can read, repaired where it has to be. */
function parseOddElement({ xml, namespaces }: RecordText, context: RecordContext): XmlElement | { malformed: string } {
  const { budget, warnings } = context;
  budget.takeParser(xml.length);
  const element = parseAnyElement(xml, namespaces);
  if (!("malformed" in element)) return withAttributesTold(element, context);
  const repaired = repairCharacters(xml);
  if (repaired.done === "") return element;
  budget.takeParser(repaired.xml.length);
  const repairedElement = parseElement(repaired.xml, namespaces);
  if (!("malformed" in repairedElement)) warnings.add("repaired_xml", recordPath(context), repaired.done);
  return repairedElement;
}

/** Warns of values that were attributes, so that no quick reader learns to look for elements in their place. */
function withAttributesTold(element: XmlElement, context: RecordContext, path = recordPath(context)): XmlElement {
  for (const one of element.children) {
    if (one.isAttribute)
      context.warnings.add("unknown_element", `${path}/@${one.name}`, "an attribute, read as an element");
    else withAttributesTold(one, context, `${path}/${one.name}`);
  }
  return element;
}

/** Reads a record from its element. */
function readRecord(record: XmlElement, context: RecordContext): AggregateRecord | { skipped: string } {
  for (const path of unknownPaths(record)) context.unknown.push(path);
  // Some leave the row out, and write what belongs into it beside the rest.
  const row = child(record, "row") ?? (child(record, "source_ip") === undefined ? undefined : record);
  if (row === undefined) return { skipped: "no row" };
  const rawCount = childText(row, "count").replace(INVISIBLE, "");
  const count = parseCount(rawCount);
  const judged = count === null ? "implausible" : judgeCount(count, context.bounds);
  if (count === null || judged === "implausible") return { skipped: `count '${rawCount.slice(0, 40)}'` };
  const rawSource = childText(row, "source_ip");
  const sourceIp = readSourceIp(rawSource, context);
  if (sourceIp === undefined) return { skipped: `source_ip '${rawSource.slice(0, 40)}' is no address` };
  if (rawCount.includes(".")) context.warnings.add("invalid_value", `${recordPath(context)}/row/count`, rawCount);
  if (judged === "doubtful") {
    context.warnings.add("invalid_value", `${recordPath(context)}/row/count`, `${rawCount}: too many to be counted`);
  }
  const evaluated = child(row, "policy_evaluated") ?? child(record, "policy_evaluated");
  // `identities` is a misspelling of small reporters; some put what belongs beside the row into it.
  const identifiers = child(record, "identifiers") ?? child(record, "identities") ?? child(row, "identifiers");
  const authResults = readAuthResults(record, row);
  warnRepeated(record, "", context, ["row", "identifiers"]);
  warnRepeated(row, "", context, ["count", "source_ip", "policy_evaluated"]);
  warnRepeated(evaluated, "row/policy_evaluated/", context, ["disposition", "dkim", "spf"]);
  warnRepeated(identifiers, "identifiers/", context, ["header_from", "envelope_from", "envelope_to"]);
  const rawDisposition = value(evaluated, "disposition");
  return {
    sourceIp,
    count,
    disposition: readDisposition(rawDisposition, context),
    rawDisposition,
    dkim: readAligned(evaluated, "dkim", context),
    spf: readAligned(evaluated, "spf", context),
    reasons: bounded(children(evaluated, "reason").filter(isNoEmptyReason), "row/policy_evaluated/reason", context).map(
      (reason) => readReason(reason, context),
    ),
    headerFrom: readHeaderFrom(value(identifiers, "header_from"), context),
    envelopeFrom: readDomain(identifiers, "identifiers/envelope_from", context),
    envelopeTo: readDomain(identifiers, "identifiers/envelope_to", context),
    dkimResults: resultsOf(authResults, "dkim", context).map((result) => readDkim(result, context)),
    spfResults: resultsOf(authResults, "spf", context).map((result) => readSpf(result, context)),
  };
}

// `someone@acme.example`: the domain of the address. Anything else that is no name is kept as it is, and belongs to no domain.
function readHeaderFrom(raw: string, context: RecordContext): string {
  const name = domainName(raw);
  if (isDomainLike(name)) return name;
  const code = raw === "" ? "missing_value" : "invalid_value";
  context.warnings.add(code, `${recordPath(context)}/identifiers/header_from`, raw);
  const within = domainAtStart(raw);
  return within.includes(".") ? within : name;
}

// Of an address, which is somebody's, only the domain is kept.
function readDomain(element: XmlElement | undefined, path: string, context: RecordContext): string {
  const raw = value(element, path.slice(path.lastIndexOf("/") + 1));
  if (!holdsAddress(raw)) return domainName(raw);
  const detail = raw === "<>" ? raw : "an address: its domain is used";
  context.warnings.add("invalid_value", `${recordPath(context)}/${path}`, detail);
  return domainAtStart(raw);
}

// Some reporters write one auth_results for each result.
function readAuthResults(record: XmlElement, row: XmlElement): XmlElement[] {
  const places = row === record ? [record] : [record, row];
  const [first, ...more] = places.flatMap((place) => children(place, "auth_results"));
  if (first === undefined || more.length === 0) return first?.children ?? [];
  return [first, ...more].flatMap((results) => results.children);
}

function warnRepeated(
  element: XmlElement | undefined,
  path: string,
  context: RecordContext,
  names: readonly string[],
): void {
  if (element === undefined) return;
  for (const name of names) {
    if (isRepeated(element, name)) {
      context.warnings.add("duplicate_element", `${recordPath(context)}/${path}${name}`, "the first is used");
    }
  }
}

/** Path of a record in warnings. */
function recordPath({ ordinal }: RecordContext): string {
  return `record[${ordinal}]`;
}

/** Text of a child, cut to the longest value kept. */
function value(element: XmlElement | undefined, name: string): string {
  return keptText(childText(element, name));
}

// Who sent it is what a record is for: without an address it can only make figures larger.
function readSourceIp(raw: string, context: RecordContext): string | undefined {
  const canonical = canonicalIp(raw);
  if (canonical !== null) return detach(canonical);
  // `mx.example (192.0.2.1)`, `ip4:192.0.2.1`; of two addresses, nothing says which is meant.
  const [within, ...others] = new Set(addressesIn(raw));
  const address = within !== undefined && others.length === 0 ? within : undefined;
  if (address === undefined && !isOddAddress(raw)) return undefined;
  context.warnings.add("invalid_value", `${recordPath(context)}/row/source_ip`, raw);
  return address ?? storedText(raw.toLowerCase());
}

function resultsOf(authResults: XmlElement[], name: "dkim" | "spf", context: RecordContext): XmlElement[] {
  const found = authResults.filter((result) => isNamed(result, name));
  return bounded(found, `auth_results/${name}`, context);
}

/** The first ones, as many as are kept of a kind. */
function bounded(elements: XmlElement[], path: string, context: RecordContext): XmlElement[] {
  const most = READ_LIMITS.maxResultsPerRecord;
  if (elements.length <= most) return elements;
  const detail = `${elements.length} of them; the first ${most} are kept`;
  context.warnings.add("value_cut", `${recordPath(context)}/${path}`, detail);
  return elements.slice(0, most);
}

function readDisposition(raw: string, context: RecordContext): Disposition {
  const word = matchWord(raw, DISPOSITIONS);
  if (word === undefined) warnUnknown(raw, "row/policy_evaluated/disposition", context);
  return word ?? "unknown";
}

function readAligned(evaluated: XmlElement | undefined, name: "dkim" | "spf", context: RecordContext): AlignedResult {
  const raw = value(evaluated, name);
  const word = matchWord(raw, ["pass", "fail"] as const);
  if (word !== undefined) return word;
  warnUnknown(raw, `row/policy_evaluated/${name}`, context);
  return matchWord(raw, NOT_ALIGNED) === undefined ? "unknown" : "fail";
}

function isNoEmptyReason(reason: XmlElement): boolean {
  return reason.text !== "" || reason.children.some(({ text }) => text !== "");
}

// Some write the type as the text of the reason itself.
function readReason(reason: XmlElement, context: RecordContext): OverrideReason {
  warnRepeated(reason, "row/policy_evaluated/reason/", context, ["type", "comment"]);
  const rawType = value(reason, "type") || keptText(reason.text);
  const type = matchWord(rawType, OVERRIDE_TYPES);
  if (type === undefined) warnUnknown(rawType, "row/policy_evaluated/reason/type", context);
  // `mailing-list`, `Local Policy`, `mailinglist`.
  const letters = lettersOf(rawType.slice(0, MAX_WORD_CHARS));
  const alike = type ?? OVERRIDE_TYPES.find((word) => lettersOf(word) === letters);
  return { type: alike ?? "unknown", rawType, comment: value(reason, "comment") };
}

function lettersOf(word: string): string {
  return word.toLowerCase().replace(/[\s_-]/g, "");
}

/** The word of an authentication result; some write it as the text of the element itself. */
function readResult(result: XmlElement, context: RecordContext): string {
  if (child(result, "result") !== undefined || result.text === "") return value(result, "result");
  const path = `${recordPath(context)}/auth_results/${result.name}`;
  context.warnings.add(
    "unknown_element",
    path,
    `its text '${result.text.slice(0, MAX_WORD_CHARS)}' is read as the result`,
  );
  return keptText(result.text);
}

function readDkim(result: XmlElement, context: RecordContext): DkimAuthResult {
  const rawResult = readResult(result, context);
  warnRepeated(result, "auth_results/dkim/", context, ["domain", "selector", "result", "human_result"]);
  return {
    domain: readDomain(result, "auth_results/dkim/domain", context),
    selector: value(result, "selector"),
    result: readAuthWord(rawResult, DKIM_RESULTS, { path: "auth_results/dkim/result", old: OLD_DKIM_WORDS, context }),
    rawResult,
    humanResult: value(result, "human_result"),
  };
}

function readSpf(result: XmlElement, context: RecordContext): SpfAuthResult {
  const rawResult = readResult(result, context);
  warnRepeated(result, "auth_results/spf/", context, ["domain", "scope", "result", "human_result"]);
  return {
    domain: readDomain(result, "auth_results/spf/domain", context),
    scope: readScope(value(result, "scope"), context),
    result: readAuthWord(rawResult, SPF_RESULTS, { path: "auth_results/spf/result", old: OLD_SPF_WORDS, context }),
    rawResult,
    humanResult: value(result, "human_result"),
  };
}

// RFC 9990 knows only mfrom and makes the element optional.
function readScope(raw: string, context: RecordContext): SpfScope {
  if (raw === "") return "mfrom";
  const scope = matchWord(raw, ["mfrom", "helo"] as const);
  if (scope === undefined) warnUnknown(raw, "auth_results/spf/scope", context);
  return scope ?? "unknown";
}

function readAuthWord<W extends string>(
  raw: string,
  words: readonly W[],
  { path, old, context }: { path: string; old: ReadonlyMap<string, string>; context: RecordContext },
): W | "unknown" {
  const word = matchWord(raw, words);
  if (word !== undefined) return word;
  warnUnknown(raw, path, context);
  // `soft-fail`, `fail (not designated)`.
  const [start = ""] = raw.slice(0, MAX_WORD_CHARS).toLowerCase().split("(", 1);
  const plain = start.replace(/[\s_-]/g, "");
  return matchWord(old.get(plain) ?? plain, words) ?? "unknown";
}

function warnUnknown(raw: string, path: string, context: RecordContext): void {
  context.warnings.add(raw === "" ? "missing_value" : "unknown_value", `${recordPath(context)}/${path}`, raw);
}
