/**
 * Cloudflare's dialect of SQL: decides whether Analytics Engine would take a statement, and prepares it for ClickHouse.
 * What the SQL reference does not document is refused, and so is what the live service was nevertheless seen to refuse,
 * in its own words where they are known. Pure: it knows no dataset but its columns, and never runs anything.
 */
import { ANALYTICS_LIMITS } from "../../shared/limits.ts";
import { fail, ok, type Result } from "../../shared/result.ts";
import {
  DISTINCT_AGGREGATES,
  DOCUMENTED_FUNCTIONS,
  FUNCTION_HINTS,
  NUMERIC_AGGREGATES,
  RENAMED_FUNCTIONS,
  type ResultType,
  type ValueType,
} from "./functions.ts";
import { type Expression, type FunctionCall, INTERVAL_UNITS, parse, type Select } from "./grammar.ts";
import { printTokens, type Token } from "./tokens.ts";

const FORMATS = ["JSON", "JSONEachRow", "TabSeparated"] as const;
export type Format = (typeof FORMATS)[number];

/** A statement Analytics Engine would take. */
export type Statement =
  | {
      kind: "select";
      /** For ClickHouse, without FORMAT. */
      sql: string;
      format: Format;
      select: Select;
      /** The dataset it reads; absent: none. */
      table: string | undefined;
      /** Columns of that dataset it names, as `blob1`. */
      columns: ReadonlySet<string>;
    }
  | { kind: "show"; what: "TABLES" | "TIMEZONES" | "TIMEZONE"; format: Format };

/** Why Analytics Engine would refuse a statement. */
export interface Refusal {
  /** The live service's words where they are known, else a sentence of ours. The service answers it with status 422. */
  message: string;
  /** What to write instead, for people. */
  hint: string | undefined;
}

const TEXT_COLUMNS = Array.from({ length: ANALYTICS_LIMITS.maxBlobs }, (_, place) => `blob${place + 1}`);
const NUMBER_COLUMNS = Array.from({ length: ANALYTICS_LIMITS.maxDoubles }, (_, place) => `double${place + 1}`);

/** The columns of every dataset. */
const DATASET_COLUMNS: ReadonlyMap<string, ValueType> = new Map<string, ValueType>([
  ["dataset", "String"],
  ["timestamp", "DateTime"],
  ["_sample_interval", "Integer"],
  ["index1", "String"],
  ...TEXT_COLUMNS.map((name): [string, ValueType] => [name, "String"]),
  ...NUMBER_COLUMNS.map((name): [string, ValueType] => [name, "Double"]),
]);

const PARAMETRIC = new Set(["quantileExactWeighted", "topK", "topKWeighted"]);
const ARITHMETIC = new Set(["+", "-", "*", "/", "%"]);
/** Functions with a condition among their arguments, and its place. */
const CONDITION_PLACES: ReadonlyMap<string, number> = new Map([
  ["if", 0],
  ["countIf", 0],
  ["sumIf", 1],
  ["avgIf", 1],
]);
const TEXT_HINT = "Make a number of it: toUInt32(x).";
const UNDOCUMENTED_ESCAPE = "a backslash in a literal is not documented";
const COLUMNS_HINT =
  "A dataset has dataset, timestamp, _sample_interval, index1, blob1 to blob20, double1 to double20.";
const ORDER_HINT = "Select it under an alias, and order by that alias.";
const ALIAS_HINT =
  "It is an alias of the same SELECT: repeat its expression, or compare it in a SELECT around this one.";

/**
 * Checks a statement.
 *
 * @param sql the statement as it was sent
 * @returns the prepared statement, or why Analytics Engine would refuse it
 */
export function checkStatement(sql: string): Result<Statement, Refusal> {
  // Whether the limit counts characters or bytes is not documented; there are never fewer bytes.
  if (new TextEncoder().encode(sql).length > ANALYTICS_LIMITS.maxSqlBytes) {
    return refuse(
      `SQL was excessively long, exceeded maximum length: ${ANALYTICS_LIMITS.maxSqlBytes}`,
      "Ask for less at a time; a list of names does not belong in a statement.",
    );
  }
  const parsed = parse(sql);
  if (!parsed.ok) return refuse(parsed.error, hintOf(parsed.error));
  const format = readFormat(parsed.value.format);
  if (format === undefined) return refuse(`FORMAT must be one of ${FORMATS.join(", ")}`);
  if (parsed.value.kind === "show") return ok({ kind: "show", what: parsed.value.what, format });
  const { select, tokens } = parsed.value;
  if (tokens.some(({ hasBackslash }) => hasBackslash)) {
    return refuse(UNDOCUMENTED_ESCAPE, "Write the character itself; a quote is doubled.");
  }
  const checker = new Checker();
  try {
    checker.checkSelect(select);
  } catch (error) {
    if (error instanceof Refused) return fail(error.refusal);
    throw error;
  }
  const { table, columns } = checker;
  return ok({ kind: "select", sql: printTokens(renameFunctions(splitLevels(tokens))), format, select, table, columns });
}

/** What an expression may name, by what it gives. */
interface Names {
  known: ReadonlyMap<string, ValueType>;
  /** Said where a name is unknown. */
  hint: (name: string) => string;
}

/** Thrown inside this file only. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(message: string, hint?: string) {
    super(message);
    this.refusal = { message, hint };
  }
}

class Checker {
  readonly columns = new Set<string>();
  table: string | undefined;

  /** @returns the columns of its answer. @throws Refused */
  checkSelect(select: Select): Map<string, ValueType> {
    const source = this.#readSource(select.from);
    const aliases = new Set(select.items.flatMap(({ alias }) => alias ?? []));
    const inside: Names = { known: source, hint: (name) => (aliases.has(name) ? ALIAS_HINT : COLUMNS_HINT) };
    const output = new Map<string, ValueType>();
    for (const { value, alias } of select.items) {
      if (value.kind === "asterisk") for (const [name, type] of source) output.set(name, type);
      else output.set(alias ?? (value.kind === "column" ? value.name : value.text), this.#typeOf(value, inside));
    }
    if (select.where !== undefined) {
      checkNoAggregate(select.where, "WHERE");
      checkCondition(this.#typeOf(select.where, inside), select.where);
    }
    const outside: Names = { known: new Map([...source, ...output]), hint: () => COLUMNS_HINT };
    for (const value of select.groupBy) {
      // ClickHouse takes a number for the place of a column in SELECT.
      if (value.kind === "literal") throw new Refused("GROUP BY takes columns and expressions", "Name the column.");
      checkNoAggregate(value, "GROUP BY");
      this.#typeOf(value, outside);
    }
    if (select.having !== undefined) checkCondition(this.#typeOf(select.having, outside), select.having);
    for (const value of select.orderBy) this.#checkOrder(value, output);
    return output;
  }

  #readSource(from: Select["from"]): ReadonlyMap<string, ValueType> {
    if (from === undefined) return new Map();
    if ("select" in from) return this.checkSelect(from.select);
    this.table = from.table;
    return DATASET_COLUMNS;
  }

  // The service looks for what it orders by among the selected columns alone.
  #checkOrder(value: Expression, selected: ReadonlyMap<string, ValueType>): void {
    if (value.kind !== "column" || !selected.has(value.name)) {
      throw new Refused(unknownColumn(value.text), ORDER_HINT);
    }
  }

  #typeOf(value: Expression, names: Names): ValueType {
    switch (value.kind) {
      case "literal":
        return value.type === "Boolean" ? "Any" : value.type;
      case "column":
        return this.#typeOfColumn(value.name, names);
      case "interval":
        return "Any";
      case "asterisk":
        throw new Refused("* is only supported as a column of SELECT");
      case "operator": {
        const types = value.operands.map((operand) => this.#typeOf(operand, names));
        checkOperands(value.operator, types, value.operands);
        return operatorType(value.operator, types, value.operands);
      }
      case "call":
        return this.#typeOfCall(value, names);
    }
  }

  // ClickHouse adds its own columns to every table, all starting with an underscore.
  #typeOfColumn(name: string, { known, hint }: Names): ValueType {
    if (DATASET_COLUMNS.has(name) && known.has(name)) this.columns.add(name);
    const type = known.get(name);
    if (type !== undefined) return type;
    throw new Refused(unknownColumn(name), hint(name));
  }

  #typeOfCall(call: FunctionCall, names: Names): ValueType {
    const documented = DOCUMENTED_FUNCTIONS.get(call.name.toLowerCase());
    if (documented === undefined) throw unknownFunction(call.name);
    const { name, result, isAggregate, argumentCount } = documented;
    if (name === "count" && !call.isDistinct && call.operands.length > 0) {
      throw new Refused("COUNT() function must have 0 arguments", "Write count(), or count(DISTINCT x).");
    }
    checkForm(call, name);
    checkSeenRefused(call, name);
    checkArgumentCount(call, name, argumentCount);
    checkLiterals(call, name);
    if (isAggregate) for (const operand of call.operands) checkNoAggregate(operand, `${name}()`);
    for (const parameter of call.parameters) this.#typeOf(parameter, names);
    const types = call.operands.map((operand) => this.#typeOf(operand, names));
    checkTypes(call, name, types);
    const condition = call.operands[CONDITION_PLACES.get(name) ?? -1];
    if (condition !== undefined) checkCondition(this.#typeOf(condition, names), condition);
    return resultType(result, types);
  }
}

// What the grammar of one function has and that of others has not.
function checkForm({ isDistinct, parameters, form, unit }: FunctionCall, name: string): void {
  if (isDistinct && !DISTINCT_AGGREGATES.has(name)) throw new Refused(`DISTINCT is not supported in ${name}()`);
  if (parameters.length > 0 && !PARAMETRIC.has(name)) throw new Refused(`${name}() takes no parameters`);
  if ((form === "from") !== (name === "extract")) {
    throw new Refused(`syntax error in ${name}()`, "extract(DAY FROM x) is the one function written with FROM.");
  }
  if (unit !== undefined && !INTERVAL_UNITS.has(unit)) throw new Refused(`extract(${unit} FROM …) is not supported`);
  // ClickHouse takes a default level where none is given.
  if (name === "quantileExactWeighted" && parameters.length !== 1) {
    throw new Refused(`${name}() takes a level`, "Write quantileExactWeighted(0.5)(x, _sample_interval).");
  }
}

function checkArgumentCount({ operands }: FunctionCall, name: string, [least, most]: readonly [number, number]): void {
  if (operands.length >= least && operands.length <= most) return;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  throw new Refused(
    `${name.toUpperCase()}() function must have ${wanted} arguments`,
    `The SQL reference has ${name}() with ${wanted}, not ${operands.length}.`,
  );
}

// Literals that the reference says are not supported, and ClickHouse takes.
function checkLiterals({ operands }: FunctionCall, name: string): void {
  const [first] = operands;
  if (name === "quantileWeighted" && (first?.kind !== "literal" || first.type === "String")) {
    throw new Refused(`${name}() takes a level first`, "Write quantileExactWeighted(0.5)(x, _sample_interval).");
  }
  if (first?.kind !== "literal" || first.type !== "String") return;
  if (name === "format" && /[{}]/.test(first.text.replaceAll("{}", ""))) {
    throw new Refused("the format string of format() has a brace that is not {}", "Write {} where a value goes, only.");
  }
  if (name === "toDateTime" && /\dT\d|Z'$|[+-]\d\d:?\d\d'$/.test(first.text)) {
    throw new Refused(
      "toDateTime() takes no ISO 8601 time",
      "Write toDateTime('2025-10-27 16:55:25'), with a time zone as second argument.",
    );
  }
}

// Where rows are filtered or grouped, and within another aggregate, there are none yet.
function checkNoAggregate(value: Expression, place: string): void {
  if (value.kind === "call" && DOCUMENTED_FUNCTIONS.get(value.name.toLowerCase())?.isAggregate === true) {
    throw new Refused(
      `${value.name}() is an aggregate function, which ${place} cannot have`,
      "Filter groups by HAVING.",
    );
  }
  if (value.kind === "call" || value.kind === "operator") {
    for (const operand of value.operands) checkNoAggregate(operand, place);
  }
}

// The reference: "any expression that evaluates to a boolean". ClickHouse takes a number too.
function checkCondition(type: ValueType, { text }: Expression): void {
  if (type === "Any") return;
  throw new Refused(`a condition must be a boolean, and ${text} is a ${type}`, "Compare it with something.");
}

function checkOperands(operator: string, types: readonly ValueType[], operands: readonly Expression[]): void {
  for (const [place, operand] of operands.entries()) {
    const type = types[place] ?? "Any";
    if (operator === "AND" || operator === "OR" || operator === "NOT") checkCondition(type, operand);
    if (ARITHMETIC.has(operator) && type === "String") {
      throw new Refused(
        `cannot use the String type in ${operands.map(({ text }) => text).join(` ${operator} `)}`,
        TEXT_HINT,
      );
    }
  }
  const isPattern = operator === "LIKE" || operator === "ILIKE";
  const number = operands.find((_, place) => isPattern && (types[place] === "Double" || types[place] === "Integer"));
  if (number !== undefined)
    throw new Refused(`${operator} compares texts, and ${number.text} is a number`, "Compare it with =.");
}

// Documented, or nearly, and refused by the live service for some.
function checkSeenRefused({ form }: FunctionCall, name: string): void {
  if (name === "round") {
    throw new Refused("round() is documented, but not taken everywhere", "Round where you read the answer.");
  }
  if (name === "position" && form === "plain") {
    throw new Refused("position(a, b) is not documented", "Write position(b IN a).");
  }
}

function checkTypes({ operands }: FunctionCall, name: string, types: ValueType[]): void {
  if (NUMERIC_AGGREGATES.has(name) && types[0] === "String") {
    throw new Refused(
      `cannot use the String type as argument 1 in ${name}(${operands[0]?.text ?? ""})`,
      "Of a text, argMax(text, number) gives that of the highest number.",
    );
  }
  const [, second = "Any", third = "Any"] = types;
  if (name !== "if" || second === third || second === "Any" || third === "Any") return;
  const hint =
    second === "Null" || third === "Null"
      ? "There is no NULL beside a value: filter in a subquery."
      : "Give both the same type: 0.0 beside a doubleN, or if(condition, 1, 0) * x.";
  throw new Refused(
    `the 2nd and 3rd arguments to IF() function must have the same type but instead had ${second} and ${third}`,
    hint,
  );
}

function operatorType(operator: string, types: ValueType[], operands: Expression[]): ValueType {
  if (operator === "/") return "Double";
  if (!ARITHMETIC.has(operator)) return "Any";
  if (types.includes("DateTime")) return operands.some(({ kind }) => kind === "interval") ? "DateTime" : "Integer";
  return numberType(types);
}

function resultType(result: ResultType, types: ValueType[]): ValueType {
  if (result === "first argument") return types[0] ?? "Any";
  if (result === "second argument") return types[1] ?? "Any";
  return result === "number" ? numberType(types) : result;
}

// Everything made of a Double is one.
function numberType(types: ValueType[]): ValueType {
  if (types.includes("Double")) return "Double";
  return types.every((type) => type === "Integer") ? "Integer" : "Any";
}

function unknownColumn(name: string): string {
  return `unable to find type of column: ${name}`;
}

function unknownFunction(name: string): Refused {
  return new Refused(`unknown function call: ${name}`, FUNCTION_HINTS.get(name.toLowerCase()));
}

// The grammar itself names some functions that are written without brackets.
function hintOf(message: string): string | undefined {
  const named =
    /^unknown function call: (\w+)$/.exec(message) ?? /^unsupported expression type: (CASE)\b/.exec(message);
  const name = named?.[1] ?? (message.startsWith("CAST ") ? "cast" : "");
  return FUNCTION_HINTS.get(name.toLowerCase());
}

function readFormat(name = "JSON"): Format | undefined {
  return FORMATS.find((format) => format.toLowerCase() === name.toLowerCase());
}

function refuse(message: string, hint?: string): Result<never, Refusal> {
  return fail({ message, hint });
}

// `quantileWeighted(0.5, x, w)`, an older form, is `quantileExactWeighted(0.5)(x, w)`.
function splitLevels(tokens: readonly Token[]): Token[] {
  return tokens.flatMap((token, place) => {
    const [name, open, , comma] = tokens.slice(Math.max(0, place - 3), place + 1);
    const isLevel = place >= 3 && comma?.text === "," && open?.text === "(" && isQuantileWeighted(name);
    if (isLevel)
      return [
        { ...token, text: ")" },
        { ...token, text: "(" },
      ];
    return isQuantileWeighted(token) ? [{ ...token, text: "quantileExactWeighted" }] : [token];
  });
}

function isQuantileWeighted(token: Token | undefined): boolean {
  return token?.kind === "word" && token.text.toLowerCase() === "quantileweighted";
}

// A word before a bracket is a function's name, or a keyword that no function is named as.
function renameFunctions(tokens: readonly Token[]): Token[] {
  return tokens.map((token, place) => {
    const next = tokens[place + 1];
    if (token.kind !== "word" || next?.kind !== "symbol" || next.text !== "(") return token;
    const documented = DOCUMENTED_FUNCTIONS.get(token.text.toLowerCase())?.name ?? token.text;
    return { ...token, text: RENAMED_FUNCTIONS.get(documented) ?? documented };
  });
}
