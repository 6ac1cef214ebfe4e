/** Questions about which accounts there is data of, and from when to when there is data about a domain. */
import * as v from "valibot";
import { type Query, query } from "./database.ts";
import { inScope, type Scope } from "./figure-sql.ts";
import type { ReportKind } from "./report-rows.ts";

/** From when on there is data about some domains, and up to when only its sums are left. */
export interface Extent {
  /** Days since 1970-01-01 UTC; undefined where there is no data. */
  firstDay: number | undefined;
  /** The newest day that a report is about; undefined where there is no data. */
  lastDay: number | undefined;
  /** Details of this day and those before were removed for their age; undefined = of none. */
  lastFinalDay: number | undefined;
}

/** The extent of what is known about a scope's domains, whatever its days. Its answer is one row. */
export function extentQuery({ accounts, domains }: Scope, kind: ReportKind = "aggregate"): Query<Extent> {
  const where = inScope("d", kind, { accounts, domains });
  return {
    ...query(
      `SELECT min(d.day) AS firstDay, max(d.day) AS lastDay,
        max(CASE WHEN d.is_final = 1 THEN d.day END) AS lastFinalDay
      FROM domain_days d WHERE ${where.sql}`,
      where.parameters,
      v.pipe(
        v.object({
          firstDay: v.nullable(v.number()),
          lastDay: v.nullable(v.number()),
          lastFinalDay: v.nullable(v.number()),
        }),
        v.transform(
          ({ firstDay, lastDay, lastFinalDay }): Extent => ({
            firstDay: firstDay ?? undefined,
            lastDay: lastDay ?? undefined,
            lastFinalDay: lastFinalDay ?? undefined,
          }),
        ),
      ),
    ),
    combine: (parts) => [
      parts.flat().reduce(
        (a, b): Extent => ({
          firstDay: smaller(a.firstDay, b.firstDay),
          lastDay: larger(a.lastDay, b.lastDay),
          lastFinalDay: larger(a.lastFinalDay, b.lastFinalDay),
        }),
        { firstDay: undefined, lastDay: undefined, lastFinalDay: undefined },
      ),
    ],
  };
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}

function larger(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

/** Whether there is any data of some accounts. Its answer is one row. */
export function hasDataQuery(accounts: readonly string[]): Query<boolean> {
  return {
    ...query(
      "SELECT EXISTS (SELECT 1 FROM domain_days WHERE account IN (SELECT value FROM json_each(?1))) AS found",
      [JSON.stringify(accounts)],
      v.pipe(
        v.object({ found: v.number() }),
        v.transform(({ found }) => found === 1),
      ),
    ),
    combine: (parts) => [parts.flat().some((found) => found)],
  };
}

/** Every account that has data, by name: found by a seek for each. */
export function accountsWithDataQuery(): Query<string> {
  return {
    ...query(
      `WITH RECURSIVE found(account) AS (
        SELECT min(account) FROM domain_days
        UNION ALL
        SELECT (SELECT min(d.account) FROM domain_days d WHERE d.account > found.account)
        FROM found WHERE account IS NOT NULL)
      SELECT account FROM found WHERE account IS NOT NULL
      UNION SELECT account FROM accounts ORDER BY account`,
      [],
      v.pipe(
        v.object({ account: v.string() }),
        v.transform(({ account }) => account),
      ),
    ),
    combine: (parts) => [...new Set(parts.flat())].sort(),
  };
}
