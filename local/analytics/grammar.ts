/**
 * The grammar of Analytics Engine's SQL, as its SQL reference documents it: one SELECT of one table or one subquery. Reads
 * tokens into a tree. Pure. What the grammar has no place for is refused with the name of what was found.
 */
import { fail, ok, type Result } from "../../shared/result.ts";
import { readTokens, type Token } from "./tokens.ts";

/** A value: where it is in the statement, and what it consists of. */
export type Expression = { text: string } & (
  | { kind: "column"; name: string }
  | { kind: "literal"; type: "String" | "Integer" | "Double" | "Null" | "Boolean" }
  | { kind: "asterisk" }
  | { kind: "interval"; unit: string }
  | { kind: "operator"; operator: string; operands: Expression[] }
  | FunctionCall
);

/** A function's call. `position(a IN b)` and `extract(DAY FROM t)` have their own form. */
export interface FunctionCall {
  kind: "call";
  text: string;
  name: string;
  /** Of `quantileExactWeighted(0.5)(…)` and the like. */
  parameters: Expression[];
  operands: Expression[];
  isDistinct: boolean;
  form: "plain" | "in" | "from";
  /** Of `extract(DAY FROM t)`. */
  unit: string | undefined;
}

/** One column of an answer. */
export interface SelectItem {
  value: Expression;
  alias: string | undefined;
}

export interface Select {
  items: SelectItem[];
  /** Absent: no FROM. */
  from: { table: string } | { select: Select } | undefined;
  where: Expression | undefined;
  groupBy: Expression[];
  having: Expression | undefined;
  orderBy: Expression[];
}

/** A statement: its tree, its format, and the tokens ClickHouse may be given. */
export type Parsed =
  | { kind: "select"; select: Select; format: string | undefined; tokens: Token[] }
  | { kind: "show"; what: "TABLES" | "TIMEZONES" | "TIMEZONE"; format: string | undefined };

/** Ours: brackets in brackets, so that no statement ends the process. */
const MAX_DEPTH = 100;
/** Of an INTERVAL, and of extract(). */
export const INTERVAL_UNITS: ReadonlySet<string> = new Set(["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"]);
const COMPARISONS = new Set(["=", "<", ">", "<=", ">=", "<>", "!="]);
/** Words that end an expression, so that none of them is taken for a column. */
const RESERVED = new Set(
  "SELECT FROM WHERE GROUP HAVING ORDER LIMIT OFFSET FORMAT AS AND OR IN LIKE ILIKE BETWEEN BY ASC DESC UNION JOIN ON WITH".split(
    " ",
  ),
);

/** What people write although the grammar does not have it: word → its name. */
const REFUSED_WORDS: Record<string, string> = {
  JOIN: "JOIN",
  LEFT: "JOIN",
  RIGHT: "JOIN",
  INNER: "JOIN",
  FULL: "JOIN",
  CROSS: "JOIN",
  ANY: "JOIN",
  GLOBAL: "JOIN",
  ARRAY: "ARRAY JOIN",
  UNION: "UNION",
  INTERSECT: "INTERSECT",
  EXCEPT: "EXCEPT",
  WITH: "WITH",
  FINAL: "FINAL",
  PREWHERE: "PREWHERE",
  QUALIFY: "QUALIFY",
  WINDOW: "WINDOW",
  OVER: "a window function",
  SAMPLE: "SAMPLE",
  SETTINGS: "SETTINGS",
  INTO: "INTO OUTFILE",
  NULLS: "NULLS FIRST or LAST",
  COLLATE: "COLLATE",
  BY: "LIMIT BY",
  GROUPING: "GROUPING SETS",
};
const REFUSED_SYMBOLS: Record<string, string> = {
  "::": "CAST",
  "{": "a query parameter",
  "?": "a query parameter",
  "[": "an array",
  "->": "a lambda",
};

/** Thrown inside this file only: what is wrong, in one sentence. */
class Refused extends Error {}

/** Reads a statement, or says why the grammar does not allow it. */
export function parse(sql: string): Result<Parsed, string> {
  const tokens = readTokens(sql);
  if (!tokens.ok) return tokens;
  try {
    return ok(new Reader(sql, tokens.value).readStatement());
  } catch (error) {
    if (error instanceof Refused) return fail(error.message);
    throw error;
  }
}

class Reader {
  readonly #sql: string;
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;
  /** Tokens ClickHouse is not given: it has no LIMIT ALL, and takes FORMAT apart from the statement. */
  readonly #dropped = new Set<Token>();

  constructor(sql: string, tokens: Token[]) {
    this.#sql = sql;
    this.#tokens = tokens;
  }

  readStatement(): Parsed {
    if (this.#isWord("SHOW")) return this.#readShow();
    if (this.#isWord("WITH")) throw new Refused("WITH is not supported");
    if (!this.#isWord("SELECT") && !this.#isSymbol("(")) {
      const word = this.#peek().text;
      const said = "only SELECT, SHOW TABLES, SHOW TIMEZONES and SHOW TIMEZONE are supported";
      throw word === "" ? new Refused("no statement was given") : new Refused(`${said}, not ${word}`);
    }
    const select = this.#readSelect();
    const from = this.#at;
    const format = this.#takeWord("FORMAT") ? this.#takeName("a format") : undefined;
    this.#readEnd();
    for (const token of this.#tokens.slice(from)) this.#dropped.add(token);
    return { kind: "select", select, format, tokens: this.#tokens.filter((token) => !this.#dropped.has(token)) };
  }

  #readShow(): Parsed {
    this.#at++;
    const what = (["TABLES", "TIMEZONES", "TIMEZONE"] as const).find((word) => this.#takeWord(word));
    if (what === undefined) {
      throw new Refused(
        `only SELECT, SHOW TABLES, SHOW TIMEZONES and SHOW TIMEZONE are supported, not SHOW ${this.#peek().text}`,
      );
    }
    const format = this.#takeWord("FORMAT") ? this.#takeName("a format") : undefined;
    this.#readEnd();
    return { kind: "show", what, format };
  }

  #readEnd(): void {
    if (this.#takeSymbol(";") && this.#peek().kind !== "end") {
      throw new Refused("only one statement at a time is supported");
    }
    if (this.#peek().kind !== "end") throw this.#unexpected();
  }

  #readSelect(): Select {
    return this.#nested(() => {
      if (this.#takeSymbol("(")) {
        const inner = this.#readSelect();
        this.#expectSymbol(")");
        return inner;
      }
      if (this.#isWord("WITH")) throw new Refused("WITH is not supported");
      this.#expectWord("SELECT");
      if (this.#isWord("DISTINCT")) throw new Refused("SELECT DISTINCT is not supported");
      const items = this.#readList(() => this.#readItem());
      const from = this.#takeWord("FROM") ? this.#readFrom() : undefined;
      const where = this.#takeWord("WHERE") ? this.#readExpression() : undefined;
      const groupBy = this.#takeWords("GROUP", "BY") ? this.#readGroups() : [];
      const having = this.#takeWord("HAVING") ? this.#readExpression() : undefined;
      const orderBy = this.#takeWords("ORDER", "BY") ? this.#readOrder() : [];
      this.#readLimit();
      return { items, from, where, groupBy, having, orderBy };
    });
  }

  #readItem(): SelectItem {
    const value = this.#readExpression();
    return { value, alias: this.#takeWord("AS") ? this.#takeName("a name") : undefined };
  }

  #readFrom(): Select["from"] {
    const isSubquery = this.#isSymbol("(");
    const from = isSubquery ? { select: this.#readBracketed() } : { table: this.#readTable() };
    if (this.#isSymbol(",")) throw new Refused("JOIN is not supported: a statement reads one table");
    const hasAs = this.#takeWord("AS");
    const next = this.#peek();
    if (!hasAs && next.kind !== "name" && (next.kind !== "word" || isReserved(next))) return from;
    const behind = this.#peek(1);
    const isJoin = behind.text === "," || REFUSED_WORDS[behind.text.toUpperCase()] === "JOIN";
    if (isJoin) throw new Refused("JOIN is not supported: a statement reads one table");
    throw new Refused(`an alias of a ${isSubquery ? "subquery" : "table"} is not supported`);
  }

  #readBracketed(): Select {
    this.#expectSymbol("(");
    const select = this.#readSelect();
    this.#expectSymbol(")");
    return select;
  }

  #readTable(): string {
    const first = this.#takeName("a table");
    if (this.#isSymbol("(")) throw new Refused(`unknown table: ${first}(…), table functions are not supported`);
    return this.#takeSymbol(".") ? `${first}.${this.#takeName("a table")}` : first;
  }

  #readGroups(): Expression[] {
    if (this.#isWord("ALL")) throw new Refused("GROUP BY ALL is not supported");
    const groups = this.#readList(() => this.#readExpression());
    if (this.#isWord("WITH")) throw new Refused(`WITH ${this.#peek(1).text} is not supported`);
    return groups;
  }

  #readOrder(): Expression[] {
    if (this.#isWord("ALL")) throw new Refused("ORDER BY ALL is not supported");
    return this.#readList(() => {
      const value = this.#readExpression();
      if (!this.#takeWord("ASC")) this.#takeWord("DESC");
      if (this.#isWord("WITH")) throw new Refused("WITH FILL is not supported");
      return value;
    });
  }

  #readLimit(): void {
    const limit = this.#peek();
    if (this.#takeWord("LIMIT")) {
      const all = this.#peek();
      if (this.#takeWord("ALL")) this.#dropped.add(limit).add(all);
      else this.#expectNumber();
    }
    if (this.#takeWord("OFFSET")) this.#expectNumber();
  }

  #readExpression(): Expression {
    return this.#nested(() => this.#readChain(["OR"], () => this.#readAnd()));
  }

  #readAnd(): Expression {
    return this.#readChain(["AND"], () => this.#readNot());
  }

  #readNot(): Expression {
    const start = this.#at;
    if (!this.#takeWord("NOT")) return this.#readComparison();
    return this.#operator(start, "NOT", [this.#nested(() => this.#readNot())]);
  }

  #readComparison(): Expression {
    const start = this.#at;
    let left = this.#readSum();
    let isCompared = false;
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === "symbol" && COMPARISONS.has(text)) {
        // ClickHouse would compare what the first comparison gives, 0 or 1.
        if (isCompared) throw new Refused("a comparison of a comparison is not supported");
        isCompared = true;
        this.#at++;
        left = this.#operator(start, text, [left, this.#readSum()]);
        continue;
      }
      const isNot = this.#isWord("NOT");
      const word = this.#peek(isNot ? 1 : 0);
      const found = word.kind === "word" ? word.text.toUpperCase() : "";
      if (!["IN", "LIKE", "ILIKE", "BETWEEN"].includes(found)) return left;
      this.#at += isNot ? 2 : 1;
      left = this.#operator(start, found, [left, ...this.#readRight(found)]);
    }
  }

  #readRight(operator: string): Expression[] {
    if (operator === "IN") {
      this.#expectSymbol("(");
      if (this.#isWord("SELECT")) throw new Refused("a subquery is only supported in FROM");
      const values = this.#readList(() => this.#readExpression());
      this.#expectSymbol(")");
      return values;
    }
    const first = this.#readSum();
    if (operator !== "BETWEEN") return [first];
    this.#expectWord("AND");
    return [first, this.#readSum()];
  }

  #readSum(): Expression {
    return this.#readChain(["+", "-"], () => this.#readChain(["*", "/", "%"], () => this.#readUnary()));
  }

  #readUnary(): Expression {
    const start = this.#at;
    if (!this.#takeSymbol("-")) return this.#readPrimary();
    return this.#operator(start, "-", [this.#nested(() => this.#readUnary())]);
  }

  #readPrimary(): Expression {
    const start = this.#at;
    const token = this.#peek();
    if (token.kind === "number" || token.kind === "string") {
      this.#at++;
      const isInteger = /^\d+$/.test(token.text);
      const type = token.kind === "string" ? "String" : isInteger ? "Integer" : "Double";
      return { kind: "literal", type, text: this.#textFrom(start) };
    }
    if (this.#takeSymbol("*")) return { kind: "asterisk", text: "*" };
    if (this.#takeSymbol("(")) return this.#readInBrackets();
    if (token.kind === "name") {
      this.#at++;
      return { kind: "column", name: token.text, text: this.#textFrom(start) };
    }
    if (token.kind !== "word") throw this.#unexpected();
    return this.#readWord(start, token);
  }

  #readInBrackets(): Expression {
    if (this.#isWord("SELECT")) throw new Refused("a subquery is only supported in FROM");
    const value = this.#readExpression();
    if (this.#isSymbol(",")) throw new Refused("a tuple is not supported");
    this.#expectSymbol(")");
    return value;
  }

  #readWord(start: number, token: Token): Expression {
    const word = token.text.toUpperCase();
    const next = this.#peek(1);
    if (next.kind === "symbol" && next.text === "(" && word !== "IN") return this.#readCall(start, token.text);
    if (word === "CASE") throw new Refused("unsupported expression type: CASE WHEN");
    if (word === "INTERVAL") return this.#readInterval(start);
    if (isReserved(token)) throw this.#unexpected();
    this.#at++;
    if (word === "NULL") return { kind: "literal", type: "Null", text: token.text };
    if (word === "TRUE" || word === "FALSE") return { kind: "literal", type: "Boolean", text: token.text };
    while (this.#takeSymbol(".")) this.#takeName("a column");
    return { kind: "column", name: this.#textFrom(start), text: this.#textFrom(start) };
  }

  #readInterval(start: number): Expression {
    this.#at++;
    const number = this.#peek();
    if (number.kind !== "string" || !/^\d+$/.test(number.text)) {
      throw new Refused("the number of an INTERVAL must be whole and in quotes, as in INTERVAL '1' DAY");
    }
    this.#at++;
    const unit = this.#takeName("a unit").toUpperCase();
    if (!INTERVAL_UNITS.has(unit)) throw new Refused(`INTERVAL … ${unit} is not supported`);
    return { kind: "interval", unit, text: this.#textFrom(start) };
  }

  #readCall(start: number, name: string): Expression {
    this.#at++;
    let given = this.#readOperands();
    let parameters: Expression[] = [];
    if (this.#isSymbol("(")) {
      parameters = given.operands;
      given = this.#readOperands();
    }
    if (this.#isWord("OVER")) throw new Refused("a window function is not supported");
    return { kind: "call", name, parameters, ...given, text: this.#textFrom(start) };
  }

  #readOperands(): Pick<FunctionCall, "operands" | "isDistinct" | "form" | "unit"> {
    this.#expectSymbol("(");
    if (this.#takeSymbol(")")) return { operands: [], isDistinct: false, form: "plain", unit: undefined };
    if (this.#isWord("SELECT")) throw new Refused("a subquery is only supported in FROM");
    const isDistinct = this.#takeWord("DISTINCT");
    const unit = this.#peek();
    if (unit.kind === "word" && this.#peek(1).text.toUpperCase() === "FROM") {
      this.#at += 2;
      const operands = [this.#readExpression()];
      this.#expectSymbol(")");
      return { operands, isDistinct, form: "from", unit: unit.text.toUpperCase() };
    }
    const inForm = this.#readInForm();
    const operands = inForm ?? this.#readList(() => this.#readExpression());
    this.#expectSymbol(")");
    return { operands, isDistinct, form: inForm === undefined ? "plain" : "in", unit: undefined };
  }

  // `position('o' IN blob1)`: what comes after IN is no list, so this is no comparison.
  #readInForm(): Expression[] | undefined {
    const start = this.#at;
    if (this.#tokens[start - 2]?.text.toLowerCase() !== "position") return undefined;
    const needle = this.#readSum();
    if (this.#takeWord("IN")) return [needle, this.#readSum()];
    this.#at = start;
    return undefined;
  }

  // One node for a chain of equal rank, however long: a statement may hold thousands of conditions.
  #readChain(operators: string[], readOperand: () => Expression): Expression {
    const start = this.#at;
    const operands = [readOperand()];
    const found: string[] = [];
    for (;;) {
      const { kind, text } = this.#peek();
      const operator = kind === "word" ? text.toUpperCase() : text;
      if ((kind !== "word" && kind !== "symbol") || !operators.includes(operator)) break;
      this.#at++;
      found.push(operator);
      operands.push(readOperand());
    }
    const [only] = operands;
    if (only !== undefined && operands.length === 1) return only;
    return this.#operator(start, found.includes("/") ? "/" : (found[0] ?? ""), operands);
  }

  #operator(start: number, operator: string, operands: Expression[]): Expression {
    return { kind: "operator", operator, operands, text: this.#textFrom(start) };
  }

  #readList<T>(read: () => T): T[] {
    const list = [read()];
    while (this.#takeSymbol(",")) list.push(read());
    return list;
  }

  #nested<T>(read: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw new Refused("syntax error: brackets are nested too deeply");
    const value = read();
    this.#depth--;
    return value;
  }

  #peek(ahead = 0): Token {
    const last = this.#tokens.length - 1;
    return (
      this.#tokens[Math.min(this.#at + ahead, last)] ?? { kind: "end", text: "", start: 0, end: 0, hasBackslash: false }
    );
  }

  #isWord(word: string): boolean {
    const { kind, text } = this.#peek();
    return kind === "word" && text.toUpperCase() === word;
  }

  #isSymbol(symbol: string): boolean {
    const { kind, text } = this.#peek();
    return kind === "symbol" && text === symbol;
  }

  #takeWord(word: string): boolean {
    if (!this.#isWord(word)) return false;
    this.#at++;
    return true;
  }

  #takeWords(first: string, second: string): boolean {
    if (!this.#takeWord(first)) return false;
    this.#expectWord(second);
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    if (!this.#isSymbol(symbol)) return false;
    this.#at++;
    return true;
  }

  #takeName(what: string): string {
    const token = this.#peek();
    if (token.kind !== "name" && (token.kind !== "word" || isReserved(token))) throw this.#unexpected(what);
    this.#at++;
    return token.text;
  }

  #expectWord(word: string): void {
    if (!this.#takeWord(word)) throw this.#unexpected(word);
  }

  #expectSymbol(symbol: string): void {
    if (!this.#takeSymbol(symbol)) throw this.#unexpected(symbol);
  }

  #expectNumber(): void {
    if (!/^\d+$/.test(this.#peek().text)) throw this.#unexpected("a whole number");
    this.#at++;
  }

  #unexpected(expected?: string): Refused {
    const { kind, text, start } = this.#peek();
    const known = kind === "word" ? REFUSED_WORDS[text.toUpperCase()] : REFUSED_SYMBOLS[kind === "symbol" ? text : ""];
    if (known !== undefined) return new Refused(`${known} is not supported`);
    if (kind === "symbol" && text === "||") return new Refused("unknown function call: concat");
    if (kind === "word" && text.toUpperCase() === "IS") return new Refused("unknown function call: isNull");
    const found = kind === "end" ? "the end" : JSON.stringify(text);
    const wanted = expected === undefined ? "" : `, where ${expected} has to stand`;
    return new Refused(`syntax error at character ${start + 1}: ${found}${wanted}`);
  }

  #textFrom(start: number): string {
    return this.#sql.slice(this.#tokens[start]?.start ?? 0, this.#tokens[this.#at - 1]?.end ?? 0);
  }
}

function isReserved({ text }: Token): boolean {
  const word = text.toUpperCase();
  return RESERVED.has(word) || REFUSED_WORDS[word] !== undefined;
}
