/**
 * The words of DMARC and TLS reports as types: RFC 7489 and RFC 9990 in one vocabulary, RFC 8460, RFC 6591/9991.
 * A value no RFC knows is `unknown`, with the raw word kept beside it; unknown is never a pass.
 */

/** policy_published p, sp, np (RFC 7489 section 6.3, RFC 9990 section 3.1.1). */
export type Policy = "none" | "quarantine" | "reject" | "unknown";
/** adkim, aspf. */
export type AlignmentMode = "r" | "s" | "unknown";
/** Values of policy_evaluated/disposition; `pass` is RFC 9990's word for mail that passed an enforcing policy. */
export const DISPOSITIONS = ["none", "quarantine", "reject", "pass"] as const;
export type Disposition = (typeof DISPOSITIONS)[number] | "unknown";
/** policy_evaluated/dkim and spf: the aligned results. */
export type AlignedResult = "pass" | "fail" | "unknown";
/** Values of auth_results/dkim/result (RFC 8601 section 2.7.1). */
export const DKIM_RESULTS = ["none", "pass", "fail", "policy", "neutral", "temperror", "permerror"] as const;
export type DkimResult = (typeof DKIM_RESULTS)[number] | "unknown";
/** Values of auth_results/spf/result (RFC 8601 section 2.7.2). */
export const SPF_RESULTS = ["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror", "policy"] as const;
export type SpfResult = (typeof SPF_RESULTS)[number] | "unknown";
export type SpfScope = "helo" | "mfrom" | "unknown";
/** Values of policy_evaluated/reason/type: the union of RFC 7489 and RFC 9990. */
export const OVERRIDE_TYPES = [
  "forwarded",
  "sampled_out",
  "trusted_forwarder",
  "mailing_list",
  "local_policy",
  "policy_test_mode",
  "other",
] as const;
export type OverrideType = (typeof OVERRIDE_TYPES)[number] | "unknown";

/** Which specification a report follows. For display only: nothing is read differently because of it. */
export type ReportFormat = "rfc7489" | "rfc9990";

/** Something repaired, defaulted or not understood, and its location (`record[3]/row/count`). */
export interface Warning {
  code: WarningCode;
  path: string;
  /** The raw value or a short explanation; hostile text, cut to a few hundred characters. */
  detail: string;
}

export type WarningCode =
  | "unknown_value"
  | "missing_value"
  | "invalid_value"
  | "repaired_xml"
  | "repaired_encoding"
  | "repaired_archive"
  | "record_skipped"
  | "value_cut"
  | "foreign_policy"
  | "unknown_element"
  | "duplicate_element"
  | "period_spread";

/** report_metadata. */
export interface ReportMetadata {
  orgName: string;
  email: string;
  extraContactInfo: string;
  reportId: string;
  /** Period covered, seconds since 1970 UTC. */
  beginSeconds: number;
  endSeconds: number;
  errors: string[];
  generator: string;
  /** feedback/version as written. */
  version: string;
  format: ReportFormat;
}

/** policy_published, with the RFCs' inheritance and defaults applied. */
export interface PolicyPublished {
  /** Lower case, no trailing dot, A-labels left as sent. */
  domain: string;
  p: Policy;
  /** Missing or empty sp inherits p; np inherits sp (RFC 9989 section 4.7). */
  sp: Policy;
  np: Policy;
  /** Missing = relaxed. */
  adkim: AlignmentMode;
  aspf: AlignmentMode;
  /** Missing = 100. */
  pct: number;
  fo: string;
  testing: boolean;
  discoveryMethod: string;
}

export interface OverrideReason {
  type: OverrideType;
  rawType: string;
  comment: string;
}

export interface DkimAuthResult {
  domain: string;
  selector: string;
  result: DkimResult;
  rawResult: string;
  humanResult: string;
}

export interface SpfAuthResult {
  domain: string;
  scope: SpfScope;
  result: SpfResult;
  rawResult: string;
  humanResult: string;
}

/** One `record`: a source address, a count of messages, what was done with them and why. */
export interface AggregateRecord {
  /** Canonical form of the address (RFC 5952 for IPv6); the raw text if it is not an address; "" if missing. */
  sourceIp: string;
  count: number;
  disposition: Disposition;
  rawDisposition: string;
  dkim: AlignedResult;
  spf: AlignedResult;
  reasons: OverrideReason[];
  headerFrom: string;
  envelopeFrom: string;
  envelopeTo: string;
  dkimResults: DkimAuthResult[];
  spfResults: SpfAuthResult[];
}

/** Sums over the accepted records of one report. */
export interface AggregateTotals {
  records: number;
  skippedRecords: number;
  messages: number;
  /** Messages of records whose aligned dkim or spf is pass. */
  passed: number;
  dispositions: Partial<Record<Disposition, number>>;
}

/** An aggregate report without its records, which are streamed. */
export interface AggregateReport {
  kind: "aggregate";
  metadata: ReportMetadata;
  policy: PolicyPublished;
  totals: AggregateTotals;
  warnings: Warning[];
  /** The number of further warnings that were not kept. */
  omittedWarnings: number;
  /** SHA-256 of the decompressed document, hex; "" if the reader was given no hash. */
  contentHash: string;
}

export interface TlsFailureDetail {
  resultType: string;
  sendingMtaIp: string;
  receivingMxHostname: string;
  receivingMxHelo: string;
  receivingIp: string;
  failedSessionCount: number;
  additionalInformation: string;
  failureReasonCode: string;
}

/** One policy of an SMTP TLS report (RFC 8460 section 4.4). */
export interface TlsPolicy {
  policyType: string;
  policyDomain: string;
  policyStrings: string[];
  mxHosts: string[];
  successfulSessionCount: number;
  failedSessionCount: number;
  failureDetails: TlsFailureDetail[];
}

/** An SMTP TLS report (RFC 8460). */
export interface TlsReport {
  kind: "tls";
  orgName: string;
  contactInfo: string;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  policies: TlsPolicy[];
  warnings: Warning[];
  omittedWarnings: number;
  contentHash: string;
}

/** A failure report (RFC 6591, RFC 9991): domain-level facts only, no content and no full addresses. */
export interface FailureReport {
  kind: "failure";
  reportedDomain: string;
  sourceIp: string;
  authFailure: string;
  /** Seconds since 1970 UTC; null if missing or invalid. */
  arrivalSeconds: number | null;
  arrivalDate: string;
  deliveryResult: string;
  identityAlignment: string;
  dkimDomain: string;
  dkimSelector: string;
  spfDomain: string;
  /** Domain part of Original-Mail-From. */
  mailFromDomain: string;
  reportingMta: string;
  incidents: number;
  /** Hash of the reported message's header, or of the text the facts were taken from, to distinguish messages. */
  originalHash: string;
  warnings: Warning[];
  omittedWarnings: number;
  contentHash: string;
}

export type Report = AggregateReport | TlsReport | FailureReport;
