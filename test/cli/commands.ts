/** Support: every command there is. */
import type { Command } from "commander";
import { buildProgram } from "../../cli/program.ts";

/** A command and the words that call it. */
export interface CalledCommand {
  words: string;
  command: Command;
}

/** All commands, those with subcommands too. */
export function allCommands(): CalledCommand[] {
  const collect = (command: Command, words: string[]): CalledCommand[] => [
    { words: words.join(" "), command },
    ...command.commands.flatMap((one) => collect(one, [...words, one.name()])),
  ];
  return collect(buildProgram(), []);
}

/** What `--help` prints. */
export function helpOf(command: Command): string {
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}
