/**
 * Many mails through the local stack, with faults and a kill in the middle, and the exact balance at the end.
 *
 * usage: npm run soak -- [--mails N] [--seed S] [--fault-rate R] [--alerts N] [--kill] [--json] [--keep]
 * Exit code: 0 everything balances, 1 something is missing or too much, or the run failed.
 */
import { Command, InvalidArgumentError } from "commander";
import { differences } from "../bench/soak/balance.ts";
import { runSoak, type SoakResult } from "../bench/soak/run.ts";
import { numberBetween } from "../cli/option-values.ts";
import { renderTable } from "../cli/terminal.ts";

interface SoakOptions {
  mails: number;
  seed: number;
  faultRate: number;
  alerts: number;
  kill?: true;
  json?: true;
  keep?: true;
}

function readOptions(): SoakOptions {
  return new Command("npm run soak --")
    .description("Many mails through the local stack, with faults, and the exact balance at the end")
    .option("--mails <n>", "how many mails", numberBetween(1), 1000)
    .option("--seed <n>", "the same seed gives the same mails", numberBetween(1), 1)
    .option("--fault-rate <share>", "share of writes and of answers to mails that fail, 0 to 0.5", share, 0.02)
    .option(
      "--alerts <n>",
      "domains that are watched, with a new sender each, told by mail and webhook",
      numberBetween(0),
      0,
    )
    .option("--kill", "kill -9 the stack when half of the mails are sent, and start it again")
    .option("--keep", "keep the state folder and its logs")
    .option("--json", "JSON for programs")
    .parse()
    .opts<SoakOptions>();
}

function share(text: string): number {
  const value = Number(text);
  if (text !== "" && value >= 0 && value <= 0.5) return value;
  throw new InvalidArgumentError("It has to be a number from 0 to 0.5.");
}

function print({
  rows,
  sent,
  faults,
  kills,
  requeued,
  repeatedNotices,
  sendSeconds,
  totalSeconds,
  stateDir,
}: SoakResult): void {
  const sign = (difference: number): string => (difference > 0 ? `+${difference}` : `${difference}`);
  const cells = rows.map(({ name, expected, found }) => [
    name,
    expected,
    found,
    found === expected ? "" : sign(found - expected),
  ]);
  console.log(renderTable(["", "sent", "found", "difference"], cells));
  const mails = sent.delivered + sent.rejected;
  console.log(
    `${mails} mails in ${totalSeconds.toFixed(0)} s: sent at ${(mails / sendSeconds).toFixed(1)}, processed at ${(mails / totalSeconds).toFixed(1)} a second; ` +
      `${faults} writes failed, ${sent.retried} deliveries tried again, ${sent.repeated} sent twice, ${requeued} ` +
      `requeued, ${repeatedNotices} notices sent twice under one id, ${kills} kills`,
  );
  if (stateDir !== undefined) console.log(`kept: ${stateDir}`);
}

const options = readOptions();
const { mails, seed, faultRate, alerts, kill = false, keep = false } = options;
const say = (line: string): void => console.error(`${new Date().toTimeString().slice(0, 8)}  ${line}`);
const abort = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => abort.abort());
try {
  const result = await runSoak({ mails, seed, faultRate, alerts, kill, keep, say, signal: abort.signal });
  const wrong = differences(result.rows);
  if (options.json) console.log(JSON.stringify({ ...result, balanced: wrong.length === 0 }));
  else print(result);
  process.exit(wrong.length === 0 ? 0 : 1);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
