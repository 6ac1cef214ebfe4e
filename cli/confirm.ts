/** Asks the person at the terminal, such as before an action that is expensive or hard to undo. */
import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { CommandError } from "./command-error.ts";
import { interrupt } from "./interrupt.ts";

/** Whether there is a terminal to ask at. */
export function isAsking(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** @returns whether the answer is yes; Enter alone means no */
export async function isConfirmed(question: string): Promise<boolean> {
  const answer = await askLine(`${question} [y/N] `);
  return /^y(es)?$/i.test(answer.trim());
}

/**
 * Asks for a line.
 *
 * @param output what is typed is shown there
 * @throws CommandError where the input ends without one
 */
export async function askLine(question: string, output: NodeJS.WritableStream = process.stderr): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output, terminal: process.stdin.isTTY === true });
  terminal.once("SIGINT", () => {
    // The terminal is as it was, before anything is printed.
    terminal.removeAllListeners("close").close();
    process.stderr.write("\n");
    interrupt();
  });
  const noAnswer = (): never => {
    throw new CommandError("There was no answer: nothing was done.");
  };
  try {
    // Ctrl-D rejects the question; the end of the input only closes the terminal.
    return await Promise.race([terminal.question(question).catch(noAnswer), once(terminal, "close").then(noAnswer)]);
  } finally {
    terminal.close();
  }
}
