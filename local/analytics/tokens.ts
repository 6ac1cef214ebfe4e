/**
 * Splits a statement of Analytics Engine's SQL into tokens, and writes tokens back as text for ClickHouse. Pure. What
 * it writes is quoted again, so that strings and names end for ClickHouse exactly where they end for this file.
 */
import { fail, ok, type Result } from "../../shared/result.ts";

/** `word`: keyword, function, column or table; `name`: the same in quotes; `end`: what comes after the last token. */
export type TokenKind = "word" | "name" | "string" | "number" | "symbol" | "end";

export interface Token {
  kind: TokenKind;
  /** A word, number or symbol as written; a string or quoted name without its quotes, escapes undone. */
  text: string;
  /** Of the statement, in UTF-16 code units; the second is exclusive. */
  start: number;
  end: number;
  /** A string or a name that was written with a backslash. */
  hasBackslash: boolean;
}

const SPACE = /\s+|--[^\n]*|\/\*[\s\S]*?\*\//y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![A-Za-z0-9_])/y;
const SYMBOL = /<=|>=|<>|!=|==|::|\|\||->|[-+*/%=<>(),.;?:{}[\]]/y;
const QUOTED = { "'": "string", '"': "name", "`": "name" } as const;

/** Characters that mean another one after a backslash; all others mean themselves. */
const ESCAPES: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", 0: "\0", a: "\x07", v: "\v" };

/** The tokens of a statement, the last one of kind `end`; or what is wrong, in one sentence. */
export function readTokens(sql: string): Result<Token[], string> {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += matchAt(SPACE, sql, at).length;
    if (matchAt(SPACE, sql, at) !== "") continue;
    if (at >= sql.length) break;
    const token = readToken(sql, at);
    if (!token.ok) return token;
    tokens.push(token.value);
    at = token.value.end;
  }
  tokens.push({ kind: "end", text: "", start: at, end: at, hasBackslash: false });
  return ok(tokens);
}

/** Tokens as ClickHouse's SQL. */
export function printTokens(tokens: readonly Token[]): string {
  return tokens.map(printToken).join(" ");
}

function readToken(sql: string, start: number): Result<Token, string> {
  const quote = sql[start] ?? "";
  if (sql.startsWith("/*", start)) return fail(`syntax error at character ${start + 1}: a comment is not closed`);
  if (quote === "'" || quote === '"' || quote === "`") return readQuoted(sql, start, quote);
  for (const [kind, pattern] of [
    ["word", WORD],
    ["number", NUMBER],
    ["symbol", SYMBOL],
  ] as const) {
    const text = matchAt(pattern, sql, start);
    if (text !== "") return ok({ kind, text, start, end: start + text.length, hasBackslash: false });
  }
  return fail(`syntax error at character ${start + 1}: ${JSON.stringify(sql.slice(start, start + 20))}`);
}

// A doubled quote is the quote itself; a backslash takes the next character with it, as it does for ClickHouse.
function readQuoted(sql: string, start: number, quote: keyof typeof QUOTED): Result<Token, string> {
  let text = "";
  let hasBackslash = false;
  for (let at = start + 1; at < sql.length; at++) {
    const character = sql[at] ?? "";
    if (character === "\\") {
      hasBackslash = true;
      at++;
      const escaped = sql[at] ?? "";
      text += ESCAPES[escaped] ?? escaped;
    } else if (character !== quote) {
      text += character;
    } else if (sql[at + 1] === quote) {
      at++;
      text += quote;
    } else {
      return ok({ kind: QUOTED[quote], text, start, end: at + 1, hasBackslash });
    }
  }
  return fail(`syntax error at character ${start + 1}: a quote is not closed`);
}

function printToken({ kind, text }: Token): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\0", "\\0");
  if (kind === "string") return `'${escaped.replaceAll("'", "\\'")}'`;
  if (kind === "name") return `\`${escaped.replaceAll("`", "\\`")}\``;
  return text;
}

function matchAt(pattern: RegExp, sql: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? "";
}
