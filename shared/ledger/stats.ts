/** The figures of `dmarc stats`. */
import * as v from "valibot";
import { adding } from "./combine.ts";
import { type Query, query } from "./database.ts";
import { IS_OPEN_DEAD_LETTER } from "./dead-letters.ts";
import { figuresIn, inScope, RECORD_KEY } from "./figure-sql.ts";

/** Sums over everything of a filter. */
export interface Stats {
  /** Aggregate reports accepted, those without a record included. */
  reports: number;
  records: number;
  messages: number;
  /** Messages whose aligned dkim or spf is pass. */
  passed: number;
  /** Distinct source addresses in the details kept. */
  sources: number;
  /** Whether several databases contribute: an address in two of them is counted twice. */
  sourcesAreAtMost: boolean;
  /** Open dead letters. */
  deadLetters: number;
}

/** Narrows stats. */
export interface StatsFilter {
  accounts: readonly string[];
  /** Only this account; undefined = those in `accounts`, plus dead letters without an account. */
  account?: string | undefined;
  /** Leave out dead letters of other accounts than `accounts`, and of none. */
  ownOnly?: boolean;
  /** Policy domain, lower case; exactly this one. */
  domain?: string | undefined;
}

const row = v.pipe(
  v.object({
    reports: v.number(),
    records: v.number(),
    messages: v.number(),
    passed: v.number(),
    sources: v.number(),
    deadLetters: v.number(),
  }),
  v.transform((counts): Stats => ({ ...counts, sourcesAreAtMost: false })),
);

/** Stats of all days, final ones included. The answer is one row. */
export function statsQuery({ accounts, account, domain, ownOnly = false }: StatsFilter): Query<Stats> {
  const scope = {
    accounts: account === undefined ? accounts : [account],
    domains: domain === undefined ? undefined : [domain],
  };
  const days = inScope("d", "aggregate", scope);
  const figures = figuresIn("aggregate", scope);
  const owners = account === undefined && !ownOnly ? null : JSON.stringify(scope.accounts);
  return {
    ...query(
      `SELECT coalesce(sum(d.reports), 0) AS reports, coalesce(sum(d.records), 0) AS records,
        coalesce(sum(d.total), 0) AS messages, coalesce(sum(d.passed), 0) AS passed,
        (SELECT count(DISTINCT ${RECORD_KEY.address}) - count(DISTINCT CASE WHEN ${RECORD_KEY.address} = '' THEN 1 END)
          FROM ${figures.sql}) AS sources,
        (SELECT count(*) FROM dead_letters WHERE ${IS_OPEN_DEAD_LETTER} AND (? IS NULL OR account IN (SELECT value FROM json_each(?))) AND (? IS NULL OR domain = ?)) AS deadLetters
      FROM domain_days d WHERE ${days.sql}`,
      [...figures.parameters, owners, owners, domain ?? null, domain ?? null, ...days.parameters],
      row,
    ),
    combine: (parts) => [parts.flat().reduce(addStats, NO_STATS)],
  };
}

const NO_STATS: Stats = {
  reports: 0,
  records: 0,
  messages: 0,
  passed: 0,
  sources: 0,
  sourcesAreAtMost: false,
  deadLetters: 0,
};

const addCounts = adding("reports", "records", "messages", "passed", "sources", "deadLetters");

function addStats(a: Stats, b: Stats): Stats {
  return {
    ...addCounts(a, b),
    sourcesAreAtMost: a.sourcesAreAtMost || b.sourcesAreAtMost || (a.sources > 0 && b.sources > 0),
  };
}
