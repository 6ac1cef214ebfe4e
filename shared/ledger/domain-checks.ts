/** The last check of each domain's published records, and the changes found. Kept in the account's database. */

import * as v from "valibot";
import { type RecordChange, type StoredCheck, storedCheck } from "../guidance/stored-check.ts";
import { type DayRange, SECONDS_PER_DAY } from "../report-day.ts";
import { ask, type Change, jsonColumn, type LedgerDatabase, type Query, query } from "./database.ts";
import { REPORTED_NAMES } from "./reported-names.ts";

/** A domain and its account. */
export interface AccountDomain {
  account: string;
  domain: string;
}

/** A domain's last check. */
export interface KeptCheck extends AccountDomain {
  checkedSeconds: number;
  check: StoredCheck;
}

/**
 * Adds domains with reports since a day to those that are checked. Not those that only unproven mail names: anybody could name so
 * many that the others wait for weeks.
 */
export function addReportedDomains(sinceDay: number): Change {
  return {
    sql: `WITH RECURSIVE ${REPORTED_NAMES}
      INSERT OR IGNORE INTO domain_checks (account, domain, checked_seconds, state, result)
      SELECT account, domain, 0, 'unknown', '{}' FROM names WHERE domain IS NOT NULL AND EXISTS (
        SELECT 1 FROM domain_days d
        WHERE d.account = names.account AND d.kind = 'aggregate' AND d.domain = names.domain AND d.day >= ?1
          AND (d.reports > d.uncounted_reports OR d.total > d.uncounted_total))`,
    parameters: [sinceDay],
  };
}

/** Adds one domain of one account, whoever reported about it. */
export function addReportedDomain({ account, domain }: AccountDomain, sinceDay: number): Change {
  return {
    sql: `INSERT OR IGNORE INTO domain_checks (account, domain, checked_seconds, state, result)
      SELECT account, domain, 0, 'unknown', '{}' FROM domain_days
      WHERE account = ?1 AND kind = 'aggregate' AND domain = ?2 AND day >= ?3 LIMIT 1`,
    parameters: [account, domain, sinceDay],
  };
}

/** When a domain was last checked, 0 for never; undefined if it is not checked at all. */
export async function lastCheck(
  database: LedgerDatabase,
  { account, domain }: AccountDomain,
): Promise<number | undefined> {
  const sql = "SELECT checked_seconds FROM domain_checks WHERE account = ?1 AND domain = ?2";
  const [found] = await ask(database, query(sql, [account, domain], v.object({ checked_seconds: v.number() })));
  return found?.checked_seconds;
}

/** Adds registered domains to those that are checked: all of them, or one. */
export function addListedDomains(name?: AccountDomain): Change {
  const some = name === undefined ? "" : "WHERE account = ?1 AND domain = ?2";
  return {
    sql: `INSERT OR IGNORE INTO domain_checks (account, domain, checked_seconds, state, result)
      SELECT account, domain, 0, 'unknown', '{}' FROM registered_domains ${some}`,
    parameters: name === undefined ? [] : [name.account, name.domain],
  };
}

const nameRow = v.object({ account: v.string(), domain: v.string() });

/** The domains with the oldest checks, those never checked first. */
export async function dueDomains(
  database: LedgerDatabase,
  { beforeSeconds, limit }: { beforeSeconds: number; limit: number },
): Promise<AccountDomain[]> {
  const sql = `SELECT account, domain FROM domain_checks WHERE checked_seconds < ?1
    ORDER BY checked_seconds, account, domain LIMIT ?2`;
  return ask(database, query(sql, [beforeSeconds, limit], nameRow));
}

/** Of the domains checked within a time, its end not included, those with something unknown, the oldest checks first. */
export async function unfinishedDomains(
  database: LedgerDatabase,
  { sinceSeconds, beforeSeconds, limit }: { sinceSeconds: number; beforeSeconds: number; limit: number },
): Promise<AccountDomain[]> {
  const sql = `SELECT account, domain FROM domain_checks WHERE checked_seconds >= ?1 AND checked_seconds < ?2
    AND result LIKE '%"status":"unknown"%' ORDER BY checked_seconds, account, domain LIMIT ?3`;
  return ask(database, query(sql, [sinceSeconds, beforeSeconds, limit], nameRow));
}

const row = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    checked_seconds: v.number(),
    result: jsonColumn(storedCheck),
  }),
  v.transform(
    ({ checked_seconds, result, ...name }): KeptCheck => ({
      ...name,
      checkedSeconds: checked_seconds,
      check: result,
    }),
  ),
);

/** The last checks of a domain by the given accounts, newest first; none if it was never checked. */
export function checksQuery(domain: string, accounts: readonly string[]): Query<KeptCheck> {
  const sql = `SELECT account, domain, checked_seconds, result FROM domain_checks
    WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2)) AND checked_seconds > 0
    ORDER BY checked_seconds DESC`;
  return query(sql, [domain, JSON.stringify(accounts)], row);
}

/** One row if an account has reports about a domain. */
export function hasReportsQuery({ account, domain }: AccountDomain): Query<{ day: number }> {
  const sql = "SELECT day FROM domain_days WHERE account = ?1 AND kind = 'aggregate' AND domain = ?2 LIMIT 1";
  return query(sql, [account, domain], v.object({ day: v.number() }));
}

/** One of the given accounts that has reports about a domain; none if no account has. */
export function accountOfDomainQuery(domain: string, accounts: readonly string[]): Query<string> {
  const sql = `SELECT account FROM domain_days WHERE kind = 'aggregate' AND domain = ?1
    AND account IN (SELECT value FROM json_each(?2)) LIMIT 1`;
  const account = v.pipe(
    v.object({ account: v.string() }),
    v.transform((found) => found.account),
  );
  return query(sql, [domain, JSON.stringify(accounts)], account);
}

/** A change of a record, with the time it was found. */
export interface SeenChange extends RecordChange {
  seenSeconds: number;
}

const changeRow = v.pipe(
  v.object({
    seen_seconds: v.number(),
    name: v.string(),
    type: v.string(),
    before: jsonColumn(v.array(v.string())),
    after: jsonColumn(v.array(v.string())),
  }),
  v.transform(({ seen_seconds, ...change }): SeenChange => ({ ...change, seenSeconds: seen_seconds })),
);

/** The newest changes of a domain's records, newest first. */
export function recordChangesQuery(domain: string, accounts: readonly string[], limit: number): Query<SeenChange> {
  const sql = `SELECT DISTINCT seen_seconds, name, type, before, after FROM record_changes
    WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2))
    ORDER BY seen_seconds DESC, name, type LIMIT ?3`;
  return query(sql, [domain, JSON.stringify(accounts), limit], changeRow);
}

/** The same of a period: changes found on its days. */
export function recordChangesOfPeriodQuery(
  domain: string,
  accounts: readonly string[],
  { firstDay, lastDay, limit }: DayRange & { limit: number },
): Query<SeenChange> {
  const sql = `SELECT DISTINCT seen_seconds, name, type, before, after FROM record_changes
    WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2)) AND seen_seconds >= ?3 AND seen_seconds < ?4
    ORDER BY seen_seconds DESC, name, type LIMIT ?5`;
  const seconds = [firstDay * SECONDS_PER_DAY, (lastDay + 1) * SECONDS_PER_DAY];
  return query(sql, [domain, JSON.stringify(accounts), ...seconds, limit], changeRow);
}

/** Stores a check and the changes since the previous one, in one transaction. */
export function keepCheck(kept: KeptCheck, changes: readonly RecordChange[]): Change[] {
  const { account, domain, checkedSeconds, check } = kept;
  const keptCheck: Change = {
    sql: `INSERT INTO domain_checks (account, domain, checked_seconds, state, result) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (account, domain) DO UPDATE SET checked_seconds = excluded.checked_seconds,
        state = excluded.state, result = excluded.result`,
    parameters: [account, domain, checkedSeconds, check.state, JSON.stringify(check)],
  };
  if (changes.length === 0) return [keptCheck];
  const keptChanges: Change = {
    sql: `INSERT OR IGNORE INTO record_changes (account, domain, seen_seconds, name, type, before, after)
      SELECT ?1, ?2, ?3, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?4)`,
    parameters: [account, domain, checkedSeconds, JSON.stringify(changes.map(changeColumns))],
  };
  return [keptCheck, keptChanges];
}

function changeColumns({ name, type, before, after }: RecordChange): string[] {
  return [name, type, JSON.stringify(before), JSON.stringify(after)];
}
