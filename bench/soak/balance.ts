/**
 * The balance sheet of a soak run: what was sent against what the ledger holds, as the API tells it. Pure but for the
 * API's answers.
 */
import type { ApiClient, Status } from "../../cli/client.ts";
import { type Expected, NOTHING, type SoakMail } from "./mails.ts";

export interface BalanceRow {
  name: string;
  expected: number;
  found: number;
}

/** What was sent, summed up. */
export interface Sent extends Expected {
  mails: number;
  delivered: number;
  rejected: number;
}

/** An empty account of what was sent. */
export function emptySent(): Sent {
  return {
    mails: 0,
    delivered: 0,
    rejected: 0,
    ...NOTHING,
  };
}

/** Adds a mail that is being sent. */
export function addSent(sent: Sent, { expected, isRejected }: SoakMail): void {
  sent.mails++;
  if (isRejected) sent.rejected++;
  else sent.delivered++;
  for (const name of Object.keys(expected) as (keyof Expected)[]) sent[name] += expected[name];
}

interface Counted {
  sent: Sent;
  taken: { delivered: number; rejected: number };
  rawObjects: number;
  unfinished: number;
}

/** Reads what the pipeline has and sets it against what was sent. Raw objects are counted by dry runs. */
export async function readBalance(
  client: ApiClient,
  { sent, taken, rawObjects, unfinished }: Counted,
): Promise<BalanceRow[]> {
  const [status, stats] = [await client.ask("status", {}), await client.ask("stats", {})];
  const outcomes = status.outcomes ?? {};
  const row = (name: string, expected: number, found: number): BalanceRow => ({ name, expected, found });
  return [
    row("mails taken (250)", sent.delivered, taken.delivered),
    row("mails refused (550)", sent.rejected, taken.rejected),
    row("raw objects in R2", sent.raw, rawObjects),
    row("reports", sent.reports, stats.reports),
    row("records", sent.records, stats.records),
    row("messages", sent.messages, stats.messages),
    row("messages passed", sent.passed, stats.passed),
    row("duplicates", sent.duplicates, outcomes.duplicate ?? 0),
    row("conflicts by outcome", sent.conflicts, outcomes.conflict ?? 0),
    row("conflicts listed", sent.conflicts, await countOf(client.each("listConflicts", {}))),
    row("dead letters counted", sent.deadLetters, stats.deadLetters),
    row("dead letters listed", sent.deadLetters, await countOf(client.each("listDeadLetters", {}))),
    row("waiting messages", 0, waitingIn(status)),
    row("unfinished raw objects", 0, unfinished),
  ];
}

/** Rows that do not agree. */
export function differences(rows: BalanceRow[]): BalanceRow[] {
  return rows.filter(({ expected, found }) => expected !== found);
}

/** Messages in all queues. */
export function waitingIn({ queues }: Status): number {
  return queues.reduce((sum, { messages }) => sum + messages, 0);
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of items) count++;
  return count;
}
