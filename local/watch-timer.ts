/** What a cron of every minute is in production: the domains are looked at, for as long as the stack runs. */
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiConnection, runWatch } from "./api.ts";

/** Ours: as often as wrangler.process.toml says. */
const EVERY_MILLISECONDS = 60_000;

export interface RunningWatch {
  /** Resolves when no run is under way any more. */
  stop(): Promise<void>;
}

/** Begins after the first minute. @param log is told of runs that failed; the next one is made all the same */
export function startWatching(
  api: ApiConnection,
  log: (line: string) => void,
  everyMilliseconds: number = EVERY_MILLISECONDS,
): RunningWatch {
  const abort = new AbortController();
  const { signal } = abort;
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        await sleep(everyMilliseconds, undefined, { signal, ref: false });
        await runWatch({ ...api, signal });
      } catch (error) {
        if (!signal.aborted) log(`watch: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  };
  const ended = watch();
  return {
    async stop() {
      abort.abort();
      await ended;
    },
  };
}
