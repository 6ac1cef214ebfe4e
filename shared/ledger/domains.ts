/** Questions of the page Domains: sums by policy domain, sorted, filtered and cut into pages in the database. */
import * as v from "valibot";
import { domainName } from "../domain-name.ts";
import { SETUP_STATES, type SetupState } from "../guidance/setup-state.ts";
import { VERDICT_STATES } from "../guidance/verdict.ts";
import { adding, compareValues, sumRows } from "./combine.ts";
import { jsonColumn, type Query, query } from "./database.ts";
import { IS_OPEN_DEAD_LETTER } from "./dead-letters.ts";
import { inScope, type Scope } from "./figure-sql.ts";

/** Messages of one policy domain in a period, and what needs a person. */
export interface DomainTotals {
  domain: string;
  messages: number;
  passed: number;
  /** Messages of the days before the period, from `beforeFirstDay`. */
  messagesBefore: number;
  reports: number;
  /** End of the newest report's period, seconds since 1970 UTC. */
  lastEndSeconds: number;
  /** Published policy of the newest report (shared/report/policy-text.ts); "" without one. */
  policy: string;
  /** Whose it is: those of the accounts asked for. */
  accounts: string[];
  /** Its verdict as cron last computed it; setUp: no report has come yet; "" while no verdict was computed. */
  status: DomainStatus;
  /** Of a domain without a report: how far it is; "" of others. */
  setup: SetupState | "";
  /** Its place among those that need attention, 0 first. */
  rank: number;
  /** Messages of the owner's senders that a policy would hit, as the verdict counted them. */
  atRisk: number;
  /** All messages that the verdict counted: of two domains that are equal otherwise, the one with more comes first. */
  weight: number;
  /** Open ones, whatever their age. */
  deadLetters: number;
  conflicts: number;
  /** By name; those of the accounts asked for. */
  tags: string[];
  /** Where it is registered that its reports go; none for a domain that is not registered. */
  addresses: string[];
  /** First and last day that aggregate reports are about, in the period or not, days since 1970-01-01 UTC; null without any. */
  firstDay: number | null;
  lastDay: number | null;
}

/** A page of the list, with facts about the whole list. */
export interface DomainPage {
  rows: DomainTotals[];
  /** Rows on all pages. */
  matching: number;
  /** Whether any domain has reports in the period or is registered, whatever the filter. */
  hasDomains: boolean;
  /** Domains that hold the text by status, whatever the status asked for; and those of that status by policy. */
  byStatus: ReadonlyMap<DomainStatus, number>;
  byPolicy: ReadonlyMap<string, number>;
  /** Dead letters and conflicts about none of them. */
  astray: number;
}

/** States of a domain in the list. */
export const DOMAIN_STATUSES = [...VERDICT_STATES, "setUp", ""] as const;
export type DomainStatus = (typeof DOMAIN_STATUSES)[number];

/** Whether a text is one of them. */
export function isDomainStatus(text: string): text is DomainStatus {
  return DOMAIN_STATUSES.some((status) => status === text);
}

/**
 * Places of the list: verdicts as in VERDICT_STATES, ten apart; a set-up that somebody has to do something about comes
 * before the domains that are ready, one that only waits after the protected ones.
 */
const RANKS = { step: 10, setupToDo: 15, setupWaiting: 35, notJudged: 38 } as const;
const TO_DO: readonly SetupState[] = ["recordNotFound", "wrongAddress", "notPermitted"];

/** What the list is sorted by: the columns of the page, as SQL and for rows of several databases; isSummed: by sums of days. */
const ORDERS = {
  status: {
    isSummed: false,
    // The one with the most messages at risk comes first among those of one status.
    sql: "rank * 1e12 - atRisk",
    value: ({ rank, atRisk }) => rank * 1e12 - atRisk,
  },
  account: { isSummed: false, sql: "accounts", value: ({ accounts }) => JSON.stringify(accounts) },
  domain: { isSummed: false, sql: "domain", value: ({ domain }) => domain },
  messages: { isSummed: true, sql: "messages", value: ({ messages }) => messages },
  dmarc_pass: {
    isSummed: true,
    sql: "CASE WHEN messages > 0 THEN 1.0 * passed / messages ELSE -1 END",
    value: ({ messages, passed }) => (messages > 0 ? passed / messages : -1),
  },
  change: {
    isSummed: true,
    sql: "CASE WHEN messagesBefore > 0 THEN 1.0 * messages / messagesBefore ELSE -1 END",
    value: ({ messages, messagesBefore }) => (messagesBefore > 0 ? messages / messagesBefore : -1),
  },
  policy: { isSummed: false, sql: "policy", value: ({ policy }) => policy },
  reports: { isSummed: true, sql: "reports", value: ({ reports }) => reports },
  last_report_day: { isSummed: false, sql: "newest", value: ({ lastEndSeconds }) => lastEndSeconds },
  problems: {
    isSummed: false,
    sql: "deadLetters + conflicts",
    value: ({ deadLetters, conflicts }) => deadLetters + conflicts,
  },
} as const satisfies Record<string, { isSummed: boolean; sql: string; value: (row: DomainTotals) => string | number }>;

export type DomainOrder = keyof typeof ORDERS;

/** All of them. */
export const DOMAIN_ORDERS = Object.keys(ORDERS) as DomainOrder[];

/** Whether a text names what the list can be sorted by. */
export function isDomainOrder(text: string): text is DomainOrder {
  return Object.hasOwn(ORDERS, text);
}

/** Which part of the list, in which order. */
export interface DomainList {
  /**
   * First day of the time before the period that it is compared with; undefined where `messagesBefore` is not needed
   * of all domains and 0 will do: it doubles what has to be read.
   */
  beforeFirstDay: number | undefined;
  /** Only domains whose name, policy or account holds this text, whole labels of it in either form; "" = all. */
  text: string;
  /** Only domains of this status; undefined = of any. */
  status?: DomainStatus | undefined;
  /** Only domains that carry this tag. */
  tag?: string | undefined;
  /** Only domains whose published policy begins with this tag, such as `p=none`. */
  policy?: string | undefined;
  order: DomainOrder;
  descending: boolean;
  limit: number;
  offset: number;
  /** Count every dead letter and conflict, not only those of the accounts: for operators. */
  allProblems: boolean;
  /** How many databases are asked: each of several tells its whole list, since a domain may be in more than one. */
  databases: number;
}

/** As a LIMIT: none. */
const WHOLE_LIST = -1;

// Sums of one domain travel as one JSON text: grouped in one statement they would be sorted, which takes longest. The policy is
// that of the row with the latest end.
const SUMS = "json_array(sum(d.total), sum(d.passed), 0, sum(d.reports), max(d.last_end_seconds), d.policy)";
const SUMS_AND_BEFORE = `json_array(
  sum(CASE WHEN d.day >= ?3 THEN d.total ELSE 0 END),
  sum(CASE WHEN d.day >= ?3 THEN d.passed ELSE 0 END),
  sum(CASE WHEN d.day < ?3 THEN d.total ELSE 0 END),
  sum(CASE WHEN d.day >= ?3 THEN d.reports ELSE 0 END),
  max(CASE WHEN d.day >= ?3 THEN d.last_end_seconds END),
  d.policy)`;

/** Common table expressions: `names`, every account and policy domain, found by a seek for each. */
const NAMES = `names(account, domain) AS (
  SELECT value, (SELECT min(d.domain) FROM domain_days d WHERE d.account = value AND d.kind = 'aggregate')
  FROM json_each(?1)
  UNION ALL
  SELECT account, (SELECT min(d.domain) FROM domain_days d
    WHERE d.account = names.account AND d.kind = 'aggregate' AND d.domain > names.domain)
  FROM names WHERE domain IS NOT NULL)`;

const counts = jsonColumn(v.array(v.tuple([v.string(), v.number()])));
const pageRow = v.object({
  matching: v.number(),
  hasDomains: v.number(),
  astray: v.number(),
  byStatus: counts,
  byPolicy: counts,
  /** NULL: the page has no row. */
  domain: v.nullable(v.string()),
  row: v.nullable(
    jsonColumn(
      v.object({
        messages: v.number(),
        passed: v.number(),
        messagesBefore: v.number(),
        reports: v.number(),
        lastEndSeconds: v.number(),
        policy: v.string(),
        accounts: v.array(v.string()),
        status: v.fallback(v.picklist(DOMAIN_STATUSES), ""),
        setup: v.fallback(v.picklist([...SETUP_STATES, ""]), ""),
        rank: v.number(),
        atRisk: v.number(),
        weight: v.number(),
        deadLetters: v.number(),
        conflicts: v.number(),
        tags: v.array(v.string()),
        /** A function of D1 has at most 32 arguments: these are apart. */
        coming: v.object({
          addresses: v.array(v.string()),
          firstDay: v.nullable(v.number()),
          lastDay: v.nullable(v.number()),
        }),
      }),
    ),
  ),
});

/** As SQL: the texts of a list, quoted. They are ours. */
function quoted(texts: readonly string[]): string {
  return texts.map((text) => `'${text}'`).join(", ");
}

/** As SQL: what a published policy begins with, such as `p=none`. */
const FIRST_TAG = "substr(policy, 1, instr(policy || ';', ';') - 1)";

/** As SQL: a domain's status by the place of its verdict, NULL where there is none. */
const STATUS = `CASE WHEN hadReports = 0 THEN 'setUp'
  ${VERDICT_STATES.map((state, place) => `WHEN place = ${place} THEN '${state}'`).join(" ")} ELSE '' END`;
const RANK = `CASE WHEN hadReports = 0 THEN
    CASE WHEN setup IN (${quoted(TO_DO)}) THEN ${RANKS.setupToDo} ELSE ${RANKS.setupWaiting} END
  ELSE coalesce(place * ${RANKS.step}, ${RANKS.notJudged}) END`;

const OF_NAME = "d.account = b.account AND d.kind = 'aggregate' AND d.domain = b.domain";

/** As SQL: the sums of all days of a period, an account and domain. */
function sumsOf(sums: string): string {
  return `(SELECT ${sums} FROM domain_days d WHERE ${OF_NAME} AND d.day BETWEEN ?2 AND ?4)`;
}

/** As SQL: the newest report's end and, behind it, its policy, so that one max() finds both. It reads one day. */
const NEWEST = `(SELECT printf('%012d', d.last_end_seconds) || d.policy FROM domain_days d
  WHERE ${OF_NAME} AND d.day BETWEEN ?3 AND ?4 AND d.last_end_seconds > 0 ORDER BY d.day DESC LIMIT 1)`;
const NEWEST_OF_SUMS = "CASE WHEN sums ->> 4 > 0 THEN printf('%012d', sums ->> 4) || (sums ->> 5) END";

const SUM_COLUMNS = `coalesce(sum(sums ->> 0), 0) AS messages, coalesce(sum(sums ->> 1), 0) AS passed,
  coalesce(sum(sums ->> 2), 0) AS messagesBefore, coalesce(sum(sums ->> 3), 0) AS reports`;

/**
 * Common table expressions. `base`: a row an account and domain. `totals`: a row a domain that is registered or has reports in
 * the period. `listed`: those that the filters leave.
 *
 * @param sums what is summed of every domain; undefined = nothing, no more than one day of a domain is read
 * @param isAsked condition on dead letters and conflicts
 */
function listedSql(sums: string | undefined, isAsked: string): string {
  return `base AS MATERIALIZED (
    SELECT b.account AS account, b.domain AS domain, w.place AS place, w.at_risk AS atRisk, w.messages AS weight,
      r.state AS setup, 1 AS isReported, ${sums === undefined ? "NULL" : sumsOf(sums)} AS sums,
      ${sums === undefined ? NEWEST : "NULL"} AS newest
    FROM names b LEFT JOIN domain_verdicts w ON w.account = b.account AND w.domain = b.domain AND w.place >= 0
      LEFT JOIN registered_domains r ON r.account = b.account AND r.domain = b.domain
    WHERE b.domain IS NOT NULL
    UNION ALL
    SELECT account, domain, NULL, NULL, NULL, state, 0, NULL, NULL FROM registered_domains b
    WHERE account IN (SELECT value FROM json_each(?1)) AND NOT EXISTS (SELECT 1 FROM domain_days d WHERE ${OF_NAME})),
  totals AS MATERIALIZED (
    SELECT *, ${STATUS} AS status, ${RANK} AS rank FROM (
      SELECT domain, json_group_array(account) AS accounts, coalesce(max(${sums === undefined ? "newest" : NEWEST_OF_SUMS}), '') AS newest,
        sum(isReported) AS hadReports, count(setup) AS registered, min(place) AS place,
        coalesce(sum(atRisk), 0) AS atRisk, coalesce(sum(weight), 0) AS weight, coalesce(max(setup), '') AS setup
        ${sums === undefined ? "" : `, ${SUM_COLUMNS}`}
      FROM base GROUP BY domain)
    WHERE newest <> '' OR registered > 0),
  problems AS MATERIALIZED (
    SELECT domain, sum(letters) AS deadLetters, sum(versions) AS conflicts FROM (
      SELECT domain, count(*) AS letters, 0 AS versions FROM dead_letters WHERE ${isAsked} AND ${IS_OPEN_DEAD_LETTER} GROUP BY domain
      UNION ALL
      SELECT domain, 0, count(*) FROM conflicts WHERE ${isAsked} GROUP BY domain)
    GROUP BY domain),
  searched AS MATERIALIZED (
    SELECT totals.*, substr(newest, 13) AS policy,
      coalesce(problems.deadLetters, 0) AS deadLetters, coalesce(problems.conflicts, 0) AS conflicts
    FROM totals LEFT JOIN problems ON problems.domain = totals.domain
    WHERE (?5 = '' OR instr(totals.domain, ?5) > 0 OR instr(substr(newest, 13), ?5) > 0
        OR instr(lower(totals.accounts), ?5) > 0)
      AND (?9 IS NULL OR totals.domain IN (SELECT t.domain FROM domain_tags t
        WHERE t.tag = ?9 AND t.account IN (SELECT value FROM json_each(?1))))),
  listed AS MATERIALIZED (SELECT * FROM searched
    WHERE (?7 IS NULL OR status = ?7) AND (?10 IS NULL OR ${FIRST_TAG} = ?10))`;
}

const ROW = `json_object('messages', messages, 'passed', passed, 'messagesBefore', messagesBefore, 'reports', reports,
  'lastEndSeconds', CAST(substr(newest, 1, 12) AS INTEGER), 'policy', policy, 'accounts', json(accounts),
  'status', status, 'setup', CASE WHEN status = 'setUp' THEN setup ELSE '' END, 'rank', rank, 'atRisk', atRisk,
  'weight', weight, 'deadLetters', deadLetters, 'conflicts', conflicts,
  'tags', json((SELECT json_group_array(tag) FROM (SELECT DISTINCT t.tag AS tag FROM domain_tags t
    WHERE t.account IN (SELECT value FROM json_each(chosen.accounts)) AND t.domain = chosen.domain ORDER BY t.tag))),
  'coming', json_object('addresses', json((SELECT json_group_array(rua) FROM (SELECT DISTINCT r.rua AS rua FROM registered_domains r
    WHERE r.account IN (SELECT value FROM json_each(chosen.accounts)) AND r.domain = chosen.domain ORDER BY r.rua))),
  'firstDay', ${endOfDays("min")}, 'lastDay', ${endOfDays("max")}))`;

/** As SQL: the first or last day of a domain's reports, by a seek for each account. */
function endOfDays(end: "min" | "max"): string {
  return `(SELECT ${end}((SELECT ${end}(d.day) FROM domain_days d
    WHERE d.account = a.value AND d.kind = 'aggregate' AND d.domain = chosen.domain)) FROM json_each(chosen.accounts) a)`;
}

/** The list of domains that have reports in a period or are registered. Its answer is one row, the page. */
export function domainsQuery({ accounts, firstDay = 0, lastDay = 0 }: Scope, list: DomainList): Query<DomainPage> {
  const { beforeFirstDay, text, status, tag, policy, order, descending, limit, offset, allProblems, databases } = list;
  const isAsked = allProblems ? "true" : "account IN (SELECT value FROM json_each(?1))";
  const { sql: value, isSummed } = ORDERS[order];
  const inOrder = `ORDER BY ${value} ${descending ? "DESC" : "ASC"}, weight DESC, domain LIMIT ?6 OFFSET`;
  // Rows of several databases are put in order, and cut, once they are together.
  const cut = databases > 1 ? { limit: WHOLE_LIST, offset: 0 } : { limit, offset };
  const sums = beforeFirstDay === undefined ? SUMS : SUMS_AND_BEFORE;
  // Sums read every day of a domain: of those of the page alone, unless the order needs them all.
  const chosen = isSummed
    ? "chosen AS (SELECT * FROM listed)"
    : `first AS MATERIALIZED (SELECT * FROM listed ${inOrder} ?8),
    chosen AS (SELECT * FROM first JOIN (
      SELECT domain AS name, ${SUM_COLUMNS} FROM (
        SELECT b.domain AS domain, CASE WHEN b.isReported THEN ${sumsOf(sums)} END AS sums
        FROM base b WHERE b.domain IN (SELECT domain FROM first))
      GROUP BY domain) ON name = domain)`;
  const sql = `WITH RECURSIVE ${NAMES}, ${listedSql(isSummed ? sums : undefined, isAsked)}, ${chosen}
    SELECT said.*, page.* FROM (SELECT
        (SELECT count(*) FROM listed) AS matching,
        EXISTS (SELECT 1 FROM totals) AS hasDomains,
        (SELECT json_group_array(json_array(status, n)) FROM (
          SELECT status, count(*) AS n FROM searched GROUP BY status)) AS byStatus,
        (SELECT json_group_array(json_array(p, n)) FROM (
          SELECT ${FIRST_TAG} AS p, count(*) AS n FROM listed GROUP BY p)) AS byPolicy,
        (SELECT coalesce(sum(deadLetters + conflicts), 0) FROM problems
          WHERE domain NOT IN (SELECT domain FROM totals)) AS astray) said
    LEFT JOIN (SELECT domain, ${ROW} AS row FROM chosen ${inOrder} ${isSummed ? "?8" : "0"}) page ON true`;
  const days = [beforeFirstDay ?? firstDay, firstDay, lastDay];
  const filter = [status ?? null, cut.offset, tag ?? null, policy ?? null];
  const parameters = [JSON.stringify(accounts), ...days, domainName(text), cut.limit, ...filter];
  return {
    ...query(sql, parameters, v.pipe(pageRow, v.transform(readPageRow))),
    combine: (parts) => [combinePages(parts, list)],
  };
}

function readPageRow({ domain, row, ...said }: v.InferOutput<typeof pageRow>): DomainPage {
  return {
    matching: said.matching,
    astray: said.astray,
    hasDomains: said.hasDomains === 1,
    byStatus: new Map(said.byStatus.filter((pair): pair is [DomainStatus, number] => isDomainStatus(pair[0]))),
    byPolicy: new Map(said.byPolicy),
    rows: domain === null || row === null ? [] : [domainTotals(domain, row)],
  };
}

function domainTotals(
  domain: string,
  { coming, ...row }: NonNullable<v.InferOutput<typeof pageRow>["row"]>,
): DomainTotals {
  return { domain, ...row, ...coming };
}

function combinePages(parts: DomainPage[][], { order, descending, limit, offset }: DomainList): DomainPage {
  const said = parts.flatMap(([page]) => (page === undefined ? [] : [page]));
  const sum = (count: (page: DomainPage) => number): number => said.reduce((total, page) => total + count(page), 0);
  const found = parts.map((pages) => pages.flatMap((page) => page.rows));
  const rows = sumRows(found, ({ domain }) => domain, addDomains);
  if (parts.length > 1) rows.sort(comparison(order, descending));
  return {
    rows: parts.length > 1 ? rows.slice(offset, offset + limit) : rows,
    matching: parts.length > 1 ? rows.length : sum(({ matching }) => matching),
    hasDomains: said.some((page) => page.hasDomains),
    // A domain in several databases is counted in each.
    byStatus: addCounts(said.map(({ byStatus }) => byStatus)),
    byPolicy: addCounts(said.map(({ byPolicy }) => byPolicy)),
    astray: sum(({ astray }) => astray),
  };
}

function addCounts<Key>(parts: readonly ReadonlyMap<Key, number>[]): ReadonlyMap<Key, number> {
  const all = new Map<Key, number>();
  for (const part of parts) for (const [key, count] of part) all.set(key, (all.get(key) ?? 0) + count);
  return all;
}

function comparison(order: DomainOrder, descending: boolean): (a: DomainTotals, b: DomainTotals) => number {
  const { value } = ORDERS[order];
  const sign = descending ? -1 : 1;
  return (a, b) => sign * compareValues(value(a), value(b)) || b.weight - a.weight || compareValues(a.domain, b.domain);
}

const addDomainSums = adding(
  "atRisk",
  "weight",
  "messages",
  "passed",
  "messagesBefore",
  "reports",
  "deadLetters",
  "conflicts",
);

function addDomains(a: DomainTotals, b: DomainTotals): DomainTotals {
  const worse = a.rank <= b.rank ? a : b;
  return {
    ...addDomainSums(a, b),
    accounts: [...new Set([...a.accounts, ...b.accounts])],
    status: worse.status,
    setup: worse.setup,
    rank: worse.rank,
    lastEndSeconds: Math.max(a.lastEndSeconds, b.lastEndSeconds),
    policy: a.lastEndSeconds >= b.lastEndSeconds ? a.policy : b.policy,
    tags: [...new Set([...a.tags, ...b.tags])].sort(),
    addresses: [...new Set([...a.addresses, ...b.addresses])].sort(),
    firstDay:
      a.firstDay === null || b.firstDay === null ? (a.firstDay ?? b.firstDay) : Math.min(a.firstDay, b.firstDay),
    lastDay: a.lastDay === null || b.lastDay === null ? (a.lastDay ?? b.lastDay) : Math.max(a.lastDay, b.lastDay),
  };
}

/** Messages of one domain in one part of a period. */
export interface DomainTrend {
  domain: string;
  /** Place of the part in the period, from 0; `BEFORE` for all days before it. */
  part: number;
  messages: number;
}

/** The days before a period, as a part. */
export const BEFORE = -1;

/**
 * Messages of some domains by parts of a period, and before it.
 *
 * @param scope with both days, the first one of the time before
 * @param parts first day of the period, and how many days each part has
 */
export function domainTrendsQuery(
  scope: Scope,
  { firstDay, days }: { firstDay: number; days: number },
): Query<DomainTrend> {
  const where = inScope("d", "aggregate", scope);
  return {
    ...query(
      `SELECT d.domain, CASE WHEN d.day < ? THEN ${BEFORE} ELSE CAST((d.day - ?) / ? AS INTEGER) END AS part,
        sum(d.total) AS messages
      FROM domain_days d WHERE ${where.sql} GROUP BY d.domain, part`,
      [firstDay, firstDay, days, ...where.parameters],
      v.object({ domain: v.string(), part: v.number(), messages: v.number() }),
    ),
    combine: (found) => sumRows(found, ({ domain, part }) => `${domain} ${part}`, adding("messages")),
  };
}

/** A domain that only TLS or failure reports are about. */
export interface OtherDomain {
  domain: string;
  sessions: number;
  failedSessions: number;
  incidents: number;
}

/** Ours: most of them; a mail server is one, so there are few. */
export const MAX_OTHER_DOMAINS = 5000;

/**
 * Domains with TLS or failure reports in a period, and no aggregate report in the same account; those without a name
 * left out.
 */
export function otherDomainsQuery(scope: Scope): Query<OtherDomain> {
  const tls = inScope("d", "tls", scope);
  const failure = inScope("d", "failure", scope);
  const { firstDay = 0, lastDay = 0 } = scope;
  const isOther = `d.domain <> '' AND NOT EXISTS (SELECT 1 FROM domain_days a WHERE a.account = d.account
    AND a.kind = 'aggregate' AND a.domain = d.domain AND a.day BETWEEN ? AND ?)`;
  const days = [firstDay, lastDay];
  return {
    ...query(
      `SELECT domain, sum(sessions) AS sessions, sum(failed) AS failedSessions, sum(incidents) AS incidents FROM (
        SELECT d.domain AS domain, sum(d.total) AS sessions, sum(d.total - d.passed) AS failed, 0 AS incidents
        FROM domain_days d WHERE ${tls.sql} GROUP BY d.account, d.domain HAVING ${isOther}
        UNION ALL
        SELECT d.domain, 0, 0, sum(d.total) FROM domain_days d WHERE ${failure.sql}
        GROUP BY d.account, d.domain HAVING ${isOther})
      GROUP BY domain ORDER BY domain LIMIT ${MAX_OTHER_DOMAINS}`,
      [...tls.parameters, ...days, ...failure.parameters, ...days],
      v.object({ domain: v.string(), sessions: v.number(), failedSessions: v.number(), incidents: v.number() }),
    ),
    combine: (parts) => sumRows(parts, ({ domain }) => domain, adding("sessions", "failedSessions", "incidents")),
  };
}
