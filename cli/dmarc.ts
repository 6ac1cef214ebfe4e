/** The `dmarc` command: runs a subcommand and turns its error into one sentence and an exit code. */
import { CommandError } from "./command-error.ts";
import { exitCodes } from "./exit-codes.ts";
import { buildProgram } from "./program.ts";
import { printError } from "./terminal.ts";

// `dmarc parse … | head` closes the pipe early, which is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(exitCodes.done);
});

try {
  await buildProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  printError(`dmarc: ${error.message}`);
  process.exitCode = exitCodes.failure;
}
