/**
 * What the rules of shared/watch look at that is not in a verdict: mail by sender and day, who reported, what the domain publishes,
 * TLS sessions. Many domains come with one statement, but for mail.
 */
import * as v from "valibot";
import { isCountedSql } from "../authentication/sender-state.ts";
import { storedCheck } from "../guidance/stored-check.ts";
import { VERDICT_STATES } from "../guidance/verdict.ts";
import { WATCH_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import type { DayFigures, Figures, SourceHistory } from "../watch/figures.ts";
import { jsonColumn, type Query, query } from "./database.ts";
import type { AccountDomain } from "./domain-checks.ts";
import { figuresIn, RECORD_KEY } from "./figure-sql.ts";
import { readAddressToken, readAuthText } from "./figures.ts";
import type { DomainScope } from "./sources.ts";

const dayItem = v.pipe(
  v.tuple([v.number(), v.number(), v.number(), v.number(), v.number()]),
  v.transform(
    ([day, messages, passed, letThrough, refused]): DayFigures => ({ day, messages, passed, letThrough, refused }),
  ),
);

/**
 * Mail of a domain by source and day: the largest sources, and all else together as one without results and address. What the
 * verdict does not count is left out.
 */
export function sourceHistoryQuery(scope: DomainScope): Query<SourceHistory> {
  const [policyDomain] = scope.domains;
  const found = figuresIn("aggregate", { ...scope, onlyCounted: true });
  const sum = (condition: string): string => `sum(CASE WHEN ${condition} THEN value ELSE 0 END)`;
  const sql = `WITH found AS MATERIALIZED (
      SELECT day, ${RECORD_KEY.isAuthenticated} AS isAuthenticated,
        CASE WHEN ${RECORD_KEY.isAuthenticated} THEN ${RECORD_KEY.auth} ELSE ${RECORD_KEY.address} END AS text,
        sum(value) AS messages, ${sum(RECORD_KEY.isPass)} AS passed,
        ${sum(`NOT ${RECORD_KEY.isPass} AND ${RECORD_KEY.hasReasons}`)} AS spared,
        ${sum(`NOT ${RECORD_KEY.isPass} AND ${RECORD_KEY.disposition} IN ('q', 'r')`)} AS refused
      FROM ${found.sql} WHERE isCounted GROUP BY 1, 2, 3),
    largest AS MATERIALIZED (SELECT text, isAuthenticated FROM found GROUP BY text, isAuthenticated
      ORDER BY sum(messages) DESC, text LIMIT ${WATCH_LIMITS.maxSources}),
    listed AS (SELECT l.text AS name, coalesce(l.isAuthenticated, -1) AS kind, f.day, sum(f.messages) AS messages,
        sum(f.passed) AS passed, sum(f.spared) AS spared, sum(f.refused) AS refused
      FROM found f LEFT JOIN largest l ON l.text = f.text AND l.isAuthenticated = f.isAuthenticated GROUP BY 1, 2, 3)
    SELECT coalesce(name, '') AS text, kind,
      json_group_array(json_array(day, messages, passed, spared, refused)) AS days
    FROM listed GROUP BY name, kind`;
  const row = v.pipe(
    v.object({ text: v.string(), kind: v.number(), days: jsonColumn(v.array(dayItem)) }),
    v.transform(({ text, kind, days }): SourceHistory => {
      if (kind === 1) return { ...readAuthText(text, policyDomain), sourceIp: "", days };
      return { dkimResults: "", spfResults: "", sourceIp: kind === 0 ? readAddressToken(text) : "", days };
    }),
  );
  return query(sql, found.parameters, row);
}

/** Facts of one domain. */
export type WatchFacts = AccountDomain &
  Pick<Figures, "toldState" | "reporters" | "check" | "changes" | "tlsDays" | "tlsReasons"> & {
    /** Notices sent at once, not in a digest, since midnight UTC. */
    immediateToday: number;
  };

const changeItem = v.pipe(
  v.object({
    seenSeconds: v.number(),
    name: v.string(),
    type: v.string(),
    before: v.array(v.string()),
    after: v.array(v.string()),
  }),
);
const reporterItem = v.pipe(
  v.tuple([v.string(), v.array(v.number())]),
  v.transform(([reporter, days]) => ({ reporter, days: days.sort((a, b) => a - b) })),
);
const tlsItem = v.pipe(
  v.tuple([v.number(), v.number(), v.number()]),
  v.transform(([day, successful, failed]) => ({ day, successful, failed })),
);
const reasonItem = v.pipe(
  v.tuple([v.string(), v.number()]),
  v.transform(([resultType, sessions]) => ({ resultType, sessions })),
);

const factsRow = v.pipe(
  v.object({
    account: v.string(),
    domain: v.string(),
    told_state: v.fallback(v.picklist([...VERDICT_STATES, ""]), ""),
    reporters: jsonColumn(v.array(reporterItem)),
    checked: v.nullable(jsonColumn(storedCheck)),
    changes: jsonColumn(v.array(changeItem)),
    tlsDays: jsonColumn(v.array(tlsItem)),
    tlsReasons: jsonColumn(v.array(reasonItem)),
    immediateToday: v.number(),
  }),
  v.transform(
    ({ told_state, checked, ...row }): WatchFacts => ({ ...row, toldState: told_state, check: checked ?? undefined }),
  ),
);

/** Facts of some domains, at a time. Reporters, and sessions over TLS, are those of reports that the verdict counts. */
export function watchFactsQuery(names: readonly AccountDomain[], nowSeconds: number): Query<WatchFacts> {
  const today = Math.floor(nowSeconds / SECONDS_PER_DAY);
  const isOf = (table: string, kind: string): string =>
    `${table}.account = w.account AND ${table}.kind = '${kind}' AND ${table}.domain = w.domain`;
  const sql = `SELECT w.account, w.domain, w.told_state,
      (SELECT json_group_array(json_array(reporter, json(days))) FROM (
        SELECT reporter, json_group_array(day) AS days FROM (
          SELECT DISTINCT r.reporter, r.day FROM reports r
          WHERE ${isOf("r", "aggregate")} AND r.day > ?2 AND r.state = 'accepted' AND ${isCountedSql("r")})
        GROUP BY reporter ORDER BY count(*) DESC, reporter LIMIT ${WATCH_LIMITS.maxReporters})) AS reporters,
      (SELECT c.result FROM domain_checks c
        WHERE c.account = w.account AND c.domain = w.domain AND c.checked_seconds > 0) AS checked,
      (SELECT json_group_array(json_object('seenSeconds', seen_seconds, 'name', name, 'type', type,
          'before', json(before), 'after', json(after)))
        FROM (SELECT * FROM record_changes c WHERE c.account = w.account AND c.domain = w.domain
          AND c.seen_seconds > ?3 ORDER BY c.seen_seconds DESC, name LIMIT ${WATCH_LIMITS.maxChanges})) AS changes,
      (SELECT json_group_array(json_array(day, passed, failed)) FROM (
        SELECT d.day, d.passed - d.uncounted_passed AS passed,
          d.total - d.passed - d.uncounted_total + d.uncounted_passed AS failed FROM domain_days d
        WHERE ${isOf("d", "tls")} AND d.day > ?2 AND d.total > d.uncounted_total ORDER BY d.day)) AS tlsDays,
      (SELECT json_group_array(json_array(reason, sessions)) FROM (
        SELECT substr(f.key, 1, instr(f.key, '|') - 1) AS reason, sum(f.value) AS sessions
        FROM reports r JOIN json_each(r.figures) f
        WHERE ${isOf("r", "tls")} AND r.day > ?4 AND r.state = 'accepted' AND ${isCountedSql("r")} AND r.figures <> '{}'
        GROUP BY reason ORDER BY sessions DESC LIMIT 10)) AS tlsReasons,
      (SELECT count(*) FROM notices n WHERE n.account = w.account AND n.domain = w.domain
        AND n.created_seconds >= ?5 AND n.urgency = 'immediate') AS immediateToday
    FROM json_each(?1) n JOIN domain_verdicts w
      ON w.account = n.value ->> 'account' AND w.domain = n.value ->> 'domain'
    ORDER BY w.account, w.domain`;
  const parameters = [
    JSON.stringify(names.map(({ account, domain }) => ({ account, domain }))),
    today - WATCH_LIMITS.reporterDays,
    nowSeconds - WATCH_LIMITS.historyDays * SECONDS_PER_DAY,
    today - WATCH_LIMITS.tlsReasonDays,
    today * SECONDS_PER_DAY,
  ];
  return query(sql, parameters, factsRow);
}

/** Open dead letters and conflicts of a database. Its answer is one row. */
export function waitingQuery(): Query<{ deadLetters: number; conflicts: number }> {
  const sql = `SELECT (SELECT count(*) FROM dead_letters WHERE discarded_seconds = 0) AS deadLetters,
    (SELECT count(*) FROM conflicts) AS conflicts`;
  return query(sql, [], v.object({ deadLetters: v.number(), conflicts: v.number() }));
}
