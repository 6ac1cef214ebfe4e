/**
 * Queries about who sends mail in a domain's name, from figures. Related questions of a page are one statement, because
 * parsing figures is what costs: each figure of the scope is read once and then grouped in several ways.
 */
import * as v from "valibot";
import { GUIDANCE_LIMITS } from "../limits.ts";
import type { Disposition } from "../report/vocabulary.ts";
import { sumRows } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { figuresIn, RECORD_KEY, type Scope, type SqlPart } from "./figure-sql.ts";
import {
  type RecordFigure,
  readAddressToken,
  readAuthText,
  readDisposition,
  readReasons,
  readRecordKey,
} from "./figures.ts";

/** The scope of one policy domain, whose name figures leave out. */
export type DomainScope = Scope & { domains: readonly [domain: string] };

/** The most groups of each kind that a statement returns (our choice); pages say when it was reached. */
export const SOURCE_LIMITS = {
  maxGroups: 5000,
  maxReasons: 2000,
  /** Days and results of a source. */
  maxDayGroups: 20_000,
  /** The newest reports about a source, and single figures of them. */
  maxReports: 100,
  maxRecords: 200,
} as const;

/** Columns of `SUMS`. */
export const figures = {
  messages: v.number(),
  passed: v.number(),
  dkimAligned: v.number(),
  spfAligned: v.number(),
  quarantined: v.number(),
  rejected: v.number(),
  /** Failing messages that the receiver let through with a reason. */
  spared: v.number(),
  /** Of the messages, those only in reports that the verdict does not count (authentication/sender-state.ts). */
  uncounted: v.number(),
  firstDay: v.number(),
  lastDay: v.number(),
};

/** Sums of a group of records over the period; the days say when it was first and last seen in all kept details. */
export type GroupFigures = v.InferOutput<ReturnType<typeof v.object<typeof figures, undefined>>>;

/** Records with the same authentication results. */
export interface SourceGroup extends GroupFigures {
  /** `domain selector result`, one per line; "" if nothing passed. */
  dkimResults: string;
  spfResults: string;
  /** The address, only if nothing passed. */
  sourceIp: string;
}

/** The dispositions of messages. */
export interface DispositionTotals {
  disposition: Disposition;
  messages: number;
  passed: number;
}

/** Messages with one disposition and one list of override reasons (`type comment`, one per line). */
export interface ReasonTotals {
  reasons: string;
  disposition: Disposition;
  messages: number;
}

/**
 * Records grouped as the verdict needs them, without envelope from. The address is present if nothing authenticated the
 * mail, and for passing mail if unauthenticated mail came from the same address.
 */
export interface Evidence extends Omit<RecordFigure, "envelopeFrom"> {
  messages: number;
  /** The parts of the period with any mail, as bits: bit 0 is the first of `PERIOD_PARTS` equal parts. */
  activeParts: number;
  firstDay: number;
  lastDay: number;
}

/** Three days each for a period of a month, so that mail sent every working day is in all of them (our choice). */
export const PERIOD_PARTS = 10;

/** A domain's mail over a period, grouped for its pages; every list has the largest first. */
export interface Mail {
  /** The largest `maxGroups` groups of failing and of passing mail each. */
  evidence: Evidence[];
  sources: SourceGroup[];
  dispositions: DispositionTotals[];
  reasons: ReasonTotals[];
  /** Addresses that mail passing SPF as the domain came from: a few, in no order where there are several databases. */
  homeAddresses: string[];
}

const SOURCE = `CASE WHEN ${RECORD_KEY.isAuthenticated} THEN ${RECORD_KEY.auth} ELSE ${RECORD_KEY.address} END`;

/** Sums over rows of `keys` (key, counted, doubted, firstDay, lastDay). */
export const SUMS = `sum(counted) AS messages,
  sum(CASE WHEN ${RECORD_KEY.isPass} THEN counted ELSE 0 END) AS passed,
  sum(CASE WHEN ${RECORD_KEY.dkim} = 'p' THEN counted ELSE 0 END) AS dkimAligned,
  sum(CASE WHEN ${RECORD_KEY.spf} = 'p' THEN counted ELSE 0 END) AS spfAligned,
  sum(CASE WHEN ${RECORD_KEY.disposition} = 'q' THEN counted ELSE 0 END) AS quarantined,
  sum(CASE WHEN ${RECORD_KEY.disposition} = 'r' THEN counted ELSE 0 END) AS rejected,
  sum(CASE WHEN NOT ${RECORD_KEY.isPass} AND ${RECORD_KEY.hasReasons} THEN counted ELSE 0 END) AS spared,
  sum(doubted) AS uncounted,
  min(firstDay) AS firstDay, max(lastDay) AS lastDay`;

/** Bitwise OR over the rows, for which SQLite has no aggregate. */
const ACTIVE_PARTS = Array.from({ length: PERIOD_PARTS }, (_, part) => `max(parts & ${2 ** part})`).join(" + ");

/** Reduced keys (see `Evidence`) with the columns of `keys`. */
const EVIDENCE = `SELECT CASE
    WHEN isPass THEN 'n' || substr(key, 2, 2) || '10' || ${RECORD_KEY.auth} || '|' ||
      CASE WHEN ${RECORD_KEY.address} IN (SELECT address FROM strangers) THEN ${RECORD_KEY.address} ELSE '' END ||
      '|' || ${RECORD_KEY.from} || '||'
    WHEN ${RECORD_KEY.isAuthenticated} THEN substr(key, 1, instr(key, '|')) || '|' || ${RECORD_KEY.from} || '||' ||
      ${RECORD_KEY.reasons}
    ELSE key END AS text, isPass, key, counted, doubted, firstDay, lastDay, parts
  FROM (SELECT *, ${RECORD_KEY.isPass} AS isPass FROM keys WHERE counted > 0)`;

const mailRow = v.object({
  what: v.picklist(["source", "disposition", "reasons", "evidence", "home"]),
  text: v.string(),
  /** For a source: 1 if something authenticated it. For reasons: the letter of the disposition. */
  more: v.union([v.string(), v.number()]),
  /** For evidence: its parts of the period. */
  parts: v.number(),
  ...figures,
});

/**
 * A domain's mail over a period by source, disposition and override reasons. Sums cover the scope's days; sources are
 * looked up in all kept details, so that new ones can be recognised. The answer is one row.
 */
export function mailQuery(scope: DomainScope): Query<Mail> {
  const [policyDomain] = scope.domains;
  const keys = keysOf(scope);
  const { maxGroups, maxReasons } = SOURCE_LIMITS;
  const evidence = (isPass: 0 | 1): string => `SELECT * FROM (SELECT 'evidence', text, '', ${ACTIVE_PARTS}, ${SUMS}
      FROM evidence WHERE isPass = ${isPass} GROUP BY text ORDER BY messages DESC, text LIMIT ${maxGroups})`;
  // D1 takes five terms in one UNION, so the parts of the evidence are a separate one.
  const sql = `WITH keys AS MATERIALIZED (${keys.sql}),
    strangers AS MATERIALIZED (SELECT DISTINCT ${RECORD_KEY.address} AS address FROM keys
      WHERE counted > 0 AND NOT ${RECORD_KEY.isAuthenticated}),
    evidence AS MATERIALIZED (${EVIDENCE})
    SELECT * FROM (SELECT 'source' AS what, ${SOURCE} AS text, ${RECORD_KEY.isAuthenticated} AS more, 0 AS parts, ${SUMS}
      FROM keys GROUP BY text, more ORDER BY messages DESC, text LIMIT ${maxGroups})
    UNION ALL
    SELECT * FROM (SELECT 'disposition', ${RECORD_KEY.disposition} AS letter, '', 0, ${SUMS}
      FROM keys GROUP BY letter HAVING messages > 0)
    UNION ALL
    SELECT * FROM (SELECT 'reasons', ${RECORD_KEY.reasons} AS reasons, ${RECORD_KEY.disposition} AS letter, 0, ${SUMS}
      FROM keys WHERE ${RECORD_KEY.hasReasons} GROUP BY reasons, letter HAVING messages > 0
      ORDER BY messages DESC, reasons LIMIT ${maxReasons})
    UNION ALL
    SELECT * FROM (SELECT 'home', ${RECORD_KEY.address} AS address, '', 0, ${SUMS}
      FROM keys WHERE counted > 0 AND ${RECORD_KEY.spf} = 'p' GROUP BY address
      ORDER BY messages DESC, address LIMIT ${GUIDANCE_LIMITS.maxHomeAddresses})
    UNION ALL
    SELECT * FROM (${evidence(0)} UNION ALL ${evidence(1)})`;
  const read = (row: v.InferOutput<typeof mailRow>): Mail => readMailRow(row, policyDomain);
  return {
    ...query(sql, keys.parameters, v.pipe(mailRow, v.transform(read))),
    combine: (parts) => [combineMail(parts.map((rows) => joinMail(rows)))],
  };
}

/** Figures of a scope's domain by key: messages on its days, and when the key was seen in all kept details. */
export function keysOf(scope: DomainScope): SqlPart {
  const { firstDay = 0, lastDay = Number.MAX_SAFE_INTEGER, ...always } = scope;
  const found = figuresIn("aggregate", always);
  return {
    sql: `SELECT key, sum(CASE WHEN parts > 0 THEN value ELSE 0 END) AS counted,
        sum(CASE WHEN parts > 0 AND NOT isCounted THEN value ELSE 0 END) AS doubted,
        min(day) AS firstDay, max(day) AS lastDay, ${ACTIVE_PARTS} AS parts
      FROM (SELECT key, value, day, isCounted,
          CASE WHEN day BETWEEN ? AND ? THEN 1 << ((day - ?) * ${PERIOD_PARTS} / ?) ELSE 0 END AS parts
        FROM ${found.sql}) GROUP BY key`,
    parameters: [firstDay, lastDay, firstDay, lastDay - firstDay + 1, ...found.parameters],
  };
}

const NO_MAIL: Mail = { sources: [], dispositions: [], reasons: [], evidence: [], homeAddresses: [] };

function readMailRow({ what, text, more, parts, ...sums }: v.InferOutput<typeof mailRow>, policyDomain: string): Mail {
  const { messages, passed } = sums;
  switch (what) {
    case "source": {
      const source =
        more === 1
          ? { ...readAuthText(text, policyDomain), sourceIp: "" }
          : { dkimResults: "", spfResults: "", sourceIp: readAddressToken(text) };
      return { ...NO_MAIL, sources: [{ ...source, ...sums }] };
    }
    case "disposition":
      return { ...NO_MAIL, dispositions: [{ disposition: readDisposition(text), messages, passed }] };
    case "reasons": {
      const disposition = readDisposition(String(more));
      return { ...NO_MAIL, reasons: [{ reasons: readReasons(text), disposition, messages }] };
    }
    case "home":
      return { ...NO_MAIL, homeAddresses: [readAddressToken(text)] };
    case "evidence": {
      const { envelopeFrom: _, ...figure } = readRecordKey(text, policyDomain);
      const { firstDay, lastDay } = sums;
      return { ...NO_MAIL, evidence: [{ ...figure, messages, activeParts: parts, firstDay, lastDay }] };
    }
  }
}

function joinMail(rows: readonly Mail[]): Mail {
  return {
    sources: rows.flatMap(({ sources }) => sources),
    dispositions: rows.flatMap(({ dispositions }) => dispositions),
    reasons: rows.flatMap(({ reasons }) => reasons),
    evidence: rows.flatMap(({ evidence }) => evidence),
    homeAddresses: rows.flatMap(({ homeAddresses }) => homeAddresses),
  };
}

// A database that did not see a source in the period still says when it saw it before.
function combineMail(parts: Mail[]): Mail {
  return {
    sources: sumRows(
      parts.map(({ sources }) => sources),
      ({ dkimResults, spfResults, sourceIp }) => JSON.stringify([dkimResults, spfResults, sourceIp]),
      (a, b) => ({ ...a, ...addFigures(a, b) }),
    ).filter(({ messages }) => messages > 0),
    dispositions: sumRows(
      parts.map(({ dispositions }) => dispositions),
      ({ disposition }) => disposition,
      (a, b) => ({ ...a, messages: a.messages + b.messages, passed: a.passed + b.passed }),
    ),
    reasons: sumRows(
      parts.map(({ reasons }) => reasons),
      ({ reasons, disposition }) => JSON.stringify([reasons, disposition]),
      (a, b) => ({ ...a, messages: a.messages + b.messages }),
    ),
    evidence: sumRows(
      parts.map(({ evidence }) => evidence),
      ({ messages, activeParts, firstDay, lastDay, ...figure }) => JSON.stringify(figure),
      addEvidence,
    ),
    homeAddresses: [...new Set(parts.flatMap(({ homeAddresses }) => homeAddresses))],
  };
}

function addEvidence(a: Evidence, b: Evidence): Evidence {
  return {
    ...a,
    messages: a.messages + b.messages,
    activeParts: a.activeParts | b.activeParts,
    firstDay: Math.min(a.firstDay, b.firstDay),
    lastDay: Math.max(a.lastDay, b.lastDay),
  };
}

/** Adds two groups; days become the earliest and the latest. */
export function addFigures(a: GroupFigures, b: GroupFigures): GroupFigures {
  return {
    messages: a.messages + b.messages,
    passed: a.passed + b.passed,
    dkimAligned: a.dkimAligned + b.dkimAligned,
    spfAligned: a.spfAligned + b.spfAligned,
    quarantined: a.quarantined + b.quarantined,
    rejected: a.rejected + b.rejected,
    spared: a.spared + b.spared,
    uncounted: a.uncounted + b.uncounted,
    firstDay: Math.min(a.firstDay, b.firstDay),
    lastDay: Math.max(a.lastDay, b.lastDay),
  };
}
