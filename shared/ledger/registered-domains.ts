/**
 * Domains that are registered, with how far each is on the way to its first report: what lists and the set-up page read. The
 * registry says which address takes what; this table follows it. In the database of the account.
 */
import * as v from "valibot";
import { SETUP_STATES, type SetupState } from "../guidance/setup-state.ts";
import { acceptsDomain, type Registration } from "../registry.ts";
import { type Change, jsonColumn, type Query, query } from "./database.ts";
import type { AccountDomain } from "./domain-checks.ts";

/** A domain and the address its reports go to. */
export interface DomainAddress extends AccountDomain {
  rua: string;
}

const recordToPublish = v.object({ name: v.string(), type: v.picklist(["TXT", "CNAME"]), value: v.string() });

/** The schema of what was found when a domain was last checked. */
export const domainSetup = v.object({
  sentence: v.string(),
  /** The one record that is missing, where it is not among `records`. */
  missing: v.optional(recordToPublish),
  /** What to publish; the sentence says why. zone: whose DNS it goes into, the domain's or the address's. */
  records: v.array(v.object({ ...recordToPublish.entries, zone: v.picklist(["domain", "rua"]), sentence: v.string() })),
});

export type DomainSetup = v.InferOutput<typeof domainSetup>;

export interface RegisteredDomain extends DomainAddress {
  addedSeconds: number;
  state: SetupState;
  /** 0: not checked yet. */
  checkedSeconds: number;
  /** undefined while it was not checked. */
  setup: DomainSetup | undefined;
}

const row = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    rua: v.string(),
    added_seconds: v.number(),
    state: v.fallback(v.picklist(SETUP_STATES), "unknown"),
    checked_seconds: v.number(),
    setup: jsonColumn(v.fallback(v.union([domainSetup, v.strictObject({})]), {})),
  }),
  v.transform(
    ({ added_seconds, checked_seconds, setup, ...named }): RegisteredDomain => ({
      ...named,
      addedSeconds: added_seconds,
      checkedSeconds: checked_seconds,
      setup: "records" in setup ? setup : undefined,
    }),
  ),
);

const COLUMNS = "account, domain, rua, added_seconds, state, checked_seconds, setup";

/** The registrations of a domain in some accounts, by account. */
export function registeredDomainQuery(domain: string, accounts: readonly string[]): Query<RegisteredDomain> {
  const sql = `SELECT ${COLUMNS} FROM registered_domains
    WHERE domain = ?1 AND account IN (SELECT value FROM json_each(?2)) ORDER BY account`;
  return query(sql, [domain, JSON.stringify(accounts)], row);
}

/** Those of some domains that an account has registered. */
export function registeredDomainsQuery(account: string, domains: readonly string[]): Query<RegisteredDomain> {
  const sql = `SELECT ${COLUMNS} FROM registered_domains
    WHERE account = ?1 AND domain IN (SELECT value FROM json_each(?2))`;
  return query(sql, [account, JSON.stringify(domains)], row);
}

/** Registers domains, or changes where their reports go: what was found about another address is forgotten. */
export function putRegisteredDomains(domains: readonly DomainAddress[], nowSeconds: number): Change {
  return {
    sql: `INSERT INTO registered_domains (${COLUMNS})
      SELECT value ->> 'account', value ->> 'domain', value ->> 'rua', ?2, 'unknown', 0, '{}' FROM json_each(?1) WHERE true
      ON CONFLICT (account, domain) DO UPDATE SET rua = excluded.rua, state = 'unknown', checked_seconds = 0, setup = '{}'
      WHERE rua <> excluded.rua`,
    parameters: [JSON.stringify(domains), nowSeconds],
  };
}

/** Registers domains that are not registered yet. */
export function addMissingDomains(domains: readonly DomainAddress[], nowSeconds: number): Change {
  return {
    sql: `INSERT OR IGNORE INTO registered_domains (${COLUMNS})
      SELECT value ->> 'account', value ->> 'domain', value ->> 'rua', ?2, 'unknown', 0, '{}' FROM json_each(?1)`,
    parameters: [JSON.stringify(domains), nowSeconds],
  };
}

/** Removes domains from the list; their reports stay. */
export function removeRegisteredDomains(domains: readonly AccountDomain[]): Change {
  return {
    sql: `DELETE FROM registered_domains WHERE (account, domain) IN
      (SELECT value ->> 'account', value ->> 'domain' FROM json_each(?1))`,
    parameters: [JSON.stringify(domains)],
  };
}

/** And what is kept of a domain that never had a report. */
export function forgetUnreported({ account, domain }: AccountDomain): Change[] {
  return ["domain_checks", "domain_verdicts"].map((table) => ({
    sql: `DELETE FROM ${table} WHERE account = ?1 AND domain = ?2 AND NOT EXISTS (
      SELECT 1 FROM domain_days d WHERE d.account = ?1 AND d.kind = 'aggregate' AND d.domain = ?2)`,
    parameters: [account, domain],
  }));
}

/** Those of some domains that any of some accounts has registered. */
export function registeredOfAccountsQuery(
  accounts: readonly string[],
  domains: readonly string[],
): Query<RegisteredDomain> {
  const sql = `SELECT ${COLUMNS} FROM registered_domains WHERE account IN (SELECT value FROM json_each(?1))
    AND domain IN (SELECT value FROM json_each(?2))`;
  return query(sql, [JSON.stringify(accounts), JSON.stringify(domains)], row);
}

const countRow = v.object({ account: v.string(), domains: v.number() });

/** How many domains each of some accounts has registered. */
export function registeredCountsQuery(accounts: readonly string[]): Query<v.InferOutput<typeof countRow>> {
  return query(
    `SELECT account, count(*) AS domains FROM registered_domains WHERE account IN (SELECT value FROM json_each(?1))
    GROUP BY account`,
    [JSON.stringify(accounts)],
    countRow,
  );
}

/** How many domains an account has registered. */
export function registeredCountQuery(account: string): Query<number> {
  const count = v.pipe(
    v.object({ domains: v.number() }),
    v.transform(({ domains }) => domains),
  );
  return query("SELECT count(*) AS domains FROM registered_domains WHERE account = ?1", [account], count);
}

/**
 * Keeps what was found about a domain; what was known stays where DNS gave no answer, or was not asked any more. A domain that
 * was removed meanwhile, or has another address now, stays as it is.
 */
export function keepSetup({ account, domain, rua, state, checkedSeconds, setup }: RegisteredDomain): Change {
  return {
    sql: `UPDATE registered_domains SET checked_seconds = ?5, state = iif(?4 = 'unknown', state, ?4),
        setup = iif(?4 = 'unknown' AND state <> 'unknown', setup, ?6)
      WHERE account = ?1 AND domain = ?2 AND rua = ?3`,
    parameters: [account, domain, rua, state, checkedSeconds, JSON.stringify(setup ?? {})],
  };
}

const named = v.object({ account: v.string(), domain: v.string(), rua: v.string() });

/** Registered domains without a report so far, those checked longest ago first. */
export function dueSetupsQuery({
  beforeSeconds,
  limit,
}: {
  beforeSeconds: number;
  limit: number;
}): Query<DomainAddress> {
  const sql = `SELECT account, domain, rua FROM registered_domains
    WHERE state <> 'receiving' AND checked_seconds < ?1 ORDER BY checked_seconds, account, domain LIMIT ?2`;
  return query(sql, [beforeSeconds, limit], named);
}

/** Every registered domain of a database, or those of one address. */
export function domainAddressesQuery(rua?: string): Query<DomainAddress> {
  return rua === undefined
    ? query("SELECT account, domain, rua FROM registered_domains", [], named)
    : query("SELECT account, domain, rua FROM registered_domains WHERE rua = ?1", [rua], named);
}

/**
 * What makes the list follow the registry: domains that addresses name are added, and those whose address is no longer
 * registered, has gone to another account or no longer accepts them go. Pure.
 *
 * @param registered addresses of the database's accounts: all of them, or the one that `listed` is about
 */
export function followRegistry(
  registered: readonly Registration[],
  listed: readonly DomainAddress[],
  nowSeconds: number,
): Change[] {
  const entries = new Map(registered.map(({ rua, entry }) => [rua, entry]));
  const wanted = registered.flatMap(({ rua, entry: { account, domains = [] } }) =>
    domains.map((domain) => ({ account, domain, rua })),
  );
  const gone = listed.filter(({ account, domain, rua }) => {
    const entry = entries.get(rua);
    return entry === undefined || entry.account !== account || !acceptsDomain(entry, domain);
  });
  return [
    ...(gone.length === 0 ? [] : [removeRegisteredDomains(gone)]),
    ...(wanted.length === 0 ? [] : [addMissingDomains(wanted, nowSeconds)]),
  ];
}
