/** Reads a file that a command was given. */
import { readFile } from "node:fs/promises";
import { CommandError } from "./command-error.ts";
import { reasonOfAny } from "./file-errors.ts";

/** @throws CommandError that says why it cannot be read */
export async function readGivenFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new CommandError(`${file} can't be read: ${reasonOfAny(error)}.`);
  }
}
