/** What domains publish about their mail, as it was last found, and what changed in it. In the database of the account. */
import * as v from "valibot";
import { type RecordChange, type StoredCheck, storedCheck } from "../guidance/stored-check.ts";
import { ask, type Change, jsonColumn, type LedgerDatabase, type Query, query } from "./database.ts";

/** A domain and whose it is. */
export interface AccountDomain {
  account: string;
  domain: string;
}

/** A domain's last check. */
export interface KeptCheck extends AccountDomain {
  checkedSeconds: number;
  check: StoredCheck;
}

/** Domains that have had reports since a day are looked after from then on. */
export function addReportedDomains(sinceDay: number): Change {
  return {
    sql: `INSERT OR IGNORE INTO domain_checks (account, domain, checked_seconds, state, result)
      SELECT DISTINCT account, domain, 0, 'unknown', '{}' FROM domain_days
      WHERE kind = 'aggregate' AND day >= ?1 AND domain <> ''`,
    parameters: [sinceDay],
  };
}

/** The same for one domain of one account. */
export function addReportedDomain({ account, domain }: AccountDomain, sinceDay: number): Change {
  return {
    sql: `INSERT OR IGNORE INTO domain_checks (account, domain, checked_seconds, state, result)
      SELECT account, domain, 0, 'unknown', '{}' FROM domain_days
      WHERE account = ?1 AND kind = 'aggregate' AND domain = ?2 AND day >= ?3 LIMIT 1`,
    parameters: [account, domain, sinceDay],
  };
}

/** When a domain was last checked, 0 for never; undefined where it is not one that is checked. */
export async function lastCheck(
  database: LedgerDatabase,
  { account, domain }: AccountDomain,
): Promise<number | undefined> {
  const sql = "SELECT checked_seconds FROM domain_checks WHERE account = ?1 AND domain = ?2";
  const [found] = await ask(database, query(sql, [account, domain], v.object({ checked_seconds: v.number() })));
  return found?.checked_seconds;
}

/** And so are domains that are registered. */
export function addDomains(domains: readonly AccountDomain[]): Change {
  return {
    sql: `INSERT OR IGNORE INTO domain_checks (account, domain, checked_seconds, state, result)
      SELECT json_extract(value, '$.account'), json_extract(value, '$.domain'), 0, 'unknown', '{}' FROM json_each(?1)`,
    parameters: [JSON.stringify(domains)],
  };
}

/** The domains whose check is oldest, those never checked first. */
export async function dueDomains(
  database: LedgerDatabase,
  { beforeSeconds, limit }: { beforeSeconds: number; limit: number },
): Promise<AccountDomain[]> {
  const sql = `SELECT account, domain FROM domain_checks WHERE checked_seconds < ?1
    ORDER BY checked_seconds, account, domain LIMIT ?2`;
  return ask(database, query(sql, [beforeSeconds, limit], v.object({ account: v.string(), domain: v.string() })));
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

/** The last check of a domain by each of some accounts, the newest first; none where it was never checked. */
export function checksQuery(domain: string, accounts: readonly string[]): Query<KeptCheck> {
  const sql = `SELECT account, domain, checked_seconds, result FROM domain_checks
    WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2)) AND checked_seconds > 0
    ORDER BY checked_seconds DESC`;
  return query(sql, [domain, JSON.stringify(accounts)], row);
}

/** One row where an account has reports about a domain. */
export function hasReportsQuery({ account, domain }: AccountDomain): Query<{ day: number }> {
  const sql = "SELECT day FROM domain_days WHERE account = ?1 AND kind = 'aggregate' AND domain = ?2 LIMIT 1";
  return query(sql, [account, domain], v.object({ day: v.number() }));
}

/** An account, of some, that has reports about a domain; none where no one has. */
export function accountOfDomainQuery(domain: string, accounts: readonly string[]): Query<string> {
  const sql = `SELECT account FROM domain_days WHERE kind = 'aggregate' AND domain = ?1
    AND account IN (SELECT value FROM json_each(?2)) LIMIT 1`;
  const account = v.pipe(
    v.object({ account: v.string() }),
    v.transform((found) => found.account),
  );
  return query(sql, [domain, JSON.stringify(accounts)], account);
}

/** A change of a record, with when it was seen. */
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

/** Keeps a check and what changed since the one before, in one transaction. */
export function keepCheck(kept: KeptCheck, changes: readonly RecordChange[]): Change[] {
  const { account, domain, checkedSeconds, check } = kept;
  return [
    {
      sql: `INSERT INTO domain_checks (account, domain, checked_seconds, state, result) VALUES (?1, ?2, ?3, ?4, ?5)
        ON CONFLICT (account, domain) DO UPDATE SET checked_seconds = excluded.checked_seconds,
          state = excluded.state, result = excluded.result`,
      parameters: [account, domain, checkedSeconds, check.state, JSON.stringify(check)],
    },
    ...changes.map(({ name, type, before, after }) => ({
      sql: `INSERT OR IGNORE INTO record_changes (account, domain, seen_seconds, name, type, before, after)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
      parameters: [account, domain, checkedSeconds, name, type, JSON.stringify(before), JSON.stringify(after)],
    })),
  ];
}
