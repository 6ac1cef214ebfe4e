/**
 * The verdict about each domain as it was last computed, in the database of its account, and how far the round over the
 * domains is. Lists of domains sort and filter by it; the page of a domain computes its own, for its period.
 */

import * as v from "valibot";
import { isCountedSql } from "../authentication/sender-state.ts";
import { type StoredVerdict, senderAtRisk, storedReason } from "../guidance/stored-verdict.ts";
import { VERDICT_STATES } from "../guidance/verdict.ts";
import type { LedgerAnswers } from "../guidance/verdict-input.ts";
import { WATCH_LIMITS } from "../limits.ts";
import { type WorkItem, workText } from "../watch/work.ts";
import { ask, type Change, jsonColumn, knows, type LedgerDatabase, type Query, query } from "./database.ts";
import type { AccountDomain } from "./domain-checks.ts";
import { REPORTED_NAMES } from "./reported-names.ts";
import { isMeaningful } from "./reports.ts";
import { KNOWS_SENDER_DECISION, SENDER_DECISIONS, type SenderDecision } from "./sender-decisions.ts";

/** A domain's verdict, when it was computed, and since when it has its state. */
export interface DomainVerdict extends AccountDomain, StoredVerdict {
  sinceSeconds: number;
  computedSeconds: number;
}

/** How far the round is. */
export interface Round {
  startedSeconds: number;
  isDone: boolean;
  /** The last domain that was looked at; "" at the beginning. */
  after: AccountDomain;
  /** Runs that began here and got no further, this one not counted. */
  attempts: number;
}

/** Days since 1970-01-01 UTC, both included. */
interface Days {
  firstDay: number;
  lastDay: number;
}

/** A domain that a round looks at, and what its verdict was computed from. */
export interface JudgedDomain extends AccountDomain {
  /** What is there to judge now; `known` is what its verdict was computed from. */
  fingerprint: string;
  known: string;
  version: number;
}

const roundRow = v.pipe(
  v.object({
    started_seconds: v.number(),
    is_done: v.number(),
    account: v.string(),
    domain: v.string(),
    attempts: v.number(),
  }),
  v.transform(
    ({ started_seconds, is_done, account, domain, attempts }): Round => ({
      startedSeconds: started_seconds,
      isDone: is_done === 1,
      after: { account, domain },
      attempts: attempts - 1,
    }),
  ),
);

/** A run begins: how far the round is. Runs that are not followed by a step of it are counted. */
export async function beginRun(database: LedgerDatabase): Promise<Round> {
  const sql = `UPDATE watch_round SET attempts = attempts + 1 WHERE id = 1
    RETURNING started_seconds, is_done, account, domain, attempts`;
  const { results } = await database.prepare(sql).bind().all();
  return v.parse(roundRow, results[0]);
}

/**
 * When the last round began, and when cron is last known to have run: a round over tens of thousands of domains takes hours, in which
 * each run judges some and moves the round's place behind them; at its end, until the next one begins, it is at the last of them. Runs
 * that judge none pass many domains at once. Of a round that began lately no domains are read. 0 = there was none.
 */
export async function lastRound(
  database: LedgerDatabase,
  nowSeconds: number,
): Promise<{ roundSeconds: number; cronSeconds: number }> {
  const sql = `SELECT started_seconds AS roundSeconds, max(started_seconds, coalesce((
      SELECT max(computed_seconds) FROM (SELECT computed_seconds FROM domain_verdicts
        WHERE round.started_seconds < ?1 AND (account, domain) <= (round.account, round.domain)
        ORDER BY account DESC, domain DESC LIMIT ${WATCH_LIMITS.judgedBehind})), 0)) AS cronSeconds
    FROM watch_round AS round WHERE id = 1`;
  const longAgo = nowSeconds - 2 * WATCH_LIMITS.secondsBetweenRounds;
  const times = v.object({ roundSeconds: v.number(), cronSeconds: v.number() });
  const [row] = await ask(database, query(sql, [longAgo], times));
  return row ?? { roundSeconds: 0, cronSeconds: 0 };
}

/** The round is at this domain, or at its end. */
export function setRound({ account, domain }: AccountDomain, isDone: boolean): Change {
  return {
    sql: "UPDATE watch_round SET account = ?1, domain = ?2, is_done = ?3, attempts = 0 WHERE id = 1",
    parameters: [account, domain, isDone ? 1 : 0],
  };
}

/** A new round begins, over every domain that has reports, and every one whose records are checked. */
export function beginRound(nowSeconds: number): Change[] {
  return [
    {
      sql: `WITH RECURSIVE ${REPORTED_NAMES}
        INSERT OR IGNORE INTO domain_verdicts (account, domain, state, place, since_seconds, messages, own_messages,
          at_risk, policy, is_test, next_record, reasons, senders, computed_seconds, fingerprint, version)
        SELECT account, domain, '', -1, 0, 0, 0, 0, '', 0, '', '[]', '[]', 0, '', 0 FROM (
          SELECT account, domain FROM names WHERE domain IS NOT NULL
          UNION SELECT account, domain FROM domain_checks)`,
      parameters: [],
    },
    {
      sql: `UPDATE watch_round SET started_seconds = ?1, is_done = 0, account = '', domain = '', attempts = 1 WHERE id = 1`,
      parameters: [nowSeconds],
    },
  ];
}

/**
 * The next domains of a round. Their fingerprint says what there is to judge: the day, sums by day, decisions, records, mutes.
 *
 * @param period what the verdict looks back on
 */
export function domainsAfterQuery(
  { account, domain }: AccountDomain,
  { firstDay, lastDay }: Days,
): Query<JudgedDomain> {
  const sql = `SELECT account, domain, fingerprint AS known, version, json_array(?4,
      (SELECT json_array(count(*), sum(d.total), total(d.total * (d.day % 97)), total(d.passed * (d.day % 97)),
          sum(d.dkim_aligned), sum(d.spf_aligned), sum(d.quarantined), sum(d.rejected), sum(d.uncounted_total),
          sum(d.reports), max(d.last_end_seconds), max(d.policy))
        FROM domain_days d WHERE d.account = w.account AND d.kind = 'aggregate' AND d.domain = w.domain
          AND d.day BETWEEN ?3 AND ?4),
      (SELECT json_array(count(*), sum(d.total), total(d.passed * (d.day % 97)), max(d.day), sum(d.uncounted_total))
        FROM domain_days d WHERE d.account = w.account AND d.kind = 'tls' AND d.domain = w.domain AND d.day >= ?3),
      (SELECT max(decided_seconds) FROM sender_decisions s WHERE s.account = w.account AND s.domain = w.domain),
      (SELECT max(seen_seconds) FROM record_changes c WHERE c.account = w.account AND c.domain = w.domain),
      (SELECT c.state || length(c.result) FROM domain_checks c WHERE c.account = w.account AND c.domain = w.domain),
      (SELECT json_array(count(*), max(muted_seconds)) FROM mutes m WHERE m.account = w.account)
    ) AS fingerprint
    FROM domain_verdicts w WHERE (account, domain) > (?1, ?2) ORDER BY account, domain LIMIT ?5`;
  return query(
    sql,
    [account, domain, firstDay, lastDay, WATCH_LIMITS.domainsAtOnce],
    v.object({
      account: v.string(),
      domain: v.string(),
      fingerprint: v.string(),
      known: v.string(),
      version: v.number(),
    }),
  );
}

/** What the ledger knows of a domain besides its mail, as the verdict needs it. */
export interface DomainFacts extends AccountDomain, Pick<LedgerAnswers, "days" | "policies" | "ruaAddresses"> {
  /** State before and since when; "" where there was none. */
  before: { state: DomainVerdict["state"] | ""; sinceSeconds: number };
  decisions: { source: string; decision: SenderDecision }[];
}

const dayItem = v.pipe(
  v.tuple([v.number(), v.number(), v.number()]),
  v.transform(([day, messages, uncounted]) => ({ day, messages, uncounted })),
);
const policyItem = v.pipe(
  v.tuple([v.string(), v.number(), v.number(), v.number()]),
  v.transform(([policy, firstDay, lastDay, lastCountedDay]) => ({ policy, firstDay, lastDay, lastCountedDay })),
);
const decisionItem = v.pipe(
  v.tuple([v.string(), v.picklist(SENDER_DECISIONS)]),
  v.transform(([source, decision]) => ({ source, decision })),
);

const factsRow = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    state: v.fallback(v.picklist([...VERDICT_STATES, ""]), ""),
    since_seconds: v.number(),
    days: jsonColumn(v.array(dayItem)),
    policies: jsonColumn(v.array(policyItem)),
    addresses: jsonColumn(v.array(v.string())),
    decisions: jsonColumn(v.array(decisionItem)),
  }),
  v.transform(
    ({ state, since_seconds, addresses, ...facts }): DomainFacts => ({
      ...facts,
      before: { state, sinceSeconds: since_seconds },
      ruaAddresses: addresses,
    }),
  ),
);

/** Ours: RUA addresses that a record is proposed with, as on the pages. */
const MAX_RUA_ADDRESSES = 5;

/** Facts of some domains: the days of a period, policies of all time, decisions. One statement. */
export function factsQuery(names: readonly AccountDomain[], { firstDay, lastDay }: Days): Query<DomainFacts> {
  const isOf = (table: string): string =>
    `${table}.account = w.account AND ${table}.kind = 'aggregate' AND ${table}.domain = w.domain`;
  const sql = `SELECT w.account, w.domain, w.state, w.since_seconds,
      (SELECT json_group_array(json_array(day, total, uncounted)) FROM (
        SELECT d.day, d.total, d.uncounted_total AS uncounted FROM domain_days d
        WHERE ${isOf("d")} AND d.day BETWEEN ?2 AND ?3 ORDER BY d.day)) AS days,
      (SELECT json_group_array(json_array(policy, firstDay, lastDay, lastCountedDay))
        FROM (SELECT policy, min(firstDay) AS firstDay, max(lastDay) AS lastDay, max(lastCountedDay) AS lastCountedDay
          FROM (
            SELECT r.policy, min(r.day) AS firstDay, max(r.day) AS lastDay,
              max(CASE WHEN ${isCountedSql("r")} THEN r.day ELSE 0 END) AS lastCountedDay
            FROM reports r WHERE ${isOf("r")} AND r.state = 'accepted' AND ${isMeaningful("r")} GROUP BY r.policy
            UNION ALL
            SELECT d.policy, min(d.day), max(d.day),
              max(CASE WHEN d.reports > d.uncounted_reports THEN d.day ELSE 0 END)
            FROM domain_days d WHERE ${isOf("d")} AND d.is_final = 1 AND d.last_end_seconds > 0 GROUP BY d.policy)
          GROUP BY policy ORDER BY lastDay DESC, firstDay DESC, policy)) AS policies,
      (SELECT json_group_array(rua) FROM (SELECT r.rua, max(r.day) AS last FROM reports r
        WHERE ${isOf("r")} AND r.day BETWEEN ?2 AND ?3 AND r.state = 'accepted' AND r.rua <> ''
        GROUP BY r.rua ORDER BY last DESC, r.rua LIMIT ${MAX_RUA_ADDRESSES})) AS addresses,
      (SELECT json_group_array(json_array(source, decision)) FROM (
        SELECT s.source, s.decision, max(s.decided_seconds) FROM sender_decisions s
        WHERE s.account = w.account AND s.domain = w.domain AND ${KNOWS_SENDER_DECISION} GROUP BY s.source)) AS decisions
    FROM json_each(?1) n JOIN domain_verdicts w
      ON w.account = n.value ->> 'account' AND w.domain = n.value ->> 'domain'
    ORDER BY w.account, w.domain`;
  const parameters = [JSON.stringify(names.map(({ account, domain }) => ({ account, domain }))), firstDay, lastDay];
  return query(sql, parameters, factsRow);
}

/** A verdict to keep, and what it was computed from. */
export interface VerdictWrite {
  verdict: DomainVerdict;
  fingerprint: string;
  /** Version of the row that it was computed on. */
  version: number;
  /** The state that people know of from now on. */
  toldState: DomainVerdict["state"] | "";
  /** What is to be done about it. */
  work: readonly WorkItem[];
}

/**
 * Keeps a verdict. The transaction it is part of fails where the row has changed since it was read (`isJudgedMeanwhile`).
 */
export function keepVerdict({ verdict, fingerprint, version, toldState, work }: VerdictWrite): Change {
  const { account, domain, state, reasons, senders } = verdict;
  return {
    sql: `UPDATE domain_verdicts SET state = ?3, place = ?4, since_seconds = ?5, messages = ?6, own_messages = ?7,
        at_risk = ?8, policy = ?9, is_test = ?10, next_record = ?11, reasons = ?12, senders = ?13,
        computed_seconds = ?14, fingerprint = ?15, version = CASE WHEN version = ?16 THEN version + 1 END,
        told_state = ?17, work = ?18
      WHERE account = ?1 AND domain = ?2`,
    parameters: [
      account,
      domain,
      state,
      VERDICT_STATES.indexOf(state),
      verdict.sinceSeconds,
      verdict.messages,
      verdict.ownMessages,
      verdict.atRisk,
      verdict.policy,
      verdict.isTest ? 1 : 0,
      verdict.nextRecord,
      JSON.stringify(reasons),
      JSON.stringify(senders),
      verdict.computedSeconds,
      fingerprint,
      version,
      toldState,
      workText(work),
    ],
  };
}

/** Whether a transaction failed since another run was faster. */
export function isJudgedMeanwhile(error: unknown): boolean {
  return String(error).includes("NOT NULL constraint failed: domain_verdicts.version");
}

/** The condition that this version knows a verdict; another one is computed soon. */
const KNOWS_STATE = knows("state", VERDICT_STATES);

const verdictRow = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    state: v.picklist(VERDICT_STATES),
    since_seconds: v.number(),
    messages: v.number(),
    own_messages: v.number(),
    at_risk: v.number(),
    policy: v.fallback(v.picklist(["none", "quarantine", "reject", ""]), ""),
    is_test: v.number(),
    next_record: v.string(),
    reasons: jsonColumn(v.array(storedReason)),
    senders: jsonColumn(v.array(senderAtRisk)),
    computed_seconds: v.number(),
  }),
  v.transform(
    ({ since_seconds, own_messages, at_risk, is_test, next_record, computed_seconds, ...row }): DomainVerdict => ({
      ...row,
      sinceSeconds: since_seconds,
      ownMessages: own_messages,
      atRisk: at_risk,
      isTest: is_test === 1,
      nextRecord: next_record,
      computedSeconds: computed_seconds,
    }),
  ),
);

/**
 * Stored verdicts, the worst first: by state, then by messages at risk.
 *
 * @param domains absent = all of the accounts
 */
export function domainVerdictsQuery(
  accounts: readonly string[],
  { domains, limit }: { domains?: readonly string[]; limit: number },
): Query<DomainVerdict> {
  const isNamed = domains === undefined ? "" : "AND domain IN (SELECT value FROM json_each(?3))";
  const sql = `SELECT account, domain, state, since_seconds, messages, own_messages, at_risk, policy, is_test,
      next_record, reasons, senders, computed_seconds
    FROM domain_verdicts WHERE account IN (SELECT value FROM json_each(?1)) AND place >= 0 AND ${KNOWS_STATE} ${isNamed}
    ORDER BY place, at_risk DESC, account, domain LIMIT ?2`;
  const named = domains === undefined ? [] : [JSON.stringify(domains)];
  const order = ({ state }: DomainVerdict): number => VERDICT_STATES.indexOf(state);
  return {
    ...query(sql, [JSON.stringify(accounts), limit, ...named], verdictRow),
    combine: (parts) =>
      parts
        .flat()
        .sort((a, b) => order(a) - order(b) || b.atRisk - a.atRisk)
        .slice(0, limit),
  };
}
