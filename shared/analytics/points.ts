/** Turns reports into points: what each kind of report writes to its dataset. Pure. */
import { isPass } from "../report/aggregate.ts";
import { policyText } from "../report/policy-text.ts";
import type { AggregateRecord, AggregateReport, FailureReport, Report, TlsReport } from "../report/vocabulary.ts";
import { buildPoint, type DataPoint, type DatasetId, type RowInput } from "./columns.ts";

/** What all points of a report have in common, besides its content. */
export interface PointContext {
  uid: string;
  account: string;
  generation: number;
  receivedSeconds: number;
}

/** The dataset of a report. */
export function datasetOf({ kind }: Pick<Report, "kind">): DatasetId {
  switch (kind) {
    case "aggregate":
      return "records";
    case "tls":
      return "tls";
    case "failure":
      return "failures";
  }
}

/** The number of points a report has in its dataset. */
export function pointCountOf(report: Report): number {
  switch (report.kind) {
    case "aggregate":
      return report.totals.records;
    case "tls":
      return report.policies.reduce((sum, { failureDetails }) => sum + 1 + failureDetails.length, 0);
    case "failure":
      return 1;
  }
}

/** All points of a report; `records` are those of an aggregate report. */
export function reportPoints(report: Report, records: AggregateRecord[], context: PointContext): DataPoint[] {
  switch (report.kind) {
    case "aggregate":
      return recordPoints(report, { records, firstOrdinal: 0 }, context);
    case "tls":
      return tlsPoints(report, context);
    case "failure":
      return failurePoints(report, context);
  }
}

/** Points of some records of an aggregate report; `firstOrdinal` is the index of the first. */
export function recordPoints(
  report: AggregateReport,
  { records, firstOrdinal }: { records: AggregateRecord[]; firstOrdinal: number },
  context: PointContext,
): DataPoint[] {
  // One row reused for every record: copying its two dozen columns would cost as much as building the point.
  const row: RowInput<"records"> = { ...aggregateRow(report, context), ordinal: firstOrdinal };
  return records.map((record, i) => {
    fillRecord(row, record);
    row.ordinal = firstOrdinal + i;
    return buildPoint("records", row);
  });
}

/** What points that count nothing say about the report they belong to. */
export interface ReportLabel {
  kind: Report["kind"];
  domain: string;
  reporter: string;
  reportId: string;
  /** As in the column. */
  policy: string;
  beginSeconds: number;
  endSeconds: number;
}

/**
 * Points that take the place of those an older generation had and this one has not (`from` to `to`, exclusive): they
 * count nothing.
 */
export function stalePoints(
  label: ReportLabel,
  { from, to }: { from: number; to: number },
  context: PointContext,
): DataPoint[] {
  const places = Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);
  const { kind, domain, reporter, reportId, policy, beginSeconds, endSeconds } = label;
  const common = { ...contextRow(context), live: 0 };
  switch (kind) {
    case "aggregate": {
      const row = { ...common, ...NO_RECORD, domain, reporter, reportId, policy, beginSeconds, endSeconds };
      return places.map((ordinal) => buildPoint("records", { ...row, ordinal }));
    }
    case "tls": {
      const row = { ...common, ...NO_TLS_POLICY, reporter, reportId, beginSeconds, endSeconds };
      return places.map((ordinal) => buildPoint("tls", { ...row, ordinal }));
    }
    case "failure": {
      const row = { ...common, ...NO_FAILURE, domain, reportingMta: reporter };
      return places.map((ordinal) => buildPoint("failures", { ...row, ordinal }));
    }
  }
}

/** All points of a TLS report: a policy's summary, then its failure details. */
function tlsPoints(report: TlsReport, context: PointContext): DataPoint[] {
  const common = tlsRow(report, context);
  const rows = report.policies.flatMap((policy): Omit<RowInput<"tls">, "ordinal">[] => {
    const policyRow = {
      ...common,
      ...NO_TLS_DETAIL,
      domain: policy.policyDomain,
      policyType: policy.policyType,
      mxHosts: policy.mxHosts.join("\n"),
    };
    const summary = {
      ...policyRow,
      successfulSessions: policy.successfulSessionCount,
      failedSessions: policy.failedSessionCount,
    };
    const details = policy.failureDetails.map((detail) => ({
      ...policyRow,
      scope: "failure",
      resultType: detail.resultType,
      sendingMtaIp: detail.sendingMtaIp,
      receivingMxHostname: detail.receivingMxHostname,
      receivingIp: detail.receivingIp,
      failureReasonCode: detail.failureReasonCode,
      detailSessions: detail.failedSessionCount,
    }));
    return [summary, ...details];
  });
  return rows.map((row, ordinal) => buildPoint("tls", { ...row, ordinal }));
}

/** The one point of a failure report. */
function failurePoints(report: FailureReport, context: PointContext): DataPoint[] {
  return [buildPoint("failures", failureRow(report, context))];
}

function tlsRow({ orgName, reportId, beginSeconds, endSeconds }: TlsReport, context: PointContext) {
  return { ...contextRow(context), reporter: orgName, reportId, beginSeconds, endSeconds };
}

function failureRow(report: FailureReport, context: PointContext): RowInput<"failures"> {
  const { sourceIp, authFailure, deliveryResult, identityAlignment, incidents } = report;
  const { dkimDomain, dkimSelector, spfDomain, mailFromDomain, reportingMta } = report;
  return {
    ...contextRow(context),
    sourceIp,
    authFailure,
    deliveryResult,
    identityAlignment,
    incidents,
    dkimDomain,
    dkimSelector,
    spfDomain,
    mailFromDomain,
    reportingMta,
    domain: report.reportedDomain,
    ordinal: 0,
    arrivalSeconds: report.arrivalSeconds ?? 0,
  };
}

const NO_TLS_DETAIL = {
  scope: "policy",
  resultType: "",
  sendingMtaIp: "",
  receivingMxHostname: "",
  receivingIp: "",
  failureReasonCode: "",
  successfulSessions: 0,
  failedSessions: 0,
  detailSessions: 0,
};

const NO_TLS_POLICY = { ...NO_TLS_DETAIL, domain: "", policyType: "", mxHosts: "" };

function contextRow({ uid, account, generation, receivedSeconds }: PointContext) {
  return { reportUid: uid, account, generation, receivedSeconds, live: 1 };
}

const NO_FAILURE = {
  sourceIp: "",
  authFailure: "",
  deliveryResult: "",
  identityAlignment: "",
  incidents: 0,
  dkimDomain: "",
  dkimSelector: "",
  spfDomain: "",
  mailFromDomain: "",
  arrivalSeconds: 0,
};

/** What a record fills. */
const NO_RECORD = {
  sourceIp: "",
  disposition: "",
  dkim: "",
  spf: "",
  headerFrom: "",
  envelopeFrom: "",
  envelopeTo: "",
  dkimResults: "",
  spfResults: "",
  reasons: "",
  authDomain: "",
  count: 0,
  passed: 0,
};

/** The columns all records of a report share; what a record fills is empty and counts nothing. */
function aggregateRow(
  { metadata, policy }: AggregateReport,
  context: PointContext,
): Omit<RowInput<"records">, "ordinal"> {
  return {
    ...contextRow(context),
    live: 0,
    domain: policy.domain,
    reporter: metadata.orgName,
    reportId: metadata.reportId,
    policy: policyText(policy),
    beginSeconds: metadata.beginSeconds,
    endSeconds: metadata.endSeconds,
    ...NO_RECORD,
  };
}

/** Every column that differs between the records of a report, but for the ordinal. */
function fillRecord(row: RowInput<"records">, record: AggregateRecord): void {
  row.sourceIp = record.sourceIp;
  row.disposition = record.disposition;
  row.dkim = record.dkim;
  row.spf = record.spf;
  row.headerFrom = record.headerFrom;
  row.envelopeFrom = record.envelopeFrom;
  row.envelopeTo = record.envelopeTo;
  row.count = record.count;
  row.dkimResults = lines(record.dkimResults, (r) => `${r.domain} ${r.selector || "-"} ${r.result}`);
  row.spfResults = lines(record.spfResults, (r) => `${r.domain || "-"} ${r.scope} ${r.result}`);
  row.reasons = lines(record.reasons, (r) => `${r.type} ${r.comment}`.trim());
  row.authDomain = authenticatedDomain(record);
  row.passed = isPass(record) ? 1 : 0;
  row.live = 1;
}

/**
 * Who the mail proved to be from: the domain of a DKIM pass, else of an SPF pass; one that ends like the From domain
 * first. "" when nothing passed.
 */
function authenticatedDomain({ headerFrom, dkimResults, spfResults }: AggregateRecord): string {
  let first = "";
  for (const results of [dkimResults, spfResults]) {
    for (const { result, domain } of results) {
      if (result !== "pass" || domain === "") continue;
      if (isRelated(domain, headerFrom)) return domain;
      first ||= domain;
    }
  }
  return first;
}

function isRelated(domain: string, headerFrom: string): boolean {
  return domain === headerFrom || isBelow(domain, headerFrom) || isBelow(headerFrom, domain);
}

function isBelow(domain: string, parent: string): boolean {
  return domain[domain.length - parent.length - 1] === "." && domain.endsWith(parent);
}

function lines<T>(items: T[], write: (item: T) => string): string {
  let text: string | undefined;
  for (const item of items) {
    const written = write(item);
    const line = written.includes("\n") || written.includes("\r") ? written.replace(/[\r\n]+/g, " ") : written;
    text = text === undefined ? line : `${text}\n${line}`;
  }
  return text ?? "";
}
