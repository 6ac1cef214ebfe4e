/** Splits structured header fields into tokens (RFC 5322 section 3.2): comments removed, quoted strings unquoted. */

/** text: a word, including quoted parts; mark: one of the separator characters. */
export interface Token {
  kind: "text" | "mark";
  text: string;
  /** Whether white space or a comment precedes it. */
  isApart: boolean;
}

/**
 * Splits a field's value into tokens, in one pass.
 *
 * @param marks characters that are separate tokens outside quotes
 * @returns undefined if a quote or comment is unbalanced
 */
export function tokensOf(value: string, marks: string): Token[] | undefined {
  const tokens: Token[] = [];
  let word: string | undefined;
  let comments = 0;
  let isQuoted = false;
  let isApart = false;
  const finish = (): void => {
    if (word === undefined) return;
    tokens.push({ kind: "text", text: word, isApart });
    word = undefined;
    isApart = false;
  };
  for (let at = 0; at < value.length; at++) {
    const char = value[at] ?? "";
    if ((comments > 0 || isQuoted) && char === "\\") {
      at++;
      if (isQuoted) word = (word ?? "") + (value[at] ?? "");
    } else if (comments > 0) comments += char === "(" ? 1 : char === ")" ? -1 : 0;
    else if (char === '"') {
      isQuoted = !isQuoted;
      word ??= "";
    } else if (isQuoted) word = (word ?? "") + char;
    else if (char === "(") {
      finish();
      isApart = true;
      comments = 1;
    } else if (char === ")") return undefined;
    else if (char === " " || char === "\t" || char === "\r" || char === "\n") {
      finish();
      isApart = true;
    } else if (marks.includes(char)) {
      finish();
      tokens.push({ kind: "mark", text: char, isApart });
      isApart = false;
    } else word = (word ?? "") + char;
  }
  finish();
  return isQuoted || comments > 0 ? undefined : tokens;
}
