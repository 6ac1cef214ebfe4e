/**
 * Figures in SQL: how to select those of a scope, and the parts of a key. For days that cron has merged, counted
 * figures are read from `day_figures`, everything else from the reports; both give the same result.
 */
import { isCountedSql } from "../authentication/sender-state.ts";
import type { Parameter } from "./database.ts";
import { FIGURE_LETTERS } from "./figures.ts";
import type { ReportKind } from "./report-rows.ts";

/** Whose rows and which days. */
export interface Scope {
  /** Accounts the person may see; an empty list means none. */
  accounts: readonly string[];
  /** Policy domains, A-labels in lower case; absent = all. */
  domains?: readonly string[] | undefined;
  /** Days since 1970-01-01 UTC, both included; absent = open. */
  firstDay?: number | undefined;
  lastDay?: number | undefined;
  /** Only what the verdict counts (authentication/sender-state.ts); available for figures only. */
  onlyCounted?: boolean | undefined;
}

/** The text of a statement with its parameters in order. */
export interface SqlPart {
  sql: string;
  parameters: Parameter[];
}

/** The last day that JavaScript has (ECMA-262, time values), days since 1970-01-01 UTC. */
const LAST_DAY = 100_000_000;

/** The condition for rows of `table` (with account, kind, domain and day) to be in a scope. */
export function inScope(table: string, kind: ReportKind, { accounts, domains, firstDay, lastDay }: Scope): SqlPart {
  const isDomain = domains === undefined ? "" : `AND ${table}.domain IN (SELECT value FROM json_each(?))`;
  return {
    sql: `${table}.account IN (SELECT value FROM json_each(?)) AND ${table}.kind = ? ${isDomain}
      AND ${table}.day BETWEEN ? AND ?`,
    parameters: [
      JSON.stringify(accounts),
      kind,
      ...(domains === undefined ? [] : [JSON.stringify(domains)]),
      firstDay ?? -LAST_DAY,
      lastDay ?? LAST_DAY,
    ],
  };
}

/**
 * A table expression of figures with the columns account, domain, day, key, value, and whether the verdict counts
 * them.
 *
 * @param needles only figures whose key contains one of these texts; absent = all
 */
export function figuresIn(kind: ReportKind, scope: Scope, needles?: readonly string[]): SqlPart {
  const days = inScope("d", kind, scope);
  const holds = (text: string): string =>
    needles === undefined ? "" : `AND (${needles.map(() => `instr(${text}, ?) > 0`).join(" OR ")})`;
  const part = (from: string, figures: string, condition: string): SqlPart => ({
    sql: `SELECT d.account AS account, d.domain AS domain, d.day AS day, f.key AS key, f.value AS value,
        ${figures === "m.figures" ? "1" : isCountedSql("r")} AS isCounted
      FROM domain_days d ${from} JOIN json_each(${figures}) f
      WHERE ${days.sql} AND ${condition} ${holds(figures)} ${holds("f.key")}`,
    parameters: [...days.parameters, ...(needles ?? []), ...(needles ?? [])],
  });
  const report = `JOIN reports r ON r.account = d.account AND r.kind = d.kind AND r.domain = d.domain AND r.day = d.day`;
  // Reports of a merged day are read only if there is one whose figures were not merged.
  const isUnmerged = scope.onlyCounted
    ? `d.figure_chunks = 0 AND ${isCountedSql("r")}`
    : `(d.figure_chunks = 0 OR d.uncounted_total > 0 AND NOT ${isCountedSql("r")})`;
  const parts = [
    part(
      `JOIN day_figures m ON m.account = d.account AND m.kind = d.kind AND m.domain = d.domain AND m.day = d.day`,
      "m.figures",
      "d.figure_chunks > 0",
    ),
    part(report, "r.figures", `${isUnmerged} AND r.state = 'accepted' AND r.figures <> '{}'`),
    part(
      `${report} JOIN report_figures c ON c.reading = r.reading`,
      "c.figures",
      `${isUnmerged} AND r.state = 'accepted' AND r.reading IS NOT NULL`,
    ),
  ];
  return {
    sql: `(${parts.map(({ sql }) => sql).join("\nUNION ALL\n")})`,
    parameters: parts.flatMap(({ parameters }) => parameters),
  };
}

const AFTER_AUTH = "substr(key, instr(key, '|') + 1)";
const AFTER_ADDRESS = `substr(${AFTER_AUTH}, instr(${AFTER_AUTH}, '|') + 1)`;

/** Parts of an aggregate key (figures.ts) as SQL expressions over the column `key`. */
export const RECORD_KEY = {
  disposition: "substr(key, 1, 1)",
  dkim: "substr(key, 2, 1)",
  spf: "substr(key, 3, 1)",
  isPass: "(substr(key, 2, 1) = 'p' OR substr(key, 3, 1) = 'p')",
  isAuthenticated: "substr(key, 4, 1) = '1'",
  hasReasons: "substr(key, 5, 1) = '1'",
  /** Authentication results, `dkim/spf`. */
  auth: `substr(key, ${FIGURE_LETTERS + 1}, instr(key, '|') - ${FIGURE_LETTERS + 1})`,
  address: "substr(key, instr(key, '|') + 1, instr(substr(key, instr(key, '|') + 1), '|') - 1)",
  /** The third text: the From domain. */
  from: `substr(${AFTER_ADDRESS}, 1, instr(${AFTER_ADDRESS}, '|') - 1)`,
  /** Override reasons, after the fourth separator, which no text contains. */
  reasons: "replace(key, rtrim(key, replace(key, '|', '')), '')",
} as const;
