/**
 * Cron on one machine: wrangler's dev server runs no schedule by itself, so the stack asks process to, at the times that its TOML
 * names.
 */
import { type ApiConnection, runSchedule } from "./api.ts";
import { localConfig } from "./worker-config.ts";

export interface RunningCron {
  stop(): void;
}

const MINUTE_MS = 60_000;

/** Starts at the next full minute. A run that takes longer than a minute is not started a second time. */
export function startCron(api: ApiConnection, onProblem: (sentence: string) => void): RunningCron {
  const crons = localConfig("process").triggers?.crons ?? [];
  const running = new Set<string>();
  const run = async (cron: string): Promise<void> => {
    if (running.has(cron)) return;
    running.add(cron);
    try {
      await runSchedule(api, cron);
    } catch (error) {
      onProblem(`cron      ${cron}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      running.delete(cron);
    }
  };
  const tick = (): void => {
    for (const cron of crons.filter((one) => isDue(one, new Date()))) void run(cron);
  };
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    tick();
    timer = setInterval(tick, MINUTE_MS);
  };
  const first = setTimeout(start, MINUTE_MS - (Date.now() % MINUTE_MS));
  return {
    stop() {
      clearTimeout(first);
      clearInterval(timer);
    },
  };
}

/** Whether a schedule with fixed minutes and hours, such as `17 3 * * *`, is due in the minute of a time (UTC). */
export function isDue(cron: string, time: Date): boolean {
  const [minute, hour, ...rest] = cron.split(" ");
  if (rest.join(" ") !== "* * *") throw new Error(`The schedule '${cron}' is not one of a minute and an hour.`);
  const matches = (field: string | undefined, value: number): boolean => field === "*" || Number(field) === value;
  return matches(minute, time.getUTCMinutes()) && matches(hour, time.getUTCHours());
}
