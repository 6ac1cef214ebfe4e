/**
 * Cron on one machine: wrangler's dev server runs no schedule by itself, so the stack asks it to, at the times that the TOML of
 * process names.
 */
import { request } from "node:http";
import { localConfig, PROCESS_HOST } from "./worker-config.ts";
import type { WorkersAddress } from "./workers.ts";

export interface RunningCron {
  stop(): void;
}

export interface CronOptions {
  /** The Workers' location; undefined while they are starting. */
  findWorkers: () => WorkersAddress | undefined;
  onProblem: (sentence: string) => void;
}

const MINUTE_MS = 60_000;

/** Starts at the next full minute. */
export function startCron({ findWorkers, onProblem }: CronOptions): RunningCron {
  const crons = localConfig("process").triggers?.crons ?? [];
  const tick = (): void => {
    const workers = findWorkers();
    const due = crons.filter((cron) => isDue(cron, new Date()));
    if (workers === undefined) return;
    for (const cron of due)
      runScheduled(workers, cron).catch((error: Error) => onProblem(`cron ${cron}: ${error.message}`));
  };
  let timer: NodeJS.Timeout | undefined;
  const first = setTimeout(
    () => {
      tick();
      timer = setInterval(tick, MINUTE_MS);
    },
    MINUTE_MS - (Date.now() % MINUTE_MS),
  );
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

/** Runs a schedule of process once. @throws Error when it failed */
export function runScheduled({ port }: Pick<WorkersAddress, "port">, cron: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const path = `/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`;
    const call = request({ host: "127.0.0.1", port, path, headers: { host: PROCESS_HOST } }, (response) => {
      response.toArray().then((chunks) => {
        const answer = Buffer.concat(chunks).toString("utf8").trim();
        if (response.statusCode === 200 && answer !== "exception") resolve();
        else reject(new Error(`answered ${response.statusCode} ${answer}`));
      }, reject);
    });
    call.once("error", reject);
    call.end();
  });
}
