/** The frame of an aggregate report, all that is not a record: its metadata and the policy it found (RFC 7489, RFC 9990). */
import { domainName } from "../domain-name.ts";
import { READ_LIMITS } from "../limits.ts";
import { type Bounds, checkPeriod } from "./bounds.ts";
import type { ReadBudget } from "./budget.ts";
import { unknownFramePaths } from "./known-elements.ts";
import { reject } from "./rejection.ts";
import { isDomainLike, keptText, matchWord, parseDate, parseEpochSeconds } from "./values.ts";
import type { AlignmentMode, Policy, PolicyPublished, ReportFormat, ReportMetadata } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";
import { child, children, childText, parseElement, type XmlElement } from "./xml/element.ts";
import type { Frame } from "./xml/frame-text.ts";
import { repairCharacters } from "./xml/repair.ts";

const POLICIES: readonly Policy[] = ["none", "quarantine", "reject"];
const NEW_IN_RFC_9990 = ["np", "testing", "discovery_method"];

/**
 * Reads the frame: the document without its records.
 *
 * @param namespaced9990 whether the root element names RFC 9990's namespace
 * @throws Rejection malformed_xml, no_metadata, missing_dates, implausible_period, missing_domain
 */
export function readFrame(
  frame: Frame,
  namespaced9990: boolean,
  context: FrameContext,
): { metadata: ReportMetadata; policy: PolicyPublished } {
  const { warnings, bounds } = context;
  const root = frame.root ?? parseRepaired(frame.text(), context);
  const published = child(root, "policy_published");
  const metadata = child(root, "report_metadata");
  if (metadata === undefined && published === undefined) return reject("no_metadata");
  warnDuplicates(root, warnings);
  for (const path of unknownFramePaths(root)) warnings.add("unknown_element", path, "");
  const isNew =
    namespaced9990 ||
    child(metadata, "generator") !== undefined ||
    NEW_IN_RFC_9990.some((name) => child(published, name) !== undefined);
  const format: ReportFormat = isNew ? "rfc9990" : "rfc7489";
  const policy = readPolicy(published, warnings);
  return { metadata: readMetadata(metadata, { root, format, warnings, bounds }), policy };
}

/** The bounds for dates, the budget for parsing, and where warnings go. */
export interface FrameContext {
  bounds: Bounds;
  budget: ReadBudget;
  warnings: WarningLog;
}

function parseRepaired(frame: string, { warnings, budget }: FrameContext): XmlElement {
  const repaired = repairCharacters(frame);
  budget.takeParser(repaired.xml.length);
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
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { name } of element?.children ?? []) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) repeated.add(lower);
    else seen.add(lower);
  }
  return repeated;
}

interface MetadataContext {
  root: XmlElement;
  format: ReportFormat;
  bounds: Bounds;
  warnings: WarningLog;
}

function readMetadata(metadata: XmlElement | undefined, context: MetadataContext): ReportMetadata {
  const { root, format, warnings } = context;
  const email = keptText(childText(metadata, "email"));
  const orgName = keptText(childText(metadata, "org_name"));
  if (email === "") warnings.add("missing_value", "report_metadata/email", "");
  if (orgName === "") warnings.add("missing_value", "report_metadata/org_name", "the domain of email is used");
  const reportId = keptText(childText(metadata, "report_id"));
  if (reportId === "") warnings.add("missing_value", "report_metadata/report_id", "");
  // Some put the dates beside the other elements.
  const range = child(metadata, "date_range") ?? metadata;
  const beginSeconds = readDate(range, "begin", warnings);
  const endSeconds = readDate(range, "end", warnings);
  if (beginSeconds > endSeconds) {
    warnings.add("invalid_value", "report_metadata/date_range", `${beginSeconds} is after ${endSeconds}`);
  }
  checkPeriod({ beginSeconds, endSeconds }, "report_metadata/date_range", context);
  return {
    orgName: orgName === "" ? email.slice(email.lastIndexOf("@") + 1).replace(/>$/, "") : orgName,
    email,
    extraContactInfo: keptText(childText(metadata, "extra_contact_info")),
    reportId,
    beginSeconds,
    endSeconds,
    errors: readErrors(metadata, warnings),
    generator: keptText(childText(metadata, "generator")),
    version: keptText(childText(root, "version")),
    format,
  };
}

function readErrors(metadata: XmlElement | undefined, warnings: WarningLog): string[] {
  const errors = children(metadata, "error");
  const { maxReportErrors } = READ_LIMITS;
  if (errors.length > maxReportErrors) {
    warnings.add("value_cut", "report_metadata/error", `${errors.length} of them; ${maxReportErrors} are kept`);
  }
  return errors.slice(0, maxReportErrors).map((error) => keptText(error.text));
}

function readDate(range: XmlElement | undefined, name: "begin" | "end", warnings: WarningLog): number {
  const raw = childText(range, name);
  // Other digits alone are seconds or nothing: as milliseconds they would be a guess.
  const isDate = DIGITS_OF_DATE.test(raw) || /[:-]/.test(raw);
  const seconds = isDate ? parseDate(raw) : parseEpochSeconds(raw);
  if (seconds === null) return reject("missing_dates", `${name} is '${raw.slice(0, 40)}'`);
  if (String(seconds) !== raw) warnings.add("invalid_value", `report_metadata/date_range/${name}`, raw);
  return seconds;
}

/** `20231114`, `20231114T235959Z`: as seconds, the digits alone would be in 1970, or after 2100. */
const DIGITS_OF_DATE = /^20\d{6}(?:T?\d{6}(?:Z|[+-]\d{4})?)?$/;

function readPolicy(published: XmlElement | undefined, warnings: WarningLog): PolicyPublished {
  const rawDomain = childText(published, "domain");
  const domain = domainName(rawDomain);
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
    fo: keptText(childText(published, "fo")),
    testing: readTesting(published, warnings),
    discoveryMethod: readDiscoveryMethod(published, warnings),
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

// RFC 9990 section 3.1.1.3 has y and n.
function readTesting(published: XmlElement | undefined, warnings: WarningLog): boolean {
  const raw = childText(published, "testing");
  const word = matchWord(raw, ["y", "n", "yes", "no", "true", "false", "1", "0"] as const);
  if (raw !== "" && word !== "y" && word !== "n") warnings.add("unknown_value", "policy_published/testing", raw);
  return word === "y" || word === "yes" || word === "true" || word === "1";
}

function readDiscoveryMethod(published: XmlElement | undefined, warnings: WarningLog): string {
  const raw = keptText(childText(published, "discovery_method")).toLowerCase();
  if (raw !== "" && matchWord(raw, ["psl", "treewalk"] as const) === undefined) {
    warnings.add("unknown_value", "policy_published/discovery_method", raw);
  }
  return raw;
}

function readPct(published: XmlElement | undefined, warnings: WarningLog): number {
  const raw = childText(published, "pct");
  if (raw === "") return 100;
  // `50%`, `50.0`.
  const [, digits = ""] = /^0{0,9}(\d{1,3})(?:\.0{1,9})?\s{0,9}%?$/.exec(raw) ?? [];
  const pct = Number(digits);
  const isPercentage = digits !== "" && pct <= 100;
  if (!isPercentage || String(pct) !== raw) warnings.add("invalid_value", "policy_published/pct", raw);
  return isPercentage ? pct : 100;
}
