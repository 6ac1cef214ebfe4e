/** What an operator does next about what waits: what it is, and the command that shows or ends it. Pure. */
import { type DatabaseSizes, filledDatabases } from "./database-room.ts";
import { WATCH_RULES } from "./watch/thresholds.ts";
import { countText } from "./watch/words.ts";

/** What waits, as `dmarc status` and the page Operations know it. */
export interface PipelineState {
  nowSeconds: number;
  /** First part of the names of the deployment's Workers and databases; DEFAULT_PREFIX where it is not known. */
  prefix?: string | undefined;
  queues: readonly { queue: string; messages: number; oldestSeconds: number }[];
  unfinishedDays: readonly { day: string; objects: number }[];
  /** Open ones; undefined = the ledger did not answer. */
  deadLetters: number | undefined;
  conflicts: number | undefined;
  /** Mails of the last week to unregistered addresses that look like reports: any other may be spam. */
  refusedReports: number;
  /** Parts of mail without an outcome. */
  missingParts: number;
  /** When cron last began a round over all domains, and when it is last known to have run; 0 = never, undefined = not known. */
  roundSeconds?: number | undefined;
  cronSeconds?: number | undefined;
  databases?: DatabaseSizes;
  /** What one may hold; the paid plan's where it is not known. */
  maxDatabaseBytes?: number | undefined;
  /** Numbers of those that accounts live in and that are not bound. */
  unboundDatabases?: readonly number[] | undefined;
}

/** One of them. */
export interface OperatorStep {
  /** A sentence without its period. */
  what: string;
  /** To be typed as it is; `dmarc` stands for `npm run --silent dmarc --`. */
  command: string;
}

/** The prefix of a deployment that was given none. */
export const DEFAULT_PREFIX = "dmarc";

/** The command that shows the log of a Worker. */
export function logCommand(worker: "process" | "dashboard", prefix = DEFAULT_PREFIX): string {
  return `npx wrangler tail ${prefix}-${worker} --format json`;
}

/** Ours: an ordinary message waits for seconds, and one that is tried again for some minutes. */
const LONG_WAIT_SECONDS = 15 * 60;

/** Whether something of cron's, which is begun every quarter of an hour, was so long ago as no message may wait. 0 = never yet. */
function isLate(seconds: number, nowSeconds: number): boolean {
  return seconds > 0 && nowSeconds - seconds > WATCH_RULES.pipelineBehind.maxWaitingSeconds;
}

/**
 * Whether cron has not run for longer than a message may wait. Cloudflare's cron was seen to stop for hours without any error,
 * while everything else went on; nothing that cron itself does can say so. A round over tens of thousands of domains may take as
 * long, and its domains are judged meanwhile.
 */
export function isCronLate(
  { roundSeconds = 0, cronSeconds = roundSeconds }: Pick<PipelineState, "roundSeconds" | "cronSeconds">,
  nowSeconds: number,
): boolean {
  return isLate(cronSeconds, nowSeconds);
}

/** About databases that accounts live in and that are not bound: their mail says so only in each dead letter. */
function unboundSteps(numbers: readonly number[]): OperatorStep[] {
  if (numbers.length === 0) return [];
  const [databases, are] = numbers.length === 1 ? ["database", "is"] : ["databases", "are"];
  const what = `The ledger's ${databases} ${numbers.join(", ")}, which accounts live in, ${are} not bound, and their mail ends as dead letters: deploy again`;
  return [{ what, command: `npm run deploy -- --databases ${Math.max(...numbers) + 1}` }];
}

/** What needs an operator, what holds up everything else first; none = nothing does. */
export function operatorSteps(state: PipelineState): OperatorStep[] {
  const { nowSeconds, queues, unfinishedDays, deadLetters, conflicts, refusedReports, missingParts } = state;
  const { prefix = DEFAULT_PREFIX, roundSeconds = 0, cronSeconds = roundSeconds } = state;
  const steps = unboundSteps(state.unboundDatabases ?? []);
  if (deadLetters === undefined) {
    steps.push({ what: "The ledger (D1) does not answer", command: `npx wrangler d1 info ${prefix}-reports` });
  }
  const late = queues.filter(
    ({ messages, oldestSeconds: at }) => messages > 0 && at > 0 && nowSeconds - at > LONG_WAIT_SECONDS,
  );
  for (const { queue, messages, oldestSeconds } of late) {
    const minutes = Math.floor((nowSeconds - oldestSeconds) / 60);
    const age = minutes < 120 ? countText(minutes, "minute") : countText(Math.floor(minutes / 60), "hour");
    const what = `${queue}: ${countText(messages, "message")} waiting, the oldest for ${age}`;
    steps.push({ what, command: logCommand("process", prefix) });
  }
  const hoursSince = (seconds: number): string => countText(Math.floor((nowSeconds - seconds) / 3600), "hour");
  if (isCronLate(state, nowSeconds)) {
    const what = `Cron has looked at no domain for ${hoursSince(cronSeconds)}: if it has stopped, there are no alerts, digests and upkeep`;
    steps.push({ what, command: logCommand("process", prefix) });
  } else if (isLate(roundSeconds, nowSeconds)) {
    const what = `The round over the domains has gone on for ${hoursSince(roundSeconds)}, and alerts come as late: do a part of it now`;
    steps.push({ what, command: "dmarc watch run" });
  }
  // What came today, or just before midnight, may be on its way, unless nothing moves any more.
  const lately = new Date((nowSeconds - LONG_WAIT_SECONDS) * 1000).toISOString().slice(0, 10);
  const isIdle = queues.every(({ messages }) => messages === 0);
  const left = unfinishedDays.filter(({ day }) => isIdle || day < lately);
  const files = left.reduce((sum, { objects }) => sum + objects, 0);
  const oldest = left.map(({ day }) => day).sort()[0];
  if (oldest !== undefined) {
    const what = `${countText(files, "file")} pending, the oldest of ${oldest}`;
    steps.push({ what, command: `dmarc reconcile --since ${oldest} --watch` });
  }
  if (missingParts !== 0) {
    const since = new Date((nowSeconds - 7 * 86_400) * 1000).toISOString().slice(0, 10);
    const what = `${countText(Math.abs(missingParts), "part")} of mail without an outcome`;
    steps.push({ what, command: `dmarc reprocess --since ${since}` });
  }
  for (const { holds, advice, command } of filledDatabases(state.databases ?? [], state.maxDatabaseBytes)) {
    steps.push({ what: `${holds}: ${advice}`, command });
  }
  if (deadLetters)
    steps.push({ what: countText(deadLetters, "open dead letter"), command: "dmarc dead-letters reasons" });
  if (conflicts) steps.push({ what: countText(conflicts, "open conflict"), command: "dmarc conflicts list" });
  if (refusedReports > 0) {
    const what = `${countText(refusedReports, "mail")} to unregistered addresses ${refusedReports === 1 ? "looks like a report" : "look like reports"}`;
    steps.push({ what, command: "dmarc rua refused" });
  }
  return steps;
}
