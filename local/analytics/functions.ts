/**
 * The functions of Analytics Engine's SQL, from its SQL reference: what each one gives, what its first argument may be,
 * and what to write instead of those it has not. Data only. A function that is not here is refused.
 */

/** Kinds of value as the service tells them apart; `Any` where nothing is known of it. */
export type ValueType = "String" | "Integer" | "Double" | "DateTime" | "Null" | "Any";

/** What a function gives: a type, the type of one of its arguments, or Double where an argument is one, else Integer. */
export type ResultType = ValueType | "first argument" | "second argument" | "number";

/** Aggregate functions, and the `If` forms that the newer SQL reference documents. */
const AGGREGATES: Record<string, ResultType> = {
  count: "Integer",
  countIf: "Integer",
  sum: "first argument",
  sumIf: "first argument",
  avg: "Double",
  avgIf: "Double",
  min: "first argument",
  max: "first argument",
  quantileExactWeighted: "first argument",
  quantileWeighted: "second argument",
  argMax: "first argument",
  argMin: "first argument",
  first_value: "first argument",
  last_value: "first argument",
  topK: "Any",
  topKWeighted: "Any",
};

const SCALARS: Record<string, ResultType> = {
  if: "second argument",
  intDiv: "number",
  floor: "number",
  ceil: "number",
  round: "number",
  log: "Double",
  ln: "Double",
  pow: "Double",
  toUInt8: "Integer",
  toUInt32: "Integer",
  length: "Integer",
  empty: "Any",
  startsWith: "Any",
  endsWith: "Any",
  position: "Integer",
  lower: "String",
  lowerUTF8: "String",
  toLower: "String",
  upper: "String",
  upperUTF8: "String",
  toUpper: "String",
  substring: "String",
  format: "String",
  formatDateTime: "String",
  bin: "String",
  hex: "String",
  extract: "Integer",
  now: "DateTime",
  today: "DateTime",
  toDateTime: "DateTime",
  toStartOfInterval: "DateTime",
  toStartOfYear: "DateTime",
  toStartOfMonth: "DateTime",
  toStartOfWeek: "DateTime",
  toStartOfDay: "DateTime",
  toStartOfHour: "DateTime",
  toStartOfFifteenMinutes: "DateTime",
  toStartOfTenMinutes: "DateTime",
  toStartOfFiveMinutes: "DateTime",
  toStartOfMinute: "DateTime",
  toYear: "Integer",
  toMonth: "Integer",
  toDayOfWeek: "Integer",
  toDayOfMonth: "Integer",
  toHour: "Integer",
  toMinute: "Integer",
  toSecond: "Integer",
  toUnixTimestamp: "Integer",
  toYYYYMM: "Integer",
  bitAnd: "Integer",
  bitCount: "Integer",
  bitHammingDistance: "Integer",
  bitNot: "Integer",
  bitOr: "Integer",
  bitRotateLeft: "Integer",
  bitRotateRight: "Integer",
  bitShiftLeft: "Integer",
  bitShiftRight: "Integer",
  bitTest: "Integer",
  bitXor: "Integer",
};

/** How many arguments a function takes, at least and at most, where it is not exactly one. */
const ARGUMENTS: Record<string, [number, number]> = {
  count: [0, 1],
  sumIf: [2, 2],
  avgIf: [2, 2],
  quantileExactWeighted: [2, 2],
  quantileWeighted: [3, 3],
  argMax: [2, 2],
  argMin: [2, 2],
  topKWeighted: [2, 2],
  if: [3, 3],
  intDiv: [2, 2],
  floor: [1, 2],
  ceil: [1, 2],
  round: [1, 2],
  pow: [2, 2],
  startsWith: [2, 2],
  endsWith: [2, 2],
  position: [2, 2],
  substring: [2, 3],
  format: [1, Number.POSITIVE_INFINITY],
  formatDateTime: [2, 3],
  now: [0, 0],
  today: [0, 0],
  toDateTime: [1, 2],
  toStartOfInterval: [2, 3],
  bitAnd: [2, 2],
  bitHammingDistance: [2, 2],
  bitOr: [2, 2],
  bitRotateLeft: [2, 2],
  bitRotateRight: [2, 2],
  bitShiftLeft: [2, 2],
  bitShiftRight: [2, 2],
  bitTest: [2, 2],
  bitXor: [2, 2],
};

export interface DocumentedFunction {
  /** As the reference writes it. */
  name: string;
  result: ResultType;
  isAggregate: boolean;
  /** Arguments it takes, at least and at most. */
  argumentCount: readonly [number, number];
}

/** Documented functions by their name in lower case: names are not case-sensitive. */
export const DOCUMENTED_FUNCTIONS: ReadonlyMap<string, DocumentedFunction> = new Map([
  ...listFunctions(AGGREGATES, true),
  ...listFunctions(SCALARS, false),
]);

/** Aggregate functions that take no text as their first argument. */
export const NUMERIC_AGGREGATES: ReadonlySet<string> = new Set(["sum", "sumIf", "avg", "avgIf", "min", "max"]);

/** Functions that accept DISTINCT. */
export const DISTINCT_AGGREGATES: ReadonlySet<string> = new Set(["count", "sum", "avg"]);

/** Where a function behaves as another one of ClickHouse's: characters instead of bytes, weeks from Monday. */
export const RENAMED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["length", "lengthUTF8"],
  ["substring", "substringUTF8"],
  ["toLower", "lowerUTF8"],
  ["toUpper", "upperUTF8"],
  ["toStartOfWeek", "toMonday"],
]);

/** What to write instead of functions that are not there, by their name in lower case. */
export const FUNCTION_HINTS: ReadonlyMap<string, string> = new Map([
  ["case", "Write if(condition, then, else), one in the other."],
  ["multiif", "Write if(condition, then, else), one in the other."],
  ["uniq", "Write count(DISTINCT x)."],
  ["uniqexact", "Write count(DISTINCT x)."],
  ["uniqif", "Filter in a subquery and write count(DISTINCT x)."],
  ["concat", "Write format('{}{}', a, b)."],
  ["tostring", "Leave it out: the answer is text either way. To put a number into a text, write format('{}', x)."],
  ["tofloat64", "Leave it out: columns doubleN are such numbers; multiply a count by 1.0."],
  ["greatest", "Write if(a > b, a, b), with a and b of the same type."],
  ["max2", "Write if(a > b, a, b), with a and b of the same type."],
  ["least", "Write if(a < b, a, b), with a and b of the same type."],
  ["abs", "Write if(x < 0.0, -x, x) for a doubleN."],
  ["any", "Write argMax(x, double2), or add x to GROUP BY."],
  ["groupuniqarray", "Add the column to GROUP BY and put the rows together yourself."],
  ["cast", "Write toUInt32, toUInt8 or toDateTime."],
  ["isnull", "A dataset holds no nulls; compare with '' or 0."],
]);

function listFunctions(table: Record<string, ResultType>, isAggregate: boolean): [string, DocumentedFunction][] {
  return Object.entries(table).map(([name, result]) => [
    name.toLowerCase(),
    { name, result, isAggregate, argumentCount: ARGUMENTS[name] ?? [1, 1] },
  ]);
}
