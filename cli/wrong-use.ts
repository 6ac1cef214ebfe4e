/** What commander refuses is printed like our other failures: `dmarc: Unknown option '--x'.` */
import type { Command } from "commander";
import { printError } from "./terminal.ts";

/**
 * Makes a command, and those added to it afterwards, print it so. Commander ends with exit code 1, as a CommandError
 * does.
 *
 * @param name what a sentence begins with
 */
export function sayWrongUse(command: Command, name: string): Command {
  return command.configureOutput({
    outputError: (text) => {
      const [first = "", ...further] = text
        .replace(/^error: /, "")
        .trimEnd()
        .split("\n");
      printError(`${name}: ${first.charAt(0).toUpperCase()}${first.slice(1)}${/[.?!:)]$/.test(first) ? "" : "."}`);
      for (const line of further) printError(line);
    },
  });
}
