/** Subcommands that talk to a stack: each has some common options, those that choose the stack, and examples in its help. */
import { type Command, Option } from "commander";
import { addConnectionOptions } from "./connection.ts";

/** What --json prints: as most commands do it, and those that print a line for each thing. */
export const JSON_DOCUMENT = new Option("--json", "one JSON document");
export const JSON_LINES = new Option("--json", "one JSON object a line, for programs");

/** What adds subcommands to a command, such as `remove <id>`, to which their own options and action can be added. */
export function subcommandsOf(
  command: Command,
  examples: string,
  common: readonly Option[] = [JSON_DOCUMENT],
): (nameAndArguments: string, description: string) => Command {
  return (nameAndArguments, description) => {
    const subcommand = command.command(nameAndArguments).description(description);
    for (const option of common) subcommand.addOption(option);
    return addConnectionOptions(subcommand).addHelpText("after", examples);
  };
}
