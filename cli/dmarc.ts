/** The `dmarc` command: runs a subcommand and turns its error into one sentence and an exit code. */
import { CommandError } from "./command-error.ts";
import { exitCodes } from "./exit-codes.ts";
import { endOnInterrupt } from "./interrupt.ts";
import { buildProgram } from "./program.ts";
import { printError } from "./terminal.ts";

// `dmarc parse … | head` closes the pipe early, which is not a failure; a full disk is one.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.done);
  printError(`dmarc: The output couldn't be written: ${error.message}.`);
  process.exit(exitCodes.failure);
});
// Nobody reads what is wrong, as in `2>&1 | head`: what is being done goes on.
process.stderr.on("error", () => undefined);
endOnInterrupt();

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  printError(`dmarc: ${error.message}`);
  process.exitCode = exitCodes.failure;
}
