/** `dmarc completion`: prints the script that completes the command's words in a shell. */
import { Argument, type Command } from "commander";
import { completionScript, SHELLS, type Shell } from "../completion.ts";
import { printOut } from "../terminal.ts";

const EXAMPLES = `
Examples:
  source <(dmarc completion bash)                                        in ~/.bashrc
  source <(dmarc completion zsh)                                         in ~/.zshrc, after compinit
  dmarc completion fish > ~/.config/fish/completions/dmarc.fish

It completes a command, function or alias of the name dmarc, such as: alias dmarc='npm run -s --prefix ~/dmarc-pipeline dmarc --'`;

/** Adds the command. */
export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description("Print the script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "whose script").choices(SHELLS))
    .addHelpText("after", EXAMPLES)
    .action((shell: Shell) => printOut(completionScript(program, shell).trimEnd()));
}
