/**
 * Tags of domains, in the database of the domain's account, and groups of accounts, in the directory: how people put
 * them together.
 */
import * as v from "valibot";
import { TAG_LIMITS } from "../limits.ts";
import { adding, compareValues, sumRows } from "./combine.ts";
import { type Change, jsonColumn, type Query, query } from "./database.ts";
import type { AccountDomain } from "./domain-checks.ts";

/** A domain with its tags, by name. */
export interface TaggedDomain extends AccountDomain {
  tags: string[];
}

const taggedRow = v.object({ account: v.string(), domain: v.string(), tags: jsonColumn(v.array(v.string())) });

/** Those of some domains that an account has, with their tags: it was added, or has reports. */
export function domainsOfAccountQuery(account: string, domains: readonly string[]): Query<TaggedDomain> {
  const sql = `SELECT ?1 AS account, n.value AS domain,
      (SELECT json_group_array(t.tag) FROM domain_tags t WHERE t.account = ?1 AND t.domain = n.value) AS tags
    FROM json_each(?2) n
    WHERE EXISTS (SELECT 1 FROM registered_domains r WHERE r.account = ?1 AND r.domain = n.value)
      OR EXISTS (SELECT 1 FROM domain_days d WHERE d.account = ?1 AND d.kind = 'aggregate' AND d.domain = n.value)`;
  return query(sql, [account, JSON.stringify(domains)], taggedRow);
}

/** Which of some accounts have which of some domains. */
export function accountsOfDomainsQuery(accounts: readonly string[], domains: readonly string[]): Query<AccountDomain> {
  const sql = `SELECT a.value AS account, n.value AS domain FROM json_each(?2) n CROSS JOIN json_each(?1) a
    WHERE EXISTS (SELECT 1 FROM registered_domains r WHERE r.account = a.value AND r.domain = n.value)
      OR EXISTS (SELECT 1 FROM domain_days d WHERE d.account = a.value AND d.kind = 'aggregate' AND d.domain = n.value)`;
  const row = v.object({ account: v.string(), domain: v.string() });
  return query(sql, [JSON.stringify(accounts), JSON.stringify(domains)], row);
}

/** Tagged domains of some accounts. @param tag only domains with this tag */
export function taggedDomainsQuery(accounts: readonly string[], tag?: string): Query<TaggedDomain> {
  const sql = `SELECT account, domain, json_group_array(tag) AS tags FROM domain_tags
    WHERE account IN (SELECT value FROM json_each(?1)) GROUP BY account, domain
    HAVING ?2 IS NULL OR sum(tag = ?2) > 0 ORDER BY domain, account LIMIT ${TAG_LIMITS.listed}`;
  return query(sql, [JSON.stringify(accounts), tag ?? null], taggedRow);
}

/** A tag, with how many domains carry it. */
export interface TagCount {
  tag: string;
  domains: number;
}

/** The tags of some accounts, by name. */
export function tagCountsQuery(accounts: readonly string[]): Query<TagCount> {
  const sql = `SELECT tag, count(*) AS domains FROM domain_tags WHERE account IN (SELECT value FROM json_each(?1))
    GROUP BY tag ORDER BY tag LIMIT ${TAG_LIMITS.listed}`;
  return {
    ...query(sql, [JSON.stringify(accounts)], v.object({ tag: v.string(), domains: v.number() })),
    combine: (parts) => sumRows(parts, ({ tag }) => tag, adding("domains")).sort((a, b) => compareValues(a.tag, b.tag)),
  };
}

/** Puts tags on domains of an account, and takes others off. */
export function changeTags(
  account: string,
  domains: readonly string[],
  { add, remove }: { add: readonly string[]; remove: readonly string[] },
): Change[] {
  const names = [account, JSON.stringify(domains)];
  return [
    {
      sql: `DELETE FROM domain_tags WHERE account = ?1 AND domain IN (SELECT value FROM json_each(?2))
        AND tag IN (SELECT value FROM json_each(?3))`,
      parameters: [...names, JSON.stringify(remove)],
    },
    {
      sql: `INSERT OR IGNORE INTO domain_tags (account, domain, tag)
        SELECT ?1, n.value, t.value FROM json_each(?2) n CROSS JOIN json_each(?3) t`,
      parameters: [...names, JSON.stringify(add)],
    },
  ];
}

/** An account and the group it is in. */
export interface GroupedAccount {
  account: string;
  group: string;
}

/** Accounts that are in a group, by name. @param accounts those the person may see; undefined = all */
export function groupedAccountsQuery(accounts: readonly string[] | undefined): Query<GroupedAccount> {
  const sql = `SELECT account, account_group AS "group" FROM accounts
    WHERE account_group <> '' AND (?1 IS NULL OR account IN (SELECT value FROM json_each(?1))) ORDER BY account`;
  const names = accounts === undefined ? null : JSON.stringify(accounts);
  return query(sql, [names], v.object({ account: v.string(), group: v.string() }));
}

/** Puts an account into a group; "" = into none. */
export function setGroup({ account, group }: GroupedAccount): Change {
  return { sql: "UPDATE accounts SET account_group = ?2 WHERE account = ?1", parameters: [account, group] };
}
