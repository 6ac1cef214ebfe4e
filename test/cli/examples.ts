/** Support: the examples that help prints, the words a shell makes of them, and whether the command accepts them. */
import { type Command, CommanderError } from "commander";
import { expect, vi } from "vitest";
import { buildProgram } from "../../cli/program.ts";
import { allCommands, helpOf } from "./commands.ts";

/** One line below "Examples:". */
export interface ExampleLine {
  line: string;
}

/** All of them, each once: subcommands print those of their group. */
export function exampleLines(): ExampleLine[] {
  const lines = new Set<string>();
  for (const { command } of allCommands()) {
    const [, below = ""] = helpOf(command).split("\nExamples:\n");
    // A statement of `dmarc query` goes over several lines.
    const [block = ""] = below.split("\n\n");
    for (const example of block.split(/\n {2}(?=\S)/)) {
      if (/\bdmarc\b/.test(example)) lines.add(example.trim());
    }
  }
  return [...lines].map((line) => ({ line }));
}

/**
 * The words of each call of dmarc in a line: quotes taken off, and without assignments before it, redirections and pipes behind it,
 * and the remark that stands apart by two spaces at least.
 */
export function wordsOf(line: string): string[][] {
  const calls: string[][] = [];
  for (const part of partsOf(line)) {
    const tokens = part.matchAll(/\s*(?:"([^"]*)"|'([^']*)'|([^\s"'()]+))/g);
    const words: string[] = [];
    let isCall = false;
    for (const [whole, double, single, bare] of tokens) {
      if (isCall && words.length > 0 && /^\s{2,}/.test(whole) && !whole.includes("\n")) break;
      if (bare === ">") break;
      if (isCall) words.push(double ?? single ?? bare ?? "");
      else if (bare === "dmarc") isCall = true;
    }
    if (isCall) calls.push(words);
  }
  return calls;
}

/** The commands of a line, at `&&`, `|` and `<(…)` outside of quotes. */
function partsOf(line: string): string[] {
  const parts = [""];
  for (const [token] of line.matchAll(/"[^"]*"|'[^']*'|&&|\||<\(|\)|[\s\S]/g)) {
    if (["&&", "|", "<(", ")"].includes(token)) parts.push("");
    else parts[parts.length - 1] += token;
  }
  return parts;
}

/** Commands are read as they are, and nothing runs. @param onRun called for each that would */
function silence(command: Command, onRun: (words: string) => void, words: readonly string[] = []): void {
  command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
  command.action(() => onRun(words.join(" ")));
  for (const inner of command.commands) silence(inner, onRun, [...words, inner.name()]);
}

/** Fails unless each call of dmarc in a line has words, options and values that are accepted. Nothing runs. */
export async function expectAccepted(line: string): Promise<void> {
  const runs: string[] = [];
  const program = buildProgram();
  silence(program, (words) => runs.push(words));
  const warn = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    for (const words of wordsOf(line)) await program.parseAsync(words, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    expect.fail(error.message);
  } finally {
    warn.mockRestore();
  }
  expect(runs).toHaveLength(wordsOf(line).length);
}
