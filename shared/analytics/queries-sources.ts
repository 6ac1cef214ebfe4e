/** Statements of the pages Sources, Source and Address. Pure; see queries.ts for the rules they keep. */
import { newestRows, numberOf, type Query, type Scope, slotsOf, textOf } from "./collapse.ts";
import { dispositionIs, FLAGS, flagIs, MESSAGES } from "./figures.ts";
import { type AnswerRow, quoteText } from "./queries.ts";
import { RECORD_COLUMNS_SHOWN, RECORD_FIELDS, type RecordRow, readRecord } from "./queries-records.ts";

/** Ours: most groups and records one statement returns; pages say when it was reached. */
export const SOURCE_LIMITS = { maxGroups: 5000, maxRecords: 200 } as const;

/** Figures of a group of records; the days tell when it was seen in all the data, the sums are of the period. */
export interface GroupFigures {
  messages: number;
  passed: number;
  dkimAligned: number;
  spfAligned: number;
  quarantined: number;
  rejected: number;
  /** Failing messages whose receiver gave a reason for sparing them. */
  spared: number;
  firstDay: number;
  lastDay: number;
}

/** Records with the same authentication results. */
export interface SourceGroup extends GroupFigures {
  /** `domain selector result`, one a line, as columns.ts writes it; "" where nothing passed. */
  dkimResults: string;
  spfResults: string;
  /** Only where nothing passed: the address. */
  sourceIp: string;
}

const records = slotsOf("records");
const FIGURES = [MESSAGES, FLAGS] as const;
const MATCHED = ["sourceIp", "dkimResults", "spfResults"] as const;

/** What mail is grouped by, as one text: results with an empty line between; the address where nothing passed. */
const SOURCE_KEY = {
  name: "sourceKey",
  of: `if(${records.authDomain} = '', ${records.sourceIp}, format('{}\\n\\n{}', ${records.dkimResults}, ${records.spfResults}))`,
};

/**
 * Mail grouped by what authenticated it, the address where nothing did. Sums are of `firstDay` to `lastDay`; groups are
 * looked for in all the data, so that one that is new can be told from one seen before.
 */
export function sourcesQuery(scope: Scope): Query<SourceGroup> {
  return {
    sql: [
      `SELECT sourceKey, ${figures(scope)}`,
      `FROM ${newestRows("records", [...FIGURES, SOURCE_KEY], withoutDays(scope))}`,
      `WHERE ${flagIs("live", true)}`,
      "GROUP BY sourceKey",
      `HAVING messages > 0 ORDER BY messages DESC, sourceKey LIMIT ${SOURCE_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({ ...readSourceKey(textOf(row, "sourceKey")), ...readFigures(row) }),
  };
}

// No line of results is empty, so the first empty line is the one between; before it, a cut text may end in a line break.
function readSourceKey(key: string): Pick<SourceGroup, "dkimResults" | "spfResults" | "sourceIp"> {
  const end = key.indexOf("\n\n");
  if (end < 0) return { dkimResults: "", spfResults: "", sourceIp: key };
  return { dkimResults: key.slice(0, end), spfResults: key.slice(end + 2).trimStart(), sourceIp: "" };
}

/** Which records belong to a source: its address, or a text that its authentication results hold. */
export type SourceMatch = { sourceIp: string } | { domain: string };

/** Records of one source with the same address, results and From domain. */
export interface SourceDetail extends GroupFigures {
  sourceIp: string;
  dkimResults: string;
  spfResults: string;
  headerFrom: string;
  envelopeFrom: string;
}

/** The groups a source is made of. A domain is matched as text: tell exactly by the results of each row. */
export function sourceDetailQuery(scope: Scope, match: SourceMatch): Query<SourceDetail> {
  const rows = newestRows(
    "records",
    [...FIGURES, ...MATCHED, "headerFrom", "envelopeFrom"],
    narrowed(withoutDays(scope), match),
  );
  return {
    sql: [
      "SELECT sourceIp, dkimResults, spfResults, headerFrom, envelopeFrom,",
      `  ${figures(scope)}`,
      `FROM ${rows}`,
      `WHERE weight > 0 AND ${matches(match)}`,
      "GROUP BY sourceIp, dkimResults, spfResults, headerFrom, envelopeFrom",
      `HAVING messages > 0 ORDER BY messages DESC, sourceIp LIMIT ${SOURCE_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      sourceIp: textOf(row, "sourceIp"),
      dkimResults: textOf(row, "dkimResults"),
      spfResults: textOf(row, "spfResults"),
      headerFrom: textOf(row, "headerFrom"),
      envelopeFrom: textOf(row, "envelopeFrom"),
      ...readFigures(row),
    }),
  };
}

/** Messages of one day with the same results. */
export interface SourceDay {
  day: number;
  dkimResults: string;
  spfResults: string;
  messages: number;
  passed: number;
}

/** A source's messages by day and results; a domain is matched as in `sourceDetailQuery`. */
export function sourceDaysQuery(scope: Scope, match: SourceMatch): Query<SourceDay> {
  const rows = newestRows("records", [...FIGURES, ...MATCHED], narrowed(scope, match));
  return {
    sql: [
      "SELECT day, dkimResults, spfResults, sum(messageCount) AS messages,",
      `  sum(if(${flagIs("passed", true)}, messageCount, 0)) AS passedMessages`,
      `FROM ${rows}`,
      `WHERE weight > 0 AND ${matches(match)}`,
      `GROUP BY day, dkimResults, spfResults ORDER BY day LIMIT ${SOURCE_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      day: numberOf(row, "day"),
      dkimResults: textOf(row, "dkimResults"),
      spfResults: textOf(row, "spfResults"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passedMessages"),
    }),
  };
}

/** The newest records of a source. */
export function sourceRecordsQuery(scope: Scope, match: SourceMatch): Query<RecordRow> {
  return {
    sql: [
      `SELECT ${RECORD_FIELDS}`,
      `FROM ${newestRows("records", RECORD_COLUMNS_SHOWN, narrowed(scope, match))}`,
      `WHERE weight > 0 AND ${matches(match)}`,
      `ORDER BY day DESC, mails DESC, reportUid, ordinal LIMIT ${SOURCE_LIMITS.maxRecords}`,
    ].join("\n"),
    read: readRecord,
  };
}

/** What one report says of records with the same results. */
export interface SourceReport {
  reportUid: string;
  account: string;
  domain: string;
  reporter: string;
  beginSeconds: number;
  endSeconds: number;
  dkimResults: string;
  spfResults: string;
  messages: number;
  passed: number;
}

/** The reports behind a source, the newest first; a domain is matched as in `sourceDetailQuery`. */
export function sourceReportsQuery(scope: Scope, match: SourceMatch): Query<SourceReport> {
  const columns = ["account", "domain", "reporter", "beginSeconds", "endSeconds"] as const;
  const groups = "reportUid, account, domain, reporter, beginSeconds, endSeconds, dkimResults, spfResults";
  return {
    sql: [
      `SELECT ${groups}, sum(messageCount) AS messages,`,
      `  sum(if(${flagIs("passed", true)}, messageCount, 0)) AS passedMessages`,
      `FROM ${newestRows("records", [...columns, ...MATCHED, ...FIGURES], narrowed(scope, match))}`,
      `WHERE weight > 0 AND ${matches(match)}`,
      `GROUP BY ${groups}`,
      `ORDER BY endSeconds DESC, reportUid LIMIT ${SOURCE_LIMITS.maxGroups}`,
    ].join("\n"),
    read: (row) => ({
      reportUid: textOf(row, "reportUid"),
      account: textOf(row, "account"),
      domain: textOf(row, "domain"),
      reporter: textOf(row, "reporter"),
      beginSeconds: numberOf(row, "beginSeconds"),
      endSeconds: numberOf(row, "endSeconds"),
      dkimResults: textOf(row, "dkimResults"),
      spfResults: textOf(row, "spfResults"),
      messages: numberOf(row, "messages"),
      passed: numberOf(row, "passedMessages"),
    }),
  };
}

const COLLAPSED = { sourceIp: "sourceIp", dkimResults: "dkimResults", spfResults: "spfResults" };

function matches(match: SourceMatch, columns = COLLAPSED): string {
  if ("sourceIp" in match) return `${columns.sourceIp} = ${quoteText(match.sourceIp)}`;
  const needle = quoteText(match.domain);
  return `(position(${columns.dkimResults}, ${needle}) > 0 OR position(${columns.spfResults}, ${needle}) > 0)`;
}

function narrowed(scope: Scope, match: SourceMatch): Scope {
  return { ...scope, firstNarrow: matches(match, slotsOf("records")) };
}

function figures({ firstDay = 0, lastDay = 100_000 }: Scope): string {
  const inPeriod = `day >= ${firstDay} AND day <= ${lastDay}`;
  const sumIf = (condition: string, name: string): string =>
    `sum(if(${inPeriod}${condition === "" ? "" : ` AND ${condition}`}, messageCount, 0)) AS ${name}`;
  return [
    sumIf("", "messages"),
    sumIf(flagIs("passed", true), "passedMessages"),
    sumIf(flagIs("dkimAligned", true), "dkimAligned"),
    sumIf(flagIs("spfAligned", true), "spfAligned"),
    sumIf(dispositionIs("quarantine"), "quarantined"),
    sumIf(dispositionIs("reject"), "rejected"),
    sumIf(`${flagIs("passed", false)} AND ${flagIs("reasons", true)}`, "spared"),
    "min(day) AS firstSeenDay",
    "max(day) AS lastSeenDay",
  ].join(",\n  ");
}

function readFigures(row: AnswerRow): GroupFigures {
  return {
    messages: numberOf(row, "messages"),
    passed: numberOf(row, "passedMessages"),
    dkimAligned: numberOf(row, "dkimAligned"),
    spfAligned: numberOf(row, "spfAligned"),
    quarantined: numberOf(row, "quarantined"),
    rejected: numberOf(row, "rejected"),
    spared: numberOf(row, "spared"),
    firstDay: numberOf(row, "firstSeenDay"),
    lastDay: numberOf(row, "lastSeenDay"),
  };
}

function withoutDays(scope: Scope): Scope {
  return { ...scope, firstDay: undefined, lastDay: undefined };
}
