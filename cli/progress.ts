/** A progress bar on standard error, only if that is a terminal. The only importer of cli-progress. */
import { SingleBar } from "cli-progress";

export interface Progress {
  /** @param values for the names in the format */
  update(value: number, total: number, values?: Record<string, string | number>): void;
  stop(): void;
}

/** @param format cli-progress's, with `{bar}`, `{value}`, `{total}` and names given to `update` */
export function startProgress(format: string, { silent }: { silent: boolean }): Progress {
  if (silent || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  // Without its own handler of Ctrl-C (interrupt.ts).
  const bar = new SingleBar({ format, stream: process.stderr, gracefulExit: false });
  bar.start(1, 0);
  bars.add(bar);
  return {
    update(value, total, values = {}) {
      bar.setTotal(Math.max(1, total));
      bar.update(value, values);
    },
    stop() {
      bars.delete(bar);
      bar.stop();
    },
  };
}

const bars = new Set<SingleBar>();

/** Ends the bars that are shown, so that what is printed next begins on a new line. */
export function stopProgress(): void {
  for (const bar of bars) bar.stop();
  bars.clear();
}
