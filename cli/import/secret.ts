/** Asks for a secret at the terminal without showing it. */

import { Writable } from "node:stream";
import { CommandError } from "../command-error.ts";
import { askLine, isAsking } from "../confirm.ts";

/** @throws CommandError where there is no terminal to ask at */
export async function askSecret(question: string, variable: string): Promise<string> {
  if (!isAsking()) throw new CommandError(`There is no terminal to ask for it: set ${variable}.`);
  process.stderr.write(`${question}: `);
  // What is typed would be echoed to the output.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const secret = await askLine("", output);
  process.stderr.write("\n");
  return secret;
}
