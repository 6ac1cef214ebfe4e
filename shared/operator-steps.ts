/** What an operator does next about what waits: what it is, and the command that shows or ends it. Pure. */
import { D1_LIMITS } from "./limits.ts";
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
  /** When cron last began a round over all domains; 0 = never, undefined = not known. */
  roundSeconds?: number | undefined;
  /** Sizes of the ledger's databases, by number; 0 = not known. */
  databases?: readonly { database: number; bytes: number }[];
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

/**
 * Whether cron's last round began longer ago than a message may wait. Cloudflare's cron was seen to stop for hours without any
 * error, while everything else went on; nothing that cron itself does can say so.
 */
export function isCronLate(roundSeconds: number | undefined, nowSeconds: number): boolean {
  return (
    roundSeconds !== undefined &&
    roundSeconds > 0 &&
    nowSeconds - roundSeconds > WATCH_RULES.pipelineBehind.maxWaitingSeconds
  );
}

/** What needs an operator, what holds up everything else first; none = nothing does. */
export function operatorSteps(state: PipelineState): OperatorStep[] {
  const { nowSeconds, queues, unfinishedDays, deadLetters, conflicts, refusedReports, missingParts } = state;
  const { prefix = DEFAULT_PREFIX, roundSeconds = 0 } = state;
  const steps: OperatorStep[] = [];
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
  if (isCronLate(roundSeconds, nowSeconds)) {
    const hours = countText(Math.floor((nowSeconds - roundSeconds) / 3600), "hour");
    const what = `Cron began its last round over the domains ${hours} ago: if it has stopped, there are no alerts, digests and upkeep`;
    steps.push({ what, command: logCommand("process", prefix) });
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
  steps.push(...fullDatabases(state.databases ?? []));
  if (deadLetters)
    steps.push({ what: countText(deadLetters, "open dead letter"), command: "dmarc dead-letters reasons" });
  if (conflicts) steps.push({ what: countText(conflicts, "open conflict"), command: "dmarc conflicts list" });
  if (refusedReports > 0) {
    const what = `${countText(refusedReports, "mail")} to unregistered addresses ${refusedReports === 1 ? "looks like a report" : "look like reports"}`;
    steps.push({ what, command: "dmarc rua refused" });
  }
  return steps;
}

/** Ours: the share of a database from which new accounts should go elsewhere, and from which its own accounts are too large for it. */
const NEARLY_FULL = 0.8;
const FULL = 0.95;

/** Databases that have room for little more: a full one takes no report. */
function fullDatabases(databases: NonNullable<PipelineState["databases"]>): OperatorStep[] {
  const { maxDatabaseBytes, maxDatabases } = D1_LIMITS;
  return databases.flatMap(({ database, bytes }): OperatorStep[] => {
    const share = bytes / maxDatabaseBytes;
    const holds = `Database ${database} holds ${(bytes / 1e9).toFixed(1)} of ${maxDatabaseBytes / 1e9} GB`;
    const isLast = database === databases.length - 1 && databases.length < maxDatabases;
    if (isLast && share >= NEARLY_FULL) {
      const command = `npm run deploy -- --databases ${databases.length + 1}`;
      return [{ what: `${holds}: new accounts need another`, command }];
    }
    if (share < FULL) return [];
    const what = `${holds}: keep details for fewer days (KEEP_DETAIL_DAYS)`;
    return [{ what, command: "npm run deploy -- --file options.json" }];
  });
}
