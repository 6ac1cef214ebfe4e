/**
 * Days with reports that are still kept. Rows of final days stay for good and would be too many to read, so the search goes
 * from one domain to the next in the index of `reports`, and from the day of its first report on in `domain_days`.
 */
import { REPORT_KINDS } from "./report-rows.ts";

const OF_NAME = "r.account = names.account AND r.kind = names.kind AND r.domain = names.domain";

/** A day of a domain. */
export interface ListedDay {
  account: string;
  kind: string;
  domain: string;
  day: number;
}

/** Tables for `WITH RECURSIVE`: `kept` has the rows of `domain_days` before day ?1 that are not final. */
export const KEPT_DAYS = `owners(account) AS (
    SELECT min(account) FROM reports
    UNION ALL
    SELECT (SELECT min(r.account) FROM reports r WHERE r.account > owners.account)
    FROM owners WHERE account IS NOT NULL),
  names(account, kind, domain) AS (
    SELECT owners.account, k.value, (SELECT min(r.domain) FROM reports r
      WHERE r.account = owners.account AND r.kind = k.value)
    FROM owners JOIN json_each('${JSON.stringify(REPORT_KINDS)}') k WHERE owners.account IS NOT NULL
    UNION ALL
    SELECT account, kind, (SELECT min(r.domain) FROM reports r
      WHERE r.account = names.account AND r.kind = names.kind AND r.domain > names.domain)
    FROM names WHERE domain IS NOT NULL),
  kept AS (
    SELECT d.* FROM names CROSS JOIN domain_days d ON d.account = names.account AND d.kind = names.kind
      AND d.domain = names.domain AND d.day >= (SELECT r.day FROM reports r WHERE ${OF_NAME} ORDER BY r.day LIMIT 1) AND d.day < ?1
    WHERE names.domain IS NOT NULL AND d.is_final = 0)`;

/** Whether a row of a table with account, kind, domain and day is of a day in the list `w`, which has them in this order. */
export function isListedDay(table: string): string {
  return `${table}.account = w.value ->> 0 AND ${table}.kind = w.value ->> 1 AND ${table}.domain = w.value ->> 2
    AND ${table}.day = w.value ->> 3`;
}

/** Such a list, for a parameter that json_each reads. */
export function listOfDays(days: readonly ListedDay[]): string {
  return JSON.stringify(days.map(({ account, kind, domain, day }) => [account, kind, domain, day]));
}
