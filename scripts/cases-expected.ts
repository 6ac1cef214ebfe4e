/**
 * What is right for each file of `npm run cases`, as far as reading goes: by file name, and for pairs of files. Pure: it
 * compares, and opens nothing.
 */
import type { Problem } from "../shared/report/problems.ts";
import type { AggregateRecord, Report } from "../shared/report/vocabulary.ts";

/** A report found in a file, with what tells it from others. */
export interface FoundCaseReport {
  report: Report;
  records: AggregateRecord[];
  uid: string;
  contentHash: string;
}

/** What was found in a file. */
export interface CaseFound {
  reports: FoundCaseReport[];
  problems: Problem[];
  passedOver: string[];
}

/** What is right for a file. */
export interface Case {
  /** In words, for the line that is printed. */
  expect: string;
  /** Parts of the reports, all of them. */
  reports?: object[];
  /** Parts of the records of the first report, all of them. */
  records?: object[];
  /** Warnings of the first report that must be there: parts of each. */
  warnings?: { code: string; path: string; detail?: string }[];
  /** Codes of the problems, all of them. */
  problems?: string[];
  /** What the messages of the problems must name. */
  details?: RegExp[];
  /** Kinds of what is passed over, all of them. */
  passedOver?: string[];
}

const AUTH = "auth_results";
const EVALUATED = "row/policy_evaluated";
const about = (domain: string, more: object = {}): object => ({ kind: "aggregate", policy: { domain }, ...more });
const messages = (count: number): object => ({ totals: { messages: count, skippedRecords: 0 } });
const spf = (result: string, rawResult: string): object => ({ spfResults: [{ result, rawResult }] });

export const CASES: Record<string, Case> = {
  "01-tls-no-policy-domain.eml": {
    expect: "the domain of the mail's header",
    reports: [{ kind: "tls", policies: [{ policyDomain: "example.com" }] }],
    warnings: [{ code: "missing_value", path: "policies[0]/policy/policy-domain" }],
  },
  "02-spf-unknown-error-hardfail.xml": {
    expect: "temperror, permerror, fail, with the raw words",
    reports: [about("example.com", messages(18))],
    records: [
      spf("temperror", "unknown"),
      spf("permerror", "error"),
      spf("fail", "hardfail"),
      spf("temperror", "TempError"),
      { dkimResults: [{ rawResult: "unknown" }] },
      { dkimResults: [{ rawResult: "invalid" }] },
    ],
    warnings: [
      { code: "unknown_value", path: `record[0]/${AUTH}/spf/result`, detail: "unknown" },
      { code: "unknown_value", path: `record[1]/${AUTH}/spf/result`, detail: "error" },
      { code: "unknown_value", path: `record[2]/${AUTH}/spf/result`, detail: "hardfail" },
    ],
  },
  "03-tls-boundary-line-not-indented.eml": {
    expect: "a TLS report",
    reports: [{ kind: "tls", policies: [{ policyDomain: "example.com" }] }],
    passedOver: ["text"],
  },
  "04-reason-bare-text.xml": {
    expect: "bare text as the type of the reason, an empty reason as none",
    reports: [about("example.com", messages(12))],
    records: [
      { disposition: "quarantine", reasons: [{ type: "sampled_out", rawType: "sampled_out" }] },
      { rawDisposition: "softfail", reasons: [] },
      { reasons: [] },
      { reasons: [] },
    ],
    warnings: [{ code: "unknown_value", path: `record[1]/${EVALUATED}/disposition`, detail: "softfail" }],
  },
  "08-no-records.xml": {
    expect: "a report with a warning",
    reports: [about("example.com", { totals: { records: 0, messages: 0 } })],
    warnings: [{ code: "missing_value", path: "record" }],
  },
  "10-three-day-span.xml": {
    expect: "30 messages over three days",
    reports: [
      about("example.com", { ...messages(30), metadata: { beginSeconds: 1_767_225_600, endSeconds: 1_767_484_799 } }),
    ],
  },
  "11-three-reports.mbox": {
    expect: "three reports",
    reports: [about("example.com"), about("example.com"), about("example.com")],
    passedOver: ["text", "text", "text"],
  },
  "12a-reporter-one.xml": { expect: "a report", reports: [about("example.com", messages(10))] },
  "12b-reporter-two.xml": { expect: "a report", reports: [about("example.com", messages(10))] },
  "13a-part-one.xml": { expect: "9 messages", reports: [about("example.com", messages(9))] },
  "13b-part-two.xml": { expect: "6 messages", reports: [about("example.com", messages(6))] },
  "15-arc-extension-in-record.xml": {
    expect: "the DKIM result of the record, not of the extension",
    reports: [about("example.com", { ...messages(3), totals: { messages: 3, passed: 0 } })],
    records: [
      {
        dkimResults: [{ domain: "example.com", selector: "s1", result: "fail" }],
        spfResults: [{ domain: "bounce.example.net", result: "pass" }],
      },
    ],
  },
  "16a-tls-draft-shape.json": {
    expect: "50 successful and 7 failed sessions",
    reports: [
      {
        kind: "tls",
        policies: [
          {
            policyDomain: "example.com",
            successfulSessionCount: 50,
            failedSessionCount: 7,
            failureDetails: [{ failedSessionCount: 7 }],
          },
        ],
      },
    ],
  },
  "16c-tls-summary-zero-details-six.json": {
    expect: "a warning that summary and details disagree",
    reports: [{ kind: "tls", policies: [{ failedSessionCount: 0 }] }],
    warnings: [
      { code: "invalid_value", path: "policies[0]/summary/total-failure-session-count", detail: "details have 6" },
    ],
  },
  "16f-tls-same-id-domain1.json": {
    expect: "a report about example.com",
    reports: [{ kind: "tls", policies: [{ policyDomain: "example.com" }] }],
  },
  "16g-tls-same-id-domain2.json": {
    expect: "a report about mail.example.com",
    reports: [{ kind: "tls", policies: [{ policyDomain: "mail.example.com" }] }],
  },
  "17-bounce-of-own-report.eml": {
    expect: "nothing counted",
    problems: ["delivery_notice"],
    passedOver: ["text", "notice", "evidence"],
  },
  "18b-text-failure-quoted-forward.eml": {
    expect: "the failure report that is quoted",
    reports: [{ kind: "failure", reportedDomain: "example.com", sourceIp: "192.0.2.7", arrivalSeconds: 1_767_261_600 }],
  },
  "19a-idn-alabel.xml": { expect: "the A-label", reports: [about("xn--bcher-kva.example", messages(3))] },
  "19b-idn-ulabel.xml": {
    expect: "the A-label",
    reports: [about("xn--bcher-kva.example", messages(4))],
    records: [{ headerFrom: "xn--bcher-kva.example" }],
  },
  "23b-forward-report.msg.eml": {
    expect: "a problem that names the format, the file and its type",
    problems: ["unsupported_format"],
    details: [/Outlook message \(\.msg\)/, /report\.msg/, /application\/vnd\.ms-outlook/],
    passedOver: ["text"],
  },
  "24-one-good-one-bz2.eml": {
    expect: "a report, and a problem that names the other file",
    reports: [about("example.com")],
    problems: ["unsupported_format"],
    details: [/bzip2/, /1767312000!1767398399\.xml\.bz2/, /application\/x-bzip2/],
    passedOver: ["text"],
  },
  "26-cst-day.xml": {
    expect: "24 messages",
    reports: [
      about("example.com", { ...messages(24), metadata: { beginSeconds: 1_767_196_800, endSeconds: 1_767_283_199 } }),
    ],
  },
  "29b-bracketed.eml": {
    expect: "192.0.2.7",
    reports: [{ kind: "failure", reportedDomain: "example.com", sourceIp: "192.0.2.7" }],
    passedOver: ["text", "evidence"],
  },
  "30a-lf.xml": { expect: "3 messages", reports: [about("example.com", messages(3))] },
  "30b-crlf.xml": { expect: "3 messages", reports: [about("example.com", messages(3))] },
  "31a-identifiers-in-row.xml": {
    expect: "identifiers and results read where they stand, with warnings",
    reports: [about("example.com", messages(3))],
    records: [{ headerFrom: "example.com", dkimResults: [{ domain: "example.com", result: "pass" }] }],
    warnings: [
      { code: "unknown_element", path: "record[0]/row/identifiers" },
      { code: "unknown_element", path: "record[0]/row/auth_results" },
    ],
  },
  "31b-capital-Record.xml": { expect: "43 messages", reports: [about("example.com", messages(43))] },
  "32-ip-forms.xml": {
    expect: "each address as it is",
    reports: [about("example.com", messages(31))],
    records: [
      { sourceIp: "::192.0.2.1" },
      { sourceIp: "192.0.2.1" },
      { sourceIp: "192.0.2.1" },
      { sourceIp: "192.0.2.1" },
      { sourceIp: "2001:db8::1" },
    ],
  },
  "37-future.xml": { expect: "a problem that says so", problems: ["implausible_period"], details: [/2050/] },
};

/** Two files, and what they are to each other. */
export interface Pair {
  files: [string, string];
  expect: string;
  sameIdentity: boolean;
  /** Whether what was read is the same; not looked at where the identities differ. */
  sameContent?: boolean;
}

export const PAIRS: Pair[] = [
  { files: ["12a-reporter-one.xml", "12b-reporter-two.xml"], expect: "two identities", sameIdentity: false },
  { files: ["13a-part-one.xml", "13b-part-two.xml"], expect: "a conflict", sameIdentity: true, sameContent: false },
  {
    files: ["16f-tls-same-id-domain1.json", "16g-tls-same-id-domain2.json"],
    expect: "two identities",
    sameIdentity: false,
  },
  { files: ["30a-lf.xml", "30b-crlf.xml"], expect: "a duplicate", sameIdentity: true, sameContent: true },
];

/** What of a file is not as it should be, in sentences. */
export function differencesOf(wanted: Case, found: CaseFound): string[] {
  const { reports = [], records, warnings = [], problems = [], details = [], passedOver } = wanted;
  const [first] = found.reports;
  const said = found.problems.map(({ message }) => message).join("\n");
  const lacking = warnings.filter((warning) => !first?.report.warnings.some((other) => holds(other, warning)));
  return [
    ...difference(
      "reports",
      reports,
      found.reports.map(({ report }) => report),
    ),
    ...(records === undefined ? [] : difference("records", records, first?.records ?? [])),
    ...difference(
      "problems",
      problems,
      found.problems.map(({ code }) => code),
    ),
    ...lacking.map((warning) => `no warning ${JSON.stringify(warning)}`),
    ...details.filter((pattern) => !pattern.test(said)).map((pattern) => `no problem names ${pattern.source}`),
    ...(passedOver === undefined ? [] : difference("passed over", passedOver, found.passedOver)),
  ];
}

function difference(what: string, wanted: unknown[], found: unknown[]): string[] {
  const agrees = wanted.length === found.length && wanted.every((one, i) => holds(found[i], one));
  return agrees ? [] : [`${what}: expected ${JSON.stringify(wanted)}, came ${JSON.stringify(found)}`];
}

/** Whether a value has what is wanted of it: members of an object, all items of a list, a piece of a text's end. */
function holds(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return Array.isArray(found) && found.length === wanted.length && wanted.every((one, i) => holds(found[i], one));
  }
  if (typeof wanted !== "object" || wanted === null) {
    return (
      found === wanted ||
      (typeof found === "string" && typeof wanted === "string" && wanted !== "" && found.endsWith(wanted))
    );
  }
  if (typeof found !== "object" || found === null) return false;
  return Object.entries(wanted).every(([name, value]) => holds(Reflect.get(found, name), value));
}

/** How two reports are to each other what they should not be. */
export function pairDifference(
  { sameIdentity, sameContent }: Pair,
  first: FoundCaseReport | undefined,
  second: FoundCaseReport | undefined,
): string | undefined {
  if (first === undefined || second === undefined) return "one of them has no report";
  if ((first.uid === second.uid) !== sameIdentity) return sameIdentity ? "two identities" : "one identity";
  if (!sameIdentity || (first.contentHash === second.contentHash) === sameContent) return undefined;
  return sameContent ? "two contents" : "one content";
}
