/** MTA-STS policies that are served, in the first database: asked for by domain alone. The newest row of a domain holds. */
import * as v from "valibot";
import { mtaStsPolicy } from "../guidance/mta-sts-policy.ts";
import { type Change, jsonColumn, type Query, query } from "./database.ts";

const columns = v.object({
  domain: v.string(),
  account: v.string(),
  /** The address that the domain was registered with. */
  rua: v.string(),
  /** Null: served no longer. */
  policy: v.nullable(jsonColumn(mtaStsPolicy)),
  changedBy: v.string(),
  changedSeconds: v.number(),
});

/** A change of a domain's policy. */
export type PolicyChange = v.InferOutput<typeof columns>;

/** The change that holds. */
export interface HostedPolicy extends PolicyChange {
  /** Whether that address still takes the domain's reports: without it nothing is served. */
  isRegistered: boolean;
}

const SELECT = `p.domain, p.account, p.rua, p.policy, p.changed_by AS changedBy, p.changed_seconds AS changedSeconds`;

/** A row of `json_each` over an entry's domains that takes a domain: the domain itself, or one above it. */
function takes(listed: string, domain: string): string {
  return `(${listed} = ${domain} OR substr(${domain}, -length(${listed}) - 1) = '.' || ${listed})`;
}

/** The policy of a domain, at most one row. */
export function hostedPolicyQuery(domain: string): Query<HostedPolicy> {
  const sql = `SELECT ${SELECT}, EXISTS (SELECT 1 FROM addresses a, json_each(a.entry, '$.domains') d
      WHERE a.rua = p.rua AND a.account = p.account AND a.removed = 0 AND ${takes("d.value", "p.domain")}) AS isRegistered
    FROM mta_sts_policies p WHERE p.domain = ?1 ORDER BY p.changed_seconds DESC LIMIT 1`;
  const row = v.pipe(
    v.object({ ...columns.entries, isRegistered: v.number() }),
    v.transform(({ isRegistered, ...change }): HostedPolicy => ({ ...change, isRegistered: isRegistered === 1 })),
  );
  return query(sql, [domain], row);
}

/** The changes of a domain's policy by one account, the newest first. */
export function policyChangesQuery(domain: string, account: string, limit: number): Query<PolicyChange> {
  const sql = `SELECT ${SELECT} FROM mta_sts_policies p WHERE p.domain = ?1 AND p.account = ?2
    ORDER BY p.changed_seconds DESC LIMIT ?3`;
  return query(sql, [domain, account, limit], columns);
}

/** The address of an account that names a domain, or one above it; none where the domain is not registered. */
export function registeredWithQuery(account: string, domain: string): Query<string> {
  const sql = `SELECT a.rua FROM addresses a, json_each(a.entry, '$.domains') d
    WHERE a.account = ?1 AND a.removed = 0 AND ${takes("d.value", "?2")} ORDER BY length(d.value) DESC, a.rua LIMIT 1`;
  const row = v.pipe(
    v.object({ rua: v.string() }),
    v.transform(({ rua }) => rua),
  );
  return query(sql, [account, domain], row);
}

/** Adds a change. Two within a second: the later one is put a second later, since the time is the policy's id. */
export function putPolicyChange({ domain, account, rua, policy, changedBy, changedSeconds }: PolicyChange): Change {
  return {
    sql: `INSERT INTO mta_sts_policies (domain, changed_seconds, account, rua, policy, changed_by)
      SELECT ?1, max(?2, ifnull((SELECT max(changed_seconds) + 1 FROM mta_sts_policies WHERE domain = ?1), 0)), ?3, ?4, ?5, ?6`,
    parameters: [domain, changedSeconds, account, rua, policy === null ? null : JSON.stringify(policy), changedBy],
  };
}
