/**
 * Cron on one machine: wrangler's dev server runs no schedule by itself, so the stack asks process to, at the times that its TOML
 * names, for as long as it runs.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiConnection, runSchedule } from "./api.ts";
import { localConfig } from "./worker-config.ts";

export interface RunningCron {
  /** Starts no more runs; resolves when the last one has ended. */
  stop(): Promise<void>;
}

const MINUTE_MS = 60_000;

/**
 * Starts at the next full minute. A run that takes longer than a minute delays the next one.
 *
 * @param log is called for runs that failed; the next one is made anyway
 */
export function startCron(api: ApiConnection, log: (line: string) => void): RunningCron {
  const crons = localConfig("process").triggers?.crons ?? [];
  const abort = new AbortController();
  const { signal } = abort;
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      await sleep(MINUTE_MS - (Date.now() % MINUTE_MS), undefined, { signal, ref: false }).catch(() => undefined);
      for (const cron of crons.filter((one) => !signal.aborted && isDue(one, new Date()))) {
        await runSchedule({ ...api, signal }, cron).catch((error: Error) => {
          if (!signal.aborted) log(`cron ${cron}: ${error.message}`);
        });
      }
    }
  };
  const ended = loop();
  return {
    async stop() {
      abort.abort();
      await ended;
    },
  };
}

/** Whether a schedule with fixed minutes and hours, such as `17 3 * * *`, is due in the minute of a time (UTC). */
export function isDue(cron: string, time: Date): boolean {
  if (!/^(?:\*|\d+) (?:\*|\d+) \* \* \*$/.test(cron))
    throw new Error(`The schedule '${cron}' is not one of a minute and an hour.`);
  const [minute, hour] = cron.split(" ");
  const matches = (field: string | undefined, value: number): boolean => field === "*" || Number(field) === value;
  return matches(minute, time.getUTCMinutes()) && matches(hour, time.getUTCHours());
}
