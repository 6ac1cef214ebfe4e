/**
 * Queries about one source of mail in a domain's name: its groups and days, and the newest reports that name it. As in
 * sources.ts, related questions are one statement.
 */
import * as v from "valibot";
import { sumRows } from "./combine.ts";
import { type Parameter, type Query, query } from "./database.ts";
import { figuresIn, RECORD_KEY, type SqlPart } from "./figure-sql.ts";
import { addressNeedle, addressToken, domainNeedles, readAuthText, readRecordKey } from "./figures.ts";
import { addFigures, type DomainScope, type GroupFigures, SOURCE_LIMITS } from "./sources.ts";

/**
 * Which records belong to a source: those with its address, or with authentication results for its domain or a
 * subdomain.
 */
export type SourceMatch = { sourceIp: string } | { domain: string };

/** The texts to search the figures of a source for. */
function needlesOf(match: SourceMatch, policyDomain: string): string[] {
  return "sourceIp" in match ? [addressNeedle(match.sourceIp)] : domainNeedles(match.domain, policyDomain);
}

/** A table expression of the figures of a source, with the columns of `figuresIn`. */
function matchingFigures(scope: DomainScope, match: SourceMatch): SqlPart {
  const found = figuresIn("aggregate", scope, needlesOf(match, scope.domains[0]));
  const exact = exactly(match);
  return {
    sql: `(SELECT account, domain, day, key, value, isCounted FROM ${found.sql} WHERE ${exact.sql})`,
    parameters: [...found.parameters, ...exact.parameters],
  };
}

/** A further condition on the `key` of a source's figures; for domains the caller checks exactly. */
function exactly(match: SourceMatch): SqlPart {
  if (!("sourceIp" in match)) return { sql: "true", parameters: [] };
  return { sql: `${RECORD_KEY.address} = ?`, parameters: [addressToken(match.sourceIp)] };
}

/** Records of a source with the same address, results and From domain. */
export interface SourceDetail extends GroupFigures {
  sourceIp: string;
  dkimResults: string;
  spfResults: string;
  headerFrom: string;
  envelopeFrom: string;
}

/** Messages of one day with the same results. */
export interface SourceDay {
  day: number;
  dkimResults: string;
  spfResults: string;
  messages: number;
  passed: number;
}

/** The data about a source. */
export interface SourceFigures {
  /** The largest first. */
  groups: SourceDetail[];
  /** Of the scope's days, oldest first. */
  days: SourceDay[];
}

const sourceRow = v.object({
  what: v.picklist(["group", "day"]),
  day: v.number(),
  text: v.string(),
  messages: v.number(),
  passed: v.number(),
  uncounted: v.number(),
  firstDay: v.number(),
  lastDay: v.number(),
});

/**
 * The groups a source is made of, and its messages by day. A domain is matched as text, so check each row's results
 * exactly. Sums cover the scope's days; first and last seen cover all kept details. The answer is one row.
 */
export function sourceQuery(scope: DomainScope, match: SourceMatch): Query<SourceFigures> {
  const [policyDomain] = scope.domains;
  const { firstDay = 0, lastDay = Number.MAX_SAFE_INTEGER, ...always } = scope;
  const found = matchingFigures(always, match);
  const { maxGroups, maxDayGroups } = SOURCE_LIMITS;
  const sql = `WITH found AS MATERIALIZED (SELECT day, key, sum(value) AS value,
      sum(CASE WHEN isCounted THEN 0 ELSE value END) AS doubted FROM ${found.sql} GROUP BY day, key)
    SELECT * FROM (SELECT 'group' AS what, 0 AS day, key AS text,
        sum(CASE WHEN found.day BETWEEN ? AND ? THEN value ELSE 0 END) AS messages,
        0 AS passed, sum(CASE WHEN found.day BETWEEN ? AND ? THEN doubted ELSE 0 END) AS uncounted,
        min(found.day) AS firstDay, max(found.day) AS lastDay
      FROM found GROUP BY key ORDER BY messages DESC, key LIMIT ${maxGroups})
    UNION ALL
    SELECT * FROM (SELECT 'day', day, ${RECORD_KEY.auth} AS auth, sum(value),
        sum(CASE WHEN ${RECORD_KEY.isPass} THEN value ELSE 0 END), sum(doubted), 0, 0
      FROM found WHERE day BETWEEN ? AND ? GROUP BY day, auth ORDER BY day LIMIT ${maxDayGroups})`;
  const read = (row: v.InferOutput<typeof sourceRow>): SourceFigures => readSourceRow(row, policyDomain);
  return {
    ...query(
      sql,
      [...found.parameters, firstDay, lastDay, firstDay, lastDay, firstDay, lastDay],
      v.pipe(sourceRow, v.transform(read)),
    ),
    combine: (parts) => [
      combineSource(
        parts.map((rows) => ({
          groups: rows.flatMap(({ groups }) => groups),
          days: rows.flatMap(({ days }) => days),
        })),
      ),
    ],
  };
}

function readSourceRow(row: v.InferOutput<typeof sourceRow>, policyDomain: string): SourceFigures {
  const { what, day, text, messages, passed, uncounted, firstDay, lastDay } = row;
  if (what === "day") return { groups: [], days: [{ day, ...readAuthText(text, policyDomain), messages, passed }] };
  const { dkim, spf, disposition, reasons, ...group } = readRecordKey(text, policyDomain);
  const isPass = dkim === "pass" || spf === "pass";
  const when = (condition: boolean): number => (condition ? messages : 0);
  return {
    days: [],
    groups: [
      {
        ...group,
        messages,
        passed: when(isPass),
        dkimAligned: when(dkim === "pass"),
        spfAligned: when(spf === "pass"),
        quarantined: when(disposition === "quarantine"),
        rejected: when(disposition === "reject"),
        spared: when(!isPass && reasons !== ""),
        uncounted,
        firstDay,
        lastDay,
      },
    ],
  };
}

function combineSource(parts: SourceFigures[]): SourceFigures {
  return {
    groups: sumRows(
      // Even in one database, several keys may belong to the same group.
      [...parts.map(({ groups }) => groups), []],
      ({ sourceIp, dkimResults, spfResults, headerFrom, envelopeFrom }) =>
        JSON.stringify([sourceIp, dkimResults, spfResults, headerFrom, envelopeFrom]),
      (a, b) => ({ ...a, ...addFigures(a, b) }),
    )
      .filter(({ messages }) => messages > 0)
      .sort((a, b) => b.messages - a.messages),
    days: parts.flatMap(({ days }) => days).sort((a, b) => a.day - b.day),
  };
}

/** A report's sums for records with the same results. */
export interface SourceReport {
  reportUid: string;
  account: string;
  domain: string;
  day: number;
  reporter: string;
  beginSeconds: number;
  endSeconds: number;
  dkimResults: string;
  spfResults: string;
  messages: number;
  passed: number;
}

/** Equal records of one report. */
export interface SourceRecord {
  reportUid: string;
  account: string;
  domain: string;
  day: number;
  reporter: string;
  sourceIp: string;
  messages: number;
  disposition: string;
  dkim: string;
  spf: string;
  isPass: boolean;
  headerFrom: string;
  envelopeFrom: string;
  dkimResults: string;
  spfResults: string;
  reasons: string;
}

/** The newest reports about a source, and records of them. */
export interface SourceReports {
  reports: SourceReport[];
  records: SourceRecord[];
}

const reportRow = v.object({
  what: v.picklist(["report", "record"]),
  reportUid: v.string(),
  account: v.string(),
  domain: v.string(),
  day: v.number(),
  reporter: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  text: v.string(),
  messages: v.number(),
  passed: v.number(),
});

/**
 * The newest reports that name a source, at most `maxReports`, and their figures; a domain is matched as in
 * `sourceQuery`. Its answer is one row.
 *
 * @param days the days on which `sourceQuery` found the source; others are not read
 */
export function sourceReportsQuery(
  scope: DomainScope,
  { match, days }: { match: SourceMatch; days: readonly number[] },
): Query<SourceReports> {
  const [policyDomain] = scope.domains;
  const needles = needlesOf(match, policyDomain);
  const holds = (text: string): string => `(${needles.map(() => `instr(${text}, ?) > 0`).join(" OR ")})`;
  const exact = exactly(match);
  const { maxReports, maxRecords } = SOURCE_LIMITS;
  const place = "uid, account, domain, day, reporter, begin_seconds, end_seconds";
  const figure = `${place}, key, value FROM newest JOIN`;
  const sql = `WITH
    newest AS MATERIALIZED (
      SELECT ${place}, figures, reading FROM reports r
      WHERE account IN (SELECT value FROM json_each(?)) AND kind = 'aggregate' AND domain = ?
        AND day IN (SELECT value FROM json_each(?)) AND state = 'accepted'
        AND (${holds("figures")} OR reading IS NOT NULL AND EXISTS
          (SELECT 1 FROM report_figures c WHERE c.reading = r.reading AND ${holds("c.figures")}))
      ORDER BY day DESC, end_seconds DESC, uid LIMIT ${maxReports}),
    found AS MATERIALIZED (
      SELECT * FROM (
        SELECT ${figure} json_each(newest.figures) f
        UNION ALL
        SELECT ${figure} report_figures c ON c.reading = newest.reading JOIN json_each(c.figures) f)
      WHERE ${holds("key")} AND ${exact.sql})
    SELECT * FROM (SELECT 'report' AS what, lower(hex(uid)) AS reportUid, account, domain, max(day) AS day, reporter,
        begin_seconds AS beginSeconds, end_seconds AS endSeconds, ${RECORD_KEY.auth} AS text, sum(value) AS messages,
        sum(CASE WHEN ${RECORD_KEY.isPass} THEN value ELSE 0 END) AS passed
      FROM found GROUP BY uid, account, domain, text ORDER BY day DESC, endSeconds DESC, uid)
    UNION ALL
    SELECT * FROM (SELECT 'record', lower(hex(uid)), account, domain, max(day) AS day, reporter, begin_seconds,
        end_seconds, key, sum(value) AS messages, 0
      FROM found GROUP BY uid, account, domain, key ORDER BY day DESC, messages DESC, uid LIMIT ${5 * maxRecords})`;
  const parameters: Parameter[] = [
    JSON.stringify(scope.accounts),
    policyDomain,
    JSON.stringify(days),
    ...needles,
    ...needles,
    ...needles,
    ...exact.parameters,
  ];
  const read = (row: v.InferOutput<typeof reportRow>): SourceReports => readReportRow(row, policyDomain);
  return {
    ...query(sql, parameters, v.pipe(reportRow, v.transform(read))),
    combine: (parts) => {
      const rows = parts.flat();
      return [
        {
          reports: rows.flatMap(({ reports }) => reports).sort((a, b) => b.day - a.day || b.endSeconds - a.endSeconds),
          records: rows.flatMap(({ records }) => records).sort((a, b) => b.day - a.day || b.messages - a.messages),
        },
      ];
    },
  };
}

function readReportRow(row: v.InferOutput<typeof reportRow>, policyDomain: string): SourceReports {
  const { what, text, messages, passed, beginSeconds, endSeconds, ...place } = row;
  if (what === "record") {
    const figure = readRecordKey(text, policyDomain);
    const isPass = figure.dkim === "pass" || figure.spf === "pass";
    return { reports: [], records: [{ ...place, ...figure, messages, isPass }] };
  }
  const results = readAuthText(text, policyDomain);
  return { reports: [{ ...place, beginSeconds, endSeconds, ...results, messages, passed }], records: [] };
}
