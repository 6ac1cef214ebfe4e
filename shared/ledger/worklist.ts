/**
 * Questions of the worklist: what is to be done over all domains, the same cause as one line, what matters most first. Kept of
 * each domain when its verdict is computed; domains that were added and get no reports come from their set-up.
 */
import * as v from "valibot";
import { WORK_LIMITS } from "../limits.ts";
import { WORK_CODES, type WorkCause } from "../watch/work.ts";
import { adding, combinePages, compareValues, type ListPage, type PageBounds, sumRows } from "./combine.ts";
import { jsonColumn, knows, type Query, query } from "./database.ts";

/** A domain that a line is about. */
export interface WorkDomain {
  account: string;
  domain: string;
  /** As in WorkItem (shared/watch/work.ts). */
  messages: number;
  refused: number;
  weight: number;
  /** "" = its senders, where several have the cause; or its set-up. */
  link: string;
}

/** One cause over all domains. */
export interface WorkLine extends WorkCause {
  domains: number;
  messages: number;
  refused: number;
  weight: number;
  /** Those it weighs most in, at most `WORK_LIMITS.domainsUnfolded`. */
  unfolded: WorkDomain[];
}

/** States of set-ups that somebody has to do something about, as JSON. */
const SETUP_TO_DO = "('recordNotFound', 'wrongAddress', 'notPermitted')";

/**
 * Common table expressions. `caused`: a row a cause, account and domain. Where there are many senders that are no known
 * service, those in few domains share one cause. ?1: accounts as JSON.
 */
const CAUSED = `items AS MATERIALIZED (
    SELECT w.account AS account, w.domain AS domain, i.value ->> 0 AS code, i.value ->> 1 AS subject,
      i.value ->> 2 AS messages, i.value ->> 3 AS refused, i.value ->> 4 AS weight, i.value ->> 5 AS link
    FROM domain_verdicts w, json_each(w.work) i
    WHERE w.work <> '[]' AND w.account IN (SELECT value FROM json_each(?1)) AND ${knows("i.value ->> 0", WORK_CODES)}
    UNION ALL
    SELECT r.account, r.domain, 'setUp', r.state, 0, 0, 1, '' FROM registered_domains r
    WHERE r.account IN (SELECT value FROM json_each(?1)) AND r.state IN ${SETUP_TO_DO} AND NOT EXISTS (
      SELECT 1 FROM domain_verdicts w WHERE w.account = r.account AND w.domain = r.domain AND w.place >= 0)),
  shared AS MATERIALIZED (SELECT subject FROM items WHERE code = 'organization'
    GROUP BY subject HAVING count(*) >= ${WORK_LIMITS.sharedDomains}
      OR (SELECT count(DISTINCT subject) FROM items WHERE code = 'organization') <= ${WORK_LIMITS.fewSenders}),
  caused AS MATERIALIZED (
    SELECT code, CASE WHEN code = 'organization' AND subject NOT IN (SELECT subject FROM shared) THEN '' ELSE subject END
      AS cause, account, domain, sum(messages) AS messages, sum(refused) AS refused, sum(weight) AS weight,
      CASE WHEN count(*) = 1 THEN min(link) ELSE '' END AS link
    FROM items GROUP BY code, cause, account, domain)`;

const unfolded = v.pipe(
  v.tuple([v.string(), v.string(), v.number(), v.number(), v.number(), v.string()]),
  v.transform(([account, domain, messages, refused, weight, link]): WorkDomain => {
    return { account, domain, messages, refused, weight, link };
  }),
);

const heaviest = (a: { weight: number }, b: { weight: number }): number => b.weight - a.weight;

const sums = { messages: v.number(), refused: v.number(), weight: v.number() };
const lineRow = v.object({
  code: v.picklist(WORK_CODES),
  subject: v.string(),
  domains: v.number(),
  ...sums,
  unfolded: v.pipe(jsonColumn(v.array(unfolded)), v.sortItems(heaviest)),
});

/** The lines of some accounts, the one that matters most first; at most `WORK_LIMITS.lines`. */
export function worklistQuery(accounts: readonly string[]): Query<WorkLine> {
  const sql = `WITH ${CAUSED},
    ranked AS (SELECT *, row_number() OVER (PARTITION BY code, cause ORDER BY weight DESC, domain, account) AS place
      FROM caused)
    SELECT code, cause AS subject, count(*) AS domains, sum(messages) AS messages, sum(refused) AS refused,
      sum(weight) AS weight,
      json_group_array(json_array(account, domain, messages, refused, weight, link)) FILTER (WHERE place <= ${WORK_LIMITS.domainsUnfolded}) AS unfolded
    FROM ranked GROUP BY code, cause ORDER BY weight DESC, code, subject LIMIT ${WORK_LIMITS.lines}`;
  return { ...query(sql, [JSON.stringify(accounts)], lineRow), combine: combineLines };
}

function combineLines(parts: WorkLine[][]): WorkLine[] {
  return sumRows(parts, ({ code, subject }) => `${code} ${subject}`, addLines)
    .sort(heaviest)
    .slice(0, WORK_LIMITS.lines);
}

const addLineSums = adding("domains", "messages", "refused", "weight");

function addLines(a: WorkLine, b: WorkLine): WorkLine {
  return {
    ...addLineSums(a, b),
    unfolded: [...a.unfolded, ...b.unfolded].sort(heaviest).slice(0, WORK_LIMITS.domainsUnfolded),
  };
}

const domainRow = v.object({
  matching: v.number(),
  account: v.string(),
  domain: v.string(),
  ...sums,
  link: v.string(),
});

/** The domains of one line, those it weighs most in first. Its answer is one row, the page; none where there are none. */
export function workDomainsQuery(
  accounts: readonly string[],
  { code, subject }: WorkCause,
  { limit, offset }: PageBounds,
): Query<ListPage<WorkDomain>> {
  const sql = `WITH ${CAUSED}
    SELECT count(*) OVER () AS matching, account, domain, messages, refused, weight, link FROM caused
    WHERE code = ?2 AND cause = ?3 ORDER BY weight DESC, domain, account LIMIT ?4`;
  const read = ({ matching, ...row }: v.InferOutput<typeof domainRow>) => ({ matching, rows: [row] });
  return {
    ...query(sql, [JSON.stringify(accounts), code, subject, offset + limit], v.pipe(domainRow, v.transform(read))),
    combine: (parts) => [
      combinePages(parts, (a, b) => heaviest(a, b) || compareValues(a.domain, b.domain), { limit, offset }),
    ],
  };
}
