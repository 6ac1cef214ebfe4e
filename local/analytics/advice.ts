/**
 * What a statement that Analytics Engine takes would get wrong about this project's datasets: copies that it counts, a
 * weight it forgets, a bound it lacks. Pure; it refuses nothing.
 */
import { DATASET_IDS, DATASETS, type DatasetId } from "../../shared/analytics/columns.ts";
import { slotsOf } from "../../shared/analytics/query.ts";
import type { Statement } from "./dialect.ts";
import { DOCUMENTED_FUNCTIONS } from "./functions.ts";
import type { Expression, FunctionCall, Select } from "./grammar.ts";

/** Aggregates that give the same whether a row is there once or twice. */
const BLIND_TO_COPIES = new Set(["min", "max", "argMin", "argMax", "first_value", "last_value"]);

/** Sentences about a statement, most important first; none where nothing is to be said. */
export function statementAdvice(statement: Statement): string[] {
  if (statement.kind === "show") return [];
  const { select, table, columns } = statement;
  const dataset = DATASET_IDS.find((id) => DATASETS[id].name === table);
  if (dataset === undefined) return [];
  const levels = listLevels(select);
  const innermost = levels[levels.length - 1] ?? select;
  const advice: string[] = [];
  if (countsCopies(levels, innermost, dataset)) {
    const identity = identityOf(dataset).join(", ");
    advice.push(`A point may be written twice, and this counts both: group by ${identity} first (docs/analytics.md).`);
  }
  if (!columns.has("_sample_interval") && levels.some(isCounting)) {
    advice.push("Points may be sampled: multiply by _sample_interval (docs/analytics.md).");
  }
  if (!isBounded(innermost.where)) {
    advice.push("Without a bound on timestamp the engine reads everything it has, at its coarsest sampling.");
  }
  return advice;
}

function listLevels(select: Select): Select[] {
  const { from } = select;
  return from !== undefined && "select" in from ? [select, ...listLevels(from.select)] : [select];
}

function identityOf(dataset: DatasetId): string[] {
  if (dataset === "events") return [slotsOf("events").eventId];
  const { reportUid, ordinal } = slotsOf(dataset);
  return [reportUid, ordinal];
}

function countsCopies(levels: Select[], innermost: Select, dataset: DatasetId): boolean {
  const grouped = innermost.groupBy.map((value) => columnBehind(value, innermost));
  if (identityOf(dataset).every((column) => grouped.includes(column))) return false;
  if (isCounting(innermost)) return true;
  return innermost.groupBy.length === 0 && levels.some(isCounting);
}

// GROUP BY names a column or the alias of one.
function columnBehind(value: Expression, { items }: Select): string {
  if (value.kind !== "column") return value.text;
  const selected = items.find(({ alias }) => alias === value.name)?.value;
  return selected?.kind === "column" ? selected.name : value.name;
}

// `count(DISTINCT x)` and the like count a copy once.
function isCounting({ items, having }: Select): boolean {
  const values = [...items.map(({ value }) => value), ...(having === undefined ? [] : [having])];
  return values.flatMap(listCalls).some(({ name, isDistinct }) => {
    const documented = DOCUMENTED_FUNCTIONS.get(name.toLowerCase());
    return documented?.isAggregate === true && !BLIND_TO_COPIES.has(documented.name) && !isDistinct;
  });
}

function listCalls(value: Expression): FunctionCall[] {
  if (value.kind === "operator") return value.operands.flatMap(listCalls);
  return value.kind === "call" ? [value, ...value.operands.flatMap(listCalls)] : [];
}

// A lower bound: `timestamp > …` or the like, joined by AND alone.
function isBounded(where: Expression | undefined): boolean {
  if (where?.kind !== "operator") return false;
  const [left, right] = where.operands;
  if (where.operator === "AND") return where.operands.some(isBounded);
  if (where.operator === "BETWEEN" || where.operator === ">" || where.operator === ">=") return isTimestamp(left);
  return (where.operator === "<" || where.operator === "<=") && isTimestamp(right);
}

function isTimestamp(value: Expression | undefined): boolean {
  return value?.kind === "column" && value.name === "timestamp";
}
