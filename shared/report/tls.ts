/** SMTP TLS reports (RFC 8460 section 4): JSON text → TlsReport. Warns of unknown members. */
import * as v from "valibot";
import { domainName } from "../domain-name.ts";
import { READ_LIMITS } from "../limits.ts";
import { type Bounds, checkPeriod, judgeCount } from "./bounds.ts";
import { reject } from "./rejection.ts";
import { canonicalIp, isDomainLike, parseDate, storedText } from "./values.ts";
import type { TlsFailureDetail, TlsPolicy, TlsReport } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";

const text = v.fallback(
  v.pipe(
    v.string(),
    v.transform((raw) => storedText(raw).trim()),
  ),
  "",
);
/** Reporters write counts as numbers or as digits in a string. */
const count = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.trim(), v.regex(/^\+?\d{1,16}(?:\.0{1,9})?$/), v.transform(Number))]),
  v.safeInteger(),
  v.minValue(0),
);
/** RFC 8460 section 4.4. */
const POLICY_TYPES = ["tlsa", "sts", "no-policy-found"];
/** RFC 8460 section 4.3. */
const RESULT_TYPES = [
  "starttls-not-supported",
  "certificate-host-mismatch",
  "certificate-expired",
  "certificate-not-trusted",
  "validation-failure",
  "tlsa-invalid",
  "dnssec-invalid",
  "dane-required",
  "sts-policy-fetch-error",
  "sts-policy-invalid",
  "sts-webpki-invalid",
];
const object = v.fallback(v.record(v.string(), v.unknown()), {});

/** A report without what the reader of bytes adds. */
export type TlsBody = Omit<TlsReport, "contentHash" | "warnings" | "omittedWarnings">;

/** The bounds for a report, the destination of warnings, and facts from the mail. */
export interface TlsContext {
  bounds: Bounds;
  warnings: WarningLog;
  /** The policy domain according to the mail or the file name (RFC 8460 sections 5.1 and 5.3); may be "" or invalid. */
  domain: string;
}

/**
 * The reports in a JSON value: itself, those of a list, or those in the only member of an object around them. Their
 * order is that of the document.
 */
export function reportsIn(value: unknown, depth = 0): unknown[] {
  if (depth > MAX_WRAPPERS || typeof value !== "object" || value === null) return [value];
  if (Array.isArray(value)) return value.flatMap((item: unknown) => reportsIn(item, depth + 1));
  const [only, ...others] = Object.values(value);
  const isWrapper = others.length === 0 && typeof only === "object" && only !== null;
  return isWrapper ? reportsIn(only, depth + 1) : [value];
}

/** Ours: lists and objects around a report, or lists in lists, that are looked into. */
const MAX_WRAPPERS = 3;

/** @throws Rejection not_a_report, missing_dates, implausible_period, missing_domain, too_large */
export function readTls(value: unknown, context: TlsContext): TlsBody {
  const { warnings } = context;
  const report = new Members(value, "", warnings);
  const orgName = report.text("organization-name");
  const reportId = report.text("report-id");
  const contactInfo = report.text("contact-info");
  // Some put the dates beside the other members.
  const range = report.has("date-range") || !report.has("start-datetime") ? report.object("date-range") : report;
  // RFC 8460 has no version member that identifies its documents: two of these do.
  const signs = [!range.isEmpty, orgName !== "" || reportId !== "", report.has("policies") || report.has("policy")];
  if (signs.filter(Boolean).length < 2) return reject("not_a_report", "JSON, but no TLS report");
  const beginSeconds = readDate(range, "start-datetime");
  const endSeconds = readDate(range, "end-datetime");
  if (beginSeconds > endSeconds) {
    warnings.add(
      "invalid_value",
      "date-range",
      `${range.text("start-datetime")} is after ${range.text("end-datetime")}`,
    );
  }
  checkPeriod({ beginSeconds, endSeconds }, "date-range", context);
  for (const [name, value] of Object.entries({
    "organization-name": orgName,
    "contact-info": contactInfo,
    "report-id": reportId,
  })) {
    if (value === "") warnings.add("missing_value", name, "");
  }
  const policies = withDomains(readPolicies(report, context), context);
  checkPolicies(policies, Math.max(1, Math.floor(Math.abs(endSeconds - beginSeconds) / SECONDS_PER_DAY)));
  return {
    kind: "tls",
    orgName: orgName || domainOf(contactInfo),
    contactInfo,
    reportId,
    beginSeconds,
    endSeconds,
    policies,
  };
}

const SECONDS_PER_DAY = 86_400;

function checkPolicies(policies: readonly TlsPolicy[], days: number): void {
  const { maxPolicies, maxPolicyRows, maxPolicyChars } = READ_LIMITS;
  if (policies.length > maxPolicies) reject("too_large", `${policies.length} policies`);
  const domains = new Set(policies.map(({ policyDomain }) => policyDomain)).size;
  if (domains * days > maxPolicyRows) reject("too_large", `policies of ${domains} domains, over ${days} days`);
  const texts = policies.flatMap(({ policyStrings, mxHosts }) => [...policyStrings, ...mxHosts]);
  const chars = texts.reduce((sum, { length }) => sum + length, 0);
  if (chars > maxPolicyChars) reject("too_large", `policies of ${chars} characters`);
}

function readDate(range: Members, name: string): number {
  const raw = range.text(name);
  return parseDate(raw) ?? reject("missing_dates", `${name} is '${raw.slice(0, 40)}'`);
}

/** The policies; in drafts of the RFC the document is itself the only policy. */
function readPolicies(report: Members, context: TlsContext): TlsPolicy[] {
  const { warnings } = context;
  // Some call the list by the name that each of its members has.
  const listed = report.take("policies") ?? (report.has("summary") ? undefined : report.list("policy"));
  const policies = readObjects(listed, "policies", warnings).map((policy, i) =>
    readPolicy(new Members(policy, `policies[${i}]`, warnings), context),
  );
  const isDraft = policies.length === 0 && report.has("policy");
  if (isDraft) policies.push(readPolicy(report, context));
  report.tellUnknown();
  if (policies.length === 0) reject("missing_domain", "it has no policies");
  return policies;
}

function readPolicy(entry: Members, context: TlsContext): TlsPolicy {
  const { warnings } = context;
  // Some reporters put members of a policy or summary next to it instead of inside.
  const policy = entry.has("policy") ? entry.object("policy") : entry;
  const holdsSummary = [entry, policy].find((members) => members.has("summary"));
  const summary = holdsSummary?.object("summary") ?? entry;
  const around = [entry, policy, summary].find((members) => members.has("failure-details")) ?? entry;
  const hasDetails = around.has("failure-details");
  const successful = summary.count("total-successful-session-count", context);
  const failed = summary.count("total-failure-session-count", context);
  const path = around.pathOf("failure-details");
  const failureDetails = readObjects(around.take("failure-details"), path, warnings).map((detail, i) =>
    readDetail(new Members(detail, `${path}[${i}]`, warnings), context),
  );
  const inDetails = failureDetails.reduce((sum, { failedSessionCount }) => sum + failedSessionCount, 0);
  const read = {
    policyType: policy.word("policy-type", POLICY_TYPES),
    policyDomain: domainName(policy.text("policy-domain")),
    policyStrings: policy.texts("policy-string"),
    mxHosts: policy.texts("mx-host"),
    successfulSessionCount: successful ?? 0,
    failedSessionCount: failed ?? inDetails,
    failureDetails,
  };
  warnAboutCounts({ successful, failed, inDetails: hasDetails ? inDetails : 0 }, summary.pathOf(""), warnings);
  for (const members of new Set([policy, summary])) if (members !== entry) members.tellUnknown();
  if (entry.path !== "") entry.tellUnknown();
  return read;
}

interface Counts {
  successful: number | undefined;
  failed: number | undefined;
  /** Sum over the failure details. A session may be in several of them, but no detail has more sessions than failed. */
  inDetails: number;
}

function warnAboutCounts({ successful, failed, inDetails }: Counts, path: string, warnings: WarningLog): void {
  const at = (name: string): string => (path === "" ? name : `${path}/${name}`);
  if (successful === undefined) warnings.add("missing_value", at("total-successful-session-count"), "none is counted");
  if (failed === undefined) {
    warnings.add("missing_value", at("total-failure-session-count"), `the failure details have ${inDetails}`);
  } else if (inDetails > failed) {
    const detail = `${failed}, but the failure details have ${inDetails}`;
    warnings.add("invalid_value", at("total-failure-session-count"), detail);
  }
}

/** A policy without a domain gets that of the mail, the file name, or the other policies. */
function withDomains(policies: TlsPolicy[], { domain, warnings }: TlsContext): TlsPolicy[] {
  const named = new Set(policies.map(({ policyDomain }) => policyDomain).filter(isDomainLike));
  const [only = ""] = named.size === 1 ? named : [];
  const ofMail = domainName(domain);
  const other = isDomainLike(ofMail) ? ofMail : only;
  return policies.map((policy, i) => {
    if (isDomainLike(policy.policyDomain)) return policy;
    const raw = policy.policyDomain;
    if (other === "") return reject("missing_domain", `policies[${i}]/policy/policy-domain is '${raw.slice(0, 100)}'`);
    const code = raw === "" ? "missing_value" : "invalid_value";
    warnings.add(code, `policies[${i}]/policy/policy-domain`, `${raw} ${other} is used`.trim());
    return { ...policy, policyDomain: other };
  });
}

function readDetail(detail: Members, context: TlsContext): TlsFailureDetail {
  const sendingMtaIp = detail.text("sending-mta-ip");
  const receivingIp = detail.text("receiving-ip");
  const failed = detail.count("failed-session-count", context);
  if (failed === undefined)
    context.warnings.add("missing_value", detail.pathOf("failed-session-count"), "none is counted");
  const read = {
    resultType: detail.word("result-type", RESULT_TYPES),
    sendingMtaIp: canonicalIp(sendingMtaIp) ?? sendingMtaIp,
    receivingMxHostname: detail.text("receiving-mx-hostname"),
    receivingMxHelo: detail.text("receiving-mx-helo"),
    receivingIp: canonicalIp(receivingIp) ?? receivingIp,
    failedSessionCount: failed ?? 0,
    additionalInformation: detail.text("additional-information"),
    failureReasonCode: detail.text("failure-reason-code"),
  };
  detail.tellUnknown();
  return read;
}

/** The objects in a list; a lone object is a list of one. Anything else is left out with a warning. */
function readObjects(value: unknown, path: string, warnings: WarningLog): Record<string, unknown>[] {
  if (value === undefined || value === null) return [];
  return itemsOf(value).flatMap((item, i) => {
    if (typeof item === "object" && item !== null && !Array.isArray(item)) return [v.parse(object, item)];
    warnings.add("invalid_value", `${path}[${i}]`, showValue(item));
    return [];
  });
}

/** What is in a list, in lists within it, or in the object that PHP makes of a list; a lone value is a list of one. */
function itemsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flat(MAX_WRAPPERS);
  if (typeof value !== "object" || value === null) return [value];
  const names = Object.keys(value);
  return names.every((name) => /^\d{1,6}$/.test(name)) ? Object.values(value) : [value];
}

// Not String(): an object in a report may have a member called toString.
function showValue(value: unknown): string {
  return typeof value === "object" ? "an object" : String(value);
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}

/** Other names of members: from drafts, from the RFC's prose, and from inaccurate reporters. */
const OTHER_NAMES: Record<string, RegExp> = {
  "total-successful-session-count": /^(?:total)?succ/,
  "total-failure-session-count": /^(?:total)?fail(?!uredetails)/,
  "failed-session-count": /^(?:(?:total)?fail\w*)?(?:session)?s?count$/,
  "mx-host": /^mxhost(?:s|pattern)?$/,
  "additional-information": /^additionalinfo(?:rmation)?(?:uri)?$/,
  "policy-string": /^policystrings$/,
  "start-datetime": /^(?:start|begin)(?:date|time)?$/,
  "end-datetime": /^end(?:date|time)?$/,
};

/** An object in the document. Members are found regardless of case and hyphens; unread members can be listed. */
class Members {
  readonly path: string;
  readonly #warnings: WarningLog;
  readonly #values: Map<string, unknown>;
  readonly #asked = new Set<string>();

  constructor(value: unknown, path: string, warnings: WarningLog) {
    this.path = path;
    this.#warnings = warnings;
    this.#values = new Map(Object.entries(v.parse(object, value)));
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  pathOf(name: string): string {
    return [this.path, storedText(name, MAX_MEMBER_CHARS)].filter((part) => part !== "").join("/");
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined;
  }

  take(name: string): unknown {
    const found = this.#find(name);
    if (found === undefined) return undefined;
    this.#asked.add(found);
    if (found !== name) this.#warnings.add("unknown_element", this.pathOf(found), `read as ${name}`);
    return this.#values.get(found);
  }

  text(name: string): string {
    const taken = this.take(name);
    if (typeof taken === "string") return v.parse(text, taken);
    const texts = taken === undefined ? [] : this.#textsIn(taken, name);
    if (texts.length > 1) this.#warnings.add("invalid_value", this.pathOf(name), `a list of ${texts.length}`);
    return storedText(texts.join(", "));
  }

  /** A word of a list, in small letters; one that is not in the list is warned of and kept. */
  word(name: string, known: readonly string[]): string {
    const word = this.text(name).toLowerCase();
    if (word === "") this.#warnings.add("missing_value", this.pathOf(name), "");
    else if (!known.includes(word)) this.#warnings.add("unknown_value", this.pathOf(name), word);
    return word;
  }

  /** The texts in a list; RFC 8460's own example has a lone string instead of a list (erratum 6241). */
  texts(name: string): string[] {
    const value = this.take(name);
    return value === undefined ? [] : this.#textsIn(value, name);
  }

  #textsIn(value: unknown, name: string): string[] {
    const texts: string[] = [];
    for (const item of itemsOf(value)) {
      // A report id may be a number.
      const read = v.parse(text, typeof item === "number" ? String(item) : item);
      if (read !== "") texts.push(read);
      else if (typeof item !== "string" && item !== null)
        this.#warnings.add("invalid_value", this.pathOf(name), showValue(item));
    }
    return texts;
  }

  /** Where there is a list of them, the first. */
  object(name: string): Members {
    const value = this.take(name);
    if (!Array.isArray(value)) return new Members(value, this.pathOf(name), this.#warnings);
    this.#warnings.add("invalid_value", this.pathOf(name), `a list of ${value.length}: the first is used`);
    return new Members(value[0], this.pathOf(name), this.#warnings);
  }

  /** Undefined where it is no list. */
  list(name: string): unknown[] | undefined {
    const found = this.#find(name);
    const value = found === undefined ? undefined : this.#values.get(found);
    if (!Array.isArray(value)) return undefined;
    this.take(name);
    this.#warnings.add("unknown_element", this.pathOf(name), "a list");
    return value;
  }

  /** A count; undefined if missing, and also, with a warning, if invalid or implausible. */
  count(name: string, { bounds }: TlsContext): number | undefined {
    const value = this.take(name);
    if (value === undefined || value === null) return undefined;
    const parsed = v.safeParse(count, value);
    const judged = parsed.success ? judgeCount(parsed.output, bounds) : "implausible";
    if (judged !== "plausible") this.#warnings.add("invalid_value", this.pathOf(name), showValue(value));
    return parsed.success && judged !== "implausible" ? parsed.output : 0;
  }

  /** Warns of unread members. */
  tellUnknown(): void {
    for (const [name, value] of this.#values) {
      if (!this.#asked.has(name)) this.#warnings.add("unknown_element", this.pathOf(name), showValue(value));
    }
  }

  #find(name: string): string | undefined {
    if (this.#values.has(name)) return name;
    const plain = plainName(name);
    const names = [...this.#values.keys()].filter((other) => !this.#asked.has(other));
    const alike = names.find((other) => plainName(other) === plain);
    return alike ?? names.find((other) => OTHER_NAMES[name]?.test(plainName(other)));
  }
}

// A member's name may be anything, of any length.
function plainName(name: string): string {
  return name
    .slice(0, MAX_MEMBER_CHARS)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
}

/** Ours: characters of a member's name that are compared, and shown in a warning. */
const MAX_MEMBER_CHARS = 100;
