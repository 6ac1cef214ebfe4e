/**
 * The domains that aggregate reports are about, found in the index of `domain_days` by jumping from one name to the next:
 * two rows read for each of them, however many days it has. D1 bills rows that are read, and works on one query at a time.
 */

/** Two tables for `WITH RECURSIVE`; `names(account, domain)` has the domains, and rows in which `domain` is NULL. */
export const REPORTED_NAMES = `owners(account) AS (
    SELECT min(account) FROM domain_days
    UNION ALL
    SELECT (SELECT min(d.account) FROM domain_days d WHERE d.account > owners.account)
    FROM owners WHERE account IS NOT NULL),
  names(account, domain) AS (
    SELECT account, (SELECT min(d.domain) FROM domain_days d
      WHERE d.account = owners.account AND d.kind = 'aggregate' AND d.domain <> '')
    FROM owners WHERE account IS NOT NULL
    UNION ALL
    SELECT account, (SELECT min(d.domain) FROM domain_days d
      WHERE d.account = names.account AND d.kind = 'aggregate' AND d.domain > names.domain)
    FROM names WHERE domain IS NOT NULL)`;
