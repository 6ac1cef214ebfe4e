/**
 * Finds regular expressions that take more than linear time, by trying them: on texts of the characters they are made of,
 * repeated, behind whatever they begin with and before something that they cannot end with.
 */
import { parseAst } from "vitest/node";

/** A regular expression in a source file. */
export interface FoundExpression {
  line: number;
  expression: RegExp;
}

/** Every regular expression that a TypeScript file writes out; `built` are the lines of those it puts together. */
export function findExpressions(source: string, isJsx: boolean): { written: FoundExpression[]; built: number[] } {
  const written: FoundExpression[] = [];
  const built: number[] = [];
  const lineOf = (node: SyntaxNode): number => source.slice(0, node.start).split("\n").length;
  for (const node of nodesOf(parseAst(source, { lang: isJsx ? "tsx" : "ts" }))) {
    if (node.type === "Literal" && node.regex !== undefined) {
      const { pattern, flags } = node.regex;
      written.push({ line: lineOf(node), expression: new RegExp(pattern, flags) });
    }
    if (/^(New|Call)Expression$/.test(node.type) && node.callee?.name === "RegExp") built.push(lineOf(node));
  }
  return { written, built };
}

/** What is used of a node of the syntax tree. */
interface SyntaxNode {
  type: string;
  start: number;
  regex?: { pattern: string; flags: string };
  callee?: { name?: string };
}

function* nodesOf(value: unknown): Generator<SyntaxNode> {
  if (typeof value !== "object" || value === null) return;
  if (isNode(value)) yield value;
  for (const inner of Object.values(value)) yield* nodesOf(inner);
}

function isNode(value: object): value is SyntaxNode {
  return "type" in value && typeof value.type === "string" && "start" in value && typeof value.start === "number";
}

/** Ever longer, so that what takes exponential or cubic time is found before it takes all day. */
const TRIED_CHARS = [20, 24, 28, 32, 100, 200, 400, 1000, 4000];
const FINAL_CHARS = 16_000;
/** What takes less for the last of them takes no longer text either: a linear one takes some hundredths, a quadratic one some whole ones. */
const MIN_MILLISECONDS = 0.2;
/** What takes less is not looked at further: linear expressions take some microseconds. */
const MAX_MILLISECONDS = 5;
/** What takes as much for a few thousand characters needs no second look. */
const MAX_SHORT_MILLISECONDS = 30;
/** Four times the text takes four times as long, or sixteen times. */
const MAX_GROWTH = 9;

/** @returns a text that takes the expression more than linear time, or else the one that takes it longest */
export function tryExpression(expression: RegExp): { isSlow: boolean; slowest: HostileText } {
  let slowest: HostileText = { start: "", repeated: "a", end: "" };
  let longest = 0;
  for (const text of hostileTexts(expression.source)) {
    let milliseconds = 0;
    for (const chars of TRIED_CHARS) {
      milliseconds = timeOf(expression, repeat(text, chars), MAX_SHORT_MILLISECONDS);
      if (milliseconds > MAX_SHORT_MILLISECONDS) return { isSlow: true, slowest: text };
    }
    if (milliseconds > MIN_MILLISECONDS) {
      const final = timeOf(expression, repeat(text, FINAL_CHARS), MAX_MILLISECONDS);
      if (final > MAX_MILLISECONDS && growsFast(expression, text)) return { isSlow: true, slowest: text };
    }
    if (milliseconds > longest) {
      longest = milliseconds;
      slowest = text;
    }
  }
  return { isSlow: false, slowest };
}

/** Measured anew and with more runs, so that a busy machine is no finding. */
function growsFast(expression: RegExp, text: HostileText): boolean {
  const quarter = timeOf(expression, repeat(text, FINAL_CHARS / 4), 0);
  const whole = timeOf(expression, repeat(text, FINAL_CHARS), 0);
  return whole > MAX_MILLISECONDS && whole > MAX_GROWTH * quarter;
}

export interface HostileText {
  start: string;
  repeated: string;
  end: string;
}

export function repeat({ start, repeated, end }: HostileText, chars: number): string {
  return start + repeated.repeat(Math.ceil(chars / repeated.length)) + end;
}

const RUNS = 5;
/** So much of a thread's time the kernel may not have counted yet. Beyond it, what the machine did meanwhile does not count. */
const TICK_MILLISECONDS = 4;
/** What takes as long is run once more, and not five times. */
const LONG_MILLISECONDS = 60;

/** The shortest of some runs, so that a machine that is busy for a moment does not count; one run where it is short. */
export function timeOf(expression: RegExp, text: string, enoughMilliseconds: number): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < RUNS && shortest > enoughMilliseconds; run++) {
    expression.lastIndex = 0;
    const before = performance.now();
    const used = process.threadCpuUsage();
    if (expression.global) text.replace(expression, "");
    else expression.test(text);
    const { user, system } = process.threadCpuUsage(used);
    shortest = Math.min(shortest, performance.now() - before, (user + system) / 1000 + TICK_MILLISECONDS);
    if (run > 0 && shortest > LONG_MILLISECONDS) break;
  }
  return shortest;
}

const ENDS = ["", "\u0000"];

function* hostileTexts(pattern: string): Generator<HostileText> {
  const atoms = atomsOf(pattern);
  const single = [...new Set(atoms.flat())];
  const repeated = new Set([...single, ...pairsOf(single), ...wordsOf(atoms)]);
  const starts = new Set(["", "\u0000", ...atoms.slice(0, MAX_STARTS).map((_, i) => sampleOf(atoms.slice(0, i + 1)))]);
  for (const start of starts) for (const text of repeated) for (const end of ENDS) yield { start, repeated: text, end };
}

/** So many beginnings of a match are tried. */
const MAX_STARTS = 16;
/** So many different characters are paired: each with each. */
const PAIRED = 8;

function pairsOf(single: string[]): string[] {
  const some = single.slice(0, PAIRED);
  return some.flatMap((first) => some.map((second) => first + second));
}

/** What the expression matches from some place on, as it were: starts of matches that come to nothing. */
function wordsOf(atoms: string[][]): string[] {
  const words: string[] = [];
  for (let from = 0; from < atoms.length; from++) {
    for (const length of [3, 4, 8]) words.push(sampleOf(atoms.slice(from, from + length)));
  }
  return words;
}

function sampleOf(atoms: string[][]): string {
  return atoms.map(([first = ""]) => first).join("");
}

const ATOM =
  /\\[pP]\{[^{}]*\}|\\u\{?[0-9A-Fa-f]+\}?|\\x[0-9A-Fa-f]{2}|\\.|\[\^?(?:\\.|[^\]\\])*\]|\(\?<?[=!:]|\(\?<\w+>|\{\d+,?\d*\}|[\s\S]/gu;
const SYNTAX = /^(?:[()|?*+^$]|\(\?.*|\{\d.*)$/su;

/** Characters that each place of a pattern takes, in order; its structure is left out. */
function atomsOf(pattern: string): string[][] {
  return [...pattern.matchAll(ATOM)]
    .map(([atom]) => atom)
    .filter((atom) => !SYNTAX.test(atom) && !/^\\[bB]$/.test(atom))
    .map(charactersOf)
    .filter((characters) => characters.length > 0);
}

const CANDIDATES = [..." \t\n\ra0A1._-:;,/\\=+@<>()[]{}\"'!?&%#*|~^$`é\u0000\u2028"];

function charactersOf(atom: string): string[] {
  const isWide = atom === "." || atom.startsWith("[") || /^\\[a-zA-Z]/.test(atom);
  if (!isWide) return [atom.replace(/^\\/, "")];
  const matcher = new RegExp(`^${atom}$`, /\\[pPu]\{?/.test(atom) ? "u" : "");
  const own = [...atom].filter((char) => matcher.test(char));
  return [...new Set([...own.slice(0, 4), ...CANDIDATES.filter((char) => matcher.test(char)).slice(0, 6)])];
}
