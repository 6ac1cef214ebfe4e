/**
 * Accepted reports: found by what identifies them, written and replaced row by row, their days' sums recomputed. What is
 * decided about a report is in claims.ts; the transaction in commit-batch.ts.
 */
import * as v from "valibot";
import { isCountedSql, type ReportSender, rankOf, senderRank } from "../authentication/sender-state.ts";
import { D1_LIMITS, READ_LIMITS } from "../limits.ts";
import { compareValues, firstRows } from "./combine.ts";
import { type Change, knows, type LedgerDatabase, OneCall, type Parameter, type Query, query } from "./database.ts";
import { DETAILS_WITH_OTHERS } from "./other-objects.ts";
import {
  detailsColumn,
  detailsText,
  REPORT_KINDS,
  REPORT_STATES,
  type ReportDetails,
  type ReportReference,
  type ReportShare,
  type ReportState,
} from "./report-rows.ts";

/** What claims need to know of a report in the ledger. */
export interface LedgerReport {
  reference: ReportReference;
  version: number;
  generation: number;
  state: ReportState;
  /** Hash of the content as read, 32 hex digits. */
  contentHash: string;
  rua: string;
  rawKey: string;
  part: string;
  receivedSeconds: number;
  points: number;
  highestPoints: number;
  reporter: string;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  policy: string;
  sender: ReportSender;
  /** What it counts, on all its days together. */
  counts: { records: number; total: number; passed: number };
  /** Domains and days it has rows for. */
  spread: [domain: string, day: number][];
  /** What people decided about versions of it, by content hash. */
  decisions: Record<string, Decision>;
}

export const DECISIONS = ["refused", "replaces", "counts", "taken_back"] as const;
/** refused: a duplicate; replaces: takes the accepted one's place; counts: a separate report; taken_back: stays out. */
export type Decision = (typeof DECISIONS)[number];

const heldRow = v.object({
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  day: v.number(),
  uid: v.string(),
  version: v.number(),
  generation: v.number(),
  state: v.picklist(REPORT_STATES),
  contentHash: v.string(),
  rua: v.string(),
  rawKey: v.string(),
  part: v.string(),
  receivedSeconds: v.number(),
  points: v.number(),
  highestPoints: v.number(),
  reporter: v.string(),
  reportId: v.string(),
  beginSeconds: v.number(),
  endSeconds: v.number(),
  policy: v.string(),
  senderState: senderRank,
  senderDomain: v.string(),
  records: v.number(),
  total: v.number(),
  passed: v.number(),
  details: detailsColumn,
});

const finalRow = v.object({ uid: v.string() });
const decisionRow = v.object({ uid: v.string(), contentHash: v.string(), decision: v.picklist(DECISIONS) });

/** What the ledger holds about reports. */
export interface LedgerReports {
  reports: Map<string, LedgerReport>;
  /** By uid, then content hash; also of reports that are not there (any more). */
  decisions: Map<string, Record<string, Decision>>;
  /** Uids of reports about a final day, the sums of which no longer change; of one over several days, if any of them is final. */
  final: Set<string>;
}

/** Looks up reports, and what was decided about them, by uid: one call, of three queries for each `maxReportRows`. */
export async function findReports(
  database: LedgerDatabase,
  references: readonly ReportReference[],
): Promise<LedgerReports> {
  const call = new OneCall();
  const found = addReports(call, references);
  await call.send(database);
  return found();
}

/**
 * Adds the lookup of `findReports` to a call.
 *
 * @param references one that is looked up by several rows is known by the last of those there are
 * @param rows all rows that the reports have or would have: whether the day of any is final
 * @returns what it finds, as `OneCall.add` does
 */
export function addReports(
  call: OneCall,
  references: readonly ReportReference[],
  rows: readonly ReportReference[] = references,
): () => LedgerReports {
  if (references.length === 0) return () => heldOf([], [], []);
  const listed = (names: readonly ReportReference[]): string =>
    JSON.stringify(names.map(({ account, kind, domain, day, uid }) => [account, kind, domain, day, uid]));
  const wanted = inLists(references).map(listed);
  // One row of each: every row names all others, and what D1 answers is limited.
  const found = wanted.map((some) =>
    call.add(
      query(
        `SELECT r.account, r.kind, r.domain, r.day, lower(hex(r.uid)) AS uid, r.version, r.generation, r.state,
          lower(hex(r.content_hash)) AS contentHash, r.rua, r.raw_key AS rawKey, r.part,
          r.received_seconds AS receivedSeconds, r.points, r.highest_points AS highestPoints, r.reporter,
          r.report_id AS reportId, r.begin_seconds AS beginSeconds, r.end_seconds AS endSeconds, r.policy,
          r.sender_rank AS senderState, r.sender_domain AS senderDomain, r.records, r.total, r.passed, r.details
        FROM (SELECT r.rowid AS id, max(w.key) FROM json_each(?1) w
          JOIN reports r ON r.account = w.value ->> 0 AND r.kind = w.value ->> 1 AND r.domain = w.value ->> 2
            AND r.day = w.value ->> 3 AND r.uid = unhex(w.value ->> 4)
          GROUP BY r.uid) known
        JOIN reports r ON r.rowid = known.id`,
        [some],
        heldRow,
      ),
    ),
  );
  const decided = wanted.map((some) =>
    call.add(
      query(
        `SELECT lower(hex(d.uid)) AS uid, lower(hex(d.content_hash)) AS contentHash, d.decision
        FROM json_each(?1) w JOIN decisions d ON d.uid = unhex(w.value ->> 4) AND ${knows("d.decision", DECISIONS)}`,
        [some],
        decisionRow,
      ),
    ),
  );
  const final = inLists(rows).map((some) =>
    call.add(
      query(
        `SELECT w.value ->> 4 AS uid FROM json_each(?1) w
        JOIN domain_days d ON d.account = w.value ->> 0 AND d.kind = w.value ->> 1 AND d.domain = w.value ->> 2
          AND d.day = w.value ->> 3
        WHERE d.is_final = 1`,
        [listed(some)],
        finalRow,
      ),
    ),
  );
  return () =>
    heldOf(
      found.flatMap((reports) => reports()),
      decided.flatMap((decisions) => decisions()),
      final.flatMap((uids) => uids()),
    );
}

/** Rows by as many as one parameter holds. */
function inLists<Row>(rows: readonly Row[]): Row[][] {
  const { maxReportRows } = D1_LIMITS;
  return Array.from({ length: Math.ceil(rows.length / maxReportRows) }, (_, i) =>
    rows.slice(i * maxReportRows, (i + 1) * maxReportRows),
  );
}

function heldOf(
  rows: readonly v.InferOutput<typeof heldRow>[],
  decided: readonly v.InferOutput<typeof decisionRow>[],
  final: readonly v.InferOutput<typeof finalRow>[],
): LedgerReports {
  const decisions = new Map<string, Record<string, Decision>>();
  for (const { uid, contentHash, decision } of decided) {
    const known = decisions.get(uid);
    if (known === undefined) decisions.set(uid, { [contentHash]: decision });
    else known[contentHash] = decision;
  }
  const reports = new Map(
    rows.map(
      ({
        account,
        kind,
        domain,
        day,
        uid,
        records,
        total,
        passed,
        details,
        senderState,
        senderDomain,
        ...row
      }): [string, LedgerReport] => [
        uid,
        {
          ...row,
          sender: { state: senderState, domain: senderDomain },
          counts: details.whole ?? { records, total, passed },
          reference: { account, kind, domain, day, uid },
          spread: details.spread ?? [[domain, day]],
          decisions: decisions.get(uid) ?? {},
        },
      ],
    ),
  );
  return { reports, decisions, final: new Set(final.map(({ uid }) => uid)) };
}

/** A report as it is to be written: all its rows. */
export interface ReportWrite {
  account: string;
  uid: string;
  /** Version it had when it was looked up; 0 = none. */
  version: number;
  generation: number;
  state: ReportState;
  contentHash: string;
  reporter: string;
  reportId: string;
  beginSeconds: number;
  endSeconds: number;
  receivedSeconds: number;
  rua: string;
  rawKey: string;
  part: string;
  points: number;
  highestPoints: number;
  sender: ReportSender;
  /** None when its state is another than accepted: the rows that are there stay, and count nothing. */
  shares: readonly ReportShare[];
  kind: ReportReference["kind"];
  /** Rows that are there: those without a new share are removed. */
  spreadBefore: readonly (readonly [domain: string, day: number])[];
}

/** A day of a domain whose sums have to be recomputed. */
export interface TouchedDay {
  account: string;
  kind: ReportReference["kind"];
  domain: string;
  day: number;
}

const WRITTEN_COLUMNS = `account kind domain day uid place version generation state content_hash reporter report_id
  begin_seconds end_seconds received_seconds rua raw_key part points highest_points records total passed dkim_aligned
  spf_aligned quarantined rejected policy details figures reading sender_rank sender_domain`.split(/\s+/);

/** Writes the rows of reports, over those that are there. All rows of a report name all of them, which is given once. */
export function putReports(writes: readonly ReportWrite[]): Change {
  const spreads: Record<string, ReportDetails["spread"]> = {};
  const rows = writes.flatMap((write) =>
    write.shares.map(({ domain, day, place, sums, policy, details: { spread, ...details }, figures, reading }) => {
      if (spread !== undefined) spreads[write.uid] = spread;
      return [
        write.account,
        write.kind,
        domain,
        day,
        write.uid,
        place,
        write.version + 1,
        write.generation,
        write.state,
        write.contentHash,
        write.reporter,
        write.reportId,
        write.beginSeconds,
        write.endSeconds,
        write.receivedSeconds,
        write.rua,
        write.rawKey,
        write.part,
        write.points,
        write.highestPoints,
        sums.records,
        sums.total,
        sums.passed,
        sums.dkimAligned,
        sums.spfAligned,
        sums.quarantined,
        sums.rejected,
        policy,
        detailsText(details),
        reading === undefined ? (figures?.[0] ?? "{}") : "{}",
        reading ?? null,
        rankOf(write.sender.state),
        write.sender.domain,
      ];
    }),
  );
  const isBlob = new Set(["uid", "content_hash", "reading"]);
  const isKey = new Set(["account", "kind", "domain", "day", "uid"]);
  const spread = `?2 -> ('$."' || (value ->> ${WRITTEN_COLUMNS.indexOf("uid")}) || '"')`;
  const values = WRITTEN_COLUMNS.map((name, i) => {
    if (name === "details")
      return `iif(${spread} IS NULL, value ->> ${i}, json_set(value ->> ${i}, '$.spread', json(${spread})))`;
    return isBlob.has(name) ? `unhex(value ->> ${i})` : `value ->> ${i}`;
  });
  const updates = WRITTEN_COLUMNS.filter((name) => !isKey.has(name)).map(
    (name) => `${name} = ${name === "details" ? DETAILS_WITH_OTHERS : `excluded.${name}`}`,
  );
  return {
    sql: `INSERT INTO reports (${WRITTEN_COLUMNS.join(", ")}) SELECT ${values.join(", ")} FROM json_each(?1) WHERE true
      ON CONFLICT (account, kind, domain, day, uid) DO UPDATE SET ${updates.join(", ")}`,
    parameters: [JSON.stringify(rows), JSON.stringify(spreads)],
  };
}

/** Changes the state of reports, to retracted or taken back, and leaves their content as it is. */
export function putStates(writes: readonly ReportWrite[]): Change[] {
  const rows = writes.flatMap(({ account, kind, uid, state, version, generation, spreadBefore }) =>
    spreadBefore.map(([domain, day]) => [account, kind, domain, day, uid, state, version + 1, generation]),
  );
  return inLists(rows).map((some) => ({
    sql: `UPDATE reports SET state = w.value ->> 5, version = w.value ->> 6, generation = w.value ->> 7
      FROM json_each(?1) w
      WHERE reports.account = w.value ->> 0 AND reports.kind = w.value ->> 1 AND reports.domain = w.value ->> 2
        AND reports.day = w.value ->> 3 AND reports.uid = unhex(w.value ->> 4)`,
    parameters: [JSON.stringify(some)],
  }));
}

/** Removes rows of replaced reports that have no new share. */
export function removeRows(writes: readonly ReportWrite[]): Change[] {
  const gone = writes.flatMap(({ account, kind, uid, spreadBefore, shares }) =>
    spreadBefore
      .filter(([domain, day]) => !shares.some((share) => share.domain === domain && share.day === day))
      .map(([domain, day]) => [account, kind, domain, day, uid]),
  );
  return inLists(gone).map((some) => ({
    sql: `DELETE FROM reports WHERE rowid IN (SELECT r.rowid FROM json_each(?1) w
      JOIN reports r ON r.account = w.value ->> 0 AND r.kind = w.value ->> 1 AND r.domain = w.value ->> 2
        AND r.day = w.value ->> 3 AND r.uid = unhex(w.value ->> 4))`,
    parameters: [JSON.stringify(some)],
  }));
}

/**
 * Refuses the transaction when a report is no longer in the version it was looked up in, or its day, or one that it gets a
 * row for, has become final.
 */
export function assertReports(writes: readonly ReportWrite[], first: readonly ReportReference[]): Change[] {
  const expected: (string | number | null)[][] = first.map(({ account, kind, domain, day, uid }, i) => [
    account,
    kind,
    domain,
    day,
    uid,
    writes[i]?.version ?? 0,
  ]);
  // Rows other than the first, of which no version is compared.
  for (const [i, { account, kind, uid, shares, spreadBefore }] of writes.entries())
    for (const { domain, day } of shares) {
      const isFirst = first[i]?.domain === domain && first[i]?.day === day;
      if (!isFirst && !spreadBefore.some((row) => row[0] === domain && row[1] === day))
        expected.push([account, kind, domain, day, uid, null]);
    }
  return inLists(expected).map((some) => ({
    sql: `INSERT INTO assertions (unchanged)
      SELECT 0 FROM json_each(?1) w
      LEFT JOIN reports r ON r.account = w.value ->> 0 AND r.kind = w.value ->> 1 AND r.domain = w.value ->> 2
        AND r.day = w.value ->> 3 AND r.uid = unhex(w.value ->> 4)
      LEFT JOIN domain_days d ON d.account = w.value ->> 0 AND d.kind = w.value ->> 1 AND d.domain = w.value ->> 2
        AND d.day = w.value ->> 3
      WHERE coalesce(r.version, 0) <> w.value ->> 5 OR d.is_final = 1 LIMIT 1`,
    parameters: [JSON.stringify(some)],
  }));
}

/**
 * The condition that a report has usable records, or had none from the start. Of one in which no record could be used,
 * neither policy nor period is shown for the domain.
 */
export function isMeaningful(table: string): string {
  // The records of a report that is spread may all be counted on others of its days.
  return `(${table}.records > 0 OR coalesce(${table}.details ->> '$.whole.records', 0) > 0
    OR coalesce(${table}.details ->> 'skippedRecords', 0) = 0)`;
}

/** The condition that the report of a row is spread over several days (report-day.ts). */
export function isSpreadRow(table: string): string {
  return `abs(${table}.end_seconds - ${table}.begin_seconds) > ${READ_LIMITS.maxDayPeriodSeconds}`;
}

/**
 * The condition that a row is the first that a report still has about its domain, or the first from a day on: lists show
 * a report once.
 *
 * @param firstDay days since 1970-01-01 UTC
 */
export function isFirstRow(table: string, firstDay = 0): string {
  return `(${table}.place = 0 OR ${table}.day = ${Math.floor(firstDay)} OR NOT EXISTS (SELECT 1 FROM reports earlier
    WHERE earlier.account = ${table}.account AND earlier.kind = ${table}.kind AND earlier.domain = ${table}.domain
      AND earlier.day = ${table}.day - 1 AND earlier.uid = ${table}.uid))`;
}

/** The policy is preceded by what it is chosen by: a report that counts, then one that ends later. */
const POLICY_RANK_CHARS = 16;

/** Recomputes the sums of days from their reports, and forgets their merged figures. */
export function recomputeDays(days: readonly TouchedDay[]): Change[] {
  return inLists(days).flatMap(recomputeSome);
}

function recomputeSome(days: readonly TouchedDay[]): Change[] {
  const parameters = [JSON.stringify(days.map(({ account, kind, domain, day }) => [account, kind, domain, day]))];
  const isDay = (table: string): string =>
    `${table}.account = w.value ->> 0 AND ${table}.kind = w.value ->> 1 AND ${table}.domain = w.value ->> 2
      AND ${table}.day = w.value ->> 3`;
  const counted = isCountedSql("r");
  return [
    {
      sql: `DELETE FROM day_figures WHERE (account, kind, domain, day, chunk) IN
        (SELECT f.account, f.kind, f.domain, f.day, f.chunk FROM json_each(?1) w JOIN day_figures f ON ${isDay("f")}
          JOIN domain_days d ON ${isDay("d")} WHERE d.is_final = 0)`,
      parameters,
    },
    {
      sql: `INSERT INTO domain_days (account, kind, domain, day, reports, records, total, passed, dkim_aligned,
          spf_aligned, quarantined, rejected, uncounted_reports, uncounted_total, uncounted_passed, unchecked_total,
          last_end_seconds, policy, figure_chunks, spread)
        SELECT account, kind, domain, day, reports, records, total, passed, dkim_aligned, spf_aligned, quarantined,
          rejected, uncounted_reports, uncounted_total, uncounted_passed, unchecked_total, last_end,
          coalesce(substr(policy, ${POLICY_RANK_CHARS + 1}), ''), 0, spread
        FROM (SELECT r.account, r.kind, r.domain, r.day, sum(r.place = 0) AS reports, sum(r.records) AS records,
            sum(r.total) AS total, sum(r.passed) AS passed, sum(r.dkim_aligned) AS dkim_aligned,
            sum(r.spf_aligned) AS spf_aligned, sum(r.quarantined) AS quarantined, sum(r.rejected) AS rejected,
            sum(r.place = 0 AND NOT ${counted}) AS uncounted_reports,
            sum(CASE WHEN ${counted} THEN 0 ELSE r.total END) AS uncounted_total,
            sum(CASE WHEN ${counted} THEN 0 ELSE r.passed END) AS uncounted_passed,
            sum(CASE WHEN r.sender_rank = ${rankOf("unchecked")} THEN r.total ELSE 0 END) AS unchecked_total,
            sum(CASE WHEN ${isSpreadRow("r")} THEN r.total ELSE 0 END) AS spread,
            max(CASE WHEN ${isMeaningful("r")} THEN r.end_seconds ELSE 0 END) AS last_end,
            max(CASE WHEN ${isMeaningful("r")} THEN printf('%d%015d', ${counted}, r.end_seconds) || r.policy END) AS policy
          FROM json_each(?1) w JOIN reports r ON ${isDay("r")} WHERE r.state = 'accepted'
          GROUP BY r.account, r.kind, r.domain, r.day) WHERE true
        ON CONFLICT (account, kind, domain, day) DO UPDATE SET reports = excluded.reports, records = excluded.records,
          total = excluded.total, passed = excluded.passed, dkim_aligned = excluded.dkim_aligned,
          spf_aligned = excluded.spf_aligned, quarantined = excluded.quarantined, rejected = excluded.rejected,
          uncounted_reports = excluded.uncounted_reports, uncounted_total = excluded.uncounted_total,
          uncounted_passed = excluded.uncounted_passed, unchecked_total = excluded.unchecked_total,
          last_end_seconds = excluded.last_end_seconds, policy = excluded.policy, figure_chunks = 0,
          spread = excluded.spread
        WHERE domain_days.is_final = 0`,
      parameters,
    },
    {
      sql: `DELETE FROM domain_days WHERE (account, kind, domain, day) IN
        (SELECT d.account, d.kind, d.domain, d.day FROM json_each(?1) w JOIN domain_days d ON ${isDay("d")}
          WHERE d.is_final = 0 AND NOT EXISTS (SELECT 1 FROM reports r WHERE r.account = d.account AND r.kind = d.kind
            AND r.domain = d.domain AND r.day = d.day AND r.state = 'accepted'))`,
      parameters,
    },
  ];
}

/** A raw object that reports about a domain were accepted from. */
export interface DomainObject {
  rawKey: string;
  rua: string;
  receivedSeconds: number;
}

interface DomainObjects {
  accounts: readonly string[];
  domain: string;
  /** Keys greater than `after` and less than `before`. */
  after: string;
  before: string;
}

/** Raw objects that reports about one domain were accepted from, each once, in the order of their keys. */
export function objectsOfDomainQuery(about: DomainObjects, limit: number): Query<DomainObject> {
  const { from, parameters } = objectsOfDomain(about);
  return {
    ...query(
      `SELECT r.raw_key AS rawKey, min(r.rua) AS rua, min(r.received_seconds) AS receivedSeconds
      ${from} GROUP BY r.raw_key ORDER BY r.raw_key LIMIT ?6`,
      [...parameters, limit],
      v.object({ rawKey: v.string(), rua: v.string(), receivedSeconds: v.number() }),
    ),
    combine: (parts) => firstRows(parts, (a, b) => compareValues(a.rawKey, b.rawKey), limit),
  };
}

/** How many these are. */
export function countObjectsOfDomainQuery(about: DomainObjects): Query<{ objects: number }> {
  const { from, parameters } = objectsOfDomain(about);
  return query(`SELECT count(DISTINCT r.raw_key) AS objects ${from}`, parameters, v.object({ objects: v.number() }));
}

function objectsOfDomain({ accounts, domain, after, before }: DomainObjects): {
  from: string;
  parameters: Parameter[];
} {
  return {
    from: `FROM json_each(?1) a JOIN json_each(?2) k
      JOIN reports r ON r.account = a.value AND r.kind = k.value AND r.domain = ?3
      WHERE r.state = 'accepted' AND r.raw_key > ?4 AND r.raw_key < ?5`,
    parameters: [JSON.stringify(accounts), JSON.stringify(REPORT_KINDS), domain, after, before],
  };
}
