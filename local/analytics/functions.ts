/**
 * The functions of Cloudflare's Analytics Engine SQL, from its SQL reference, and how ClickHouse writes its operators.
 * Data only. A function that is not here is refused, whatever ClickHouse could do with it.
 */

/** Aggregate functions, and the `If` forms Cloudflare's newer SQL reference documents. */
const AGGREGATES = [
  ...["count", "sum", "avg", "min", "max", "quantileExactWeighted", "argMax", "argMin", "first_value", "last_value"],
  ...["topK", "topKWeighted", "countIf", "sumIf", "avgIf"],
];

const SCALARS = [
  ...["if", "intDiv", "log", "ln", "pow", "round", "floor", "ceil", "toUInt8", "toUInt32", "bin", "hex"],
  ...["length", "empty", "lower", "lowerUTF8", "toLower", "upper", "upperUTF8", "toUpper", "startsWith", "endsWith"],
  ...["position", "substring", "format", "formatDateTime", "now", "today", "toDateTime", "toYear", "toMonth"],
  ...["toDayOfWeek", "toDayOfMonth", "toHour", "toMinute", "toSecond", "toUnixTimestamp", "toStartOfInterval"],
  ...["toStartOfYear", "toStartOfMonth", "toStartOfWeek", "toStartOfDay", "toStartOfHour", "toStartOfFifteenMinutes"],
  ...["toStartOfTenMinutes", "toStartOfFiveMinutes", "toStartOfMinute", "toYYYYMM"],
  ...["bitAnd", "bitCount", "bitHammingDistance", "bitNot", "bitOr", "bitRotateLeft", "bitRotateRight"],
  ...["bitShiftLeft", "bitShiftRight", "bitTest", "bitXor"],
];

/** Documented functions in lower case: names are not case-sensitive in Cloudflare's SQL. */
export const DOCUMENTED_FUNCTIONS: ReadonlyMap<string, string> = new Map(
  [...AGGREGATES, ...SCALARS].map((name) => [name.toLowerCase(), name]),
);

/** Functions ClickHouse's parser makes of an operator whose name is also a word of SQL: `a AND b`, `a IN (…)`. */
export const KEYWORD_OPERATORS: ReadonlySet<string> = new Set(["and", "or", "not", "in", "like", "ilike"]);

/** Functions its parser makes of other syntax; written as a call they are not documented. */
export const OPERATOR_FUNCTIONS: ReadonlySet<string> = new Set([
  ...["plus", "minus", "multiply", "divide", "modulo", "negate", "equals", "notEquals", "less", "greater"],
  ...["lessOrEquals", "greaterOrEquals", "notIn", "notLike", "notILike", "tuple"],
  ...["countDistinct", "sumDistinct", "avgDistinct"],
]);

/** INTERVAL '1' DAY and so on, by the function ClickHouse's parser makes of it. */
export const INTERVAL_FUNCTIONS: ReadonlySet<string> = new Set([
  ...["toIntervalYear", "toIntervalMonth", "toIntervalDay", "toIntervalHour", "toIntervalMinute", "toIntervalSecond"],
]);

/** Where Cloudflare's function of a name behaves as another one of ClickHouse's: characters instead of bytes, weeks from Monday. */
export const RENAMED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["length", "lengthUTF8"],
  ["substring", "substringUTF8"],
  ["toLower", "lowerUTF8"],
  ["toUpper", "upperUTF8"],
  ["toStartOfWeek", "toMonday"],
]);

/** What to say about functions that people reach for and Cloudflare refuses. */
export const FUNCTION_HINTS: ReadonlyMap<string, string> = new Map([
  ["multiIf", "CASE is not supported; use if(condition, then, else)"],
  ["uniq", "use count(DISTINCT …)"],
  ["uniqIf", "use count(DISTINCT if(…, …, NULL))"],
  ["CAST", "use toUInt32, toUInt8 or toDateTime"],
  ["concat", "use format('{}{}', a, b)"],
  ["isNull", "there are no nulls in a dataset"],
  ["isNotNull", "there are no nulls in a dataset"],
]);
