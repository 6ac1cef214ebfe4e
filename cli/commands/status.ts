/** `dmarc status`: what is waiting, and what became of the rest. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { Activity } from "../../shared/analytics/queries-activity.ts";
import { isIdle } from "../../shared/operations.ts";
import type { ApiClient, Status } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { printJson, printOut, renderPairs, renderTable } from "../terminal.ts";

interface StatusOptions extends ConnectionOptions {
  json?: true;
  wait?: true;
  timeout: number;
}

/** Between two looks; a batch is given to a consumer after 0.2 s locally. */
const POLL_MS = 250;
/** One look is not enough: see isIdle. */
const QUIET_LOOKS = 2;

const EXAMPLES = `
Examples:
  dmarc status
  dmarc status --wait --timeout 600      return when everything has been processed
  dmarc status --json`;

/** Adds the command. */
export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description("What is waiting in the queues, and what became of the rest")
    .option("--wait", "wait until everything has been processed")
    .option("--timeout <seconds>", "how long to wait at most", parseSeconds, 300)
    .option("--json", "JSON for programs");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printStatus);
}

async function printStatus(options: StatusOptions): Promise<void> {
  const client = connect(options);
  const status = options.wait ? await waitUntilDone(client, options.timeout) : await client.status();
  const activity = await readActivity(client);
  if (options.json) return printJson({ ...status, activity });
  printOut(renderStatus(status));
  if (activity !== null) printOut(`\n${renderActivity(activity)}`);
}

// Status is looked at when something is broken, so it goes without Analytics Engine too; `outcomes` says why it failed.
async function readActivity(client: ApiClient): Promise<Activity[] | null> {
  try {
    return await client.activity();
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

async function waitUntilDone(client: ApiClient, timeoutSeconds: number): Promise<Status> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (let quiet = 0; ; await sleep(POLL_MS)) {
    const status = await client.status();
    quiet = isIdle(status) ? quiet + 1 : 0;
    if (quiet >= QUIET_LOOKS) return status;
    if (performance.now() > deadline) {
      throw new CommandError(`Not done after ${timeoutSeconds} s: ${renderWaiting(status)}.`);
    }
  }
}

function renderWaiting({ queues, unfinished }: Status): string {
  return [`${unfinished} unfinished`, ...queues.map(({ queue, messages }) => `${messages} in ${queue}`)].join(", ");
}

function renderStatus(status: Status): string {
  const { queues, unfinished, unfinishedLimit, outcomes } = status;
  const table = renderTable(
    ["queue", "messages", "bytes", "oldest"],
    queues.map(({ queue, messages, bytes, oldestSeconds }) => [queue, messages, bytes, renderAge(oldestSeconds)]),
  );
  const pairs: [string, unknown][] = [
    ["unfinished", unfinished < unfinishedLimit ? unfinished : `${unfinished} or more`],
  ];
  if (outcomes === null) pairs.push(["outcomes", status.outcomesProblem ?? "not known"]);
  else pairs.push(...Object.entries(outcomes));
  return `${table}\n${renderPairs(pairs)}`;
}

function renderActivity(activity: Activity[]): string {
  const rows = activity.map(({ seconds, settled, failed }) => [
    renderSpan(seconds),
    settled,
    (settled / (seconds / 60)).toFixed(1),
    failed,
    settled === 0 ? "" : `${((failed / settled) * 100).toFixed(1)} %`,
  ]);
  return renderTable(["in the last", "reports", "a minute", "failed", "share"], rows);
}

function renderAge(sentSeconds: number | undefined): string {
  // 0 = empty, or the platform does not tell.
  return sentSeconds ? renderSpan(Math.max(0, Math.round(Date.now() / 1000 - sentSeconds))) : "";
}

function renderSpan(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError("It has to be a number of seconds.");
  return seconds;
}
