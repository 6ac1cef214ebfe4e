/** Lists of aggregate reports, and single ones. */
import * as v from "valibot";
import { rankOf, type SenderState, senderRank } from "../authentication/sender-state.ts";
import { combinePages, compareValues, type ListPage } from "./combine.ts";
import { lowered, type Parameter, type Query, query } from "./database.ts";
import { inScope, RECORD_KEY, type Scope, type SqlPart } from "./figure-sql.ts";
import { addressNeedle, addressToken } from "./figures.ts";
import { detailsColumn, REPORT_KINDS, REPORT_STATES } from "./report-rows.ts";
import { isFirstRow, isSpreadRow } from "./reports.ts";

/** A page of the list. */
export type ReportPage = ListPage<ReportTotals>;

/** Columns of `ListedReport`, as `LISTED` selects them. */
export const listedColumns = {
  reportUid: v.string(),
  account: v.string(),
  domain: v.string(),
  day: v.number(),
  reporter: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  receivedSeconds: v.number(),
};

const totalsColumns = {
  ...listedColumns,
  records: v.number(),
  messages: v.number(),
  passed: v.number(),
  /** Whether its mail proves who sent it, and for which domain. */
  senderState: senderRank,
  senderDomain: v.string(),
};
const listRow = v.object({ matching: v.number(), ...totalsColumns });

/** What every list of reports with a period says of each. */
export type ListedReport = v.InferOutput<ReturnType<typeof v.object<typeof listedColumns, undefined>>>;

/** One aggregate report, possibly without records. */
export type ReportTotals = v.InferOutput<ReturnType<typeof v.object<typeof totalsColumns, undefined>>>;

/** What the list is sorted by: columns of the page. */
const ORDERS = {
  begin: { sql: "beginSeconds", value: ({ beginSeconds }) => beginSeconds },
  reporter: { sql: "reporter", value: ({ reporter }) => reporter },
  records: { sql: "records", value: ({ records }) => records },
  messages: { sql: "messages", value: ({ messages }) => messages },
  dmarc_pass: {
    sql: "CASE WHEN messages > 0 THEN 1.0 * passed / messages ELSE -1 END",
    value: ({ messages, passed }) => (messages > 0 ? passed / messages : -1),
  },
  report_id: { sql: "reportId", value: ({ reportId }) => reportId },
  received: { sql: "receivedSeconds", value: ({ receivedSeconds }) => receivedSeconds },
} as const satisfies Record<string, { sql: string; value: (row: ReportTotals) => string | number }>;

export type ReportOrder = keyof typeof ORDERS;

/** All of them. */
export const REPORT_ORDERS = Object.keys(ORDERS) as ReportOrder[];

/** Whether a text names what the list can be sorted by. */
export function isReportOrder(text: string): text is ReportOrder {
  return Object.hasOwn(ORDERS, text);
}

/** Which reports; an empty text means all. */
export interface ReportFilter {
  reporter: string;
  /** fail: with failing messages; pass: without any. */
  result: "all" | "fail" | "pass";
  /** Only reports with this sender state; absent = all. */
  sender?: SenderState | undefined;
  /** Only reports with a record of this address, and only its figures. */
  sourceIp: string;
  /** Only reports whose reporter or report id contains this text. */
  text: string;
}

/** Which part of the list, in which order. */
export interface ReportList extends ReportFilter {
  order: ReportOrder;
  descending: boolean;
  limit: number;
  offset: number;
}

/** Aggregate reports of a scope. The answer is one row, the page; no row if there are none. */
export function reportsQuery(scope: Scope, list: ReportList): Query<ReportPage> {
  const { order, descending, limit, offset, reporter, result, text, sourceIp, sender } = list;
  const listed = sourceIp === "" ? allReports(scope) : reportsWith(scope, sourceIp);
  const isResult = { all: "true", fail: "messages > passed", pass: "messages = passed" }[result];
  const sql = `SELECT count(*) OVER () AS matching, listed.* FROM (${listed.sql}) listed
    WHERE (? = '' OR reporter = ?) AND ${isResult}
      AND ${sender === undefined ? "true" : `senderState = ${rankOf(sender)}`}
      AND (? = '' OR instr(lower(reporter), ?) > 0 OR instr(lower(reportId), ?) > 0)
    ORDER BY ${ORDERS[order].sql} ${descending ? "DESC" : "ASC"}, reportUid LIMIT ?`;
  const needle = lowered(text);
  const filter: Parameter[] = [reporter, reporter, needle, needle, needle];
  const read = ({ matching, ...row }: v.InferOutput<typeof listRow>): ReportPage => ({ matching, rows: [row] });
  return {
    ...query(sql, [...listed.parameters, ...filter, offset + limit], v.pipe(listRow, v.transform(read))),
    combine: (parts) => [combinePages(parts, compareBy(list), list)],
  };
}

function compareBy({ order, descending }: ReportList): (a: ReportTotals, b: ReportTotals) => number {
  const { value } = ORDERS[order];
  const sign = descending ? -1 : 1;
  return (a, b) => sign * compareValues(value(a), value(b));
}

// The report's own sums, even if only some of its days are in the scope.
const WHOLE = `CASE WHEN ${isSpreadRow("r")} THEN r.details -> '$.whole' END`;

/** The columns of `ListedReport` of a row of reports, `r`. */
export const LISTED = `lower(hex(r.uid)) AS reportUid, r.account, r.domain, r.day, r.reporter, r.report_id AS reportId,
  r.begin_seconds AS beginSeconds, r.end_seconds AS endSeconds, r.received_seconds AS receivedSeconds`;

const PLACE = `${LISTED}, r.sender_rank AS senderState, r.sender_domain AS senderDomain`;

function allReports(scope: Scope): SqlPart {
  const where = inScope("r", "aggregate", scope);
  return {
    sql: `SELECT ${PLACE}, coalesce(${WHOLE} ->> 'records', r.records) AS records,
        coalesce(${WHOLE} ->> 'total', r.total) AS messages, coalesce(${WHOLE} ->> 'passed', r.passed) AS passed
      FROM reports r WHERE ${where.sql} AND r.state = 'accepted' AND ${isFirstRow("r", scope.firstDay)}`,
    parameters: where.parameters,
  };
}

/** Reports with an address; `records` counts its figures on the scope's days, where equal records are one. */
function reportsWith(scope: Scope, sourceIp: string): SqlPart {
  const where = inScope("r", "aggregate", scope);
  const needle = addressNeedle(sourceIp);
  const figuresOf = (from: string, text: string): string => `SELECT r.account AS account, r.domain AS domain,
      r.day AS day, r.uid AS uid, f.key AS key, f.value AS value
    FROM reports r ${from} JOIN json_each(${text}) f
    WHERE ${where.sql} AND r.state = 'accepted' AND instr(${text}, ?) > 0 AND instr(f.key, ?) > 0`;
  return {
    sql: `SELECT ${PLACE}, s.records, s.messages, s.passed FROM (
        SELECT account, domain, min(day) AS day, uid, count(DISTINCT key) AS records, sum(value) AS messages,
          sum(CASE WHEN ${RECORD_KEY.isPass} THEN value ELSE 0 END) AS passed
        FROM (${figuresOf("", "r.figures")}
          UNION ALL ${figuresOf("JOIN report_figures c ON c.reading = r.reading", "c.figures")})
        WHERE ${RECORD_KEY.address} = ? GROUP BY account, domain, uid) s
      JOIN reports r ON r.account = s.account AND r.kind = 'aggregate' AND r.domain = s.domain AND r.day = s.day
        AND r.uid = s.uid`,
    parameters: [...where.parameters, needle, needle, ...where.parameters, needle, needle, addressToken(sourceIp)],
  };
}

/** The reporters in a scope by name, at most `limit`. */
export function reportersQuery(scope: Scope, limit: number): Query<string> {
  const where = inScope("r", "aggregate", scope);
  return {
    ...query(
      `SELECT DISTINCT r.reporter FROM reports r WHERE ${where.sql} AND r.state = 'accepted'
      ORDER BY r.reporter LIMIT ?`,
      [...where.parameters, limit],
      v.pipe(
        v.object({ reporter: v.string() }),
        v.transform(({ reporter }) => reporter),
      ),
    ),
    combine: (parts) => [...new Set(parts.flat())].sort().slice(0, limit),
  };
}

const storedColumns = v.object({
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  day: v.number(),
  reportUid: v.string(),
  generation: v.number(),
  reporter: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  receivedSeconds: v.number(),
  rua: v.string(),
  rawKey: v.string(),
  part: v.string(),
  state: v.picklist(REPORT_STATES),
  records: v.number(),
  /** Messages, sessions or incidents, depending on the kind. */
  total: v.number(),
  passed: v.number(),
  policy: v.string(),
  senderState: senderRank,
  senderDomain: v.string(),
  details: detailsColumn,
});

// All rows of an aggregate report are about one domain, so its sums are those of all rows together.
const storedRow = v.pipe(
  storedColumns,
  v.transform((row) => ({ ...row, ...(row.details.kind === "aggregate" ? row.details.whole : undefined) })),
);

/** One report as stored for one domain, without its records; for a TLS report, what it counts on one day. */
export type StoredReport = v.InferOutput<typeof storedRow>;

/** How far a report's own day may be from the day in a link: a long period counts for its middle. */
const DAYS_AROUND = { before: 1, after: 40 } as const;

/** A report in a link; the day may be the one its period begins on. */
export interface ReportLink {
  account: string;
  domain: string;
  day: number;
  uid: string;
  /** Include a report that was taken back. */
  withTakenBack?: boolean;
}

/** The report of a link, of any kind: one row or none. A malformed link finds nothing. */
export function reportQuery({ account, domain, day, uid, withTakenBack = false }: ReportLink): Query<StoredReport> {
  return query(
    `SELECT account, kind, domain, day, lower(hex(uid)) AS reportUid, generation, reporter, report_id AS reportId,
      begin_seconds AS beginSeconds, end_seconds AS endSeconds, received_seconds AS receivedSeconds, rua,
      raw_key AS rawKey, part, state, records, total, passed, policy, sender_rank AS senderState,
      sender_domain AS senderDomain, details
    FROM reports
    WHERE account = ?1 AND kind IN ('aggregate', 'tls', 'failure') AND domain = ?2 AND day BETWEEN ?3 AND ?4
      AND uid = unhex(?5) AND (state = 'accepted' OR state = ?7)
    ORDER BY abs(day - ?6) LIMIT 1`,
    [
      account,
      domain,
      day - DAYS_AROUND.before,
      day + DAYS_AROUND.after,
      uid,
      day,
      withTakenBack ? "taken_back" : "accepted",
    ],
    storedRow,
  );
}

/** The rows of a report for its other domains and days. */
export function reportRowsQuery(account: string, uid: string, spread: readonly (readonly [string, number])[]) {
  return query(
    `SELECT r.account, r.kind, r.domain, r.day, lower(hex(r.uid)) AS reportUid, r.generation, r.reporter,
      r.report_id AS reportId, r.begin_seconds AS beginSeconds, r.end_seconds AS endSeconds,
      r.received_seconds AS receivedSeconds, r.rua, r.raw_key AS rawKey, r.part, r.state, r.records, r.total, r.passed, r.policy,
      r.sender_rank AS senderState, r.sender_domain AS senderDomain, r.details
    FROM json_each(?1) w
    JOIN reports r ON r.account = ?2 AND r.kind = 'tls' AND r.domain = w.value ->> 0 AND r.day = w.value ->> 1
      AND r.uid = unhex(?3) AND r.state = 'accepted'`,
    [JSON.stringify(spread), account, uid],
    storedRow,
  );
}
