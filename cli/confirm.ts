/** A question to the person at the terminal, before what takes much or is not easily undone. */
import { createInterface } from "node:readline/promises";

/** Whether there is somebody to ask. */
export function isAsking(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** @returns whether the answer is yes; no is what comes of just pressing Enter */
export async function isConfirmed(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`${question} [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
