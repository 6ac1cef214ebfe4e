/** SMTP TLS reports (RFC 8460 section 4): JSON text → TlsReport. Members that are not known are ignored. */
import * as v from "valibot";
import { reject } from "./rejection.ts";
import { parseDate } from "./values.ts";
import type { TlsPolicy, TlsReport } from "./vocabulary.ts";
import type { WarningLog } from "./warnings.ts";

const text = v.fallback(v.pipe(v.string(), v.trim()), "");
/** Reporters write counts as numbers or as digits in a string; missing means none. */
const count = v.fallback(
  v.pipe(
    v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))]),
    v.safeInteger(),
    v.minValue(0),
  ),
  0,
);
/** RFC 8460's own example has a string where its text has an array (erratum 6241). */
const texts = v.fallback(
  v.union([
    v.array(text),
    v.pipe(
      text,
      v.transform((one) => (one === "" ? [] : [one])),
    ),
  ]),
  [],
);
const list = v.fallback(v.array(v.record(v.string(), v.unknown())), []);
const object = v.fallback(v.record(v.string(), v.unknown()), {});

const document = v.looseObject({
  "organization-name": text,
  "date-range": object,
  "contact-info": text,
  "report-id": text,
  policies: list,
});

/** A report without what the reader of bytes adds. */
export type TlsBody = Omit<TlsReport, "contentHash" | "warnings" | "omittedWarnings">;

/** @throws Rejection malformed_json, not_a_report, missing_dates */
export function readTls(json: string, warnings: WarningLog): TlsBody {
  const parsed = v.safeParse(document, parseJson(json));
  if (!parsed.success || !looksLikeTlsReport(parsed.output)) return reject("not_a_report", "JSON, but no TLS report");
  const report = parsed.output;
  const range = report["date-range"];
  for (const name of ["organization-name", "contact-info", "report-id"] as const) {
    if (report[name] === "") warnings.add("missing_value", name, "");
  }
  return {
    kind: "tls",
    orgName: report["organization-name"] || domainOf(report["contact-info"]),
    contactInfo: report["contact-info"],
    reportId: report["report-id"],
    beginSeconds: readDate(range, "start-datetime"),
    endSeconds: readDate(range, "end-datetime"),
    policies: report.policies.map((policy, i) => readPolicy(policy, `policies[${i}]`, warnings)),
  };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    return reject("malformed_json", error instanceof Error ? error.message : "");
  }
}

// RFC 8460 has no version member to tell its documents by.
function looksLikeTlsReport(report: Record<string, unknown>): boolean {
  const filled = (name: string) => report[name] !== "";
  const dated = Object.keys(v.parse(object, report["date-range"])).length > 0;
  return (dated && filled("organization-name")) || (dated && filled("report-id"));
}

function readDate(range: Record<string, unknown>, name: string): number {
  const raw = v.parse(text, range[name]);
  const seconds = parseDate(raw);
  return seconds ?? reject("missing_dates", `${name} is '${raw.slice(0, 40)}'`);
}

function readPolicy(entry: Record<string, unknown>, path: string, warnings: WarningLog): TlsPolicy {
  const policy = v.parse(object, entry.policy);
  const summary = v.parse(object, entry.summary);
  const policyDomain = v.parse(text, policy["policy-domain"]).toLowerCase();
  if (policyDomain === "") warnings.add("missing_value", `${path}/policy/policy-domain`, "");
  return {
    policyType: v.parse(text, policy["policy-type"]).toLowerCase(),
    policyDomain,
    policyStrings: v.parse(texts, policy["policy-string"]),
    mxHosts: v.parse(texts, policy["mx-host"]),
    successfulSessionCount: v.parse(count, summary["total-successful-session-count"]),
    failedSessionCount: v.parse(count, summary["total-failure-session-count"]),
    failureDetails: v.parse(list, entry["failure-details"]).map((detail) => ({
      resultType: v.parse(text, detail["result-type"]).toLowerCase(),
      sendingMtaIp: v.parse(text, detail["sending-mta-ip"]),
      receivingMxHostname: v.parse(text, detail["receiving-mx-hostname"]),
      receivingMxHelo: v.parse(text, detail["receiving-mx-helo"]),
      receivingIp: v.parse(text, detail["receiving-ip"]),
      failedSessionCount: v.parse(count, detail["failed-session-count"]),
      additionalInformation: v.parse(text, detail["additional-information"]),
      failureReasonCode: v.parse(text, detail["failure-reason-code"]),
    })),
  };
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf("@") + 1);
}
