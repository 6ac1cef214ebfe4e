/**
 * Cloudflare's dialect of SQL: decides whether Analytics Engine would take a statement, and prepares it for ClickHouse.
 * Everything the SQL reference does not document is refused. It parses with ClickHouse's own parser (`formatQuery` and
 * `EXPLAIN AST` on the text as a value) and never runs the statement.
 */
import { fail, ok, type Result } from "../../shared/result.ts";
import {
  DOCUMENTED_FUNCTIONS,
  FUNCTION_HINTS,
  INTERVAL_FUNCTIONS,
  KEYWORD_OPERATORS,
  OPERATOR_FUNCTIONS,
  RENAMED_FUNCTIONS,
} from "./functions.ts";
import { nodeName, parseSyntaxTree, type SyntaxNode, walk } from "./syntax-tree.ts";

export const FORMATS = ["JSON", "JSONEachRow", "TabSeparated"] as const;
export type Format = (typeof FORMATS)[number];

/** A statement Analytics Engine would take. */
export type Statement =
  | { kind: "select"; sql: string; format: Format }
  | { kind: "show"; what: "TABLES" | "TIMEZONES" | "TIMEZONE"; format: Format };

/** ClickHouse's parser, which only reads: both throw Error with the reason when the text is no statement. */
export interface Parser {
  /** One statement in canonical form; refuses several. */
  format(sql: string): Promise<string>;
  /** `EXPLAIN AST` of a statement in canonical form. */
  explain(canonical: string): Promise<string>;
}

/** Ours: longest statement taken. */
const MAX_SQL_CHARS = 256 * 1024;

/**
 * Checks a statement.
 *
 * @param sql the statement as it was sent
 * @param datasets names of the datasets that exist: the only tables there are
 * @returns the prepared statement, or why Analytics Engine would refuse it, in one sentence
 */
export async function readStatement(
  sql: string,
  datasets: ReadonlySet<string>,
  parser: Parser,
): Promise<Result<Statement, string>> {
  if (sql.length > MAX_SQL_CHARS) return fail(`the statement is longer than ${MAX_SQL_CHARS} characters`);
  const show = readShow(sql);
  if (show !== undefined) return show;
  let canonical: string;
  try {
    canonical = await parser.format(sql);
  } catch (error) {
    return fail(syntaxReason(error));
  }
  if (!/^\(?SELECT\b/.test(canonical)) return fail(statementReason(canonical));
  const { text, format } = splitFormat(canonical);
  if (format === undefined) return fail(`FORMAT must be one of ${FORMATS.join(", ")}`);
  const clause = refusedClause(text);
  if (clause !== undefined) return fail(`${clause} is not supported`);
  const selectable = text.replace(/^\s*LIMIT `?all`?$/gim, "");
  const refusal = refusedNode(parseSyntaxTree(await parser.explain(selectable)), { sql, datasets });
  if (refusal !== undefined) return fail(refusal);
  return ok({ kind: "select", sql: rename(selectable), format });
}

// SHOW … is not ClickHouse's (it has no SHOW TIMEZONES, and its SHOW TABLES knows more), so it is read here.
function readShow(sql: string): Result<Statement, string> | undefined {
  const words = /^\s*SHOW\s+(TABLES|TIMEZONES|TIMEZONE)(?:\s+FORMAT\s+(\w+))?\s*;?\s*$/i.exec(sql);
  if (words === null) return undefined;
  const what = words[1]?.toUpperCase() === "TABLES" ? "TABLES" : timezoneWord(words[1]);
  const format = readFormat(words[2] ?? "JSON");
  if (format === undefined) return fail(`FORMAT must be one of ${FORMATS.join(", ")}`);
  return ok({ kind: "show", what, format });
}

function timezoneWord(word: string | undefined): "TIMEZONES" | "TIMEZONE" {
  return word?.toUpperCase() === "TIMEZONES" ? "TIMEZONES" : "TIMEZONE";
}

function readFormat(name: string): Format | undefined {
  return FORMATS.find((format) => format.toLowerCase() === name.toLowerCase());
}

// In canonical form FORMAT is the last line, and no string holds a line break.
function splitFormat(canonical: string): { text: string; format: Format | undefined } {
  const last = /\nFORMAT (\w+)\s*$/.exec(canonical);
  if (last === null) return { text: canonical, format: "JSON" };
  return { text: canonical.slice(0, last.index), format: readFormat(last[1] ?? "") };
}

/** Clauses the syntax tree does not show, or not under their own name. Canonical form writes keywords in capitals. */
const REFUSED_CLAUSES: [RegExp, string][] = [
  [/^\s*WITH$|^\s*WITH\b(?! (TOTALS|ROLLUP|CUBE|TIES))/m, "WITH"],
  [/\bWITH (TOTALS|ROLLUP|CUBE|TIES|FILL)\b/, "WITH TOTALS, ROLLUP, CUBE, TIES or FILL"],
  [/\bSELECT DISTINCT\b/, "SELECT DISTINCT"],
  [/^\s*FINAL$/m, "FINAL"],
  [/^\s*PREWHERE\b/m, "PREWHERE"],
  [/^\s*QUALIFY\b/m, "QUALIFY"],
  [/^\s*WINDOW\b/m, "WINDOW"],
  [/^\s*LIMIT .*\bBY\b/m, "LIMIT BY"],
  [/^\s*(GROUP|ORDER) BY ALL\b/m, "GROUP BY ALL or ORDER BY ALL"],
  [/\bGROUPING SETS\b/, "GROUPING SETS"],
  [/^\s*SETTINGS\b/m, "SETTINGS"],
  [/^\s*INTO OUTFILE\b/m, "INTO OUTFILE"],
  [/\bNULLS (FIRST|LAST)\b/, "NULLS FIRST or LAST"],
  [/\bCOLLATE\b/, "COLLATE"],
  [/\{\w+:/, "a query parameter"],
];

function refusedClause(text: string): string | undefined {
  if (/`[^`]*\\/.test(maskStrings(text))) return "a backslash in a name";
  const masked = maskQuoted(text);
  return REFUSED_CLAUSES.find(([pattern]) => pattern.test(masked))?.[1];
}

// Strings and quoted names become blanks of the same length, so that positions stay.
function maskStrings(text: string): string {
  return text.replace(/'(?:[^'\\]|\\.)*'/g, (quoted) => `'${" ".repeat(quoted.length - 2)}'`);
}

function maskQuoted(text: string): string {
  return maskStrings(text).replace(/`[^`]*`/g, (quoted) => `\`${" ".repeat(quoted.length - 2)}\``);
}

interface NodeContext {
  sql: string;
  datasets: ReadonlySet<string>;
}

/** Kinds of node a documented SELECT is made of; each is checked further where there is something to check. */
const NODE_CHECKS: Record<
  string,
  (node: SyntaxNode, parent: SyntaxNode | undefined, context: NodeContext) => string | undefined
> = {
  SelectWithUnionQuery: (node) => ((node.children[0]?.children.length ?? 0) > 1 ? "UNION is not supported" : undefined),
  ExpressionList: () => undefined,
  SelectQuery: () => undefined,
  Asterisk: () => undefined,
  OrderByElement: () => undefined,
  TablesInSelectQuery: (node) =>
    node.children.length > 1 ? "JOIN is not supported: a query reads one table" : undefined,
  TablesInSelectQueryElement: () => undefined,
  TableExpression: () => undefined,
  TableIdentifier: checkTable,
  Subquery: (node, parent) => {
    if (parent?.kind !== "TableExpression") return "a subquery is only supported in FROM";
    return node.detail === "" ? undefined : "an alias of a subquery is not supported";
  },
  Identifier: checkColumn,
  Literal: (node) => (node.detail.startsWith("Array_") ? "an array literal is not supported" : undefined),
  Function: checkFunction,
};

const KIND_NAMES: Record<string, string> = {
  TableJoin: "JOIN",
  ArrayJoin: "ARRAY JOIN",
  WindowDefinition: "a window function",
  WithElement: "WITH",
  Set: "SETTINGS",
  SelectIntersectExceptQuery: "INTERSECT or EXCEPT",
  SampleRatio: "SAMPLE",
};

function refusedNode(root: SyntaxNode, context: NodeContext): string | undefined {
  for (const { node, parent } of walk(root)) {
    const check = NODE_CHECKS[node.kind];
    const refusal =
      check === undefined ? `${KIND_NAMES[node.kind] ?? node.kind} is not supported` : check(node, parent, context);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function checkTable(node: SyntaxNode, _parent: SyntaxNode | undefined, { datasets }: NodeContext): string | undefined {
  if (node.detail.includes(" (alias ")) return "an alias of a table is not supported";
  return datasets.has(node.detail) ? undefined : `unable to find table "${node.detail}"`;
}

// ClickHouse adds columns of its own to every table, all starting with an underscore.
function checkColumn(node: SyntaxNode): string | undefined {
  const name = nodeName(node);
  if (name === "_sample_interval" || !name.startsWith("_")) return undefined;
  return `unable to find column "${name}"`;
}

function checkFunction(node: SyntaxNode, parent: SyntaxNode | undefined, context: NodeContext): string | undefined {
  const name = nodeName(node);
  if (parent?.kind === "TableExpression") return `unable to find table "${name}(…)": table functions are not supported`;
  if (node.children.some(({ kind }) => kind === "WindowDefinition")) return "a window function is not supported";
  if (INTERVAL_FUNCTIONS.has(name)) return checkInterval(node, name, context);
  if (OPERATOR_FUNCTIONS.has(name)) return isWrittenAsCall(name, context) ? undocumented(name) : undefined;
  if (KEYWORD_OPERATORS.has(name)) return undefined;
  return DOCUMENTED_FUNCTIONS.has(name.toLowerCase()) ? undefined : undocumented(name);
}

function checkInterval(node: SyntaxNode, name: string, context: NodeContext): string | undefined {
  if (isWrittenAsCall(name, context)) return undocumented(name);
  const [value] = node.children[0]?.children ?? [];
  const quoted = value?.kind === "Literal" && value.detail.startsWith("'");
  return quoted ? undefined : "the number of an INTERVAL must be in quotes, as in INTERVAL '1' DAY";
}

function isWrittenAsCall(name: string, { sql }: NodeContext): boolean {
  return new RegExp(`\\b${name}\\s*\\(`, "i").test(sql);
}

function undocumented(name: string): string {
  const hint = FUNCTION_HINTS.get(name);
  return `function ${name} is not supported${hint === undefined ? "" : `: ${hint}`}`;
}

// Functions are renamed where they are called, outside of strings and quoted names.
function rename(text: string): string {
  const masked = maskQuoted(text);
  const names = [...RENAMED_FUNCTIONS.keys()].join("|");
  const call = new RegExp(`\\b(${names})\\(`, "gi");
  let prepared = "";
  let from = 0;
  for (const match of masked.matchAll(call)) {
    const written = match[1] ?? "";
    const documented = DOCUMENTED_FUNCTIONS.get(written.toLowerCase()) ?? written;
    prepared += `${text.slice(from, match.index)}${RENAMED_FUNCTIONS.get(documented) ?? written}`;
    from = match.index + written.length;
  }
  return prepared + text.slice(from);
}

function syntaxReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (message.includes("Multi-statements")) return "only one statement at a time is supported";
  const reason = /Syntax error[^:]*: (failed at position \d+ \(.*?\))/s.exec(message)?.[1];
  return `syntax error${reason === undefined ? "" : `: ${reason}`}`;
}

function statementReason(canonical: string): string {
  const word = /^\W*(\w+)/.exec(canonical)?.[1] ?? "this";
  if (word === "WITH") return "WITH is not supported";
  return `only SELECT, SHOW TABLES, SHOW TIMEZONES and SHOW TIMEZONE are supported, not ${word}`;
}
