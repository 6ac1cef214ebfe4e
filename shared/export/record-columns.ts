/**
 * The schema of exported records, version 1: one table of columns, which NDJSON, CSV, Parquet and docs/export.md derive
 * from. Columns may be added at the end; none is removed, renamed or changes its meaning without a new version. Pure.
 */
import { isCounted } from "../authentication/sender-state.ts";
import { isPass } from "../report/aggregate.ts";
import type { ExportedRecord, ExportedReport } from "./lines.ts";

/** The version of the schema; every record carries it. */
export const RECORD_SCHEMA_VERSION = 1;

/** timestamp: seconds since 1970 UTC here; each format writes it in its own way. json: a list of objects. */
export type ColumnType = "string" | "int32" | "int64" | "boolean" | "timestamp" | "json";

/** Type of a column → type of its value. */
export interface ColumnValues {
  string: string;
  int32: number;
  int64: number;
  boolean: boolean;
  timestamp: number;
  json: readonly object[];
}

/** A record and the report it is from. */
export interface RecordInReport {
  report: ExportedReport;
  record: ExportedRecord;
  /** Index in the report, from 0. */
  ordinal: number;
}

type Column<From, Type extends ColumnType> = {
  name: string;
  type: Type;
  /** What it says, for docs/export.md. */
  description: string;
  value: (from: From) => ColumnValues[Type];
};

/** A column of any type. */
type ColumnOf<From> = { [Type in ColumnType]: Column<From, Type> }[ColumnType];

export type RecordColumn = ColumnOf<RecordInReport>;

/** Columns of the report a record is from. */
const OF_REPORT: readonly RecordColumn[] = [
  {
    name: "schemaVersion",
    type: "int32",
    description: "1",
    value: () => RECORD_SCHEMA_VERSION,
  },
  { name: "account", type: "string", description: "whose report it is", value: ({ report }) => report.account },
  {
    name: "domain",
    type: "string",
    description: "policy domain, as A-labels, lower case",
    value: ({ report }) => report.domain,
  },
  {
    name: "day",
    type: "string",
    description: "first day the report counts for, `YYYY-MM-DD` (UTC)",
    value: ({ report }) => report.day,
  },
  {
    name: "reportUid",
    type: "string",
    description: "identifies the report; with `ordinal`, the record",
    value: ({ report }) => report.uid,
  },
  {
    name: "reporter",
    type: "string",
    description: "organization that sent the report (`org_name`)",
    value: ({ report }) => report.reporter,
  },
  {
    name: "reporterEmail",
    type: "string",
    description: "its mail address (`email`)",
    value: ({ report }) => report.reporterEmail,
  },
  { name: "reportId", type: "string", description: "`report_id`", value: ({ report }) => report.reportId },
  {
    name: "beginTime",
    type: "timestamp",
    description: "begin of the report's period",
    value: ({ report }) => report.beginSeconds,
  },
  {
    name: "endTime",
    type: "timestamp",
    description: "end of the report's period",
    value: ({ report }) => report.endSeconds,
  },
  {
    name: "receivedTime",
    type: "timestamp",
    description: "when its mail arrived",
    value: ({ report }) => report.receivedSeconds,
  },
  {
    name: "senderState",
    type: "string",
    description: "whether its mail proves who sent it: `verified`, `unchecked`, `unverified`, `contradicted`",
    value: ({ report }) => report.senderState,
  },
  {
    name: "senderDomain",
    type: "string",
    description: "authenticated domain of its mail, or empty",
    value: ({ report }) => report.senderDomain,
  },
  {
    name: "isCounted",
    type: "boolean",
    description: "whether verdicts count the report (docs/authentication.md)",
    value: ({ report }) => isCounted(report.senderState),
  },
  { name: "policy", type: "string", description: "published `p`", value: ({ report }) => report.policy.p },
  { name: "subdomainPolicy", type: "string", description: "`sp` in effect", value: ({ report }) => report.policy.sp },
  {
    name: "nonexistentPolicy",
    type: "string",
    description: "`np` in effect",
    value: ({ report }) => report.policy.np,
  },
  { name: "adkim", type: "string", description: "`r` or `s`", value: ({ report }) => report.policy.adkim },
  { name: "aspf", type: "string", description: "`r` or `s`", value: ({ report }) => report.policy.aspf },
  { name: "pct", type: "int32", description: "`pct`; 100 unless published", value: ({ report }) => report.policy.pct },
  {
    name: "isTesting",
    type: "boolean",
    description: "`t=y` (RFC 9989)",
    value: ({ report }) => report.policy.testing,
  },
  { name: "rua", type: "string", description: "address the report was sent to", value: ({ report }) => report.rua },
  { name: "rawKey", type: "string", description: "raw object in R2", value: ({ report }) => report.rawKey },
  {
    name: "part",
    type: "string",
    description: "part of the raw object, empty for the whole",
    value: ({ report }) => report.part,
  },
];

/** Columns of a record alone. */
const OF_RECORD: readonly ColumnOf<Omit<RecordInReport, "report">>[] = [
  {
    name: "ordinal",
    type: "int64",
    description: "index of the record in its report, from 0",
    value: ({ ordinal }) => ordinal,
  },
  { name: "sourceIp", type: "string", description: "source address", value: ({ record }) => record.sourceIp },
  { name: "messages", type: "int64", description: "`count`", value: ({ record }) => record.count },
  {
    name: "disposition",
    type: "string",
    description: "`none`, `quarantine`, `reject`, `pass`, `unknown`",
    value: ({ record }) => record.disposition,
  },
  {
    name: "dkim",
    type: "string",
    description: "aligned DKIM: `pass`, `fail`, `unknown`",
    value: ({ record }) => record.dkim,
  },
  {
    name: "spf",
    type: "string",
    description: "aligned SPF: `pass`, `fail`, `unknown`",
    value: ({ record }) => record.spf,
  },
  {
    name: "isPass",
    type: "boolean",
    description: "whether DMARC passes: aligned DKIM or SPF does",
    value: ({ record }) => isPass(record),
  },
  { name: "headerFrom", type: "string", description: "`header_from`", value: ({ record }) => record.headerFrom },
  { name: "envelopeFrom", type: "string", description: "`envelope_from`", value: ({ record }) => record.envelopeFrom },
  { name: "envelopeTo", type: "string", description: "`envelope_to`", value: ({ record }) => record.envelopeTo },
  {
    name: "reasons",
    type: "json",
    description: "`[{type, rawType, comment}]`: why the policy was not applied",
    value: ({ record }) => record.reasons,
  },
  {
    name: "dkimResults",
    type: "json",
    description: "`[{domain, selector, result, rawResult, humanResult}]`",
    value: ({ record }) => record.dkimResults,
  },
  {
    name: "spfResults",
    type: "json",
    description: "`[{domain, scope, result, rawResult, humanResult}]`",
    value: ({ record }) => record.spfResults,
  },
];

/** The columns, in order. */
export const RECORD_COLUMNS: readonly RecordColumn[] = [...OF_REPORT, ...OF_RECORD];

/** A record as a JSON object of schema version 1, times as ISO 8601. */
export function recordObject(from: RecordInReport): Record<string, unknown> {
  return objectOf(RECORD_COLUMNS, from);
}

/** The fields that are about the record alone, from `ordinal` on. */
export function recordFields(record: ExportedRecord, ordinal: number): Record<string, unknown> {
  return objectOf(OF_RECORD, { record, ordinal });
}

function objectOf<From>(columns: readonly ColumnOf<From>[], from: From): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const column of columns) {
    object[column.name] = column.type === "timestamp" ? isoTime(column.value(from)) : column.value(from);
  }
  return object;
}

/** Seconds since 1970 UTC as ISO 8601 without fractions. */
export function isoTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(".000Z", "Z");
}
