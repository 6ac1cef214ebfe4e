/** Owners' decisions about senders: mine, not mine, forwarder. The newest decision about a source counts. */
import * as v from "valibot";
import { DECISION_LIMITS } from "../limits.ts";
import { type DayRange, SECONDS_PER_DAY } from "../report-day.ts";
import { ask, type Change, knows, type LedgerDatabase, type Query, query } from "./database.ts";

export const SENDER_DECISIONS = ["mine", "notMine", "forwarder", "undecided"] as const;
export type SenderDecision = (typeof SENDER_DECISIONS)[number];

/** The domain, and what the decision is about. */
export interface SenderName {
  account: string;
  domain: string;
  /** Text of a subject (guidance/subject.ts): an organizational domain, an address, a prefix or a service. */
  source: string;
}

/** A decision with who made it, when and why. */
export interface DecidedSender extends SenderName {
  decision: SenderDecision;
  note: string;
  decidedBy: string;
  decidedSeconds: number;
}

const row = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    source: v.string(),
    decision: v.picklist(SENDER_DECISIONS),
    note: v.string(),
    decided_by: v.string(),
    decided_seconds: v.number(),
  }),
  v.transform(
    ({ decided_by, decided_seconds, ...rest }): DecidedSender => ({
      ...rest,
      decidedBy: decided_by,
      decidedSeconds: decided_seconds,
    }),
  ),
);

/** The condition that this version knows what was decided; what was decided before holds then. */
export const KNOWS_SENDER_DECISION = knows("decision", SENDER_DECISIONS);

const COLUMNS = "account, domain, source, decision, note, decided_by, decided_seconds";

/**
 * The current decision about each source of a domain; of several accounts, the newest. Withdrawn ones are "undecided".
 */
export function senderDecisionsQuery(domain: string, accounts: readonly string[]): Query<DecidedSender> {
  // SQLite takes the other columns from the row with the maximum.
  const sql = `SELECT account, domain, source, decision, note, decided_by, max(decided_seconds) AS decided_seconds
    FROM sender_decisions WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2))
      AND ${KNOWS_SENDER_DECISION} GROUP BY source`;
  return query(sql, [domain, JSON.stringify(accounts)], row);
}

/** All decisions about a domain's sources on the days of a period, the newest first. */
export function decisionsOfPeriodQuery(
  domain: string,
  accounts: readonly string[],
  { firstDay, lastDay, limit }: DayRange & { limit: number },
): Query<DecidedSender> {
  const sql = `SELECT ${COLUMNS} FROM sender_decisions
    WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2)) AND decided_seconds >= ?3 AND decided_seconds < ?4
      AND ${KNOWS_SENDER_DECISION}
    ORDER BY decided_seconds DESC, source LIMIT ?5`;
  const seconds = [firstDay * SECONDS_PER_DAY, (lastDay + 1) * SECONDS_PER_DAY];
  return query(sql, [domain, JSON.stringify(accounts), ...seconds, limit], row);
}

/** An account's decisions about senders of all its domains on the days of a period, the newest first. */
export function accountDecisionsQuery(
  account: string,
  { firstDay, lastDay, limit }: DayRange & { limit: number },
): Query<DecidedSender> {
  const sql = `SELECT ${COLUMNS} FROM sender_decisions
    WHERE account = ?1 AND decided_seconds >= ?2 AND decided_seconds < ?3 AND ${KNOWS_SENDER_DECISION}
    ORDER BY decided_seconds DESC, domain, source LIMIT ?4`;
  return query(sql, [account, firstDay * SECONDS_PER_DAY, (lastDay + 1) * SECONDS_PER_DAY, limit], row);
}

/** All decisions about one source, the newest first. */
export function senderHistoryQuery(
  { domain, source }: Omit<SenderName, "account">,
  accounts: readonly string[],
): Query<DecidedSender> {
  const sql = `SELECT ${COLUMNS} FROM sender_decisions
    WHERE domain = ?1 AND source = ?2 AND account IN (SELECT value FROM json_each(?3)) AND ${KNOWS_SENDER_DECISION}
    ORDER BY decided_seconds DESC LIMIT ?4`;
  return query(sql, [domain, source, JSON.stringify(accounts), DECISION_LIMITS.maxKept], row);
}

/**
 * Adds a decision. A second one within the same second is dated a second later, so that none is lost.
 */
export function putSenderDecision(decided: DecidedSender): Change {
  const { account, domain, source, decision, note, decidedBy, decidedSeconds } = decided;
  return {
    sql: `INSERT INTO sender_decisions (${COLUMNS}) SELECT ?1, ?2, ?3, ?4, ?5, ?6,
      max(?7, ifnull((SELECT max(decided_seconds) + 1 FROM sender_decisions
        WHERE account = ?1 AND domain = ?2 AND source = ?3), 0))`,
    parameters: [account, domain, source, decision, note, decidedBy, decidedSeconds],
  };
}

/** How many subjects of a domain an account has decided about, not counting one. */
export async function countSubjects(
  database: LedgerDatabase,
  { account, domain, source }: SenderName,
): Promise<number> {
  const sql = `SELECT count(DISTINCT source) AS subjects FROM sender_decisions
    WHERE account = ?1 AND domain = ?2 AND source <> ?3`;
  const [found] = await ask(database, query(sql, [account, domain, source], v.object({ subjects: v.number() })));
  return found?.subjects ?? 0;
}

/** Removes all but the newest decisions about a subject. */
export function trimSenderDecisions({ account, domain, source }: SenderName, kept: number): Change {
  return {
    sql: `DELETE FROM sender_decisions WHERE account = ?1 AND domain = ?2 AND source = ?3 AND decided_seconds NOT IN
      (SELECT decided_seconds FROM sender_decisions WHERE account = ?1 AND domain = ?2 AND source = ?3
        ORDER BY decided_seconds DESC LIMIT ?4)`,
    parameters: [account, domain, source, kept],
  };
}

/** An account's newest two decisions about a source: the current and the previous one. */
export function lastTwoDecisions(database: LedgerDatabase, { account, ...name }: SenderName): Promise<DecidedSender[]> {
  return ask(database, senderHistoryQuery(name, [account])).then((all) => all.slice(0, 2));
}
