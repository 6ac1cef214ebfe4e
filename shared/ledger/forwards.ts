/** Targets of forwarding, and the reports that wait for them, in the database of the account. */
import * as v from "valibot";
import { type ForwardTarget, TARGET_KINDS } from "../forward/target.ts";
import { FORWARD_LIMITS } from "../limits.ts";
import { ask, type Change, jsonColumn, knows, type LedgerDatabase, type Query, query } from "./database.ts";
import { KNOWS_REPORT_KIND, REPORT_KINDS, type ReportReference, reportDetails, reportFacts } from "./report-rows.ts";

const targetRow = v.pipe(
  v.object({
    id: v.string(),
    account: v.string(),
    kind: v.picklist(TARGET_KINDS),
    name: v.string(),
    url: v.string(),
    region: v.string(),
    accessKeyId: v.string(),
    secret: v.string(),
    withRecords: v.number(),
    createdSeconds: v.number(),
    createdBy: v.string(),
    sent: v.number(),
    sentSeconds: v.number(),
    result: v.string(),
    failures: v.number(),
    nextSeconds: v.number(),
  }),
  v.transform(({ withRecords, ...row }): ForwardTarget => ({ ...row, withRecords: withRecords === 1 })),
);

/** The condition that this version knows how to send to a target. */
const KNOWS_TARGET = knows("kind", TARGET_KINDS);

const TARGET_COLUMNS = `id, account, kind, name, url, region, access_key_id AS accessKeyId, secret,
  with_records AS withRecords, created_seconds AS createdSeconds, created_by AS createdBy, sent,
  sent_seconds AS sentSeconds, result, failures, next_seconds AS nextSeconds`;

/** One target: one row or none. */
export function targetQuery(id: string): Query<ForwardTarget> {
  return query(`SELECT ${TARGET_COLUMNS} FROM forward_targets WHERE id = ?1 AND ${KNOWS_TARGET}`, [id], targetRow);
}

const waitingRow = v.object({
  target: v.string(),
  waiting: v.number(),
  failed: v.number(),
  /** Since when the oldest waits; 0 = none does. */
  oldestSeconds: v.number(),
  /** What the last refused or failed report came to, or that some wait for a newer version; "" = neither. */
  problem: v.string(),
});
export type WaitingReports = v.InferOutput<typeof waitingRow>;

/** All targets of a database, oldest first. */
export function targetsQuery(): Query<ForwardTarget> {
  return query(
    `SELECT ${TARGET_COLUMNS} FROM forward_targets WHERE ${KNOWS_TARGET} ORDER BY created_seconds, id`,
    [],
    targetRow,
  );
}

const FOR_NEWER = "What waits is of a kind that only a newer version knows: deploy that one again, and it is sent.";

/** What waits for each target of a database; no row where nothing does. */
export function waitingReportsQuery(): Query<WaitingReports> {
  const sql = `SELECT target, sum(state = 'waiting') AS waiting, sum(state = 'failed') AS failed,
      coalesce(min(CASE WHEN state = 'waiting' THEN created_seconds END), 0) AS oldestSeconds,
      CASE WHEN max(result) = '' AND NOT min(${KNOWS_REPORT_KIND}) THEN ?1 ELSE max(result) END AS problem
    FROM forwards GROUP BY target`;
  return query(sql, [FOR_NEWER], waitingRow);
}

const unsentRow = v.object({
  target: v.string(),
  reportUid: v.string(),
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  day: v.number(),
  state: v.fallback(v.picklist(["waiting", "failed"]), "failed"),
  /** How often the target refused it. */
  attempts: v.number(),
  result: v.string(),
  createdSeconds: v.number(),
  nextSeconds: v.number(),
});
export type UnsentReport = v.InferOutput<typeof unsentRow>;

/** Reports that targets have not taken, in the order in which they are worth looking at: given up, refused, waiting. */
export function unsentReportsQuery(limit: number): Query<UnsentReport> {
  const sql = `SELECT target, lower(hex(uid)) AS reportUid, account, kind, domain, day, state, attempts, result,
      created_seconds AS createdSeconds, next_seconds AS nextSeconds
    FROM forwards WHERE ${KNOWS_REPORT_KIND} ORDER BY state, attempts DESC, created_seconds DESC LIMIT ?1`;
  return query(sql, [limit], unsentRow);
}

/** Adds a target, unless it is there, or its account has as many as it may. */
export function addTarget(target: ForwardTarget): Change {
  return {
    sql: `INSERT OR IGNORE INTO forward_targets (id, account, kind, name, url, region, access_key_id, secret, with_records,
        created_seconds, created_by)
      SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11
      WHERE (SELECT count(*) FROM forward_targets WHERE account = ?2) < ?12 RETURNING id`,
    parameters: [
      target.id,
      target.account,
      target.kind,
      target.name,
      target.url,
      target.region,
      target.accessKeyId,
      target.secret,
      target.withRecords ? 1 : 0,
      target.createdSeconds,
      target.createdBy,
      FORWARD_LIMITS.targetsPerAccount,
    ],
  };
}

/** Removes a target and what is waiting for it. */
export function removeTarget(id: string): Change[] {
  return [
    { sql: "DELETE FROM forwards WHERE target = ?1", parameters: [id] },
    { sql: "DELETE FROM forward_targets WHERE id = ?1", parameters: [id] },
  ];
}

/** Lets failed reports of a target wait again, and the target be tried at once. */
export function retryFailed(id: string, nowSeconds: number): Change[] {
  return [
    {
      sql: `UPDATE forwards SET state = 'waiting', attempts = 0, created_seconds = ?2, next_seconds = ?2
        WHERE target = ?1 AND state = 'failed'`,
      parameters: [id, nowSeconds],
    },
    { sql: "UPDATE forward_targets SET next_seconds = 0, failures = 0 WHERE id = ?1", parameters: [id] },
  ];
}

/**
 * Adds reports for every target that takes them; one that waits already is sent anew, from its first part. It is then another
 * row to the Worker that is sending the old one (`removeForwards`), even in the same second: hence a later time.
 */
export function addForwards(reports: readonly ReportReference[], nowSeconds: number): Change {
  const rows = reports.map(({ account, kind, domain, day, uid }) => [account, kind, domain, day, uid]);
  return {
    sql: `INSERT INTO forwards (target, uid, account, kind, domain, day, state, attempts, result, next_part,
        created_seconds, next_seconds)
      SELECT t.id, unhex(w.value ->> 4), w.value ->> 0, w.value ->> 1, w.value ->> 2, w.value ->> 3, 'waiting', 0, '', 1,
        ?2, ?2
      FROM json_each(?1) w JOIN forward_targets t ON t.account IN (w.value ->> 0, '') WHERE true
      ON CONFLICT (target, uid) DO UPDATE SET domain = excluded.domain, day = excluded.day, state = 'waiting',
        attempts = 0, next_part = 1, next_seconds = excluded.next_seconds,
        created_seconds = max(excluded.created_seconds, created_seconds + 1)`,
    parameters: [JSON.stringify(rows), nowSeconds],
  };
}

const idRow = v.pipe(
  v.object({ id: v.string() }),
  v.transform(({ id }) => id),
);

/** Targets that something is due for and nobody sends to: their ids. */
export function dueTargetsQuery(nowSeconds: number): Query<string> {
  const sql = `SELECT t.id FROM forward_targets t WHERE ${KNOWS_TARGET} AND t.next_seconds <= ?1 AND t.claimed_seconds <= ?2
    AND EXISTS (SELECT 1 FROM forwards f WHERE f.target = t.id AND f.state = 'waiting' AND f.next_seconds <= ?1
      AND ${knows("f.kind", REPORT_KINDS)})`;
  return query(sql, [nowSeconds, nowSeconds - FORWARD_LIMITS.claimSeconds], idRow);
}

/** Begins to send to a target. @returns undefined if it is not its time, somebody else does, or it was removed */
export async function claimTarget(
  ledger: LedgerDatabase,
  id: string,
  nowSeconds: number,
): Promise<ForwardTarget | undefined> {
  const sql = `UPDATE forward_targets SET claimed_seconds = ?2
    WHERE id = ?1 AND next_seconds <= ?2 AND claimed_seconds <= ?3 RETURNING ${TARGET_COLUMNS}`;
  const [found] = await ask(ledger, query(sql, [id, nowSeconds, nowSeconds - FORWARD_LIMITS.claimSeconds], targetRow));
  return found;
}

/** What the ledger holds of a report, as one column; null: it is no longer accepted. */
const reportColumn = v.nullable(
  jsonColumn(
    v.object({
      ...reportFacts,
      details: reportDetails,
    }),
  ),
);

const dueRow = v.object({
  uid: v.string(),
  account: v.string(),
  kind: v.picklist(REPORT_KINDS),
  domain: v.string(),
  day: v.number(),
  attempts: v.number(),
  nextPart: v.number(),
  createdSeconds: v.number(),
  report: reportColumn,
});
export type DueForward = v.InferOutput<typeof dueRow>;

/** Reports that are due for a target, longest due first, with what the ledger holds of them. */
export function dueForwardsQuery(target: string, nowSeconds: number): Query<DueForward> {
  const sql = `SELECT lower(hex(f.uid)) AS uid, f.account, f.kind, f.domain, f.day, f.attempts, f.next_part AS nextPart,
      f.created_seconds AS createdSeconds, CASE WHEN r.uid IS NULL THEN NULL ELSE json_object(
        'generation', r.generation, 'reporter', r.reporter, 'reportId', r.report_id, 'beginSeconds', r.begin_seconds,
        'endSeconds', r.end_seconds, 'receivedSeconds', r.received_seconds, 'senderState', r.sender_rank,
        'senderDomain', r.sender_domain, 'rua', r.rua, 'rawKey', r.raw_key, 'part', r.part, 'records', r.records,
        'total', r.total, 'passed', r.passed, 'details', json(r.details)) END AS report
    FROM (SELECT * FROM forwards WHERE target = ?1 AND state = 'waiting' AND next_seconds <= ?2 AND ${KNOWS_REPORT_KIND}
      ORDER BY next_seconds LIMIT ?3) f
    LEFT JOIN reports r ON r.account = f.account AND r.kind = f.kind AND r.domain = f.domain AND r.day = f.day
      AND r.uid = f.uid AND r.state = 'accepted'
    ORDER BY f.next_seconds, f.uid`;
  return query(sql, [target, nowSeconds, FORWARD_LIMITS.reportsAtOnce], dueRow);
}

/** Reports that were sent, or are no longer accepted: nothing waits any more, unless it was added anew meanwhile. */
export function removeForwards(target: string, rows: readonly Pick<DueForward, "uid" | "createdSeconds">[]): Change {
  return {
    sql: `DELETE FROM forwards WHERE target = ?1 AND (uid, created_seconds) IN
      (SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?2))`,
    parameters: [target, JSON.stringify(rows.map(({ uid, createdSeconds }) => [uid, createdSeconds]))],
  };
}

/** The next part of a large report to send, unless the report was added anew meanwhile. */
export function putNextPart(
  target: string,
  { uid, createdSeconds }: Pick<DueForward, "uid" | "createdSeconds">,
  nextPart: number,
): Change {
  return {
    sql: "UPDATE forwards SET next_part = ?4 WHERE target = ?1 AND uid = unhex(?2) AND created_seconds = ?3",
    parameters: [target, uid, createdSeconds, nextPart],
  };
}

/** Reports that a target refused: each is tried again alone, until it is given up. */
export function putRefused(
  target: string,
  uids: readonly string[],
  { result, nextSeconds, nowSeconds }: { result: string; nextSeconds: number; nowSeconds: number },
): Change {
  return {
    sql: `UPDATE forwards SET attempts = attempts + 1, result = ?3, next_seconds = ?4,
        state = CASE WHEN created_seconds < ?5 THEN 'failed' ELSE 'waiting' END
      WHERE target = ?1 AND uid IN (SELECT unhex(value) FROM json_each(?2))`,
    parameters: [target, JSON.stringify(uids), result, nextSeconds, nowSeconds - FORWARD_LIMITS.giveUpSeconds],
  };
}

/** How sending to a target ended for now. */
export function releaseTarget(
  { id }: Pick<ForwardTarget, "id">,
  {
    sent,
    result,
    failures,
    nextSeconds,
    nowSeconds,
  }: Pick<ForwardTarget, "sent" | "result" | "failures" | "nextSeconds"> & { nowSeconds: number },
): Change[] {
  const release: Change = {
    sql: `UPDATE forward_targets SET claimed_seconds = 0, sent = sent + ?2,
        sent_seconds = CASE WHEN ?2 > 0 THEN ?6 ELSE sent_seconds END,
        result = CASE WHEN ?3 = '' THEN result ELSE ?3 END, failures = ?4, next_seconds = ?5
      WHERE id = ?1`,
    parameters: [id, sent, result, failures, nextSeconds, nowSeconds],
  };
  if (failures === 0) return [release];
  const giveUp: Change = {
    sql: `UPDATE forwards SET state = 'failed', result = ?2
      WHERE target = ?1 AND state = 'waiting' AND created_seconds < ?3 AND ${KNOWS_REPORT_KIND}`,
    parameters: [id, result, nowSeconds - FORWARD_LIMITS.giveUpSeconds],
  };
  return [release, giveUp];
}

/** Removes failed reports that were added before a time. */
export function removeOldForwards(beforeSeconds: number): Change {
  return {
    sql: "DELETE FROM forwards WHERE state = 'failed' AND created_seconds < ?1",
    parameters: [beforeSeconds],
  };
}
