/**
 * The part that every statement about records, policies or events begins with: the newest reading of each row, inside
 * the scope that the asking person may see. Pure. What narrows the inner statement belongs to a row's identity (account,
 * domain, reporter, period), so a newer reading can never differ in it; anything else is compared after the collapse.
 */
import { ANALYTICS_LIMITS } from "../limits.ts";
import { SECONDS_PER_DAY } from "../report-day.ts";
import { cutBytes, DATASETS, type DatasetId } from "./columns.ts";
import { quoteText } from "./queries.ts";
import { type SlotsOf, slotsOf } from "./query.ts";

export { numberOf, type Query, slotsOf, textOf } from "./query.ts";

/** Whose rows and which days. An absent field means all; an empty list means none. */
export interface Scope {
  accounts?: readonly string[] | undefined;
  /** Policy domains, lower case. */
  domains?: readonly string[] | undefined;
  /** Days since 1970-01-01 UTC, both included. See report-day.ts. */
  firstDay?: number | undefined;
  lastDay?: number | undefined;
  reportUid?: string | undefined;
  /**
   * A condition that the caller compares after the collapse as well, on columns of the dataset. It spares the engine the
   * rows of first generations that do not meet it; those of later ones all stay, since they may replace one that does.
   */
  firstNarrow?: string | undefined;
  /** Only the first record of each report: what all its records share (policy, reporter) needs no more. */
  isFirstRecord?: boolean | undefined;
}

/** Columns whose SQL name would be a function's. */
const ALIASES: Record<string, string> = { count: "mails" };

/** Datasets whose rows are (reportUid, ordinal). */
type ReportDataset = "records" | "tls" | "failures";

/** A value worked out from the slots of a point before the collapse: a number costs it far less than a text. */
export interface Derived {
  name: string;
  /** Expression over slots. */
  of: string;
}

/**
 * A subquery of the newest rows: `reportUid`, `ordinal`, `day`, `weight` and what is asked for: columns under their
 * names (`count` as `mails`) and derived values. Rows that only stand over stale ones weigh 0: filter `weight > 0` outside.
 */
export function newestRows<D extends ReportDataset>(
  dataset: D,
  columns: readonly ((keyof SlotsOf<D> & string) | Derived)[],
  scope: Scope,
): string {
  const slots: Record<string, string> = slotsOf(dataset);
  const newest = (of: string | undefined, name: string): string => `argMax(${of}, ${slots.generation}) AS ${name}`;
  // The uid of an aggregate report is made of its domain: as a key it changes nothing and costs less than a value.
  const isKey = (column: string | Derived): boolean => dataset === "records" && column === "domain";
  const selected = [
    `${slots.reportUid} AS reportUid`,
    `${slots.ordinal} AS ordinal`,
    `intDiv(max(${twiceMiddle(dataset)}), ${2 * SECONDS_PER_DAY}) AS day`,
    newest(`${slots.live} * _sample_interval`, "weight"),
    ...columns.map((column) => {
      if (typeof column !== "string") return newest(column.of, column.name);
      return isKey(column) ? `${slots[column]} AS ${column}` : newest(slots[column], ALIASES[column] ?? column);
    }),
  ];
  const where = scopeConditions(dataset, scope);
  return [
    `(SELECT ${selected.join(",\n  ")}`,
    `  FROM ${DATASETS[dataset].name}${where.length === 0 ? "" : ` WHERE ${where.join(" AND ")}`}`,
    `  GROUP BY reportUid, ordinal${columns.some(isKey) ? ", domain" : ""})`,
  ].join("\n");
}

/** Conditions on identity; the index is compared too, since Analytics Engine sorts and samples by it. */
export function scopeConditions(dataset: DatasetId, scope: Scope): string[] {
  const slots = slotsOf(dataset);
  const found: string[] = [];
  if (scope.accounts !== undefined) found.push(isOneOf(slots.account, scope.accounts));
  if (scope.domains !== undefined) {
    const cut = scope.domains.map((domain) => cutBytes(domain, ANALYTICS_LIMITS.maxIndexBytes));
    if (dataset !== "events") found.push(isOneOf("index1", cut));
    found.push(isOneOf(slots.domain, scope.domains));
  }
  if (dataset === "events") return found;
  const middle = twiceMiddle(dataset);
  if (scope.firstDay !== undefined) found.push(`${middle} >= ${scope.firstDay * 2 * SECONDS_PER_DAY}`);
  if (scope.lastDay !== undefined) found.push(`${middle} < ${(scope.lastDay + 1) * 2 * SECONDS_PER_DAY}`);
  if (scope.firstNarrow !== undefined) {
    found.push(`(${slotsOf(dataset).generation} > 1 OR ${scope.firstNarrow})`);
  }
  if (scope.isFirstRecord === true) found.push(`${slotsOf("records").ordinal} = 0`);
  if (scope.reportUid !== undefined) found.push(`${slotsOf("records").reportUid} = ${quoteText(scope.reportUid)}`);
  return found;
}

/**
 * The domains of a scope where a report's uid is not made of them: a TLS report is about several, and a later reading may
 * tell another one of the same row. So they are compared after the collapse; before it only first generations are.
 */
export function aboutDomains(dataset: "tls" | "failures", scope: Scope): { inner: Scope; outer: string } {
  const { domains, ...inner } = scope;
  if (domains === undefined) return { inner, outer: "weight > 0" };
  const firstNarrow = scopeConditions(dataset, { domains }).join(" AND ");
  return { inner: { ...inner, firstNarrow }, outer: `weight > 0 AND ${isOneOf("domain", domains)}` };
}

/** `column IN (…)` with quoted values; false for every row when there is none. */
export function isOneOf(column: string, values: readonly string[]): string {
  return values.length === 0 ? "1 = 0" : `${column} IN (${values.map(quoteText).join(", ")})`;
}

// Twice the moment that decides the day (report-day.ts).
function twiceMiddle(dataset: Exclude<DatasetId, "events">): string {
  if (dataset === "failures") {
    const { arrivalSeconds, receivedSeconds } = slotsOf("failures");
    return `2 * if(${arrivalSeconds} > 0, ${arrivalSeconds}, ${receivedSeconds})`;
  }
  const { beginSeconds, endSeconds } = slotsOf(dataset);
  return `(${beginSeconds} + ${endSeconds})`;
}
