/** Asks the person at the terminal before an action that is expensive or hard to undo. */
import { createInterface } from "node:readline/promises";

/** Whether there is a terminal to ask at. */
export function isAsking(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** @returns whether the answer is yes; Enter alone means no */
export async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
