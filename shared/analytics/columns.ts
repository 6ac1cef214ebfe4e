/**
 * The Analytics Engine columns: ONE table per dataset, from which write order, SQL names, row types and
 * docs/analytics.md are derived. Slots only grow: a column is never renamed in place, reordered or reused; a new one
 * takes the next free slot.
 */
import { ANALYTICS_LIMITS } from "../limits.ts";

/** One column: where it is written, and what it means. */
export interface Column {
  slot: `blob${number}` | `double${number}`;
  meaning: string;
}

/** dmarc_records: one point per record of an aggregate report; index1 = policy domain. */
const RECORD_COLUMNS = {
  reportUid: { slot: "blob1", meaning: "Report uid; with `ordinal` the identity of the record." },
  account: { slot: "blob2", meaning: "Account of the address it was sent to." },
  domain: { slot: "blob3", meaning: "policy_published/domain, lower case." },
  reporter: { slot: "blob4", meaning: "report_metadata/org_name, or the domain of its email." },
  reportId: { slot: "blob5", meaning: "report_metadata/report_id." },
  sourceIp: { slot: "blob6", meaning: "row/source_ip, canonical." },
  disposition: { slot: "blob7", meaning: "policy_evaluated/disposition: none, quarantine, reject, pass, unknown." },
  dkim: { slot: "blob8", meaning: "policy_evaluated/dkim, the aligned result: pass, fail, unknown." },
  spf: { slot: "blob9", meaning: "policy_evaluated/spf, the aligned result: pass, fail, unknown." },
  headerFrom: { slot: "blob10", meaning: "identifiers/header_from, lower case." },
  envelopeFrom: { slot: "blob11", meaning: "identifiers/envelope_from, lower case." },
  envelopeTo: { slot: "blob12", meaning: "identifiers/envelope_to, lower case." },
  dkimResults: { slot: "blob13", meaning: "auth_results/dkim as `domain selector result`, one a line." },
  spfResults: { slot: "blob14", meaning: "auth_results/spf as `domain scope result`, one a line." },
  reasons: { slot: "blob15", meaning: "policy_evaluated/reason as `type comment`, one a line." },
  policy: { slot: "blob16", meaning: "Published policy as `p=…; sp=…; np=…; adkim=…; aspf=…; pct=…; fo=…; t=…`." },
  authDomain: {
    slot: "blob17",
    meaning: "Domain that authenticated the mail: DKIM pass, else SPF pass, aligned ones first; empty if none.",
  },
  cut: { slot: "blob18", meaning: "Names of the columns whose value was cut to fit, separated by spaces." },
  schema: { slot: "double1", meaning: "Version of this table." },
  generation: { slot: "double2", meaning: "1, or higher when the report was reprocessed; the highest one counts." },
  ordinal: { slot: "double3", meaning: "Place of the record in its report, from 0." },
  count: { slot: "double4", meaning: "row/count, messages; 0 in a point that only replaces a stale one." },
  beginSeconds: { slot: "double5", meaning: "date_range/begin, seconds since 1970 UTC." },
  endSeconds: { slot: "double6", meaning: "date_range/end, seconds since 1970 UTC." },
  receivedSeconds: { slot: "double7", meaning: "When the mail arrived, seconds since 1970 UTC." },
  passed: { slot: "double8", meaning: "1 when aligned dkim or spf is pass, else 0." },
  live: { slot: "double9", meaning: "1 for a record, 0 for a point that only replaces a stale one." },
} as const satisfies Record<string, Column>;

/** dmarc_events: one point per outcome of the pipeline; index1 = account. */
const EVENT_COLUMNS = {
  eventId: {
    slot: "blob1",
    meaning: "Identity: report uid or dead letter id with the raw key; repeats collapse on it.",
  },
  account: { slot: "blob2", meaning: "Account of the address, empty if unknown." },
  rua: { slot: "blob3", meaning: "Address the mail was sent to." },
  outcome: {
    slot: "blob4",
    meaning:
      "accepted; reprocessed (accepted again); duplicate; conflict; dead_letter; cleared (was one of these two, " +
      "now solved); discarded (a person or a setting decided against it); retracted (no longer accepted); slice " +
      "(points written by a separate invocation).",
  },
  kind: { slot: "blob5", meaning: "aggregate, tls, failure; empty if unknown." },
  code: { slot: "blob6", meaning: "Problem code of a dead letter." },
  domain: { slot: "blob7", meaning: "Policy domain, empty if unknown." },
  reporter: { slot: "blob8", meaning: "Reporter, empty if unknown." },
  rawKey: { slot: "blob9", meaning: "R2 key of the raw object." },
  part: { slot: "blob10", meaning: "Part inside the raw object." },
  cut: { slot: "blob11", meaning: "Names of the columns whose value was cut to fit, separated by spaces." },
  schema: { slot: "double1", meaning: "Version of this table." },
  generation: { slot: "double2", meaning: "Generation of the processing; the highest one counts." },
  receivedSeconds: { slot: "double3", meaning: "When the mail arrived, seconds since 1970 UTC." },
  processedSeconds: { slot: "double4", meaning: "When the outcome was reached, seconds since 1970 UTC." },
  records: { slot: "double5", meaning: "Records accepted." },
  skippedRecords: { slot: "double6", meaning: "Records skipped." },
  messages: { slot: "double7", meaning: "Sum of count." },
  attempts: { slot: "double8", meaning: "Deliveries of the queue message so far." },
  latencySeconds: {
    slot: "double9",
    meaning: "From the arrival of the mail (reprocessed: from the start of the job) to the outcome.",
  },
} as const satisfies Record<string, Column>;

/** dmarc_tls: one point per policy of an SMTP TLS report and one per failure detail; index1 = policy domain. */
const TLS_COLUMNS = {
  reportUid: { slot: "blob1", meaning: "Report uid; with `ordinal` the identity of the point." },
  account: { slot: "blob2", meaning: "Account of the address it was sent to." },
  domain: { slot: "blob3", meaning: "policy-domain." },
  reporter: { slot: "blob4", meaning: "organization-name, or the domain of contact-info." },
  reportId: { slot: "blob5", meaning: "report-id." },
  scope: { slot: "blob6", meaning: "`policy` for a policy's summary, `failure` for one failure detail." },
  policyType: { slot: "blob7", meaning: "tlsa, sts, no-policy-found." },
  mxHosts: { slot: "blob8", meaning: "mx-host patterns, one a line." },
  resultType: { slot: "blob9", meaning: "result-type of a failure detail." },
  sendingMtaIp: { slot: "blob10", meaning: "sending-mta-ip." },
  receivingMxHostname: { slot: "blob11", meaning: "receiving-mx-hostname." },
  receivingIp: { slot: "blob12", meaning: "receiving-ip." },
  failureReasonCode: { slot: "blob13", meaning: "failure-reason-code." },
  cut: { slot: "blob14", meaning: "Names of the columns whose value was cut to fit, separated by spaces." },
  schema: { slot: "double1", meaning: "Version of this table." },
  generation: { slot: "double2", meaning: "1, or higher when the report was reprocessed; the highest one counts." },
  ordinal: { slot: "double3", meaning: "Place of the point in its report, from 0." },
  successfulSessions: { slot: "double4", meaning: "total-successful-session-count of a policy; 0 in a detail." },
  failedSessions: { slot: "double5", meaning: "total-failure-session-count of a policy; 0 in a detail." },
  detailSessions: { slot: "double6", meaning: "failed-session-count of a failure detail; 0 in a policy." },
  beginSeconds: { slot: "double7", meaning: "start-datetime, seconds since 1970 UTC." },
  endSeconds: { slot: "double8", meaning: "end-datetime, seconds since 1970 UTC." },
  receivedSeconds: { slot: "double9", meaning: "When the mail arrived, seconds since 1970 UTC." },
  live: { slot: "double10", meaning: "1, or 0 for a point that only replaces a stale one." },
} as const satisfies Record<string, Column>;

/** dmarc_failures: one point per failure report, domain-level facts only; index1 = reported domain. */
const FAILURE_COLUMNS = {
  reportUid: { slot: "blob1", meaning: "Report uid; with `ordinal` the identity of the point." },
  account: { slot: "blob2", meaning: "Account of the address it was sent to." },
  domain: { slot: "blob3", meaning: "Reported-Domain, or the domain of the reported mail's From." },
  sourceIp: { slot: "blob4", meaning: "Source-IP, canonical." },
  authFailure: { slot: "blob5", meaning: "Auth-Failure: dmarc, dkim words, spf …" },
  deliveryResult: { slot: "blob6", meaning: "Delivery-Result." },
  identityAlignment: {
    slot: "blob7",
    meaning: "Identity-Alignment as reported; RFC 7489 and RFC 9991 mean opposites.",
  },
  dkimDomain: { slot: "blob8", meaning: "DKIM-Domain." },
  dkimSelector: { slot: "blob9", meaning: "DKIM-Selector." },
  spfDomain: { slot: "blob10", meaning: "Domain of SPF-DNS." },
  mailFromDomain: { slot: "blob11", meaning: "Domain of Original-Mail-From." },
  reportingMta: { slot: "blob12", meaning: "Reporting-MTA." },
  cut: { slot: "blob13", meaning: "Names of the columns whose value was cut to fit, separated by spaces." },
  schema: { slot: "double1", meaning: "Version of this table." },
  generation: { slot: "double2", meaning: "1, or higher when the report was reprocessed; the highest one counts." },
  ordinal: { slot: "double3", meaning: "Always 0." },
  incidents: { slot: "double4", meaning: "Incidents: how many messages the report is about." },
  arrivalSeconds: { slot: "double5", meaning: "Arrival-Date, seconds since 1970 UTC; 0 if unknown." },
  receivedSeconds: { slot: "double6", meaning: "When the mail arrived, seconds since 1970 UTC." },
  live: { slot: "double7", meaning: "1, or 0 for a point that only replaces a stale one." },
} as const satisfies Record<string, Column>;

/** First part of the datasets' names, unless a deployment has another one. */
export const DATASET_PREFIX = "dmarc";
/** A dataset's name in a statement; what follows the prefix is in its group. */
export const DATASET_NAME = /\bdmarc_(records|events|tls|failures)\b/g;

/** The datasets: name in Analytics Engine, columns, and the version written to `schema`. */
export const DATASETS = {
  records: { name: "dmarc_records", index: "domain", schema: 1, columns: RECORD_COLUMNS },
  events: { name: "dmarc_events", index: "account", schema: 1, columns: EVENT_COLUMNS },
  tls: { name: "dmarc_tls", index: "domain", schema: 1, columns: TLS_COLUMNS },
  failures: { name: "dmarc_failures", index: "domain", schema: 1, columns: FAILURE_COLUMNS },
} as const;

export type DatasetId = keyof typeof DATASETS;

export const DATASET_IDS = ["records", "events", "tls", "failures"] as const satisfies readonly DatasetId[];
type ColumnsOf<D extends DatasetId> = (typeof DATASETS)[D]["columns"];

/** A row of a dataset by column name: text for blobs, numbers for doubles. */
export type Row<D extends DatasetId> = {
  -readonly [K in keyof ColumnsOf<D>]: ColumnsOf<D>[K] extends { slot: `blob${number}` } ? string : number;
};

/** The columns a caller fills in; buildPoint adds `schema` and `cut`. */
export type RowInput<D extends DatasetId> = Omit<Row<D>, "schema" | "cut">;

/** A point as writeDataPoint takes it, every slot up to the last used one filled. */
export interface DataPoint {
  indexes: string[];
  blobs: string[];
  doubles: number[];
}

const encoder = new TextEncoder();

/** The columns in the order of their slots. */
interface Layout {
  blobs: string[];
  doubles: string[];
}

// Computed once per table, because a report of a million records has a million points.
const LAYOUTS: Record<DatasetId, Layout> = {
  records: layoutOf(RECORD_COLUMNS),
  events: layoutOf(EVENT_COLUMNS),
  tls: layoutOf(TLS_COLUMNS),
  failures: layoutOf(FAILURE_COLUMNS),
};

function layoutOf(columns: Record<string, Column>): Layout {
  const layout: Layout = { blobs: [], doubles: [] };
  for (const [name, column] of Object.entries(columns)) {
    const names = column.slot.startsWith("blob") ? layout.blobs : layout.doubles;
    names[slotPosition(column)] = name;
  }
  return layout;
}

/**
 * Builds the point of a row within Analytics Engine's limits: index ≤ 96 bytes, all blobs ≤ 16,000 bytes. The longest
 * blobs are cut first, at a character boundary, and named in `cut`; nothing else is changed. The row is not retained.
 */
export function buildPoint<D extends DatasetId>(dataset: D, row: RowInput<D>): DataPoint {
  const { schema, index } = DATASETS[dataset];
  const names = LAYOUTS[dataset];
  const values: Record<string, string | number> = row;
  let chars = 0;
  const blobs = names.blobs.map((name) => {
    const text = String(values[name] ?? "");
    chars += text.length;
    return text;
  });
  const doubles = names.doubles.map((name) => (name === "schema" ? schema : Number(values[name] ?? 0)));
  const indexes = [cutBytes(String(values[index] ?? ""), ANALYTICS_LIMITS.maxIndexBytes)];
  return { indexes, blobs: fitsSurely(chars, ANALYTICS_LIMITS.maxBlobBytes) ? blobs : cutToFit(blobs, names), doubles };
}

/** Zero-based index of a column among the blobs or doubles of a point. */
export function slotPosition(column: Column): number {
  return Number(column.slot.replace(/^\D+/, "")) - 1;
}

/** The longest prefix of `text` that is at most `maxBytes` of UTF-8. */
export function cutBytes(text: string, maxBytes: number): string {
  if (fitsSurely(text.length, maxBytes)) return text;
  const target = new Uint8Array(maxBytes);
  const { read } = encoder.encodeInto(text, target);
  return text.slice(0, read);
}

// A UTF-16 code unit is at most three bytes of UTF-8.
function fitsSurely(chars: number, maxBytes: number): boolean {
  return chars * 3 <= maxBytes;
}

function byteLength(text: string): number {
  return encoder.encode(text).byteLength;
}

// Cuts the longest texts to a common length until all fit, leaving room for the names in `cut`.
function cutToFit(blobs: string[], { blobs: names }: Layout): string[] {
  const sizes = names.map((name, i) => ({ name, text: blobs[i] ?? "", bytes: byteLength(blobs[i] ?? "") }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= ANALYTICS_LIMITS.maxBlobBytes) return blobs;
  const budget = ANALYTICS_LIMITS.maxBlobBytes - byteLength(names.join(" "));
  const longestFirst = sizes.toSorted((a, b) => b.bytes - a.bytes);
  for (let cuts = 1; cuts <= longestFirst.length; cuts++) {
    const rest = longestFirst.slice(cuts).reduce((sum, { bytes }) => sum + bytes, 0);
    const share = Math.floor((budget - rest) / cuts);
    if (share < (longestFirst[cuts]?.bytes ?? 0)) continue;
    const cutNames = longestFirst.slice(0, cuts).map(({ name }) => name);
    return sizes.map(({ name, text }) => {
      if (name === "cut") return cutNames.join(" ");
      return cutNames.includes(name) ? cutBytes(text, share) : text;
    });
  }
  return blobs;
}
