/** Conflicts: another version of an accepted report, kept until a person decides between them. */
import * as v from "valibot";
import { reportSender, UNCHECKED } from "../authentication/sender-state.ts";
import { compareValues, firstRows, type ListPage } from "./combine.ts";
import { ask, type Change, jsonColumn, knows, type LedgerDatabase, type Query, query } from "./database.ts";
import { mailOrigin } from "./mail-origin.ts";
import { pagedIdsQuery, type SearchedList } from "./paged-ids.ts";
import { KNOWS_REPORT_KIND, REPORT_KINDS, type ReportKind } from "./report-rows.ts";
import { DECISIONS, type Decision } from "./reports.ts";

const version = v.object({
  rawKey: v.string(),
  rua: v.string(),
  part: v.string(),
  contentHash: v.string(),
  receivedSeconds: v.number(),
  generation: v.number(),
  records: v.number(),
  /** Messages, sessions or incidents. */
  total: v.number(),
  passed: v.number(),
  /** Who sent it, as far as its mail proves; absent in conflicts filed before this was recorded. */
  sender: v.optional(reportSender, UNCHECKED),
  /** Its mail's own account of its origin; absent if the raw object is gone. */
  mail: v.optional(mailOrigin),
});

/** What distinguishes two versions of a report. */
export type ReportVersion = v.InferOutput<typeof version>;

const both = v.object({ reporter: v.string(), reportId: v.string(), accepted: version, other: version });

/** A report that has the identity of an accepted one but other content. */
export interface ConflictRow {
  /** `<YYYYMMDD>-<hash>`: the day the report begins, and both its identity and content. */
  id: string;
  account: string;
  domain: string;
  kind: ReportKind;
  /** Day of the report's first row. */
  day: number;
  uid: string;
  filedSeconds: number;
  reporter: string;
  reportId: string;
  accepted: ReportVersion;
  other: ReportVersion;
}

const row = v.pipe(
  v.object({
    id: v.string(),
    account: v.string(),
    domain: v.string(),
    kind: v.picklist(REPORT_KINDS),
    day: v.number(),
    uid: v.string(),
    filedSeconds: v.number(),
    conflict: jsonColumn(both),
  }),
  v.transform(({ conflict, ...columns }): ConflictRow => ({ ...columns, ...conflict })),
);

const COLUMNS = `id, account, domain, kind, day, lower(hex(uid)) AS uid, filed_seconds AS filedSeconds, conflict`;

/** Files conflicts; a conflict found again keeps its id and describes the versions found last. */
export function putConflicts(rows: readonly ConflictRow[]): Change {
  const values = rows.map((one) => [
    one.id,
    one.account,
    one.domain,
    one.kind,
    one.day,
    one.uid,
    one.other.contentHash,
    one.filedSeconds,
    JSON.stringify({
      reporter: one.reporter,
      reportId: one.reportId,
      accepted: one.accepted,
      other: one.other,
    }),
  ]);
  return {
    sql: `INSERT INTO conflicts (id, account, domain, kind, day, uid, content_hash, filed_seconds, conflict)
      SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, unhex(value ->> 5), unhex(value ->> 6),
        value ->> 7, value ->> 8
      FROM json_each(?1) WHERE true
      ON CONFLICT (id) DO UPDATE SET conflict = excluded.conflict`,
    parameters: [JSON.stringify(values)],
  };
}

/** A version of a report that counts from now on. */
export interface AcceptedVersion {
  uid: string;
  accepted: ReportVersion;
}

/** Updates all conflicts of reports when another version of them starts to count. */
export function putAcceptedVersions(versions: readonly AcceptedVersion[]): Change {
  return {
    sql: `UPDATE conflicts SET conflict = json_set(conflict, '$.accepted', json(w.value -> 1))
      FROM json_each(?1) w WHERE conflicts.uid = unhex(w.value ->> 0)`,
    parameters: [JSON.stringify(versions.map(({ uid, accepted }) => [uid, accepted]))],
  };
}

/** Removes conflicts by id. */
export function removeConflicts(ids: readonly string[]): Change {
  return {
    sql: "DELETE FROM conflicts WHERE id IN (SELECT value FROM json_each(?1))",
    parameters: [JSON.stringify(ids)],
  };
}

/** A page of conflicts by id, oldest period first; `after` is the last id of the previous page. */
export function conflictsQuery({
  after = "",
  withoutDoubted = false,
  limit,
}: {
  after?: string | undefined;
  withoutDoubted?: boolean | undefined;
  limit: number;
}): Query<ConflictRow> {
  const isAsked = withoutDoubted ? `coalesce(NOT (${IS_DOUBTED}), true)` : "true";
  return {
    ...query(
      `SELECT ${COLUMNS} FROM conflicts WHERE id > ?1 AND ${isAsked} AND ${KNOWS_REPORT_KIND} ORDER BY id LIMIT ?2`,
      [after, limit],
      row,
    ),
    combine: (parts) => firstRows(parts, (a, b) => compareValues(a.id, b.id), limit),
  };
}

/** The orders of the list, as SQL. */
const ORDERS = { at: "filed_seconds", report_id: "conflict ->> '$.reportId'" } as const;
export type ConflictOrder = keyof typeof ORDERS;

/** Whether the list can be sorted by it. */
export function isConflictOrder(text: string): text is ConflictOrder {
  return Object.hasOwn(ORDERS, text);
}

/**
 * Ids of one page of conflicts, wherever in the list it is, with the number there are; without doubted ones. The answer is one
 * row; none where there are none.
 */
export function conflictIdsQuery(list: SearchedList<ConflictOrder>): Query<ListPage<{ id: string }>> {
  const source = {
    table: "conflicts",
    searched: "id || ' ' || account || ' ' || domain || ' ' || conflict",
    place: ORDERS[list.order],
    where: { sql: `coalesce(NOT (${IS_DOUBTED}), true)`, parameters: [] },
  };
  return pagedIdsQuery(source, list);
}

/**
 * The condition of a doubted version: a verified report counts, and nothing proves that the other version is from its
 * reporter.
 */
const IS_DOUBTED = `conflict ->> '$.accepted.sender.state' = 'verified'
  AND conflict ->> '$.other.sender.state' IN ('unverified', 'contradicted')`;

/** A group of doubted versions: those of one reporter about one domain. */
const groupName = v.object({
  account: v.string(),
  domain: v.string(),
  kind: v.picklist(REPORT_KINDS),
  reporter: v.string(),
});

export type DoubtedGroup = v.InferOutput<typeof groupName>;

const groupRow = v.object({
  ...groupName.entries,
  conflicts: v.number(),
  /** Messages, sessions or incidents that the doubted versions would count. */
  total: v.number(),
  firstFiledSeconds: v.number(),
  lastFiledSeconds: v.number(),
});

/** Ours: groups listed. */
export const MAX_DOUBTED_GROUPS = 500;

/** Doubted versions by account, domain and reporter, largest group first. */
export function doubtedConflictsQuery(): Query<v.InferOutput<typeof groupRow>> {
  return {
    ...query(
      `SELECT account, domain, kind, conflict ->> '$.reporter' AS reporter, count(*) AS conflicts,
        sum(conflict ->> '$.other.total') AS total, min(filed_seconds) AS firstFiledSeconds,
        max(filed_seconds) AS lastFiledSeconds
      FROM conflicts WHERE ${IS_DOUBTED} AND ${KNOWS_REPORT_KIND} GROUP BY account, domain, kind, reporter
      ORDER BY conflicts DESC, account, domain, kind, reporter LIMIT ${MAX_DOUBTED_GROUPS}`,
      [],
      groupRow,
    ),
    combine: (parts) => firstRows(parts, (a, b) => b.conflicts - a.conflicts, MAX_DOUBTED_GROUPS),
  };
}

/** Up to `limit` doubted versions of one group. */
export function findDoubted(
  database: LedgerDatabase,
  { account, domain, kind, reporter }: DoubtedGroup,
  limit: number,
): Promise<ConflictRow[]> {
  return ask(
    database,
    query(
      `SELECT ${COLUMNS} FROM conflicts WHERE account = ?1 AND domain = ?2 AND kind = ?3
        AND conflict ->> '$.reporter' = ?4 AND ${IS_DOUBTED} ORDER BY id LIMIT ?5`,
      [account, domain, kind, reporter, limit],
      row,
    ),
  );
}

/** Conflicts by id, those that exist. */
export function conflictsNamedQuery(ids: readonly string[]): Query<ConflictRow> {
  return query(
    `SELECT ${COLUMNS} FROM conflicts WHERE id IN (SELECT value FROM json_each(?1)) AND ${KNOWS_REPORT_KIND} ORDER BY id`,
    [JSON.stringify(ids)],
    row,
  );
}

/** The same in one database; none without ids. */
export async function findConflicts(database: LedgerDatabase, ids: readonly string[]): Promise<ConflictRow[]> {
  return ids.length === 0 ? [] : ask(database, conflictsNamedQuery(ids));
}

/** A decision about one version of a report: who, what and why. */
export interface DecisionRow {
  /** Whose report it is. */
  account: string;
  uid: string;
  contentHash: string;
  decision: Decision;
  decidedBy: string;
  reason: string;
  decidedSeconds: number;
}

/** Stores decisions; a later one about the same version replaces it. */
export function putDecisions(rows: readonly DecisionRow[]): Change {
  return {
    sql: `INSERT INTO decisions (uid, content_hash, decision, decided_by, reason, decided_seconds, account)
      SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
      FROM json_each(?1) WHERE true
      ON CONFLICT (uid, content_hash) DO UPDATE SET decision = excluded.decision, decided_by = excluded.decided_by,
        reason = excluded.reason, decided_seconds = excluded.decided_seconds, account = excluded.account`,
    parameters: [
      JSON.stringify(
        rows.map(({ account, uid, contentHash, decision, decidedBy, reason, decidedSeconds }) => [
          uid,
          contentHash,
          decision,
          decidedBy,
          reason,
          decidedSeconds,
          account,
        ]),
      ),
    ],
  };
}

/** Refuses the versions of a report that were chosen before another one is. */
export function refuseChosen({
  uid,
  decidedBy,
  reason,
  decidedSeconds,
}: Pick<DecisionRow, "uid" | "decidedBy" | "reason" | "decidedSeconds">): Change {
  return {
    sql: `UPDATE decisions SET decision = 'refused', decided_by = ?2, reason = ?3, decided_seconds = ?4
      WHERE uid = unhex(?1) AND decision = 'replaces'`,
    parameters: [uid, decidedBy, reason, decidedSeconds],
  };
}

/** Removes a decision. */
export function removeDecision({ uid, contentHash }: Pick<DecisionRow, "uid" | "contentHash">): Change {
  return {
    sql: "DELETE FROM decisions WHERE uid = unhex(?1) AND content_hash = unhex(?2)",
    parameters: [uid, contentHash],
  };
}

/** Decisions about one report, the newest first. */
export function decisionsQuery(uid: string): Query<DecisionRow> {
  return query(
    `SELECT account, lower(hex(uid)) AS uid, lower(hex(content_hash)) AS contentHash, decision, decided_by AS decidedBy, reason,
      decided_seconds AS decidedSeconds
    FROM decisions WHERE uid = unhex(?1) AND ${knows("decision", DECISIONS)} ORDER BY decided_seconds DESC`,
    [uid],
    v.object({
      account: v.string(),
      uid: v.string(),
      contentHash: v.string(),
      decision: v.picklist(DECISIONS),
      decidedBy: v.string(),
      reason: v.string(),
      decidedSeconds: v.number(),
    }),
  );
}
