/**
 * Ctrl-C, the same for every command: one sentence that says how to go on, no stack trace, exit code 130. Only the standard
 * streams and progress bars are touched: what a command writes must be continuable wherever it ends.
 */
import { exitCodes } from "./exit-codes.ts";
import { stopProgress } from "./progress.ts";
import { printError } from "./terminal.ts";

/** How to go on, of what is being done; the last counts. */
const sentences: string[] = [];

/** From now on Ctrl-C also says this, until `remove`. @param goOn how to go on, as a sentence */
export function onInterrupt(goOn: string): { remove(): void } {
  sentences.push(goOn);
  return {
    remove() {
      const at = sentences.lastIndexOf(goOn);
      if (at >= 0) sentences.splice(at, 1);
    },
  };
}

/** Does something of which Ctrl-C says how to go on. */
export async function interruptible<T>(goOn: string, work: () => Promise<T>): Promise<T> {
  const interrupt = onInterrupt(goOn);
  try {
    return await work();
  } finally {
    interrupt.remove();
  }
}

/** Ends the process on Ctrl-C. */
export function endOnInterrupt(): void {
  process.on("SIGINT", interrupt);
}

/** Ends the process as Ctrl-C does: for a prompt, to which the terminal sends the key itself. */
export function interrupt(): never {
  stopProgress();
  const goOn = sentences.at(-1);
  printError(goOn === undefined ? "Interrupted." : `Interrupted. ${goOn}`);
  process.exit(exitCodes.interrupted);
}
