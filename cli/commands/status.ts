/** `dmarc status`: what is waiting, and the outcomes of the rest. */

import { type Command, InvalidArgumentError } from "commander";
import type { Outputs } from "../../shared/contract/operations.ts";
import { ACTIVITY_DAYS, missingParts } from "../../shared/ledger/activity.ts";
import { partWord } from "../../shared/mail/part-words.ts";
import { operatorSteps } from "../../shared/operator-steps.ts";
import type { ApiClient, Status } from "../client.ts";
import { CommandError } from "../command-error.ts";
import { addConnectionOptions, type ConnectionOptions, connect } from "../connection.ts";
import { interruptible } from "../interrupt.ts";
import { printJson, printOut, renderPairs, renderTable } from "../terminal.ts";
import { WAIT_BOUNDS, waitUntilDone } from "../wait.ts";

type Activity = Outputs["activity"]["items"][number];

interface StatusOptions extends ConnectionOptions {
  json?: true;
  wait?: true;
  timeout: number;
}

const EXAMPLES = `
Examples:
  dmarc status
  dmarc status --wait --timeout 600      return when everything has been processed
  dmarc status --json

--wait ends with exit code 1 and a sentence when the time is up, when the stack has stopped, or when nothing moves for a minute.`;

/** Adds the command. */
export function addStatus(program: Command): void {
  const command = program
    .command("status")
    .description("What is waiting in the queues, and the outcomes of the rest")
    .option("--wait", "wait until everything has been processed")
    .option("--timeout <seconds>", "how long to wait at most", parseSeconds, 300)
    .option("--json", "one JSON document");
  addConnectionOptions(command).addHelpText("after", EXAMPLES).action(printStatus);
}

async function printStatus(options: StatusOptions): Promise<void> {
  const client = connect(options);
  const bounds = { ...WAIT_BOUNDS, timeoutSeconds: options.timeout };
  const status = options.wait
    ? await interruptible("The pipeline goes on.", () =>
        waitUntilDone((signal) => client.ask("status", {}, signal), bounds),
      )
    : await client.ask("status", {});
  const activity = await readActivity(client);
  if (options.json) return printJson({ ...status, activity });
  printOut(renderStatus(status));
  if (activity !== null) printOut(`\n${renderActivity(activity)}`);
  printOut(`\n${renderSteps(status, Math.floor(Date.now() / 1000))}`);
}

/** What to do next, each with its command. */
function renderSteps({ outcomes, parts, refusedReports = 0, ...status }: Status, nowSeconds: number): string {
  const counted = outcomes === null ? undefined : { dead_letter: 0, conflict: 0, ...outcomes };
  const steps = operatorSteps({
    ...status,
    nowSeconds,
    deadLetters: counted?.dead_letter,
    conflicts: counted?.conflict,
    refusedReports,
    missingParts: parts === null ? 0 : missingParts(parts),
  });
  if (steps.length === 0) return "Nothing to do.";
  return `To do:\n${renderPairs(steps.map(({ what, command }) => [`  ${what}`, command]))}`;
}

// Status is needed when something is broken, so it works without activity; `outcomes` says why that failed.
async function readActivity(client: ApiClient): Promise<Activity[] | null> {
  try {
    return (await client.ask("activity", {})).items;
  } catch (error) {
    if (error instanceof CommandError) return null;
    throw error;
  }
}

function renderStatus(status: Status): string {
  const { queues, unfinished, unfinishedDays, reportsWithDueSlices, outcomes } = status;
  const table = renderTable(
    ["queue", "messages", "bytes", "oldest"],
    queues.map(({ queue, messages, bytes, oldestSeconds }) => [queue, messages, bytes, renderAge(oldestSeconds)]),
  );
  const pairs: [string, unknown][] = [["pending files", unfinished]];
  for (const { day, objects } of unfinishedDays) pairs.push([`  of ${day}`, objects]);
  for (const { database, accounts, bytes } of status.databases) {
    const size = bytes === 0 ? "size not known" : `${(bytes / 1e6).toFixed(1)} MB`;
    pairs.push([`database ${database}`, `${size}, ${accounts} account${accounts === 1 ? "" : "s"}`]);
  }
  if (reportsWithDueSlices > 0) pairs.push(["points due, reports", reportsWithDueSlices]);
  if (outcomes === null) pairs.push(["outcomes", status.outcomesProblem ?? "not known"]);
  else {
    const { dead_letter: deadLetters = 0, conflict: conflicts = 0, ...reports } = outcomes;
    pairs.push(["open dead letters", deadLetters], ["open conflicts", conflicts]);
    pairs.push(["refused mails, last week", status.refusedMails ?? "not known"]);
    for (const [outcome, count] of Object.entries(reports)) pairs.push([`${outcome} reports, last week`, count]);
  }
  if (status.parts !== null && status.parts.found > 0) pairs.push(["parts found", renderParts(status.parts)]);
  return `${table}\n${renderPairs(pairs)}`;
}

/** The balance of the last week: `7 = 4 accepted + 1 dead letter + 2 passed over (2 texts)`. */
function renderParts(parts: NonNullable<Status["parts"]>): string {
  const { found, outcomes, passedOver } = parts;
  const named = ([name, count]: [string, number]): string => `${count} ${partWord(name, count)}`;
  const terms = Object.entries(outcomes).map(named);
  const kinds = Object.entries(passedOver);
  const passed = kinds.reduce((sum, [, count]) => sum + count, 0);
  if (passed > 0) terms.push(`${passed} passed over (${kinds.map(named).join(", ")})`);
  const missing = missingParts(parts);
  if (missing !== 0) terms.push(`${missing} MISSING`);
  return `${found} = ${terms.join(" + ")}, of mail of the last ${ACTIVITY_DAYS} days`;
}

/** Reports settled in the last periods as a table; without a rate or share where there were none. */
export function renderActivity(activity: Activity[]): string {
  const rows = activity.map(({ seconds, settled, failed }) => [
    renderSpan(seconds),
    settled,
    settled === 0 ? "" : (settled / (seconds / 60)).toFixed(1),
    failed,
    settled === 0 ? "" : `${((failed / settled) * 100).toFixed(1)} %`,
  ]);
  return renderTable(["in the last", "reports", "a minute", "failed", "share"], rows);
}

function renderAge(sentSeconds: number | undefined): string {
  // 0 = empty or unknown.
  return sentSeconds ? renderSpan(Math.max(0, Math.round(Date.now() / 1000 - sentSeconds))) : "";
}

function renderSpan(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds < 0) throw new InvalidArgumentError("It must be a number of seconds.");
  return seconds;
}
