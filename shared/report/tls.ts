/** SMTP TLS reports (RFC 8460 section 4): JSON text → TlsReport. Members that are not known are ignored. */
import * as v from "valibot";
import { READ_LIMITS } from "../limits.ts";
import { type Bounds, checkPeriod, judgeCount } from "./bounds.ts";
import { reject } from "./rejection.ts";
import { canonicalIp, normalizeDomain, parseDate, storedText } from "./values.ts";
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
  v.union([v.number(), v.pipe(v.string(), v.trim(), v.regex(/^\d{1,16}$/), v.transform(Number))]),
  v.safeInteger(),
  v.minValue(0),
);
const object = v.fallback(v.record(v.string(), v.unknown()), {});

const document = v.looseObject({
  "organization-name": text,
  "date-range": object,
  "contact-info": text,
  "report-id": text,
});

const [COMMA, OPEN_LIST, OPEN_OBJECT] = [0x2c, 0x5b, 0x7b];

/** A report without what the reader of bytes adds. */
export type TlsBody = Omit<TlsReport, "contentHash" | "warnings" | "omittedWarnings">;

/** What a report is held against, and where warnings go. */
export interface TlsContext {
  bounds: Bounds;
  warnings: WarningLog;
}

/** @throws Rejection malformed_json, not_a_report, missing_dates, implausible_period */
export function readTls(json: string, context: TlsContext): TlsBody {
  const { warnings } = context;
  const parsed = v.safeParse(document, parseJson(json));
  if (!parsed.success || !looksLikeTlsReport(parsed.output)) return reject("not_a_report", "JSON, but no TLS report");
  const report = parsed.output;
  const beginSeconds = readDate(report["date-range"], "start-datetime");
  const endSeconds = readDate(report["date-range"], "end-datetime");
  checkPeriod({ beginSeconds, endSeconds }, "date-range", context);
  for (const name of ["organization-name", "contact-info", "report-id"] as const) {
    if (report[name] === "") warnings.add("missing_value", name, "");
  }
  return {
    kind: "tls",
    orgName: report["organization-name"] || domainOf(report["contact-info"]),
    contactInfo: report["contact-info"],
    reportId: report["report-id"],
    beginSeconds,
    endSeconds,
    policies: readObjects(report.policies, "policies", warnings).map((policy, i) =>
      readPolicy(policy, `policies[${i}]`, context),
    ),
  };
}

function parseJson(json: string): unknown {
  refuseManyValues(json);
  try {
    return JSON.parse(json);
  } catch (error) {
    return reject("malformed_json", error instanceof Error ? error.message : "");
  }
}

// A megabyte of `[],` becomes forty of objects, so what would become values is counted before it does.
function refuseManyValues(json: string): void {
  let values = 0;
  for (let i = 0; i < json.length; i++) {
    const code = json.charCodeAt(i);
    if (code === COMMA || code === OPEN_LIST || code === OPEN_OBJECT) values++;
  }
  if (values > READ_LIMITS.maxJsonValues) reject("too_large", `more than ${READ_LIMITS.maxJsonValues} JSON values`);
}

// RFC 8460 has no version member to tell its documents by.
function looksLikeTlsReport(report: Record<string, unknown>): boolean {
  const dated = Object.keys(v.parse(object, report["date-range"])).length > 0;
  return dated && (report["organization-name"] !== "" || report["report-id"] !== "");
}

function readDate(range: Record<string, unknown>, name: string): number {
  const raw = v.parse(text, range[name]);
  const seconds = parseDate(raw);
  return seconds ?? reject("missing_dates", `${name} is '${raw.slice(0, 40)}'`);
}

function readPolicy(entry: Record<string, unknown>, path: string, context: TlsContext): TlsPolicy {
  const { warnings } = context;
  const policy = v.parse(object, entry.policy);
  const summary = v.parse(object, entry.summary);
  const policyDomain = normalizeDomain(v.parse(text, policy["policy-domain"]));
  if (policyDomain === "") warnings.add("missing_value", `${path}/policy/policy-domain`, "");
  const readCount = (name: string) => readNumber(summary[name], `${path}/summary/${name}`, context);
  return {
    policyType: v.parse(text, policy["policy-type"]).toLowerCase(),
    policyDomain,
    policyStrings: readTexts(policy["policy-string"]),
    // The text of RFC 8460 says mx-host; some reporters follow its prose.
    mxHosts: readTexts(policy["mx-host"] ?? policy["mx-host-pattern"]),
    successfulSessionCount: readCount("total-successful-session-count"),
    failedSessionCount: readCount("total-failure-session-count"),
    failureDetails: readObjects(entry["failure-details"], `${path}/failure-details`, warnings).map((detail, i) =>
      readDetail(detail, `${path}/failure-details[${i}]`, context),
    ),
  };
}

function readDetail(detail: Record<string, unknown>, path: string, context: TlsContext): TlsFailureDetail {
  const word = (name: string) => v.parse(text, detail[name]);
  return {
    resultType: word("result-type").toLowerCase(),
    sendingMtaIp: canonicalIp(word("sending-mta-ip")) ?? word("sending-mta-ip"),
    receivingMxHostname: word("receiving-mx-hostname"),
    receivingMxHelo: word("receiving-mx-helo"),
    receivingIp: canonicalIp(word("receiving-ip")) ?? word("receiving-ip"),
    failedSessionCount: readNumber(detail["failed-session-count"], `${path}/failed-session-count`, context),
    additionalInformation: word("additional-information") || word("additional-info-uri"),
    failureReasonCode: word("failure-reason-code"),
  };
}

/** The objects of a list; a lone object is a list of one. What is no object is left out, with a warning. */
function readObjects(value: unknown, path: string, warnings: WarningLog): Record<string, unknown>[] {
  if (value === undefined || value === null) return [];
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.flatMap((item, i) => {
    if (typeof item === "object" && item !== null && !Array.isArray(item)) return [v.parse(object, item)];
    warnings.add("invalid_value", `${path}[${i}]`, showValue(item));
    return [];
  });
}

/** The texts of a list; RFC 8460's own example has a lone string where its text has a list (erratum 6241). */
function readTexts(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  return items.map((item) => v.parse(text, item)).filter((item) => item !== "");
}

/** A count; none where it is missing, none and a warning where it is no count or beyond what can be. */
function readNumber(value: unknown, path: string, { bounds, warnings }: TlsContext): number {
  if (value === undefined || value === null) return 0;
  const parsed = v.safeParse(count, value);
  const judged = parsed.success ? judgeCount(parsed.output, bounds) : "implausible";
  if (judged !== "plausible") warnings.add("invalid_value", path, showValue(value));
  return parsed.success && judged !== "implausible" ? parsed.output : 0;
}

// Not String(): an object of a report may have a member called toString.
function showValue(value: unknown): string {
  return typeof value === "object" ? "an object" : String(value);
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
